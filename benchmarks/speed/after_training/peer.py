"""A process that runs the peers' part of each comparison when `compare.py` asks for it.

`benchmarks.speed.turns` starts this process and passes the requests to it.

    python -m benchmarks.speed.after_training.peer FOLDER THREADS

A peer is another program. The process needs an environment with the packages in requirements.txt in this folder. Each
row imports only its own peer.
"""

import functools
import itertools
import pathlib
import re
import sys
from typing import Any

import numpy as np

from benchmarks.speed.after_training.rows import PIXELS, Inputs
from benchmarks.speed.turns import serve

_PARTS = {
    "conv.weight": "conv2d_params",
    "bn.bias": "batchnorm/beta",
    "bn.running_mean": "batchnorm/moving_mean",
    "bn.running_var": "batchnorm/moving_variance",
}


class Peers:
    """The functions that compute the peers' side of each row."""

    def __init__(self, inputs: Inputs, threads: int):
        self._inputs, self._threads = inputs, threads
        self._array = functools.cache(inputs.array)
        self._network = functools.cache(lambda: _inception(inputs.weights, threads))
        self._session = functools.cache(_session)
        self._turns = itertools.count()

    def features(self) -> list:
        """Returns the features that pytorch-fid's network computes for all images."""
        import torch

        network = self._network()
        images = torch.from_numpy(self._array("images")).permute(0, 3, 1, 2)
        with torch.no_grad():
            return network((images - 128.0) / 128)[0].squeeze(3).squeeze(2).numpy().tolist()

    def statistics(self) -> list:
        """Returns the mean and the variance of each feature."""
        from pytorch_fid import fid_score

        fid_score.get_activations = lambda *_: self._array("features0").astype(np.float64)
        mean, covariance = fid_score.calculate_activation_statistics(None, None)
        return [mean.tolist(), np.diag(covariance).tolist()]

    def distance(self) -> float:
        """Returns the FID between two sets of features."""
        from pytorch_fid import fid_score

        values = [self._array(name) for name in ("mean0", "covariance0", "mean1", "covariance1")]
        return float(fid_score.calculate_frechet_distance(*values))

    def ari(self) -> list:
        """Returns the adjusted Rand index of each mask."""
        from sklearn.metrics import adjusted_rand_score

        return [adjusted_rand_score(truth, predicted) for predicted, truth in self._labelled()]

    def covering(self) -> list:
        """Returns the segmentation covering of each mask."""
        return [covering(predicted, truth) for predicted, truth in self._labelled()]

    def decode(self) -> list:
        """Decodes the photos. Returns the mean colour of each photo."""
        return _decode(self._inputs.photos, self._threads)

    def medium(self) -> list:
        """Does what `decode` does, with photos of 500 x 375 pixels."""
        return _decode(self._inputs.enlarged("medium"), self._threads)

    def camera(self) -> list:
        """Does what `decode` does, with photos of 4000 x 3000 pixels."""
        return _decode(self._inputs.enlarged("camera"), self._threads)

    def folder(self) -> list:
        """Lists a folder and decodes its photos."""
        folder = pathlib.Path(self._inputs.photos[0]).parent
        return _decode(sorted(map(str, folder.iterdir())), self._threads)

    def edge(self) -> int:
        """Writes the masks of the next photos. Returns 0."""
        import rembg
        from PIL import Image

        session, output = self._session(), self._inputs.output("peer")
        output.mkdir(parents=True, exist_ok=True)
        for path in self._inputs.edge_photos(next(self._turns)):
            with Image.open(path) as image:
                rembg.remove(image, session=session, only_mask=True).save(output / f"{pathlib.Path(path).stem}.png")
        return 0

    def _labelled(self) -> list[tuple[np.ndarray, np.ndarray]]:
        pairs = zip(self._array("predicted"), self._array("truth"), strict=True)
        return [(predicted[truth != 255], truth[truth != 255]) for predicted, truth in pairs]


def covering(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Finds the best IoU of each true segment with a predicted segment. Returns the mean of these IoUs."""
    best = []
    for label in np.unique(truth):
        true = truth == label
        ious = [(true & (predicted == p)).sum() / (true | (predicted == p)).sum() for p in np.unique(predicted)]
        best.append(max(ious))
    return float(np.mean(best))


def state_of(arrays: dict[str, np.ndarray], names: list[str]) -> dict[str, np.ndarray]:
    """Returns Inception's weights under pytorch-fid's names.

    If our convolutions are sorted by block, tower and number, they are in the order of pytorch-fid's modules.

    Args:
        arrays: the weights by their names in Inception's frozen graph.
        names: names of pytorch-fid's weights, in the order of its modules.
    """
    scopes = sorted({re.sub(r"/(conv2d_params|batchnorm/.*)$", "", name) for name in arrays}, key=_order)
    modules = list(dict.fromkeys(name.removesuffix(".conv.weight") for name in names if name.endswith("conv.weight")))
    return {
        f"{module}.{part}": _for_torch(arrays[f"{scope}/{ours}"])
        for module, scope in zip(modules, scopes, strict=True)
        for part, ours in _PARTS.items()
    }


def _for_torch(array: np.ndarray) -> np.ndarray:
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array


def _order(scope: str) -> list[tuple[str, int]]:
    parts = [part.rpartition("_") for part in scope.split("/")]
    return [(name, int(number)) if name else (number, 0) for name, _, number in parts]


def _inception(weights: pathlib.Path, threads: int) -> Any:
    """Builds pytorch-fid's network with our weights, so that pytorch-fid downloads no weights."""
    import pytorch_fid.inception
    import torch
    import torchvision

    torch.set_num_threads(threads)
    state = torchvision.models.inception_v3(num_classes=1008, aux_logits=False, init_weights=False).state_dict()
    found = state_of(dict(np.load(weights)), list(state))
    state |= {name: torch.from_numpy(array.copy()) for name, array in found.items()}
    pytorch_fid.inception.load_state_dict_from_url = lambda *_, **__: state
    return pytorch_fid.inception.InceptionV3(normalize_input=False).eval()


def _decode(paths: list[str], threads: int) -> list:
    import cv2

    cv2.setNumThreads(threads)
    images = [cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB) for path in paths]
    resized = [cv2.resize(image, (PIXELS, PIXELS), interpolation=cv2.INTER_AREA) for image in images]
    return np.stack(resized).mean((1, 2)).tolist()


def _session() -> Any:
    import rembg

    return rembg.new_session("u2netp")


def main(folder: str, threads: str) -> None:
    """Serves."""
    peers = Peers(Inputs(folder), int(threads))
    serve({name: getattr(peers, name) for name in vars(Peers) if not name.startswith("_")})


if __name__ == "__main__":
    main(*sys.argv[1:])
