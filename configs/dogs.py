"""Stanford Dogs at 128x128: 20,580 photos, 12,000 of them to train on and for validation, 8,580 for test.

    python -m tf_layered_gan.main --config=configs/dogs.py --config.data.masks=MASKS --workdir=runs/dogs

Ten million images in five rounds, which is for a GPU; how long that takes has not been measured.

No true masks exist: MASKS holds those that a supervised segmenter predicts (the paper's is a Mask R-CNN), see
export/predict_masks.py. Without MASKS the run has no segmentation figures. The paper has no validation photos; here
`data.holdout` of the 12,000 are taken. The paper reaches an IoU of 0.613 with its masks; this program has not been run
on this dataset yet.

TensorFlow Datasets downloads 0.8 GB to ~/tensorflow_datasets, or --config.data.path=DIR. Archives that you have go to
DIR/downloads/manual: images.tar, annotation.tar and lists.tar.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.data.source = "dogs"
    config.data.holdout = 500
    config.data.classes = r"^n\d+"  # n02085620 of n02085620-Chihuahua/
    config.codes.num_categories = 120  # this and what follows: Table C.1
    config.gan.gamma_mi = 2.0
    config.gan.gamma_bg = 1.0
    return config
