"""The system's clocks."""
