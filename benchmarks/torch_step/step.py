"""One training step of the layered GAN in PyTorch, written for speed: the same function as `LayeredGAN.train_step`.

It has the loss terms that the paper's settings have.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.torch_step import networks
from benchmarks.torch_step.layers import Spectral
from benchmarks.torch_step.weights import fold_batch_norm, load

Tensors = dict[str, Tensor]
_FULL = 0.9


class Step:
    """The networks, their optimizers and the step.

    Args:
        settings: the config's fields, see `gan_step.settings`.
        arrays: the weights, see `weights.load`.
        compiled: whether torch.compile compiles the losses and their gradients.
    """

    def __init__(self, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray], compiled: bool):
        self.settings = settings
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
        losses: list[Callable[..., tuple]] = [self.generator_loss, self.discriminator_loss]
        self._losses = [torch.compile(loss, dynamic=False) for loss in losses] if compiled else losses

    def __call__(self, batch: Tensors) -> dict[str, float]:
        """Takes a step; returns the same report as `LayeredGAN.train_step`."""
        self.critics.requires_grad_(False)
        loss, composed, mask, report = self._losses[0](batch)
        report["generator_gradient_norm"] = self._update(0, loss)
        self.critics.requires_grad_(True)
        for layer in self.spectral:
            layer.update_u()
        loss, more = self._losses[1](batch, composed.detach(), mask.detach())
        report |= more | {"discriminator_gradient_norm": self._update(1, loss)}
        with torch.no_grad():
            torch._foreach_lerp_(*self._averaged, 1 - self.settings["ema_decay"])
            values = torch.stack([value.detach() for value in report.values()]).tolist()
        return dict(zip(report, values, strict=True))

    def generator_loss(self, batch: Tensors) -> tuple[Tensor, Tensor, Tensor, Tensors]:
        """Returns the loss of G_b and G_f, x, pi and the terms."""
        settings = self.settings
        background = self.parts["background_generator"](batch["z"])
        foreground, mask = self.parts["foreground_generator"](batch["foreground_z"], batch["c_sup"], batch["c"])
        warped = warp(torch.cat([foreground, mask], 1), batch["transform"])
        composed = torch.lerp(jitter_contrast(background, batch["contrast"]), warped[:, :3], warped[:, 3:])
        fake_logits, c_read = self.parts["discriminator"](composed)
        terms = {
            "generator_adversarial": (1.0, -fake_logits.mean()),
            "mutual_information_image": (settings["gamma_mi"], F.cross_entropy(c_read, batch["c"])),
            "mutual_information_mask": (
                settings["gamma_mi"],
                F.cross_entropy(self.parts["mask_encoder"](mask), batch["c_sup"]),
            ),
            "binarization": (settings["gamma_b"], torch.minimum(mask, 1 - mask).mean()),
        }
        if settings["uses_segmenter"]:
            terms["background"] = (settings["gamma_bg"], F.softplus(self.parts["segmenter"](background)).mean())
        loss = sum(weight * value for weight, value in terms.values())
        return loss, composed, mask, {name: value for name, (_, value) in terms.items()} | _sizes(mask)

    def discriminator_loss(self, batch: Tensors, composed: Tensor, mask: Tensor) -> tuple[Tensor, Tensors]:
        """Returns the loss of D, E_x and E_pi, and the terms."""
        logits, c_read = self.parts["discriminator"](torch.cat([batch["image"], composed]))
        real_logits, fake_logits = logits.chunk(2)
        adversarial = (F.relu(1 - real_logits) + F.relu(1 + fake_logits)).mean()
        image_information = F.cross_entropy(c_read.chunk(2)[1], batch["c"])
        mask_information = F.cross_entropy(self.parts["mask_encoder"](mask), batch["c_sup"])
        loss = adversarial + self.settings["gamma_mi"] * (image_information + mask_information)
        return loss, {
            "discriminator_adversarial": adversarial,
            "discriminator_mutual_information_image": image_information,
            "discriminator_mutual_information_mask": mask_information,
            "real_logits": real_logits.mean(),
            "fake_logits": fake_logits.mean(),
        }

    def _update(self, index: int, loss: Tensor) -> Tensor:
        """Takes a step of an optimizer; returns the norm of the gradient."""
        optimizer = self.optimizers[index]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return nn.utils.get_total_norm([p.grad for p in optimizer.param_groups[0]["params"]])


def warp(images: Tensor, transforms: Tensor) -> Tensor:
    """Warps each image by its transform, as `perturbation.warp` does."""
    last = images.shape[-1] - 1
    a, b, shift = transforms[:, :6].reshape(-1, 2, 3).unbind(-1)
    theta = torch.stack([a, b, a + b + 2 / last * shift - 1], -1)  # corners at -1 and 1 instead of 0 and `last`
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
