"""Short videos for the tests of the edge command, written and read with OpenCV."""

import cv2
import numpy as np

from edge_segmenter.files import video

SIZE, FPS = (64, 32), 12.0


def frame(white):
    """Returns a frame, uint8 [height, width, bgr]: white from the column `white` on, and dark blue before it."""
    pixels = np.full((SIZE[1], SIZE[0], 3), (90, 0, 0), "uint8")
    pixels[:, white:] = 255
    return pixels


def write(path, frames):
    """Writes a video of frames, see `frame`. Returns its path."""
    file = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, SIZE)
    for pixels in frames:
        file.write(pixels)
    file.release()
    return path


def read(path):
    """Returns the frames, uint8 [frame, height, width, rgb], and the number of frames per second."""
    capture, fps = video.open_capture(path)
    return np.stack([np.asarray(image) for image in video.read_frames(capture)]), fps
