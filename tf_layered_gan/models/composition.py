"""Composition of the layers into an image (paper, Eqs. 2 and 3)."""

from keras import KerasTensor


def compose(background: KerasTensor, foreground: KerasTensor, mask: KerasTensor) -> KerasTensor:
    """Blends two layers, x = (1 - pi) x_b + pi x_f (Eq. 2, or Eq. 3 if foreground and mask are already perturbed).

    Args:
        background: x_b, float32 [batch, height, width, rgb] in [-1, 1].
        foreground: x_f, float32 [batch, height, width, rgb] in [-1, 1].
        mask: pi, float32 [batch, height, width, 1] in [0, 1].

    Returns:
        x, float32 [batch, height, width, rgb] in [-1, 1].
    """
    return (1.0 - mask) * background + mask * foreground
