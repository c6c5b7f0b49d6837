"""The five networks in PyTorch. They are the same as in `tf_layered_gan/models/networks` with the paper's settings."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.speed.torch_step.layers import (
    BatchNorm,
    SpectralConv,
    SpectralLinear,
    Stage,
    Trunk,
    conv,
    conv_bn_relu,
    flatten,
)


class BackgroundGenerator(nn.Module):
    """G_b."""

    def __init__(self, resolution: int, width: int, z_dim: int) -> None:
        super().__init__()
        self.trunk = Trunk(z_dim, resolution, width)
        self.background = conv(self.trunk.channels, 3, bias=True)

    def forward(self, z: Tensor) -> Tensor:
        """Paints x_b."""
        return self.background(self.trunk(z)).tanh_()


class ForegroundGenerator(nn.Module):
    """G_f."""

    def __init__(
        self, resolution: int, width: int, z_dim: int, c_dim: int, c_sup_dim: int, residual_blocks: int, least: int
    ) -> None:
        super().__init__()
        self.trunk = Trunk(z_dim + c_sup_dim, resolution, width)
        channels = self.trunk.channels
        middle = max(channels // 2, least)
        last = max(middle // 2, least)
        self.mask_stage = Stage(channels, c_sup_dim, residual_blocks, middle)
        self.mask_logits = conv(middle, 1, bias=True)
        self.foreground_stage = Stage(middle, c_dim, residual_blocks, last)
        self.foreground = conv(last, 3, bias=True)

    def forward(self, z: Tensor, c_sup: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Paints x_f and pi."""
        x = self.mask_stage(self.trunk(torch.cat([z, c_sup], 1)), c_sup)
        return self.foreground(self.foreground_stage(x, c)).tanh_(), self.mask_logits(x).sigmoid_()


def _halvings(resolution: int, width: int) -> list[int]:
    """Returns the number of channels after each halving of the map, down to 4x4 pixels."""
    return [min(width * 2**k, 8 * width) for k in range((resolution // 4).bit_length() - 1)]


class Discriminator(nn.Module):
    """D and E_x."""

    def __init__(self, resolution: int, width: int, c_dim: int) -> None:
        super().__init__()
        channels, layers = 3, []
        for filters in _halvings(resolution, width):
            layers += [SpectralConv(channels, filters, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
            channels = filters
        self.backbone = nn.Sequential(*layers)
        self.realness_conv = SpectralConv(channels, channels, 3, padding=1)
        self.realness = SpectralLinear(16 * channels, 1)
        self.category_conv = conv(channels, channels, bias=True)
        self.category = nn.Linear(16 * channels, c_dim)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns D(x) and the logits of E_x(c | x)."""
        x = self.backbone(x)
        realness = F.leaky_relu_(self.realness_conv(x), 0.2)
        category = F.leaky_relu_(self.category_conv(x), 0.2)
        return self.realness(flatten(realness))[:, 0], self.category(flatten(category))


class MaskEncoder(nn.Module):
    """E_pi."""

    def __init__(self, resolution: int, width: int, c_sup_dim: int) -> None:
        super().__init__()
        channels, layers = 1, []
        for filters in _halvings(resolution, width):
            layers += [conv(channels, filters, 4, stride=2, padding=1), BatchNorm(filters)]
            layers += [nn.LeakyReLU(0.2, inplace=True)]
            channels = filters
        self.backbone, self.code = nn.Sequential(*layers), nn.Linear(16 * channels, c_sup_dim)

    def forward(self, mask: Tensor) -> Tensor:
        """Returns the logits of E_pi(c_sup | pi)."""
        return self.code(flatten(self.backbone(mask)))


class UNet(nn.Module):
    """F."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        channels = 3
        for level in range(depth + 1):
            self.down.append(_double_conv(channels, width * 2**level))
            channels = width * 2**level
        for level in reversed(range(depth)):
            self.up.append(conv_bn_relu(width * 2 ** (level + 1), width * 2**level))
            self.up.append(_double_conv(width * 2 ** (level + 1), width * 2**level))
        self.logits = conv(width, 1, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits of F(x)."""
        skips = [self.down[0](x)]
        for block in self.down[1:]:
            skips.append(block(F.max_pool2d(skips[-1], 2)))
        x = skips.pop()
        for reduce, block in zip(self.up[::2], self.up[1::2], strict=True):
            x = reduce(F.interpolate(x, scale_factor=2, mode="bilinear"))
            x = block(torch.cat([skips.pop(), x], 1))
        return self.logits(x)


def _double_conv(channels: int, filters: int) -> nn.Sequential:
    return nn.Sequential(conv_bn_relu(channels, filters), conv_bn_relu(filters, filters))


def build(settings: Mapping[str, Any]) -> dict[str, nn.Module]:
    """Builds the networks.

    Returns a dict. Its keys are the names of the networks in our code. F is left out if the step does not use it.
    """
    resolution, z_dim, c_dim, c_sup_dim = (settings[name] for name in ("resolution", "z_dim", "c_dim", "c_sup_dim"))
    built: dict[str, nn.Module] = {
        "background_generator": BackgroundGenerator(resolution, settings["background_width"], z_dim),
        "foreground_generator": ForegroundGenerator(
            resolution,
            settings["generator_width"],
            z_dim,
            c_dim,
            c_sup_dim,
            settings["residual_blocks"],
            settings["least_width"],
        ),
        "discriminator": Discriminator(resolution, settings["discriminator_width"], c_dim),
        "mask_encoder": MaskEncoder(resolution, settings["mask_encoder_width"], c_sup_dim),
    }
    if settings["uses_segmenter"]:
        built["segmenter"] = UNet(settings["unet_width"], settings["unet_depth"])
    return built
