"""The model card: a page in Markdown about the purpose, training, metrics and limits of an exported segmenter."""

from edge_segmenter.fit import fit_for_whole_photos

_TEMPLATE = """\
# Model card: object segmenter

For each pixel of a photo, the model computes the probability that the pixel belongs to the object. So it can cut the
object out of the photo.
Made with {program} {version}. Licence: {licence}.

## Intended use

Photos like those it was trained on (data: {data}), with one object in each.
It knows one class, the object, and does not recognise what the object is.
Do not use it for other kinds of photos, for photos with several objects, or where a wrong mask does harm.

## Training

{training}

## Figures

Measured on {pictures} test photos, none of them used in training. Each is {square}, resized to
{resolution} x {resolution} pixels. All formats are made from the Keras model, which marks {foreground:.1%} of the
pixels as object.
{true_iou}

{table}

A format is refused if it loses more than {max_iou_loss:g} of IoU with the test masks (where there are any). It is also
refused if the IoU of its masks with the masks of the Keras model is below {min_agreement:g}. A refused format is not
written. A *tuned* format has other weights than the Keras model. It learnt the Keras model's masks of training photos
while its rounding to 8 bits was simulated.

## Input and output

Turn the photo upright, as its EXIF data says. No other preparation is needed: the model takes 8-bit RGB pixels, red
first, 0 to 255, not normalised. Each file has two signatures:

- `any_size`: takes `picture`, uint8 [1, height, width, 3], of any size. Returns `mask`, uint8 [1, height, width, 1],
  the object's probability times 255: 128 or more where it is above one half. The model {resizing},
  and resizes the mask back.
- `serving_default`: takes `pixels`, uint8 [1, {resolution}, {resolution}, 3], if you resize the photo yourself, in the
  same way. Returns
  `probability`, [1, {resolution}, {resolution}, 1], as float32 in [0, 1]. `segmenter_int8.tflite` returns uint8, the
  probability times 256.

A pixel belongs to the object if its probability is above one half: above 128 in the uint8 of `serving_default`. The
SavedModel has the same two signatures, and its `serving_default` takes any number of images.
`python -m export.describe FILE` prints the metadata of a .tflite file or the SavedModel.

## Limits

- The model sees {resolution} pixels along {seen_side}. It misses objects thinner than one of these pixels,
  and the edge of the mask is soft.
- {learnt}
- The test photos are from the same source as the training photos. Expect lower figures on other photos, and measure
  them: `python -m export.evaluate --model=FILE --photos=DIR --masks=MASKS`.
"""

_SQUARE = {
    "crop": "the central square of a photo",
    "squeeze": "a whole photo squeezed into a square, without its aspect ratio",
    "pad": "a whole photo, padded to a square by repeating its edge pixels",
}
_RESIZING = {
    "squeeze": "resizes both sides to\n  {resolution} pixels (bilinear, antialiased, without the aspect ratio)",
    "pad": "resizes the longer side to\n  {resolution} pixels (bilinear, antialiased, same aspect ratio), "
    "fills the rest of the square by repeating the edge\n  pixels",
}
_SEEN_SIDE = {"squeeze": "each side of a photo", "pad": "a photo's longer side"}


def model_card(facts: dict, resolution: int, result: dict) -> str:
    """Returns the model card as Markdown.

    Args:
        facts: see `facts.segmenter_facts`.
        resolution: R, pixels.
        result: see `exporter.export_segmenter`.
    """
    training, keras_model = facts["training"], result["keras_model"]
    fit = fit_for_whole_photos(training["fit"])
    return _TEMPLATE.format(
        **{name: facts[name] for name in ("program", "version", "licence")},
        data=training["data"],
        training=_training(training),
        learnt=_learnt(training),
        resolution=resolution,
        square=_SQUARE[training["fit"]],
        resizing=_RESIZING[fit].format(resolution=resolution),
        seen_side=_SEEN_SIDE[fit],
        max_iou_loss=result["max_iou_loss"],
        min_agreement=result["min_agreement"],
        pictures=keras_model["pictures"],
        foreground=keras_model["foreground"],
        true_iou=_true_iou(keras_model, training["test_masks"]),
        table=_table(result["formats"]),
    )


def _training(training: dict) -> str:
    photos = training["photos"]
    lines = [
        f"- data: {training['data']}; {photos['train']:,} training photos, {photos['validation']:,} validation photos "
        f"(they also calibrate the int8 file), {photos['test']:,} test photos",
        f"- learnt from {training['learnt_from']}, in {training['segmenter_steps']:,} steps of the segmenter",
    ]
    if training["encoder"] != "none":
        lines.append(f"- before that, its encoder ({training['encoder']}) learnt from ImageNet's photos and labels")
    if training["rounds"]:
        lines.append(f"- rounds of GAN and segmenter: {training['rounds']}")
    if training["images_seen"]:
        lines.append(f"- real images seen in training: {training['images_seen']:,}")
    if training["passes"]:
        lines.append(f"- passes over the training photos, with masks that the program made: {training['passes']}")
    if "student" in training:
        student = training["student"]
        lines.append(
            f"- then this smaller network, {student['network']} of width {student['width']}, learnt the "
            f"masks of the run's segmenter from {student['learnt_from']} in {student['steps']:,} steps"
        )
    return "\n".join(lines)


def _learnt(training: dict) -> str:
    if training["learnt_from"] != "photos without masks":
        return "It learnt from masks, and repeats the mistakes in them."
    if training["rounds"]:
        return (
            "It never saw a mask. A layered GAN found the object as the part that can be moved before a background.\n"
            "  Things that move along with the object may count as part of it."
        )
    return (
        "It never saw a mask that a person made. GrabCut found the object by its colours.\n"
        "  Parts of the background in these colours may count as part of it."
    )


def _true_iou(keras_model: dict, test_masks: str) -> str:
    if keras_model["true_iou"] is None:
        return "There are no test masks, so it is not known how right the masks are."
    return (
        f"The IoU of the Keras model's masks with the test masks, {test_masks}, is "
        f"{keras_model['true_iou']:.4f}, over\n"
        "all photos together. A disc in the middle of each photo has the IoU "
        f"{keras_model['centred_disc_true_iou']:.4f}."
    )


def _outcome(figures: dict) -> str:
    tuned = f", tuned on {figures['fine_tuned']:,} photos" if figures.get("fine_tuned") else ""
    return ("refused" if figures["refused"] else "written") + tuned


def _table(formats: dict[str, dict]) -> str:
    rows = ["| file | bytes | IoU with the Keras model | IoU with the test masks | change | |", "| --- " * 6 + "|"]
    for name, figures in formats.items():
        true_iou, loss = figures.get("true_iou"), figures.get("true_iou_loss")
        cells = [
            name,
            f"{figures['bytes']:,}" if "bytes" in figures else "",
            f"{figures['iou']:.4f}" if "iou" in figures else "",
            "" if true_iou is None else f"{true_iou:.4f}",
            "" if loss is None else f"{-loss:+z.4f}",
            _outcome(figures),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
