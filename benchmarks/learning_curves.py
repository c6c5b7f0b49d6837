"""Plot of the learning curves of published runs, in one PNG file.

    python -m benchmarks.learning_curves --output=benchmarks/learning_curves.png benchmarks/runs/*

Each line shows the segmenter's whole-set IoU on a run's validation photos after each round. The last point is measured
after the final steps.
"""

import pathlib
from collections.abc import Iterable

import matplotlib

matplotlib.use("Agg")  # this backend works on machines without a screen

from absl import app, flags
from matplotlib import pyplot

from tf_layered_gan.command_line import command_errors, define_path
from tf_layered_gan.runs.learning_curve import LearningCurve


def draw(runs: Iterable[str | pathlib.Path], output: str | pathlib.Path) -> None:
    """Draws the curve.csv of each directory as a line, with the name of the directory as its label.

    Raises:
        ValueError: if there is no run, or a run has no point on its learning curve.
    """
    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for run in sorted(map(pathlib.Path, runs)):
        points = LearningCurve(run).points()
        if not points:
            raise ValueError(f"{run} has no learning curve, allowed: directories with a curve.csv")
        seen, iou = ([point[name] for point in points] for name in ("images_seen", "iou"))
        axes.plot(seen, iou, marker="o", markersize=4, label=run.name)
    if not axes.lines:
        raise ValueError("no run was given: pass one or more directories that contain a curve.csv")
    axes.set(xlabel="images seen by the discriminator", ylabel="IoU on validation photos (whole set)", ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(output, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


def main(argv: list[str]) -> None:
    """Draws the runs that the arguments name."""
    with command_errors():
        draw(argv[1:], flags.FLAGS.output)
    print(f"wrote {flags.FLAGS.output}")


if __name__ == "__main__":
    define_path("output", "The PNG file to write.", required=True)
    app.run(main)
