"""Writes a segmenter in every format, each once it was found to say what the Keras model says."""

import contextlib
import pathlib
import shutil
import tempfile

from tf_layered_gan.files.file_lock import file_lock
from tf_layered_gan.files.records import write_record

from .facts import figure_facts, signature_facts
from .model_card import model_card
from .quantization.centring import centre_threshold
from .quantization.quantization_aware import fine_tune
from .serving.savedmodel import write_savedmodel
from .tflite.convert import to_tflite_dynamic, to_tflite_float16, to_tflite_float32, to_tflite_int8
from .tflite.metadata import embed, write_beside
from .tflite.signatures import add_signatures
from .verify import (
    check_any_size,
    reference,
    savedmodel_any_size,
    savedmodel_runner,
    tflite_any_size,
    tflite_runner,
)

MAX_IOU_LOSS = 0.01
MIN_AGREEMENT = 0.9  # IoU with the Keras model's masks, where less is not allowed to be lost: else another segmenter
CALIBRATION_PICTURES = 100  # plenty: on one network 5 and 423 gave the same IoU to three digits
TUNING_PICTURES = 2_000  # more than fine-tuning sees
CHECKED_PICTURES = 4  # by the signature for any size, which has the same weights
INT8 = "segmenter_int8.tflite"
FILES = ("segmenter_float32.tflite", "segmenter_float16.tflite", "segmenter_dynamic.tflite", INT8)
_UNVERIFIED = ".unverified-"
_ROUNDING = 1e-9


def export_segmenter(network, images, test_photos, output, *, facts, max_iou_loss=MAX_IOU_LOSS):
    """Writes F as SavedModel and TFLite; a format that loses too much IoU against the Keras model is left out.

    What it loses is IoU with the true masks; where there are none, what its IoU with the Keras model's is less than 1.
    True masks alone would let pass what finds everything, where the Keras model finds little more; so the two must
    agree as well, see `MIN_AGREEMENT`. An int8 model that would be left out is fine-tuned before.

    Args:
        network: F, from float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.
        images: dict of uint8 photos, both evenly thinned out: "calibration" [picture, resolution, resolution, rgb],
            held-out ones that set the ranges of the int8 model; "tuning" [picture, side, side, rgb], ones to train on.
        test_photos: `Photos` at the same resolution, other held-out ones: those on which every format is verified.
        output: directory for `saved_model`, the `FILES`, `export.json` and `model_card.md`; what an earlier export
            left of these gives way once all are made.
        facts: dict, see `facts.segmenter_facts`, for the metadata and the model card.
        max_iou_loss: how much a format may lose.

    Returns:
        dict, what export.json holds: "max_iou_loss"; "min_agreement", see `MIN_AGREEMENT`; "keras_model", see
        `Reference.figures`; and "formats", for each its "bytes", on how many photos it was "fine_tuned", 0 or more, the
        figures of `Reference.compare`, and "refused", None or why it was left out (then perhaps nothing else).

    Raises:
        ValueError: a format was refused; names each and why. The others are written, and export.json. Or another export
            is at work in `output`, or that holds files of these names which are no export's; or the loss is none.
    """
    output = pathlib.Path(output)
    if not 0 <= max_iou_loss <= 1:
        raise ValueError(f"max_iou_loss is {max_iou_loss}, allowed: 0 to 1")
    _check_output(output)

    def refuse():
        raise ValueError(f"another export is at work in {output}; wait for it, or name another")

    with file_lock(output, taken=refuse):
        return _export(network, images, test_photos, output, facts, max_iou_loss)


def _check_output(output):
    """Refuses a folder with what an export would replace, and no sign that an earlier one left it there."""
    replaced = [name for name in ("saved_model", "model_card.md", *FILES) if (output / name).exists()]
    if replaced and not any((output / name).exists() for name in ("export.json", "lock")):
        held = ", ".join(replaced)
        raise ValueError(f"{output} holds {held} that are not an earlier export's (no export.json); name another")


def _export(network, images, test_photos, output, facts, max_iou_loss):
    for folder in output.glob(f"{_UNVERIFIED}*"):  # of an export that was killed
        shutil.rmtree(folder)
    keras_model = reference(network, test_photos)
    _print_reference(keras_model.figures())
    with tempfile.TemporaryDirectory(dir=output, prefix=_UNVERIFIED) as folder:
        exporter = _Exporter(pathlib.Path(folder), keras_model, facts, max_iou_loss)
        exporter.savedmodel(network)
        for name, conversions in _conversions(network, **images).items():
            exporter.tflite(name, conversions)
        result = {
            "max_iou_loss": max_iou_loss,
            "min_agreement": exporter.min_agreement,
            "keras_model": keras_model.figures(),
            "formats": exporter.figures,
        }
        write_record(exporter.folder / "model_card.md", model_card(facts, network.input_shape[1], result))
        write_record(exporter.folder / "export.json", result)
        _replace(output, exporter.folder)
    _raise_refusals(exporter.figures, output)
    return result


def _conversions(network, calibration, tuning):
    """By the name of the file, functions to the bytes of a .tflite model, and on how many photos that is fine-tuned.

    Each but the first is for want of a good one.
    """
    calibration, tuning = _thinned(calibration, CALIBRATION_PICTURES), _thinned(tuning, TUNING_PICTURES)

    def int8(network):
        return to_tflite_int8(centre_threshold(network, calibration), calibration)

    def tuned_int8():
        print(f"{INT8:24}  too far from the Keras model: fine-tuning it on {len(tuning)} photos", flush=True)
        return int8(fine_tune(network, tuning))

    return {
        FILES[0]: [(lambda: to_tflite_float32(network), 0)],
        FILES[1]: [(lambda: to_tflite_float16(network), 0)],
        FILES[2]: [(lambda: to_tflite_dynamic(network), 0)],
        INT8: [(lambda: int8(network), 0), (tuned_int8, len(tuning))],
    }


def _thinned(images, most):
    return images[:: max(1, -(-len(images) // most))]


class _Exporter:
    """Writes to a folder those formats that stand the comparison with the Keras model; `figures` has all of them."""

    def __init__(self, folder, keras_model, facts, max_iou_loss):
        self.folder, self.figures = folder, {}
        self._keras_model, self._facts, self._max_iou_loss = keras_model, facts, max_iou_loss
        self.min_agreement = _min_agreement(keras_model.figures()["true_iou"], max_iou_loss)

    def savedmodel(self, network):
        path = self.folder / "saved_model"
        with self._verifying(path.name) as figures:
            write_savedmodel(network, path)
            figures |= {"bytes": _size(path), "fine_tuned": 0}
            self._compare(figures, savedmodel_runner(path), savedmodel_any_size(path))
            write_beside(path, self._file_facts(path.name, figures, batch="pictures"))
            figures["bytes"] = _size(path)
        if figures["refused"]:
            shutil.rmtree(path)

    def tflite(self, name, conversions):
        with self._verifying(name) as figures:
            for convert, photos in conversions:
                content = add_signatures(convert())
                figures |= {"bytes": len(content), "fine_tuned": photos, "refused": None}
                self._compare(figures, tflite_runner(content), tflite_any_size(content))
                if not figures["refused"]:
                    content = embed(content, self._file_facts(name, figures))
                    figures["bytes"] = len(content)
                    write_record(self.folder / name, content)
                    break

    @contextlib.contextmanager
    def _verifying(self, name):
        """A format that cannot be made is refused like one that is bad: it must not cost the others."""
        figures = self.figures[name] = {"refused": None}
        try:
            yield figures
        except ValueError as error:
            figures["refused"] = str(error)
        _print_format(name, figures)

    def _compare(self, figures, predict, any_size):
        figures |= self._keras_model.compare(predict)
        check_any_size(any_size, predict, self._keras_model.photos.images[:CHECKED_PICTURES])
        figures["refused"] = _refusal(figures, self._keras_model.figures()["true_iou"], self._max_iou_loss)

    def _file_facts(self, name, figures, batch=1):
        resolution = self._keras_model.photos.images.shape[1]
        return self._facts | {
            "format": name.removeprefix("segmenter_").removesuffix(".tflite"),
            "signatures": signature_facts(resolution, integer=name == INT8, batch=batch),
            "fine_tuned_on_photos": figures["fine_tuned"],
            "figures": figure_facts(figures, self._keras_model.figures()),
            "allowed": {"iou_loss": self._max_iou_loss, "least_iou_with_keras_model": self.min_agreement},
        }


def _size(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _refusal(figures, keras_true_iou, max_iou_loss):
    """Why a format loses too much, or None."""
    loss = 0.0 if keras_true_iou is None else keras_true_iou - figures["true_iou"]
    if loss > max_iou_loss + _ROUNDING:
        found = f"its IoU with the true ones is {figures['true_iou']:.4f}"
        return f"{found}, {loss:.5g} below the Keras model's, allowed: {max_iou_loss:g}"
    least = _min_agreement(keras_true_iou, max_iou_loss)
    if figures["iou"] < least - _ROUNDING:
        return f"its IoU with the Keras model's masks is {figures['iou']:.5g}, allowed: {least:g} or more"
    return None


def _min_agreement(keras_true_iou, max_iou_loss):
    """The least IoU with the Keras model's masks: all that counts without true ones, and beside these a second bar."""
    least = round(1 - max_iou_loss, 9)
    return least if keras_true_iou is None else min(MIN_AGREEMENT, least)


def _replace(output, folder):
    """Puts an export in an earlier one's place; export.json goes first and comes last, as it speaks for the others."""
    (output / "export.json").unlink(missing_ok=True)
    if (output / "saved_model").exists():
        shutil.rmtree(output / "saved_model")
    for name in FILES:
        if not (folder / name).exists():
            (output / name).unlink(missing_ok=True)
    for path in sorted(folder.iterdir(), key=lambda path: path.name == "export.json"):
        path.replace(output / path.name)


def _print_reference(figures):
    print(f"Verifying on {figures['pictures']} held-out photos, where the Keras model's masks cover", end=" ")
    print(f"{figures['foreground']:.1%}.", end=" " if figures["true_iou"] is not None else "\n")
    if figures["true_iou"] is not None:
        print(f"Their IoU with the true masks is {figures['true_iou']:.4f}", end=" ")
        print(f"(a disc in the middle: {figures['centred_disc_true_iou']:.4f}).")
    if not figures["foreground"]:
        print("warning: the Keras model finds nothing on these photos, so every format is verified on nothing")


def _print_format(name, figures):
    words = [f"{name:24}"]
    if "iou" in figures:
        words += [f"{figures['bytes']:12,} bytes", f"IoU with the Keras model's masks {figures['iou']:.4f}"]
    if figures.get("true_iou") is not None:
        words += [f"with the true ones {figures['true_iou']:.4f} ({-figures['true_iou_loss']:+z.4f})"]
    print("  ".join([*words, *(["REFUSED"] if figures["refused"] else [])]), flush=True)


def _raise_refusals(formats, output):
    refused = {name: figures["refused"] for name, figures in formats.items() if figures["refused"]}
    written = [name for name in formats if name not in refused]
    print(f"Written to {output}: {', '.join([*written, 'export.json', 'model_card.md'])}")
    if refused:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
        raise ValueError(f"refused, so not written: {reasons}")
