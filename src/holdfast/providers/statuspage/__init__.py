"""The public status page, as static files."""
