"""Pure: what is wrong with a plan, and where it cannot keep its promise."""
