"""PerturbGAN's way to layers (Bielski & Favaro, 2019) on this repository's networks: what the paper improves on.

    python -m tf_layered_gan.main --config=configs/perturbgan.py --config.data.path=DIR --workdir=runs/perturbgan

A million images, which is for a GPU; how long that takes has not been measured.

No mutual information and no segmenter in return: the object is shifted by up to an eighth of the width, neither scaled
nor turned; the background's contrast is jittered by 0.7 to 1.3; masks are binarised and kept above a quarter of the
picture, each with weight 2; photos are enlarged 1.125 times and cropped at random, not flipped. The values are those of
the sample command of its published code or, of the binarisation's weight, that code's default. Not PerturbGAN's: the
networks (it has StyleGAN's), the adversarial loss (WGAN-GP), the optimizer, growing resolutions, with six million
photos seen in batches of 256 to 32; photos are cropped to squares, not squeezed; shifts are not whole pixels; and the
binarisation and size losses see the mask as it was painted, not as it was shifted. The private code stays, as noise
that nothing asks to show; and the segmenter that learns from the pairs, 14,000 steps, is ours.

On CUB the paper lists PerturbGAN with an mIoU of 38.0 (Table 5), which is rather an IoU, and its own setting with the
mask-size loss in place of mutual information, at 64x64, with an IoU of 6.3 (Table 1). Neither was run here.
"""

from tf_layered_gan.config import default_config


def get_config():
    config = default_config()
    config.data.flip = False
    config.data.crop_scale = (8 / 9, 8 / 9)  # enlarged 1.125 times, then cropped
    config.perturbation.scale_exponent = (0.0, 0.0)
    config.perturbation.rotation = 0.0
    config.perturbation.background_contrast = (0.7, 1.3)
    config.gan.gamma_mi = 0.0
    config.gan.gamma_size = 2.0
    config.schedule.rounds = 1
    config.schedule.gan_images_per_round = 1_000_000
    return config
