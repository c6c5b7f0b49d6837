"""Stanford Cars at 128x128: 16,185 photos, 8,144 of them to train on and for validation, 8,041 for test.

    python -m tf_layered_gan.main --config=configs/cars.py --config.data.masks=MASKS --workdir=runs/cars

Ten million images in five rounds, which is for a GPU; how long that takes has not been measured.

The archives' home is gone, so get them from a mirror (2 GB; TensorFlow Datasets knows their checksums) and put them
into DIR/downloads/manual, DIR being --config.data.path or else ~/tensorflow_datasets: cars_train.tgz, cars_test.tgz,
car_devkit.tgz and cars_test_annos_withlabels.mat.

No true masks exist: MASKS holds those that a supervised segmenter predicts (the paper's is a Mask R-CNN), see
export/predict_masks.py. Without MASKS the run has no segmentation figures. The paper has no validation photos; here
`data.holdout` of the 8,144 are taken. The paper reaches an IoU of 0.633 with its masks; this program has not been run
on this dataset yet.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.data.source = "cars"
    config.data.holdout = 500
    config.data.classes = r"\d+$"  # 001 of cars_train/00001.jpg 001
    config.codes.num_categories = 196  # this and what follows: Table C.1
    config.codes.group_size = 14
    config.perturbation.rotation = 0.0
    config.perturbation.background_contrast = (0.7, 1.3)
    return config
