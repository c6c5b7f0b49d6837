"""Photos, a network that marks bright pixels, and a parser of pages, for the tests of the report."""

import html.parser

import numpy as np
from edge_command import bright_network

from tf_layered_gan.data.photos import Photos, Splits
from tf_layered_gan.reporting.measured import measure

HOSTILE = '<script>alert("1")</script>.jpg'


def photos(count, size=16, masks=True, first_name="photo 0.jpg"):
    """Returns black photos with a white square that grows from photo to photo. Half of the square is the object."""
    images, truth = np.zeros((count, size, size, 3), np.uint8), np.zeros((count, size, size), np.uint8)
    for i in range(count):
        images[i, 4:12, 2 : 5 + i] = 255
        truth[i, 4:8, 2 : 5 + i] = 1
    names = [first_name, *(f"photo {i}.jpg" for i in range(1, count))]
    return Photos(images, truth if masks else None, tuple(names[:count]))


def measured(masks=True, training=5, test=4):
    """Returns the result of `measure` for a network that marks bright pixels."""
    train = photos(training, size=20, masks=False, first_name=HOSTILE)
    splits = Splits(train, photos(2, masks=masks), photos(test, masks=masks, first_name=HOSTILE))
    return measure(bright_network(), splits, None)


class Page(html.parser.HTMLParser):
    """The elements of a page as (tag, attributes), and the text of each script."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        self.open = self.open[: len(self.open) - 1 - self.open[::-1].index(tag)]

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)

    def all(self, *tags):
        """Returns the attributes of all elements with one of the tags."""
        return [attributes for tag, attributes in self.elements if tag in tags]
