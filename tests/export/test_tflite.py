import pytest
from discs import grey, pixel_network
from discs import network as network  # a fixture, as are the photos
from discs import photos as photos

from export.quantization.centring import centre_threshold
from export.tflite.convert import to_tflite_dynamic, to_tflite_float16, to_tflite_float32, to_tflite_int8
from export.verify import reference, tflite_runner
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.models.networks.unet import unet


def test_weights_take_half_and_a_quarter():
    network = unet(16, 32, 1)
    whole = len(to_tflite_float32(network))
    assert whole > 4 * network.count_params() > 0.9 * whole  # so that weights are most of it
    assert 0.5 < len(to_tflite_float16(network)) / whole < 0.58
    assert 0.25 < len(to_tflite_dynamic(network)) / whole < 0.33


def test_centred_logits_have_int8_masks_agree_better(network, photos):
    keras_model = reference(network, Photos(photos, None, ("",) * len(photos)))
    plain, centred = (
        keras_model.compare(tflite_runner(to_tflite_int8(candidate, photos)))["iou"]
        for candidate in (network, centre_threshold(network, photos))
    )
    assert centred > plain


@pytest.mark.parametrize("images", [grey(0).astype("float32"), grey(0)[:, :16], grey(0)[:0]])
def test_int8_refuses_calibration_images(images):
    with pytest.raises(ValueError, match="calibration_images must be uint8"):
        to_tflite_int8(pixel_network([1.0, 0.0, 0.0]), images)
