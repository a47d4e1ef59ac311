"""Pure: a plan as a document. Reads what people wrote (Markdown) into plan values, and writes a plan as Markdown, HTML and typst.

Never here: files, judging a plan (see `checks`).
"""
