"""The image in docs/tensorboard.md: panels and layers of a healthy run and of a collapsed run.

    python -m benchmarks.tensorboard_panels --output=docs/tensorboard.png \
        --healthy=runs/demo-seed0 --healthy_layers=benchmarks/runs/shapes-seed0/layers.png \
        --collapsed=runs/collapsed --collapsed_layers=runs/collapsed/samples/layers_step_0000200.png
"""

import io
import pathlib

import matplotlib

matplotlib.use("Agg")  # this backend works on machines without a screen

from absl import flags
from matplotlib import pyplot
from PIL import Image

from tf_layered_gan.command_line import define_path, run_command
from tf_layered_gan.reporting.scalars import read_scalars

_PANELS = {  # the range of the y axis of each panel, which is the same for both runs
    "discriminator/discriminator_adversarial": (0, 2.2),
    "mask/mask_mean": (0, 1),
    "mask/mask_spread": (0, 0.1),
    "mask/masks_full": (0, 1),
    "mask/binarization": (0, 0.3),
    "codes/mutual_information_image": (0, 4),
    "codes/mutual_information_mask": (0, 4),
}
_COLORS = {"healthy": "#0969da", "collapsed": "#bc4c00"}
_SHEET = (0, 0, 518, 538)  # this box has the heading and the first four rows of a sheet of layers, without the photos


def draw(runs: dict[str, tuple[str, str]], output: str) -> None:
    """Draws the panels of both runs. Below the panels, draws a sheet of layers of each run.

    Args:
        runs: for "healthy" and "collapsed", the workdir and the sheet of layers.
        output: the PNG file to write.
    """
    figure = pyplot.figure(figsize=(16, 12), layout="constrained")
    parts = figure.subfigures(2, 1, height_ratios=(5, 7), squeeze=False)[:, 0]
    panels, sheets = parts[0].subplots(len(runs), len(_PANELS), sharey="col"), parts[1].subplots(1, len(runs))
    for row, sheet, (name, (workdir, layers)) in zip(panels, sheets, runs.items(), strict=True):
        scalars = read_scalars(pathlib.Path(workdir, "tensorboard"))
        for axes, (tag, limits) in zip(row, _PANELS.items(), strict=True):
            # Runs of version 0.1.0 have all scalars of the GAN in one group.
            points = scalars.get(tag) or scalars[f"gan/{tag.rpartition('/')[2]}"]
            axes.plot(*zip(*points, strict=True), color=_COLORS[name])
            axes.set(ylim=limits, title=tag.replace("/", "/\n"), xlabel="step of the GAN")
            axes.title.set_fontsize(9)
            axes.grid(alpha=0.3)
        row[0].set_ylabel(name, fontsize=14)
        sheet.imshow(Image.open(layers).crop(_SHEET))
        sheet.set_title(f"{name}: layers", fontsize=14)
        sheet.axis("off")
    content = io.BytesIO()
    figure.savefig(content, dpi=75)
    pyplot.close(figure)
    Image.open(content).convert("RGB").quantize(200, method=Image.Quantize.FASTOCTREE).save(output, optimize=True)


def main() -> None:
    """Draws the runs that the flags name."""
    given = flags.FLAGS
    runs = {"healthy": (given.healthy, given.healthy_layers), "collapsed": (given.collapsed, given.collapsed_layers)}
    draw(runs, given.output)


if __name__ == "__main__":
    for run in _COLORS:
        define_path(run, f"The workdir of the {run} run.", required=True, exists=True)
        define_path(f"{run}_layers", "A sheet of layers that this run wrote.", required=True, exists=True)
    define_path("output", "The PNG file to write.", required=True)
    run_command(main)
