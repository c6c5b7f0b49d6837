"""PerturbGAN's method (Bielski & Favaro, 2019), which the paper improves on, with this repository's networks.

    python -m tf_layered_gan.main --config=configs/perturbgan.py --config.data.path=DIR --workdir=runs/perturbgan

Time: a million images in one round; needs a GPU. The time has not been measured.
IoU to expect: unknown; this config has not been run. On CUB, the paper reports an mIoU of 38.0 for PerturbGAN (Table
5); this is probably an IoU. For its own method with L_size in place of mutual information, the paper reports an IoU of
6.3 (Table 1).

There is no mutual information and no background loss. The object is shifted by up to an eighth of the width, but not
scaled or rotated. The contrast of the background changes by a factor of 0.7 to 1.3. The binarisation loss and the
mask-size loss, which keeps masks above a quarter of the image, both have the weight 2. Photos are enlarged 1.125 times
and cropped at random, but not flipped. These values are from the sample command of PerturbGAN's published code. Only
the weight of the binarisation loss is that code's default.

Differences from PerturbGAN: PerturbGAN has StyleGAN's networks, WGAN-GP's adversarial loss, another optimizer, and
growing resolutions with six million photos in batches of 256 to 32. PerturbGAN squeezes photos to squares; this config
crops them. PerturbGAN shifts by whole pixels. Its binarisation and mask-size losses use the mask after the shift; the
losses here use the mask before the shift. This config keeps the private code c, but no loss uses c, so it is only
noise. The segmenter that learns from the pairs (14,000 steps) is not part of PerturbGAN.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.data.flip = False
    config.data.crop_scale = (8 / 9, 8 / 9)  # 1 / 1.125
    config.perturbation.scale_exponent = (0.0, 0.0)
    config.perturbation.rotation = 0.0
    config.perturbation.background_contrast = (0.7, 1.3)
    config.gan.gamma_mi = 0.0
    config.gan.gamma_size = 2.0
    config.schedule.rounds = 1
    config.schedule.gan_images_per_round = 1_000_000
    return config
