"""Exports the trained segmenter for servers and devices, and verifies every exported file."""
