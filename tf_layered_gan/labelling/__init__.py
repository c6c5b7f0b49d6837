"""Making of the masks that a segmenter learns: masks from GrabCut or a labeller, or a network's sharpened masks."""
