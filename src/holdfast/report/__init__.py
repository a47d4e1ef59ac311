"""The report: what was promised, what happened, what clients lost, and the verdict. Pure, except for `files`, which writes."""
