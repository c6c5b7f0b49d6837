import functools

import pytest
import tiny

from configs import shapes
from tf_layered_gan import train
from tf_layered_gan.evaluation import gan_figures


@pytest.fixture
def eagerly(monkeypatch):
    """Without graphs, see `tiny.eager`; and with 2 of the 32 batches that tell how large the GAN's masks are."""
    measure = functools.partial(gan_figures.evaluate_synthetic_masks, batches=2)
    monkeypatch.setattr(gan_figures, "evaluate_synthetic_masks", measure)
    with tiny.eager():
        yield


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A finished run: its workdir and what `train` returned."""
    workdir = tmp_path_factory.mktemp("run")
    return workdir, train.train(tiny.run_config(shapes, **tiny.TWO_ROUNDS), workdir)
