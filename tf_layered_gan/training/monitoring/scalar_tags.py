"""The names of the scalars in TensorBoard.

TensorBoard shows all names with the same first part as one group.

Each group of the GAN's scalars answers one question, see docs/tensorboard.md. Versions before 0.2.0 wrote all scalars
of the GAN in the groups "gan" and "synthetic".
"""

_GROUPS = {
    "discriminator": (  # is D winning?
        "generator_adversarial",
        "discriminator_adversarial",
        "real_logits",
        "fake_logits",
        "r1",
        "augmentation_probability",
    ),
    "mask": (
        "mask_mean",
        "mask_spread",
        "masks_full",
        "binarization",
        "mask_size",
        "variety",
    ),  # do the masks show objects, differ from each other, and have values near 0 and 1?
    "background": ("background", "independence"),  # is the background empty?
    "codes": ("mutual_information_image", "mutual_information_mask"),  # can the codes be seen in image and mask?
    "gradients": ("generator_gradient_norm", "discriminator_gradient_norm"),  # are the gradients too large, or 0?
}
_GROUP_OF = {name: group for group, names in _GROUPS.items() for name in names}


def scalar_tag(kind: str, name: str) -> str:
    """Returns the tag of a scalar.

    Args:
        kind: the kind of the phase, or "validation" or "synthetic", see `monitor.Monitor`.
        name: the scalar's name in the report of a step. This name is the last part of the tag.
    """
    if name == "images_per_second":
        return f"speed/{kind}/{name}"
    if kind == "synthetic":
        return f"mask_variety/{name}"
    return f"{_GROUP_OF.get(name, kind) if kind == 'gan' else kind}/{name}"
