import pytest
from absl import flags
from ml_collections import ConfigDict

from tf_layered_gan.config import shipped


def config_of(*arguments):
    """Reads --config from a command line."""
    values, argv = flags.FlagValues(), ["main", *arguments]
    holder = shipped.define_flag("Help.", flag_values=values, sys_argv=argv)
    values(argv)
    return holder.value


def test_a_name_gives_the_path_of_its_file():
    assert shipped.find("folder") == str(shipped.folder() / "folder.py")


@pytest.mark.parametrize("path", ["mine.py", "configs/folder.py", "/somewhere/mine", "./folder", "mine.py:argument"])
def test_a_path_is_left_as_it_is(path):
    assert shipped.find(path) == path


@pytest.mark.parametrize("name", ["fodler", "", "__init__", "Folder"])
def test_an_unknown_name_is_refused_with_the_allowed_ones(name):
    with pytest.raises(ValueError, match="allowed: apc, cars, .*, small, or the path of a .py file"):
        shipped.find(name)


def test_the_flag_refuses_an_unknown_name():
    with pytest.raises(flags.IllegalFlagValueError, match="config is 'fodler', allowed: apc, "):
        config_of("--config=fodler")


def test_no_flag_gives_no_config():
    assert config_of() is None


@pytest.mark.parametrize("arguments", [["--config=shapes"], ["--config", "shapes"], ["--config=configs/shapes.py"]])
def test_the_flag_reads_a_config_and_sets_its_fields(arguments, monkeypatch):
    monkeypatch.chdir(shipped.folder().parent)
    config = config_of(*arguments, "--config.gan.gamma_mi=3")
    assert isinstance(config, ConfigDict) and config.is_locked
    assert (config.data.source, config.gan.gamma_mi) == ("shapes", 3.0)


def test_a_field_is_set_or_refused_by_name():
    config = shipped.load("shapes", {})
    shipped.set_field(config, "gan.gamma_mi", 3)
    assert config.gan.gamma_mi == 3.0
    with pytest.raises(ValueError, match="there is no field gan.gamma_mj; did you mean gan.gamma_mi?"):
        shipped.set_field(config, "gan.gamma_mj", 3)
    with pytest.raises(ValueError, match="^gan.gamma_mi is 'much': "):
        shipped.set_field(config, "gan.gamma_mi", "much")
