import keras
import pytest
import tiny

from tf_layered_gan.models.layered_gan import LayeredGAN


@pytest.fixture(scope="session")
def networks() -> dict[str, keras.Model]:
    """The five networks with their initial weights. Tests must not change the weights."""
    keras.utils.set_random_seed(0)
    return tiny.networks()


@pytest.fixture(scope="session")
def built_gan():
    """A GAN and its initial weights."""
    gan = tiny.layered_gan(learning_rate=0.01)
    return gan, tiny.values(gan.variables)


@pytest.fixture
def gan(built_gan) -> LayeredGAN:
    """The GAN with its initial weights. It is built only once, because building takes seconds."""
    gan, start = built_gan
    gan.uses_segmenter = False
    for variable, value in zip(gan.variables, start, strict=True):
        variable.assign(value)
    return gan
