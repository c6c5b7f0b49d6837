"""Measurements of speed and memory. Each module is a command, see benchmarks/README.md."""
