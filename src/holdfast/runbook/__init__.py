"""Pure: plan + history + now → which steps to start, what waits for whom, and the critical path."""
