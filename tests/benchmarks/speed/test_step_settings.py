import pytest

from benchmarks.speed.gan_step import row_config
from benchmarks.speed.step_settings import with_setting


def test_a_setting_changes_one_field():
    base = row_config(32, 8)
    changed = with_setting(base, "networks.mask_stage=half")
    assert (base.networks.mask_stage, changed.networks.mask_stage) == ("full", "half")
    assert with_setting(base, "gan.background_every=4").gan.background_every == 4


@pytest.mark.parametrize(
    "setting, message",
    [
        ("networks.mask_stage", "setting is 'networks.mask_stage', allowed: FIELD=VALUE"),
        ("networks.mask=half", "there is no field networks.mask"),
        ("gan.background_every=1.5", "gan.background_every is 1.5: "),
        ("networks.mask_stage=none", "networks.mask_stage is 'none', allowed: full or half"),
    ],
)
def test_wrong_settings_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        with_setting(row_config(32, 8), setting)
