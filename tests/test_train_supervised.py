"""A test of a run that trains only the segmenter, with the photos' true masks."""

import pytest
import tiny
from run_files import steps

from configs import shapes
from tf_layered_gan import synthesize
from tf_layered_gan.evaluation.baselines import BASELINES


def test_supervised_segmenter_learns_from_masks_without_a_gan(tmp_path, eagerly):
    supervised = {"segmenter.supervised": True, "schedule.final_segmenter_steps": 2}
    metrics = tiny.train_one_step(shapes, tmp_path, **supervised)
    assert (metrics["images_seen"], metrics["segmenter_steps"]) == (8, 2)
    assert list(metrics["test"]) == ["segmenter", "sharpened", *BASELINES] and "synthetic" not in metrics
    assert tiny.counters(tmp_path, "gan_step", "segmenter_step", "final_step") == [0, 0, 2]
    of = steps(tiny.events(tmp_path))
    assert of["supervised/segmentation"] == [1, 2] and "supervised/consistency" not in of
    assert not [name for name in of if name.startswith(("gan/", "mask", "discriminator/"))]
    with pytest.raises(ValueError, match="segmenter.supervised is True: such a run trains no GAN"):
        synthesize.write_dataset(tiny.run_config(shapes, **tiny.ONE_STEP | supervised), tmp_path, 1)
