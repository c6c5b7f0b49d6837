"""Measurements of speed and memory. README.md lists the commands."""
