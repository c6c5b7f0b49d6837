"""Functions that read what a run wrote."""

import numpy as np
from PIL import Image


def pixels(path):
    """Returns the values of an image file, uint8."""
    with Image.open(path) as image:
        return np.array(image)


def steps(events):
    """Returns a dict from the names of a run's events to the steps in which they were written."""
    return {name: [event.step for event in listed] for name, listed in events.items()}
