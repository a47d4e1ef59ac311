"""Many demos in a row, and what they measured together."""
