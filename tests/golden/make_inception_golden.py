"""A script that computes inception.npz with the TorchScript of FID's network, see README.md."""

import argparse
import pathlib

import numpy as np
import torch

from benchmarks.compare_inception import torch_features
from tests.helpers.inception_arrays import array, two_images
from tf_layered_gan.evaluation.metrics.inception_weights import from_torch

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--torchscript", required=True)
network = torch.jit.load(parser.parse_args().torchscript, map_location="cpu").eval()
with torch.no_grad():
    for torch_name, tensor in network.state_dict().items():
        name, kept = from_torch(torch_name, tensor.numpy())
        made = array(name, kept.shape)
        tensor.copy_(torch.from_numpy(made.transpose(3, 2, 0, 1) if made.ndim == 4 else made))
np.savez_compressed(pathlib.Path(__file__).with_name("inception.npz"), features=torch_features(network)(two_images()))
