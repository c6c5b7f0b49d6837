"""The layers of the networks in PyTorch, like those in `networks/blocks.py`, `upsampling.py` and `spectral_norm.py`.

Feature maps are channels-last in memory, because this is fastest on a CPU. So a change of the axis order to [batch,
height, width, channel] copies nothing. Modules are created in the order in which they are called, because
`weights.load` relies on this order.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation. For n values in a channel, PyTorch's moving variance is n / (n - 1) times that of Keras."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-5, momentum=0.1)
        self.num_batches_tracked = None


class UpsampleConv(nn.Module):
    """Nearest-neighbour upsampling by 2 and a 3x3 convolution, as one transposed 4x4 convolution of stride 2.

    This is faster than `F.interpolate` followed by a convolution. The 4x4 kernel is computed from the 3x3 kernel as in
    `networks/upsampling.py`, but by a matrix product, because this is fastest in PyTorch.
    """

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(filters, channels, 3, 3))
        # Along each axis, the upsampling makes two copies of a pixel, j = 0 and j = 1. Weight t of the 3x3 kernel is
        # multiplied with both copies. For copy j, weight t is added to weight j + 2 - t of the 4x4 kernel.
        along = torch.zeros(3, 4)
        for t in range(3):
            along[t, 2 - t : 4 - t] = 1
        self.register_buffer("merge", torch.kron(along, along), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Computes the layer."""
        kernel = (self.weight.flatten(2) @ self.merge).unflatten(2, (4, 4))
        return F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2, padding=1)


class Spectral(nn.Module):
    """Lets a layer divide its weight by sigma, an estimate of the spectral norm of the weight.

    `u` is the vector of the power iteration that estimates sigma. Only `update_u` changes `u`. The gradient flows
    through sigma.
    """

    def __init__(self, *args: int, **options: int) -> None:
        super().__init__(*args, **options)
        self.register_buffer("u", torch.empty(self.weight.shape[0]))

    def _matrix(self) -> Tensor:
        weight = self.weight.permute(0, 2, 3, 1) if self.weight.ndim == 4 else self.weight  # a view: channels-last
        return weight.reshape(len(self.u), -1)

    @torch.autocast("cpu", enabled=False)
    def normalized_weight(self) -> Tensor:
        """Returns weight / sigma, always in float32."""
        with torch.no_grad():
            v = F.normalize(self.u @ self._matrix(), dim=0)
        return self.weight / torch.dot(self._matrix() @ v, self.u)

    @torch.no_grad()
    def update_u(self) -> None:
        """Runs one step of power iteration."""
        matrix = self._matrix()
        self.u.copy_(F.normalize(matrix @ F.normalize(self.u @ matrix, dim=0), dim=0))


class SpectralConv(Spectral, nn.Conv2d):
    """Convolution with a spectrally normalised kernel."""

    def forward(self, x: Tensor) -> Tensor:
        """Computes the layer."""
        return self._conv_forward(x, self.normalized_weight(), self.bias)


class SpectralLinear(Spectral, nn.Linear):
    """Dense layer with a spectrally normalised kernel."""

    def forward(self, x: Tensor) -> Tensor:
        """Computes the layer."""
        return F.linear(x, self.normalized_weight(), self.bias)


def conv(channels: int, filters: int, size: int = 3, **options: int) -> nn.Conv2d:
    """Returns a convolution with 'same' padding, for an odd `size`. It has a bias only if `options` ask for one."""
    return nn.Conv2d(channels, filters, size, **({"padding": size // 2, "bias": False} | options))


def conv_bn_relu(channels: int, filters: int) -> nn.Sequential:
    """Returns a 3x3 convolution, batch normalisation and ReLU."""
    return nn.Sequential(conv(channels, filters), BatchNorm(filters), nn.ReLU(inplace=True))


def flatten(x: Tensor) -> Tensor:
    """Flattens a feature map in the order (height, width, channel), as Keras does."""
    return x.permute(0, 2, 3, 1).flatten(1)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a skip connection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(*conv_bn_relu(channels, channels), conv(channels, channels), BatchNorm(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Computes the block."""
        return self.branch(x).add_(x)


class Stage(nn.Module):
    """Adds a code (c or c_sup) to a feature map, and refines the map."""

    def __init__(self, channels: int, code: int, residual_blocks: int, filters: int) -> None:
        super().__init__()
        self.conv, self.bias = conv(channels, channels), nn.Linear(code, channels, bias=False)
        self.norm = nn.Sequential(BatchNorm(channels), nn.ReLU(inplace=True))
        blocks = (ResidualBlock(channels) for _ in range(residual_blocks))
        self.rest = nn.Sequential(*blocks, *conv_bn_relu(channels, filters))

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Computes the stage."""
        return self.rest(self.norm(self.conv(x).add_(self.bias(code)[:, :, None, None])))


class Trunk(nn.Module):
    """A module that makes a feature map from a code.

    At 4x4 pixels, the map has 16 * width channels. Each time its resolution is doubled, the number of channels is
    halved. But the map always has at least `width` channels.
    """

    def __init__(self, code: int, resolution: int, width: int) -> None:
        super().__init__()
        channels = 16 * width
        self.dense = nn.Linear(code, 16 * channels, bias=False)
        layers: list[nn.Module] = [BatchNorm(channels), nn.ReLU(inplace=True)]
        side = 4
        while side < resolution:
            filters = max(channels // 2, width)
            layers += [UpsampleConv(channels, filters), BatchNorm(filters), nn.ReLU(inplace=True)]
            side, channels = 2 * side, filters
        self.layers, self.channels = nn.Sequential(*layers), channels

    def forward(self, code: Tensor) -> Tensor:
        """Computes the map."""
        return self.layers(self.dense(code).unflatten(1, (4, 4, -1)).permute(0, 3, 1, 2))
