"""Holdfast makes a business continuity plan executable."""

__version__ = "0.1.0"
