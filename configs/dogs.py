"""Stanford Dogs at 128x128, 20,580 photos: 12,000 for training and validation, and 8,580 for the test.

    python -m tf_layered_gan.main --config=configs/dogs.py --config.data.masks=MASKS --workdir=runs/dogs

Time: not measured. A run needs a GPU, because the GAN sees ten million images in five rounds.
IoU to expect: unknown, because this program has not been run on this dataset. The paper reports an IoU of 0.613,
measured with the paper's own masks.

There are no true masks. MASKS is a folder of masks that a supervised segmenter predicted, see export/predict_masks.py.
The paper uses a Mask R-CNN as this segmenter. Without MASKS, the run does not measure IoU. The paper has no validation
photos. This config keeps 500 of the 12,000 photos for validation (`data.holdout`).

TensorFlow Datasets downloads 0.8 GB to DIR. DIR is the value of --config.data.path, by default ~/tensorflow_datasets.
If you already have the archives (images.tar, annotation.tar and lists.tar), put them into DIR/downloads/manual.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.data.source = "dogs"
    config.data.holdout = 500
    config.data.classes = r"^n\d+"  # for example, n02085620 in the path n02085620-Chihuahua/
    config.codes.num_categories = 120  # this value and the values below are from the paper's Table C.1
    config.gan.gamma_mi = 2.0
    config.gan.gamma_bg = 1.0
    return config
