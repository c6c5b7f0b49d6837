"""The photos that a config names."""

from tf_layered_gan.data import folder, shapes


def prepare_photos(config):
    """Downloads and prepares the dataset that `config.data` names, if it is one of the paper's and isn't yet."""
    if config.data.source not in ("folder", "shapes"):
        from tf_layered_gan.data import datasets  # not above: TensorFlow Datasets takes seconds to import

        datasets.prepare_dataset(config.data.source, config.data.path)


def load_photos(config, cache=None):
    """Loads the dataset that `config.data` names.

    Args:
        config: the run's ConfigDict.
        cache: directory for decoded and painted photos, or None.

    Returns:
        data.photos.Splits. None of the paper's datasets is prepared for it: a config from a workdir could have that
        written anywhere.
    """
    data = config.data
    storage_size = round(config.resolution / data.crop_scale[0])  # so that the smallest crop needs no enlarging
    if data.source == "shapes":
        return shapes.load(
            train=data.train_pictures,
            held_out=data.held_out_pictures,
            resolution=config.resolution,
            storage_size=storage_size,
            cache=cache,
        )
    if data.source != "folder":
        from tf_layered_gan.data import datasets  # not above: TensorFlow Datasets takes seconds to import

        return datasets.load(
            data.source,
            resolution=config.resolution,
            storage_size=storage_size,
            path=data.path,
            masks=data.masks,
            holdout=data.holdout,
            train_masks=config.segmenter.supervised,
            cache=cache,
            prepare=False,
        )
    return folder.load(
        data.path,
        resolution=config.resolution,
        storage_size=storage_size,
        masks=data.masks,
        unlabelled=data.unlabelled,
        holdout=data.holdout,
        cache=cache,
    )
