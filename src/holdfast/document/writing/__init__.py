"""Pure: a plan → one neutral document → Markdown, HTML, or typst source for the PDF.

Small files make the sections; three renderers write them. No renderer decides what is said.
"""
