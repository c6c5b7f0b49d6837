"""Masks of photos without a trained network, or sharper than a network's: what a segmenter learns from on photos."""
