"""One training step of the layered GAN in PyTorch, written for speed. It does what `LayeredGAN.train_step` does.

It has only the loss terms of the paper.
"""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.speed.torch_step import networks
from benchmarks.speed.torch_step.layers import Spectral
from benchmarks.speed.torch_step.weights import fold_batch_norm, load

Tensors = dict[str, Tensor]
_FULL = 0.9


class Step:
    """The networks, their optimizers and the step.

    Args:
        settings: the config's fields, see `gan_step.settings`.
        arrays: the weights, see `weights.load`.
        way: "eager"; "compile", in which torch.compile compiles each network; or "bfloat16", with autocast.
    """

    def __init__(self, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray], way: str):
        self.settings, self._in_bfloat16 = settings, way == "bfloat16"
        self.parts = {name: load(network, arrays, name) for name, network in networks.build(settings).items()}
        if settings["uses_segmenter"]:
            fold_batch_norm(self.parts["segmenter"])
        self.generators = nn.ModuleList([self.parts["background_generator"], self.parts["foreground_generator"]])
        self.critics = nn.ModuleList([self.parts["discriminator"], self.parts["mask_encoder"]])
        self.spectral = [layer for layer in self.critics.modules() if isinstance(layer, Spectral)]
        self.averages = copy.deepcopy(self.generators)
        self._averaged = [_tensors(self.averages), _tensors(self.generators)]
        betas = (settings["beta_1"], settings["beta_2"])
        self.optimizers = [
            torch.optim.Adam(part.parameters(), rate, betas, eps=1e-7, fused=True)
            for part, rate in (
                (self.generators, settings["generator_learning_rate"]),
                (self.critics, settings["discriminator_learning_rate"]),
            )
        ]
        if way == "compile":
            self.parts = {name: torch.compile(network, dynamic=False) for name, network in self.parts.items()}

    def __call__(self, batch: Tensors) -> dict[str, float]:
        """Takes a step. Returns the same report as `LayeredGAN.train_step`."""
        for layer in self.spectral:
            layer.update_u()
        with torch.autocast("cpu", torch.bfloat16, enabled=self._in_bfloat16):
            generator_loss, discriminator_loss, report = self.losses(batch)
        parameters = [optimizer.param_groups[0]["params"] for optimizer in self.optimizers]
        generator_loss.backward(inputs=parameters[0], retain_graph=True)
        discriminator_loss.backward(inputs=parameters[1])
        for name, optimizer, updated in zip(("generator", "discriminator"), self.optimizers, parameters, strict=True):
            report[f"{name}_gradient_norm"] = nn.utils.get_total_norm([p.grad for p in updated])
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            torch._foreach_lerp_(*self._averaged, 1 - self.settings["ema_decay"])
            values = torch.stack([value.detach() for value in report.values()]).tolist()
        return dict(zip(report, values, strict=True))

    def paint(self, generator: str, *codes: Tensor) -> Any:
        """Returns the layers that a generator paints, as float32 even under autocast."""
        layers = self.parts[generator](*codes)
        return layers.float() if isinstance(layers, Tensor) else tuple(layer.float() for layer in layers)

    def losses(self, batch: Tensors) -> tuple[Tensor, Tensor, Tensors]:
        """Returns three values: the loss of G_b and G_f; the loss of D, E_x and E_pi; the report."""
        settings = self.settings
        background = self.paint("background_generator", batch["z"])
        foreground, mask = self.paint("foreground_generator", batch["foreground_z"], batch["c_sup"], batch["c"])
        with torch.autocast("cpu", enabled=False):
            warped = warp(torch.cat([foreground, mask], 1), batch["transform"])
        composed = torch.lerp(jitter_contrast(background, batch["contrast"]), warped[:, :3], warped[:, 3:])
        real_logits, _ = self.parts["discriminator"](batch["image"])
        fake_logits, c_read = self.parts["discriminator"](composed)
        image_information = F.cross_entropy(c_read, batch["c"])
        mask_information = F.cross_entropy(self.parts["mask_encoder"](mask), batch["c_sup"])
        binarization = torch.minimum(mask, 1 - mask).mean()
        adversarial = (F.relu(1 - real_logits) + F.relu(1 + fake_logits)).mean()
        information = settings["gamma_mi"] * (image_information + mask_information)
        generator_loss = information - fake_logits.mean() + settings["gamma_b"] * binarization
        report = {
            "generator_adversarial": -fake_logits.mean(),
            "mutual_information_image": image_information,
            "mutual_information_mask": mask_information,
            "binarization": binarization,
            "discriminator_adversarial": adversarial,
            "real_logits": real_logits.mean(),
            "fake_logits": fake_logits.mean(),
        }
        if settings["uses_segmenter"]:
            report["background"] = F.softplus(self.parts["segmenter"](background)).mean()
            generator_loss = generator_loss + settings["gamma_bg"] * report["background"]
        return generator_loss, information + adversarial, report | _sizes(mask)


def warp(images: Tensor, transforms: Tensor) -> Tensor:
    """Warps each image by its transform, as `perturbation.warp` does."""
    last = images.shape[-1] - 1
    a, b, shift = transforms[:, :6].reshape(-1, 2, 3).unbind(-1)
    # In PyTorch the corners are at -1 and 1, not at 0 and `last`.
    theta = torch.stack([a, b, a + b + 2 / last * shift - 1], -1)
    grid = F.affine_grid(theta, list(images.shape), align_corners=True)
    return F.grid_sample(images, grid, align_corners=True)


def jitter_contrast(images: Tensor, factors: Tensor) -> Tensor:
    """Scales the contrast of each channel about its mean, as `perturbation.jitter_contrast` does."""
    mean, low, high = (f(images, dim=(2, 3), keepdim=True) for f in (torch.mean, torch.amin, torch.amax))
    return torch.clamp(mean + factors[:, None, None, None] * (images - mean), low, high)


def _sizes(mask: Tensor) -> Tensors:
    sizes = mask.detach().mean((1, 2, 3))
    full = (sizes > _FULL).float().mean()
    return {"mask_mean": sizes.mean(), "masks_full": full, "mask_spread": sizes.std(correction=0)}


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]
