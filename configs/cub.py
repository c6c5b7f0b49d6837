"""CUB-200-2011 at 128x128, 11,788 photos of birds: 10,000 to train, 788 to validate, and 1,000 to test (appendix C of
the paper).

    python -m tf_layered_gan.main --config=configs/cub.py --workdir=runs/cub

Time: not measured. A run needs a GPU, because the GAN sees ten million images in five rounds.
IoU to expect: unknown, because this program has not been run on this dataset. The paper reports an IoU of 0.697, and of
0.701 at 64x64.

All values are the paper's (Table C.1), as in configs/default.py.

TensorFlow Datasets downloads 1.2 GB to DIR. DIR is the value of --config.data.path, by default ~/tensorflow_datasets.
If you have the archives, CUB_200_2011.tgz and segmentations.tgz, put them into DIR/downloads/manual.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.data.source = "cub"
    config.data.classes = r"^\d+"  # for example, 001 in the path 001.Black_footed_Albatross/
    return config
