"""Images that show what the codes of a trained GAN mean, and what its segmenter cuts out of photos.

WORKDIR/explore holds sheets with labelled rows and columns. No image is perturbed.

    z_at_fixed_c.png             only z changes along a row; z decides on the background, the pose and the shape
    c_at_fixed_z.png             only c changes along a row, within its group; c decides on the object's colours
    c_sup_at_fixed_z.png         only the group c_sup changes along a row; c_sup decides on the silhouette
    interpolation.png            the steps from one code to another
    objects_on_backgrounds.png   each object on each background
    cutouts.png                  objects on a checkerboard
    cutouts/                     half of these objects, each as a file with alpha
    photos_on_backgrounds.png    objects of held-out photos, as the segmenter finds them, on synthetic backgrounds
    photo_on_backgrounds.png     with --photo=FILE: the object of your photo, on synthetic backgrounds
    photo_cutout.png             with --photo=FILE: the cut-out with alpha, at the photo's own size
    walk.gif                     an animation that moves through five codes
"""

import os
import pathlib

import keras
import numpy as np
from absl import logging
from ml_collections import ConfigDict
from PIL import Image

from edge_segmenter import results
from edge_segmenter.files.atomic import replacing
from edge_segmenter.files.atomic import save_png as save_image
from edge_segmenter.files.images import read_image
from edge_segmenter.fit import fit_for_whole_photos, foreground_probability
from tf_layered_gan.evaluation.image_grid import save_png
from tf_layered_gan.evaluation.segmentation import predict_probabilities
from tf_layered_gan.exploration.codes import drawn_codes
from tf_layered_gan.exploration.sheets import Explorer, photos_on_backgrounds
from tf_layered_gan.files.replaced_folder import replacing_folder
from tf_layered_gan.models import sampling
from tf_layered_gan.runs import passes, restarts, workdir_lock
from tf_layered_gan.runs.restore import restore_gan
from tf_layered_gan.runs.run_photos import load_run_photos

_PHOTOS, _CUTOUTS, _LARGEST, _FRAME = 8, 16, 256, 120  # units in this order: images, images, pixels, milliseconds


def explore(config: ConfigDict, workdir: str | os.PathLike, photo: str | os.PathLike | None = None) -> None:
    """Writes the sheets to WORKDIR/explore. Earlier sheets are replaced when all new sheets are complete.

    The same run always gives the same sheets. If both the run's photos and the copies of them in the workdir are gone,
    a warning is logged and the sheet of photos is left out.

    Args:
        config: the run's config.
        workdir: the run's directory.
        photo: None, or the file of a photo.

    Raises:
        FileNotFoundError: the run has no checkpoint.
        ValueError: the run trained no GAN, the photo cannot be read, or another command is at work in the workdir.
    """
    own_photo = read_image(photo) if photo else None
    gan, segmenter, _ = restore_gan(config, workdir)
    network = passes.final_network(config, workdir, segmenter)
    sample = sampling.build_sampler(restarts.attempt(config, workdir), sampling.SYNTHESIS_STREAM)
    group_size = config.codes.group_size if config.codes.prior == "categorical" else 0
    explorer = Explorer(gan, drawn_codes(sample, Explorer.needed), group_size)
    out = pathlib.Path(workdir) / "explore"
    with workdir_lock.locked(workdir), replacing_folder(out) as new:
        _write_codes(new, explorer)
        _write_photos(new, explorer, config, workdir, network)
        if own_photo:
            _write_photo(new, explorer, own_photo, network, fit_for_whole_photos(config.data.fit))
    logging.info("wrote %s to %s", ", ".join(sorted(path.name for path in out.iterdir())), out)


def _write_codes(out: pathlib.Path, explorer: Explorer) -> None:
    for name in ("z_at_fixed_c", "c_at_fixed_z", "c_sup_at_fixed_z", "interpolation", "objects_on_backgrounds"):
        save_png(getattr(explorer, name)(), out / f"{name}.png")
    overview, pixels, masks = explorer.cutouts()
    save_png(overview, out / "cutouts.png")
    for i in range(_CUTOUTS):
        save_image(results.cutout(Image.fromarray(pixels[i]), masks[i]), out / "cutouts" / f"{i:02d}.png")
    first, *others = map(Image.fromarray, explorer.walk())
    with replacing(out / "walk.gif") as file:
        first.save(file, save_all=True, append_images=others, duration=_FRAME, loop=0)


def _write_photos(
    out: pathlib.Path, explorer: Explorer, config: ConfigDict, workdir: str | os.PathLike, network: keras.Model
) -> None:
    try:
        photos = load_run_photos(config, workdir).validation.images[:_PHOTOS]
    except ValueError as error:
        logging.warning("photos_on_backgrounds.png is left out: %s", error)
        return
    masks = predict_probabilities(network, photos)
    save_png(photos_on_backgrounds(photos, masks, list(explorer.backgrounds())), out / "photos_on_backgrounds.png")


def _write_photo(out: pathlib.Path, explorer: Explorer, photo: Image.Image, network: keras.Model, fit: str) -> None:
    def predict(pixels: np.ndarray) -> np.ndarray:
        return predict_probabilities(network, pixels[None])[0]

    cutout = results.cutout(photo, foreground_probability(photo, network.input_shape[1], predict, fit))
    save_image(cutout, out / "photo_cutout.png")
    cutout.thumbnail((_LARGEST, _LARGEST))
    *colours, alpha = np.moveaxis(np.asarray(cutout), 2, 0)
    pixels, mask = np.stack(colours, 2)[None], alpha[None] / np.float32(255)
    large = [Image.fromarray(image).resize(cutout.size, Image.Resampling.BICUBIC) for image in explorer.backgrounds()]
    sheet = photos_on_backgrounds(pixels, mask, list(map(np.asarray, large)))
    save_png(sheet, out / "photo_on_backgrounds.png")
