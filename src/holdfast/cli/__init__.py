"""Thin commands: they read arguments, call one room below, and print."""
