import warnings

import pytest
import tensorflow as tf
import tiny

from configs import shapes
from tf_layered_gan import train


@pytest.fixture
def eagerly():
    """Without graphs, whose tracing takes longer than the few steps that a test needs."""
    tf.config.run_functions_eagerly(True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not apply to tf.data functions")
        yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A finished run: its workdir and what `train` returned."""
    workdir = tmp_path_factory.mktemp("run")
    return workdir, train.train(tiny.run_config(shapes, **tiny.TWO_ROUNDS), workdir)
