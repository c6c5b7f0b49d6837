"""Masks of photos, from which a segmenter learns: made without a network, or sharpened from a network's masks."""
