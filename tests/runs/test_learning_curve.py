import pytest
from PIL import Image

from benchmarks import learning_curves
from tf_layered_gan.runs.learning_curve import LearningCurve


def metrics(iou):
    return {"iou": iou, "iou_per_image": iou / 2, "accuracy": 1.0}


def test_points_are_read_back_in_order(tmp_path):
    curve = LearningCurve(tmp_path)
    assert curve.points() == [] and not curve.has("round 1")
    curve.append("round 1", 20, metrics(0.25))
    curve.append("round 1, final", 20, metrics(0.5))
    assert LearningCurve(tmp_path).points() == [
        {"after": "round 1", "images_seen": 20, "iou": 0.25, "iou_per_image": 0.125},
        {"after": "round 1, final", "images_seen": 20, "iou": 0.5, "iou_per_image": 0.25},
    ]
    assert curve.has("round 1, final") and not curve.has("round 2")


def test_each_run_is_drawn_as_a_line(tmp_path):
    for name, ious in {"birds": (0.1, 0.4), "flowers": (0.6, 0.8)}.items():
        (tmp_path / name).mkdir()
        for k, iou in enumerate(ious, 1):
            LearningCurve(tmp_path / name).append(f"round {k}", 1000 * k, metrics(iou))
    sizes = []
    for runs in (["birds"], ["birds", "flowers"]):
        learning_curves.draw([tmp_path / run for run in runs], tmp_path / "curves.png")
        with Image.open(tmp_path / "curves.png") as image:
            colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20)}
        sizes.append([(31, 119, 180) in colours, (255, 127, 14) in colours])  # colours of matplotlib's first two lines
    assert sizes == [[True, False], [True, True]]


@pytest.mark.parametrize("runs, message", [([], "no run was given"), (["nothing"], "nothing has no learning curve")])
def test_runs_without_a_curve_are_refused(runs, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        learning_curves.draw([tmp_path / run for run in runs], tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()


@pytest.mark.parametrize(
    "content", [b"after\nround 1\n", b"after,images_seen,iou,iou_per_image\na,b,c,d\n", b"a\n\xff\n"]
)
def test_damaged_curve_is_named(tmp_path, content):
    (tmp_path / "curve.csv").write_bytes(content)
    with pytest.raises(ValueError, match=f"{tmp_path / 'curve.csv'} is damaged: "):
        LearningCurve(tmp_path).has("round 1")
