"""Amazon Picking Challenge at 128x128: single objects of many categories, on a shelf or in a tray.

    python -m tf_layered_gan.main --config=configs/apc.py --workdir=runs/apc

Time: not measured. A run needs a GPU, because the GAN sees ten million images in five rounds.
IoU to expect: unknown, because this program has not been run on this dataset. The paper reports an adjusted Rand index
(ARI) of 0.59 and a mean segmentation covering (MSC) of 0.71.

A tenth of the scenes is for validation and a tenth for the test, as in GENESIS-V2. The true masks are noisy, because a
program made them.

The program downloads the archive, training.zip, to DIR. DIR is the value of --config.data.path, by default
~/tensorflow_datasets. If the download fails, get http://3dvision.princeton.edu/projects/2016/apc/downloads/training.zip
and put it into DIR/downloads/manual.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.data.source = "apc"
    config.data.classes = r"(?<=/)[^/]+(?=/scene-)"  # for example, duct_tape in the path shelf/duct_tape/scene-0000/
    config.gan.gamma_mi = 2.0  # this value and gamma_bg are from the paper's Table C.1
    config.gan.gamma_bg = 0.0
    return config
