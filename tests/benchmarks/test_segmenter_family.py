import pytest
import tiny

from benchmarks import segmenter_family
from configs import shapes
from export.tflite.convert import to_tflite_float32
from tf_layered_gan.config import student
from tf_layered_gan.data import sources
from tf_layered_gan.evaluation import segmentation
from tf_layered_gan.models import build
from tf_layered_gan.models.networks.multiply_adds import multiply_adds
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import load_config, record_config


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """An untrained run and its untrained student "small", both exported as float32 only."""
    workdir, config = tmp_path_factory.mktemp("run"), tiny.run_config(shapes, **{"networks.residual_blocks": 0})
    record_config(config, workdir)
    segmenter = build.build_segmenter(config)
    Checkpointer(workdir, build.build_gan(config, segmenter), segmenter).save()
    export(segmenter, workdir)
    settings, small = student.Student(width=2, steps=1), student.folder(workdir, "small")
    learner = build.build_student(config, settings)
    Checkpointer(small, None, learner).save()
    student.record(small, settings, {})
    export(learner, small)
    return workdir


def export(segmenter, folder):
    (folder / "export").mkdir()
    (folder / "export" / "segmenter_float32.tflite").write_bytes(to_tflite_float32(segmenter.average_network))


@pytest.mark.slow
def test_each_file_has_a_row(workdir):
    first, second = segmenter_family.measure(workdir, rounds=2)
    assert len(first) == len(second) == len(segmenter_family.HEAD)
    assert (first[0], second[0]) == ("the run's U-Net", "small") and first[2] == second[2] == "float32"
    config, file = load_config(workdir), workdir / "students/small/export/segmenter_float32.tflite"
    teacher, small = build.build_segmenter(config), build.build_student(config, student.Student(width=2, steps=1))
    assert second[1] == f"{multiply_adds(small.network) / 1e6:.1f}"
    assert second[3] == f"{file.stat().st_size:,}"
    photos = sources.load_photos(config).test
    figures = segmentation.evaluate(teacher.average_network, photos, baselines=False)["segmenter"]
    assert float(first[4]) == pytest.approx(figures["iou"], abs=2e-3)
    assert float(first[5]) == pytest.approx(figures["iou_per_image"], abs=2e-3)
    assert first[6] == "1.000" and 0 <= float(second[6]) <= 1
    assert float(first[7]) > 0


def test_a_run_without_its_own_export_is_refused(tmp_path):
    record_config(tiny.run_config(shapes), tmp_path)
    with pytest.raises(FileNotFoundError, match="segmenter_float32.tflite does not exist: export first"):
        segmenter_family.measure(tmp_path, rounds=1)
