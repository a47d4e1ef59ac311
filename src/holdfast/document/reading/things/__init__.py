"""Recognisers: one file a kind of thing. Each claims the leaves whose headings, columns or labels say that they are its own."""
