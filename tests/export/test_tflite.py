import keras
import pytest
from discs import grey, pixel_network, run_tflite, unlabelled

from export.quantization.centring import centre_threshold
from export.tflite.convert import to_tflite_dynamic, to_tflite_float16, to_tflite_float32, to_tflite_int8
from export.verify import reference


def test_weights_take_half_and_a_quarter():
    image = keras.Input((16, 16, 3))
    features = keras.layers.Conv2D(64, 3, padding="same")(image)
    network = keras.Model(image, keras.layers.Conv2D(1, 1)(keras.layers.Conv2D(64, 3, padding="same")(features)))
    float32 = len(to_tflite_float32(network))
    assert float32 > 4 * network.count_params() > 0.9 * float32  # most of the file is weights
    assert 0.5 < len(to_tflite_float16(network)) / float32 < 0.58
    assert 0.25 < len(to_tflite_dynamic(network)) / float32 < 0.33


def test_centred_int8_masks_agree_better(network, photos):
    keras_model = reference(network, unlabelled(photos))
    plain, centred = (
        keras_model.compare(run_tflite(to_tflite_int8(candidate, photos), photos))["iou"]
        for candidate in (network, centre_threshold(network, photos))
    )
    assert centred > plain


@pytest.mark.parametrize("images", [grey(0).astype("float32"), grey(0)[:, :16], grey(0)[:0]])
def test_int8_refuses_calibration_images(images):
    with pytest.raises(ValueError, match="calibration_images must be uint8"):
        to_tflite_int8(pixel_network([1.0, 0.0, 0.0]), images)
