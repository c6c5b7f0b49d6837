"""Amazon Picking Challenge at 128x128: single objects on a shelf or in a tray, of many categories.

    python -m tf_layered_gan.main --config=configs/apc.py --workdir=runs/apc

Ten million images in five rounds, which is for a GPU; how long that takes has not been measured.

A tenth of the scenes is for validation, a tenth for test, as GENESIS-V2 splits them. The true masks were made by a
program and are noisy. The paper reaches an adjusted Rand index of 0.59 and a mean segmentation covering of 0.71; this
program has not been run on this dataset yet.

The archive, training.zip, is downloaded to ~/tensorflow_datasets, or --config.data.path=DIR; if that fails, get it from
http://3dvision.princeton.edu/projects/2016/apc/downloads/training.zip and put it into DIR/downloads/manual.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.data.source = "apc"
    config.data.classes = r"(?<=/)[^/]+(?=/scene-)"  # duct_tape of shelf/duct_tape/scene-0000/
    config.gan.gamma_mi = 2.0  # this and the next: Table C.1
    config.gan.gamma_bg = 0.0
    return config
