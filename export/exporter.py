"""Conversion of a segmenter to every format, and verification of each file. Only files that pass are written."""

import contextlib
import functools
import os
import pathlib
import shutil
from collections.abc import Iterator

import keras
import numpy as np

from edge_segmenter.facts import training_fit
from edge_segmenter.fit import fit_for_whole_photos
from edge_segmenter.progress import clear_line, progress
from tf_layered_gan.data.photos import Photos
from tf_layered_gan.files.records import write_record

from . import MAX_IOU_LOSS
from .documentation.facts import figure_facts, signature_facts
from .documentation.metadata import add_metadata, write_savedmodel_metadata
from .documentation.model_card import model_card
from .formats import INT8, Conversion, conversions
from .output_folder import EXPORT_RECORD, MODEL_CARD, SAVED_MODEL, replacing_export
from .serving.savedmodel import write_savedmodel
from .tflite.signatures import add_signatures
from .verify import Reference, least_agreement, reference, verify


def export_segmenter(
    network: keras.Model,
    images: dict[str, np.ndarray],
    test_photos: Photos,
    output: str | os.PathLike,
    *,
    facts: dict,
    max_iou_loss: float = MAX_IOU_LOSS,
) -> dict:
    """Writes F as a SavedModel and as .tflite files. A format that loses too much IoU is not written.

    If there are test masks, a format's IoU with the test masks may drop by at most `max_iou_loss`. With or without test
    masks, the masks of the format must agree with the masks of the Keras model, see `verify.least_agreement`. An int8
    model that fails is fine-tuned and verified again.

    Args:
        network: F, which maps float32 [batch, resolution, resolution, rgb] in [-1, 1] to logits.
        images: dict of uint8 photos, with "calibration" (held-out photos) and "tuning", see `formats.conversions`.
        test_photos: other held-out photos at the model's resolution, on which the formats are verified.
        output: directory for `saved_model`, `formats.FILES`, `export.json` and `model_card.md`. When all of these files
            are complete, they replace an earlier export.
        facts: facts for the metadata and the model card, see `facts.segmenter_facts`.
        max_iou_loss: largest drop in IoU that is allowed for a format, in [0, 1].

    Returns:
        The content of export.json, a dict:
            "fit": how photos became squares
            "max_iou_loss": the argument
            "min_agreement": the least agreement with the Keras model
            "keras_model": see `Reference.figures`
            "formats": dict from the name of a format to the dict of this format

        The dict of a format contains the metrics of `Reference.compare` and these entries:
            "bytes": size of the file or of the SavedModel
            "fine_tuned": number of photos for fine-tuning
            "refused": None, or a str with the reason to refuse the format

        If the conversion to a format fails, the dict of this format has only "refused".

    Raises:
        ValueError: a format was refused, `max_iou_loss` is out of range, or `output` cannot be used, see
            `replacing_export`. If formats were refused, the message names each of them and the reason, and the other
            formats and export.json are written.
    """
    if not 0 <= max_iou_loss <= 1:
        raise ValueError(f"max_iou_loss is {max_iou_loss}, allowed: 0 to 1")
    output = pathlib.Path(output)
    with replacing_export(output) as folder:
        keras_model = reference(network, test_photos)
        _print_reference(keras_model.figures)
        exporter = Exporter(folder, keras_model, facts, max_iou_loss)
        exports = [lambda: exporter.savedmodel(network)]
        for name, attempts in conversions(network, **images).items():
            exports.append(functools.partial(exporter.tflite, name, attempts))
        for write in progress(exports, "exporting", len(exports), "formats"):
            write()
        result = {
            "fit": training_fit(facts),
            "max_iou_loss": max_iou_loss,
            "min_agreement": least_agreement(keras_model.figures["true_iou"], max_iou_loss),
            "keras_model": keras_model.figures,
            "formats": exporter.figures,
        }
        write_record(folder / MODEL_CARD, model_card(facts, network.input_shape[1], result))
        write_record(folder / EXPORT_RECORD, result)
    _report_refusals(exporter.figures, output)
    return result


class Exporter:
    """Converts, verifies and writes the formats one after another.

    Attributes:
        figures: dict from each format, written or refused, to its entry in export.json.
    """

    def __init__(self, folder: pathlib.Path, keras_model: Reference, facts: dict, max_iou_loss: float):
        self.figures: dict[str, dict] = {}
        self._folder, self._keras_model, self._facts, self._max_iou_loss = folder, keras_model, facts, max_iou_loss
        self._fit = fit_for_whole_photos(training_fit(facts))

    def savedmodel(self, network: keras.Model) -> None:
        """Writes the SavedModel, and removes it if verification fails."""
        path = self._folder / SAVED_MODEL
        with self._recording(path) as figures:
            write_savedmodel(network, path, self._fit)
            self._verify(path, figures, tuning_photos=0)
            write_savedmodel_metadata(path, self._file_facts(path.name, figures, batch="batch"))
            figures["bytes"] = _size(path)

    def tflite(self, name: str, attempts: list[Conversion]) -> None:
        """Writes the .tflite file of the first conversion that passes verification."""
        path = self._folder / name
        with self._recording(path) as figures:
            for attempt in attempts:
                write_record(path, add_signatures(attempt.convert(), self._fit))
                self._verify(path, figures, attempt.tuning_photos)
                if not figures["refused"]:
                    break
            write_record(path, add_metadata(path.read_bytes(), self._file_facts(name, figures)))
            figures["bytes"] = _size(path)

    @contextlib.contextmanager
    def _recording(self, path: pathlib.Path) -> Iterator[dict]:
        """Refuses a format if the conversion to it fails, and lets the export of the other formats go on."""
        figures = self.figures[path.name] = {"refused": None}
        try:
            yield figures
        except ValueError as error:
            figures["refused"] = str(error)
        if figures["refused"]:
            _remove(path)
        _print_format(path.name, figures)

    def _verify(self, path: pathlib.Path, figures: dict, tuning_photos: int) -> None:
        figures |= {"bytes": _size(path), "fine_tuned": tuning_photos}
        figures |= verify(path, self._keras_model, self._max_iou_loss)

    def _file_facts(self, name: str, figures: dict, batch: int | str = 1) -> dict:
        keras_model, max_iou_loss = self._keras_model.figures, self._max_iou_loss
        return self._facts | {
            "format": name.removeprefix("segmenter_").removesuffix(".tflite"),
            "signatures": signature_facts(self._keras_model.photos.images.shape[1], integer=name == INT8, batch=batch),
            "fine_tuned_on_photos": figures["fine_tuned"],
            "figures": figure_facts(figures, keras_model),
            "allowed": {
                "iou_loss": max_iou_loss,
                "least_iou_with_keras_model": least_agreement(keras_model["true_iou"], max_iou_loss),
            },
        }


def _size(path: pathlib.Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _remove(path: pathlib.Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _print_reference(figures: dict) -> None:
    print(
        f"Verifying on {figures['pictures']} held-out photos. The Keras model marks {figures['foreground']:.1%}",
        end=" ",
    )
    print("of the pixels as foreground.", end=" " if figures["true_iou"] is not None else "\n")
    if figures["true_iou"] is not None:
        print(f"The IoU of its masks with the test masks is {figures['true_iou']:.4f}", end=" ")
        print(f"(centred disc: {figures['centred_disc_true_iou']:.4f}).")
    if not figures["foreground"]:
        print("warning: the Keras model finds no object on these photos, so the verification proves nothing")


def _print_format(name: str, figures: dict) -> None:
    words = [f"{name:24}"]
    if "iou" in figures:
        words += [f"{figures['bytes']:12,} bytes", f"IoU with the Keras model's masks {figures['iou']:.4f}"]
    if figures.get("true_iou") is not None:
        words += [f"with the test masks {figures['true_iou']:.4f} ({-figures['true_iou_loss']:+z.4f})"]
    clear_line()
    print("  ".join([*words, *(["REFUSED"] if figures["refused"] else [])]), flush=True)


def _report_refusals(formats: dict[str, dict], output: pathlib.Path) -> None:
    refused = {name: figures["refused"] for name, figures in formats.items() if figures["refused"]}
    written = [name for name in formats if name not in refused]
    print(f"Written to {output}: {', '.join([*written, EXPORT_RECORD, MODEL_CARD])}")
    if refused:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
        raise ValueError(f"these formats were refused: {reasons}")
