"""The marks of the exact form, which its writer and its reader share."""

FRONT = "holdfast: plan/v1"
"""The line of the front matter by which the form is known."""
JOINS = " › "
"""Between the keys of a place."""
UNFINISHED = "its last line not ended"
"""Said of a fenced text that ends without a line break."""
