import types

import numpy as np
import pytest
import tiny

from configs import shapes
from export.export_run import _training_facts
from tf_layered_gan.data.photos import Photos, Splits

ENCODER = {"networks.encoder": "efficientnet_lite0", "networks.unet_depth": 1}


@pytest.mark.parametrize(
    "weights, encoder", [({}, "none"), ({"networks.encoder_weights": "lite0.npz"}, "efficientnet_lite0")]
)
def test_the_model_card_names_only_an_encoder_that_has_seen_labels(weights, encoder):
    photos = Photos(np.zeros((1, 16, 16, 3), np.uint8), None, ("a",))
    state = types.SimpleNamespace(gan_step=0, segmenter_step=0, final_step=0)
    config = tiny.run_config(shapes, **ENCODER, **weights)
    facts = _training_facts(config, state, Splits(photos, photos, photos), 0, None)
    assert facts["encoder"] == encoder
