"""All outside I/O, a folder a technology. Providers never import each other."""
