"""Redis as seen from outside: looking at it, and proving that it takes writes."""
