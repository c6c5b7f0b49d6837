"""The method of PerturbGAN (Bielski & Favaro, 2019) with this repository's networks. The paper that this package
implements (Yang et al., 2022) improves on PerturbGAN.

    python -m tf_layered_gan.main --config=configs/perturbgan.py --config.data.path=DIR --workdir=runs/perturbgan

Time: not measured. A run needs a GPU, because the GAN sees a million images in one round.
IoU to expect: unknown, because this config has not been run. For PerturbGAN on CUB, Table 5 of the paper reports an
mIoU of 38.0 %. This number is probably an IoU, not an mIoU. Table 1 of the paper reports an IoU of 6.3 % for the
paper's own method with L_size in place of mutual information.

This config has no mutual-information loss and no background loss. The object is shifted by up to an eighth of the
width, but not scaled or rotated. The contrast of the background changes by a factor of 0.7 to 1.3. The binarisation
loss and the mask-size loss both have the weight 2. The mask-size loss keeps the area of a mask above a quarter of the
image. Photos are enlarged to 1.125 times their size and cropped at random, but not flipped. The weight of the
binarisation loss is the default of PerturbGAN's published code. All other values are from the sample command of that
code.

Differences from PerturbGAN: PerturbGAN has StyleGAN's networks, WGAN-GP's adversarial loss and another optimizer. Its
resolution grows during the training. PerturbGAN's discriminator sees six million photos during the training, in batches
of 256 at the start and 32 at the end. PerturbGAN squeezes photos to squares, while this config crops them. PerturbGAN
shifts objects by whole pixels. PerturbGAN's binarisation and mask-size losses use the mask after the shift. In this
config, these losses use the mask before the shift. This config keeps the private code c, but no loss uses c, so it is
only noise. The segmenter that learns from the pairs (14,000 steps) is not part of PerturbGAN.
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
