"""The model card: what an exported segmenter is and is worth, for people."""

_TEMPLATE = """\
# Model card: object segmenter

Says of each pixel of a photo how likely it belongs to the object, and so cuts the object out.
Made with {program} {version}. Licence: {licence}.

## Intended use

Photos of the kind that it was trained on (data: {data}), with one object in each.
It knows one class, the object, and says nothing about what that is.
It was not made for photos of another kind or with several objects, nor for anything where a wrong mask does harm.

## Training

{training}

## Figures

On the {pictures} test photos, none of which was trained on, each the middle square of a photo at
{resolution} x {resolution} pixels. The Keras model, from which all formats are made, finds the object in
{foreground:.1%} of their pixels.
{true_iou}

{table}

A format that loses more than {max_iou_loss:g} of IoU with the test masks, if there are any, or whose own with the Keras
model is below {min_agreement:g}, is refused: there is no such file. One that is *tuned* has weights of its own: it
learnt, with its rounding to 8 bits simulated, what the Keras model finds on photos to train on.

## Input and output

Nothing has to be done to a photo but to turn it upright, as its EXIF says. The model takes 8-bit RGB pixels as they
are, red first, 0 to 255, not normalised. Each file can be called in two ways:

- `any_size`: `picture`, uint8 [1, height, width, 3], of any size. Gives `mask`, uint8 [1, height, width, 1], the
  object's probability times 255, 128 and more where it is above one half. Inside, the longer side is resized to
  {resolution} pixels (bilinear, antialiased, aspect kept), the rest of the square filled by repeating the edge pixels,
  and the mask resized back.
- `serving_default`: `pixels`, uint8 [1, {resolution}, {resolution}, 3], for those who resize themselves. Gives
  `probability`, [1, {resolution}, {resolution}, 1]: float32 in [0, 1]; of `segmenter_int8.tflite` uint8, the
  probability times 256.

Above one half is object: in that uint8 above 128. The SavedModel has the same two, and its `serving_default` takes any
number of pictures. `python -m export.describe FILE` prints what a .tflite file or the SavedModel says of itself.

## Limits

- The model sees {resolution} pixels along a photo's longer side. What is thinner than one of these is lost, and the
  mask's edge is soft.
- {learnt}
- The figures are of photos from the same source as those trained on. On others expect less, and measure:
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
        max_iou_loss=result["max_iou_loss"],
        min_agreement=result["min_agreement"],
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
    lines.append(f"- pictures seen in training: {training['images_seen']:,}")
    if "student" in training:
        student = training["student"]
        lines.append(
            f"- this is a smaller network, {student['network']} of width {student['width']}, which then learnt from "
            f"{student['learnt_from']} in {student['steps']:,} steps what that segmenter finds"
        )
    return "\n".join(lines)


def _learnt(learnt_from):
    if learnt_from == "photos without masks":
        return (
            "No mask was ever shown to it: a layered GAN found the object as what can be moved before a background.\n"
            "  What moves along with the object may be taken for part of it."
        )
    return "It learnt from masks, and repeats what is wrong in them."


def _true_iou(keras_model, test_masks):
    if keras_model["true_iou"] is None:
        return "There are no masks to hold its own against, so how right they are is not known."
    return (
        f"The IoU of its masks with the test masks, {test_masks}, is {keras_model['true_iou']:.4f}, over all\n"
        f"photos together; a disc in the middle, which looks at no photo, has\n"
        f"{keras_model['centred_disc_true_iou']:.4f}."
    )


def _outcome(figures):
    tuned = f", tuned on {figures['fine_tuned']:,} photos" if figures.get("fine_tuned") else ""
    return ("refused" if figures["refused"] else "written") + tuned


def _table(formats):
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
