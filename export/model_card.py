"""The model card: what an exported segmenter is and is worth, for people."""

_TEMPLATE = """\
# Model card: object segmenter

Says for each pixel of a photo how likely it belongs to the object, and so cuts the object out. Made with
{program} {version}. Licence: {licence}.

## Intended use

Photos of the kind that it was trained on ({data}), with one object in each, taken whole. It knows one class, the
object; it says nothing about what that is. It was not made for photos of other kinds, for several objects in one photo,
or for anything where a wrong mask does harm.

## Training

{training}

## Figures

On the {pictures} test photos, none of which was trained on; {resolution} x {resolution} pixels each, cut out of
the middle. The Keras model, from which all formats are made, finds the object in {foreground:.1%} of their pixels.
{true_iou}

{table}

A format is written only if its IoU with the Keras model's masks is high enough; what was refused is not there.

## Input and output

Everything that has to be done to a photo is done in the model: it takes 8-bit RGB pixels, 0 to 255, red first, as they
are, not normalised. A picture has to be upright: an EXIF rotation is to be carried out first. There are two ways to
call each file:

- `any_size`: `picture`, uint8 [1, height, width, 3], of any size. Gives `mask`, uint8 [1, height, width, 1]: the
  object's probability times 255. Inside, the longer side is resized to {resolution} pixels (bilinear, antialiased, aspect kept),
  the rest of the square filled by repeating the edge pixels, and the mask is resized back.
- `serving_default`: `pixels`, uint8 [1, {resolution}, {resolution}, 3], for those who resize themselves. Gives `probability`,
  [1, {resolution}, {resolution}, 1]: float32 in [0, 1], from `segmenter_int8.tflite` uint8, the probability times 256.

Above one half is object. The SavedModel has the same two; its `serving_default` takes any number of pictures at once.
`python -m export.describe FILE` prints what a .tflite file says of itself.

## Limits

- It sees {resolution} pixels along the longer side: what is thinner than {resolution}ths of it is lost, and edges are soft.
- {learnt}
- The figures are of photos from the same source as the training photos. On others expect less, and measure:
  `python -m export.evaluate --model=FILE --photos=DIR --masks=MASKS`.
"""


def model_card(facts, resolution, result):
    """Writes the model card.

    Args:
        facts: dict, see `facts.segmenter_facts`.
        resolution: R, pixels.
        result: dict, see `formats.export_segmenter`.

    Returns:
        str, Markdown.
    """
    training, keras_model = facts["training"], result["keras_model"]
    return _TEMPLATE.format(
        **{name: facts[name] for name in ("program", "version", "licence")},
        data=training["data"],
        training=_training(training),
        learnt=_learnt(training["learnt_from"]),
        resolution=resolution,
        pictures=keras_model["pictures"],
        foreground=keras_model["foreground"],
        true_iou=_true_iou(keras_model, training["test_masks"]),
        table=_table(result["formats"]),
    )


def _training(training):
    photos = training["photos"]
    lines = [
        f"- data: {training['data']}; {photos['train']:,} photos to train on, {photos['validation']:,} for validation "
        f"and to calibrate the int8 file, {photos['test']:,} for the test",
        f"- learnt from {training['learnt_from']}, in {training['segmenter_steps']:,} steps of the segmenter",
    ]
    if training["rounds"]:
        lines.append(f"- rounds of GAN and segmenter: {training['rounds']}")
    return "\n".join([*lines, f"- pictures seen in training: {training['images_seen']:,}"])


def _learnt(learnt_from):
    if learnt_from == "photos without masks":
        return (
            "No mask was ever shown to it: a layered GAN found the object by what can be moved before a background. "
            "What moves along with the object may be taken for part of it."
        )
    return "It learnt from masks, and repeats what is wrong in them."


def _true_iou(keras_model, test_masks):
    if keras_model["true_iou"] is None:
        return "There are no masks to hold its own against, so how right they are is not known."
    return (
        f"Its IoU with the masks {test_masks} is {keras_model['true_iou']:.4f}, over all photos together; a disc in the "
        f"middle, which looks at no photo, has {keras_model['centred_disc_true_iou']:.4f}."
    )


def _table(formats):
    rows = ["| file | bytes | IoU with the Keras model | IoU with the test masks | lost | |", "| --- " * 6 + "|"]
    for name, figures in formats.items():
        cells = [f"{figures['bytes']:,}" if "bytes" in figures else ""]
        cells += [f"{figures[key]:.4f}" if figures.get(key) is not None else "" for key in ("iou", "true_iou")]
        cells.append(f"{figures['true_iou_loss']:+.4f}" if figures.get("true_iou_loss") is not None else "")
        rows.append(f"| {' | '.join([name, *cells, 'refused' if figures['refused'] else ''])} |")
    return "\n".join(rows)
