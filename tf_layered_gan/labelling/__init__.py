"""Masks for the training of a segmenter. They come from GrabCut, a labeller, or a network whose masks are sharpened."""
