import pathlib

import keras
import pytest
import tiny

from tf_layered_gan.evaluation.metrics import fid
from tf_layered_gan.evaluation.metrics.inception import inception


@pytest.fixture(scope="session")
def network() -> keras.Model:
    """FID's Inception-v3 with random weights."""
    return inception()


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> pathlib.Path:
    """A file of weights for FID's Inception-v3."""
    return tiny.write_inception(tmp_path_factory.mktemp("weights") / "inception.npz")


@pytest.fixture(scope="session")
def features(network, weights) -> fid.InceptionFeatures:
    """The features that the network computes with the weights in the file `weights`."""
    with pytest.MonkeyPatch.context() as patch:
        # Building another network would take seconds.
        patch.setattr(fid, "inception", lambda: network)
        return fid.InceptionFeatures(weights)
