"""Exercises: what is done to the world, the load on it, and the verdict. Runs the real path, never a second one."""
