"""Exports the segmenter of a run as TFLite files and a SavedModel, and verifies each of them.

Usage: tf-layered-gan-export --workdir=WORKDIR [flags]

Which network:
  --workdir=WORKDIR      directory of the training run
  --student=NAME         one of the run's students, exported instead of the run's segmenter
  --photos=DIR           new place of the run's photos, if they were moved
  --masks=DIR            new place of the run's masks, if they were moved

Where to:
  --output=DIR           default: WORKDIR/export, or WORKDIR/students/NAME/export

How strict:
  --max_iou_loss=0.01    a format whose IoU falls by more than this is not written, and the command exits with an error.
                         The IoU is measured with the test masks or, without test masks, with the masks of the trained
                         network

For the model card:
  --licence=LICENCE      licence of the exported model, such as CC-BY-4.0
  --masks_made=HOW       how the test masks were made, such as 'by hand' or 'by U2-Net'

Examples:
  tf-layered-gan-export --workdir=runs/mine
  tf-layered-gan-export --workdir=runs/mine --student=small --licence=CC-BY-4.0
"""

from absl import flags, logging

from tf_layered_gan.command_line import define_path, run_command

from . import MAX_IOU_LOSS


def main() -> None:
    """Exports the run that the flags name."""
    logging.set_verbosity(logging.WARNING)
    given = flags.FLAGS
    # Imported here, because TensorFlow takes seconds to import, and --help and wrong flags do not need it.
    from .export_run import export_run

    export_run(
        given.workdir,
        given.output,
        student_name=given.student,
        photos=given.photos,
        masks=given.masks,
        licence=given.licence,
        masks_made=given.masks_made,
        max_iou_loss=given.max_iou_loss,
    )


def run() -> None:
    """Defines the flags and runs the command."""
    define_path("workdir", "Directory of the training run, see tf_layered_gan.main.", required=True)
    define_path("photos", "New place of the run's photos, if they were moved.", exists=True)
    define_path("masks", "New place of the run's masks, if they were moved.", exists=True)
    flags.DEFINE_string("student", None, "Name of a student to export instead of the run's segmenter, see distill.")
    define_path("output", "Directory of the export. Default: WORKDIR/export, or WORKDIR/students/STUDENT/export.")
    flags.DEFINE_string("licence", None, "Licence of the exported model, such as CC-BY-4.0.")
    flags.DEFINE_string("masks_made", None, "How the test masks were made, such as 'by hand' or 'by U2-Net'.")
    flags.DEFINE_float(
        "max_iou_loss",
        MAX_IOU_LOSS,
        "Refuse a format that loses more IoU than this. The IoU is measured with the test masks or, without "
        "test masks, with the Keras model's masks.",
        lower_bound=0,
        upper_bound=1,
    )
    run_command(main)


if __name__ == "__main__":
    run()
