"""What runs beside a region's writers: the agent, and the guard that does without it. Standard library and `holdfast.fencing` only."""
