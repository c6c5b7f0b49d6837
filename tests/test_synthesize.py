"""A test of the images and masks that a finished run's GAN makes."""

import shutil

import numpy as np
import tiny
from run_files import pixels

from configs import shapes
from tf_layered_gan import synthesize
from tf_layered_gan.data.folder import reading
from tf_layered_gan.files.records import read_record


def test_synthesized_pairs_follow_from_their_number_and_load_as_photos_with_masks(run_copy, tmp_path, eagerly):
    out, written = run_copy / "synthetic", []
    for count in (3, 6):
        synthesize.write_dataset(tiny.run_config(shapes), run_copy, count)
        written.append({str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.png")})
    names = [f"{i:06d}.png" for i in range(6)]
    assert written[1].keys() == {f"{kind}/{name}" for kind in ("images", "masks") for name in names}
    assert len(set(written[1].values())) == 12
    assert written[0].items() <= written[1].items()
    assert read_record(out / "dataset.json")["pairs"] == 6
    shutil.copy(out / "images" / names[0], out / "images" / "unmasked.png")
    splits = reading.load(out / "images", resolution=16, storage_size=16, masks=out / "masks")
    # Photos with masks go to validation and to test alternately.
    assert splits.train.names == ("unmasked.png",)
    assert splits.validation.names == tuple(names[::2]) and splits.test.names == tuple(names[1::2])
    np.testing.assert_array_equal(splits.test.masks[0], pixels(out / "masks" / names[1]) >= 128)
    np.testing.assert_array_equal(splits.test.images[0], pixels(out / "images" / names[1]))
