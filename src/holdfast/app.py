"""The one place that wires providers to ports."""
