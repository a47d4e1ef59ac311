"""A file as a channel: what people would have been told, one line of JSON each."""
