"""The typed plan, block specifications, values, loader and bindings."""
