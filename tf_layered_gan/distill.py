"""Trains a student, which is a smaller segmenter, for a finished run.

Usage: tf-layered-gan-distill --workdir=WORKDIR [flags]

The student learns from the run's pairs, from photos that the run's segmenter segments, or from both. All files of the
student go to WORKDIR/students/NAME. The run's own files do not change. If the same command is started again, it
continues from the last checkpoint. The run's config sets the batch size, the depth, the colour augmentation, the seed
and the number of steps between checkpoints.

The run and the student:
  --workdir=WORKDIR            directory of a finished run
  --student=NAME               the student's name; the default is the network and its width, such as separable16
  --network=separable          separable or unet
  --width=16                   number of channels, at full resolution for unet and at half resolution for separable
  --photos=DIR                 new place of the run's photos, if they were moved
  --masks=DIR                  new place of the run's masks, if they were moved

How it learns:
  --steps=500                  number of training steps; during these steps, the learning rate falls to zero
  --learning_rate=0.002        Adam's learning rate at the first step
  --gamma_consistency=1.0      weight of the loss on photos that the run's segmenter segments
  --gamma_segmentation=0.0     weight of the loss on the run's synthetic pairs; if it is 0, no pairs are made

Files in WORKDIR/students/NAME:
  student.json   the settings, and the state of the run's segmenter, which is the student's teacher
  checkpoints/   the two newest checkpoints
  tensorboard/   the losses
  report.html    a page that shows the figures, the masks and the losses in a browser
  metrics.json   accuracy of student and teacher on the validation and test photos, and how well their masks agree

Examples:
  tf-layered-gan-distill --workdir=runs/mine
  tf-layered-gan-distill --workdir=runs/mine --student=small --network=separable --width=8
"""

from collections.abc import Callable
from typing import Any

from absl import flags, logging

from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.config import student


def main() -> None:
    """Trains the student that the flags describe."""
    logging.use_absl_handler()
    given = flags.FLAGS
    settings = student.Student(**{name: getattr(given, name) for name in student.SETTINGS})
    name = given.student or f"{settings.network}{settings.width}"
    # Imported here, because TensorFlow takes seconds to import. For --help or a wrong flag, TensorFlow is not needed.
    from tf_layered_gan.training.distillation import distill

    distill(given.workdir, name, settings, photos=given.photos, masks=given.masks)


def run() -> None:
    """Runs the console command."""
    define_path("workdir", "The directory of a finished run.", required=True)
    define_path("photos", "New place of the run's photos, if they were moved.", exists=True)
    define_path("masks", "New place of the run's masks, if they were moved.", exists=True)
    flags.DEFINE_string(
        "student", None, "The student's name; the default is the network and its width, such as separable16."
    )
    define: dict[Any, Callable] = {str: flags.DEFINE_string, int: flags.DEFINE_integer, float: flags.DEFINE_float}
    for name, (kind, default, about) in student.SETTINGS.items():
        define[kind](name, default, about)
    run_command(main)


if __name__ == "__main__":
    run()
