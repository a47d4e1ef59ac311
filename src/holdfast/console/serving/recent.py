"""How many there were lately: of answers, alerts or wrong passwords of one sender. Moments of one clock are passed in, in seconds."""

from collections import deque


class Recent:
    """What came within the last `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._moments: deque[float] = deque()

    def count(self, now: float) -> int:
        """How many there are now."""
        while self._moments and now - self._moments[0] >= self._seconds:
            self._moments.popleft()
        return len(self._moments)

    def add(self, now: float, count: int = 1) -> None:
        """So many more."""
        self._moments.extend([now] * count)
