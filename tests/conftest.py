import pytest
import tiny

from configs import shapes
from tf_layered_gan import train


@pytest.fixture
def eagerly():
    """Without graphs, see `tiny.eager`."""
    with tiny.eager():
        yield


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A finished run: its workdir and what `train` returned."""
    workdir = tmp_path_factory.mktemp("run")
    return workdir, train.train(tiny.run_config(shapes, **tiny.TWO_ROUNDS), workdir)
