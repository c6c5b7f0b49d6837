"""Masks of photos for a segmenter to learn from, made without a network or by sharpening a network's masks."""
