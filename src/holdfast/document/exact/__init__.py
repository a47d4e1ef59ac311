"""Pure: the exact form of a plan in Markdown, which Holdfast writes and reads back.

Every value of the plan stands in it once, visibly, in a table whose first heading is the value's place in backticks, or in a fenced text
below its place. Everything else in the document is drawn from those values and is not read. The form goes by the plan's types, so a
new field of the plan is written and read without a line here.
"""
