"""CUB-200-2011 at 128x128: 11,788 photos of birds, 10,000 to train on, 788 for validation, 1,000 for test (appendix C).

    python -m tf_layered_gan.main --config=configs/cub.py --workdir=runs/cub

Ten million images in five rounds, which is for a GPU; how long that takes has not been measured.

The values are configs/default.py's, which are the paper's (Table C.1). The paper reaches an IoU of 0.697 on the
test photos (0.701 at 64x64); this program has not been run on them yet.

TensorFlow Datasets downloads 1.2 GB to ~/tensorflow_datasets, or --config.data.path=DIR. Archives that you have go to
DIR/downloads/manual: CUB_200_2011.tgz and segmentations.tgz.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.data.source = "cub"
    config.data.classes = r"^\d+"  # 001 of 001.Black_footed_Albatross/
    return config
