"""Masks for the training of a segmenter.

The masks come from GrabCut, from a given segmenter (the labeller), or from a network whose masks are sharpened.
"""
