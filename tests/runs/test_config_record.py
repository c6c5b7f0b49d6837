import json

import pytest
import tiny

from configs import folder, shapes
from tf_layered_gan.config.fields import FIELDS
from tf_layered_gan.runs.config_record import check_config, load_config, record_config


@pytest.fixture
def begun(tmp_path):
    """A workdir with the record of a tiny run's config."""
    record_config(tiny.run_config(shapes), tmp_path)
    return tmp_path


def test_resolved_config_is_recorded(tmp_path):
    record_config(tiny.run_config(shapes, seed=5), tmp_path / "new")
    recorded = json.loads((tmp_path / "new" / "config.json").read_text())
    assert recorded["seed"] == 5
    assert recorded["data"]["crop_scale"] == [1.0, 1.0]
    assert recorded["data"]["path"] is None


def test_recorded_config_is_read_back_unchanged(begun):
    assert load_config(begun).to_dict() == tiny.run_config(shapes).to_dict()


def rewrite(workdir, change):
    """Changes a run's config.json."""
    recorded = json.loads((workdir / "config.json").read_text())
    change(recorded)
    (workdir / "config.json").write_text(json.dumps(recorded))


def change_fields(recorded):
    del recorded["gan"]["ema_decay"], recorded["codes"]["prior"]
    recorded["gan"]["gamma_old"] = 1.0


OTHER_FIELDS = r"config.json lacks codes.prior, gan.ema_decay and has the unknown gan.gamma_old: another version wrote"


@pytest.mark.parametrize("read", [load_config, lambda workdir: check_config(tiny.run_config(shapes), workdir)])
def test_record_with_other_fields_is_refused_by_their_names(begun, read):
    rewrite(begun, change_fields)
    with pytest.raises(ValueError, match=OTHER_FIELDS):
        read(begun)


def test_record_without_a_section_is_refused_by_its_fields(begun):
    rewrite(begun, lambda recorded: recorded.pop("metrics"))
    with pytest.raises(ValueError, match="config.json lacks metrics.fid_samples, metrics.inception: another version"):
        load_config(begun)


def test_run_of_an_earlier_version_has_the_defaults_of_the_fields_added_since(begun):
    def earlier(recorded):
        for field in (field for field in FIELDS if field.added):
            *sections, name = field.name.split(".")
            del (recorded[sections[0]] if sections else recorded)[name]

    rewrite(begun, earlier)
    defaults = {field.name: field.default for field in FIELDS if field.added}
    assert load_config(begun).to_dict() == tiny.run_config(shapes, **defaults).to_dict()
    check_config(tiny.run_config(shapes, **defaults), begun)
    with pytest.raises(ValueError, match="was begun with other values of gan.augmentation, precision; take another"):
        changes = {"precision": "bfloat16", "gan.augmentation": "color"}
        check_config(tiny.run_config(shapes, **defaults | changes), begun)


def test_run_goes_on_although_its_record_lacks_a_field_that_may_change(begun):
    rewrite(begun, lambda recorded: recorded["metrics"].pop("fid_samples"))
    check_config(tiny.run_config(shapes), begun)


@pytest.mark.parametrize("read", [load_config, lambda workdir: check_config(tiny.run_config(shapes), workdir)])
def test_truncated_record_is_named(begun, read):
    path = begun / "config.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(ValueError, match=f"{path} is damaged: "):
        read(begun)


def test_record_with_a_value_of_another_type_is_named(begun):
    rewrite(begun, lambda recorded: recorded.update(batch_size="4"))
    with pytest.raises(ValueError, match="config.json is damaged: .*batch_size"):
        load_config(begun)


def test_new_workdir_takes_any_config_and_is_not_created(tmp_path):
    check_config(tiny.run_config(shapes), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_another_config_is_refused_by_its_fields(begun):
    other = {"gan.gamma_mi": 3.0, "seed": 7, "data.crop_scale": (0.5, 1.0), "schedule.gan_images_per_round": 99}
    fields = "data.crop_scale, gan.gamma_mi, schedule.gan_images_per_round, seed"
    with pytest.raises(ValueError, match=f"other values of {fields}; take another"):
        check_config(tiny.run_config(shapes, **other), begun)


def test_fields_that_do_not_change_earlier_steps_may_change(begun):
    changes = {"schedule.rounds": 9, "schedule.final_segmenter_steps": 9, "schedule.annealed_rounds": 1}
    changes |= {"monitoring.scalars_every": 7, "jit": "auto", "distribution": "mirrored", "data.classes": r"^\d+"}
    changes |= {"metrics.inception": "inception.npz"}
    check_config(tiny.run_config(shapes, **changes), begun)


def test_the_file_of_the_encoder_may_move_but_not_appear(tmp_path):
    encoder = {"networks.encoder": "efficientnet_lite0", "networks.unet_depth": 1}
    record_config(tiny.run_config(shapes, **encoder, **{"networks.encoder_weights": "a.npz"}), tmp_path)
    check_config(tiny.run_config(shapes, **encoder, **{"networks.encoder_weights": "b.npz"}), tmp_path)
    with pytest.raises(ValueError, match="other values of networks.encoder_weights; take another"):
        check_config(tiny.run_config(shapes, **encoder), tmp_path)


def test_workdir_inside_the_folder_of_photos_is_refused(tmp_path):
    photos = tmp_path / "around" / "photos"
    config = tiny.run_config(folder, **{"data.path": str(photos)})
    reason = "because images in the workdir would become photos"
    with pytest.raises(ValueError, match=f"allowed: a folder outside .*, {reason}"):
        check_config(config, photos / "runs" / "mine")
    check_config(config, photos.parent)
