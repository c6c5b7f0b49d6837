"""Tests of mutated configs, in which fields have other values or are missing.

Each config must be accepted, or refused with an error that names a field, its value and the allowed values.
"""

import collections
import importlib
import math
import random
import re

import pytest
import tiny
from ml_collections import ConfigDict

from configs import shapes
from tf_layered_gan import train
from tf_layered_gan.config import pass_steps, shipped, validate
from tf_layered_gan.models import memory
from tf_layered_gan.runs.config_record import load_config, record_config

CONFIGS = shipped.names()
DIGITS = 10**5000  # Python refuses to print an integer with this many digits
VALUES = [
    *(None, True, False, 0, 1, -1, 2, 3, 7, 16, 1024, 2**20, 2**31, 2**63, -(2**63), 10**400, -(10**400), DIGITS),
    *(0.0, -0.0, 0.5, 1.0, 1.5, -0.5, 1e6, 1e308, -1e308, 5e-324, 0.9999999999999999, math.nan, math.inf, -math.inf),
    *("", "abc", "1", "none", "../../etc/passwd", "/dev/zero", "a\0b", "caf\u00e9\udcff\n", "x" * 100_000, "%s{0}"),
    *("(", "[", "a{99999999999999}", "(" * 5000 + ")" * 5000, "(?P<a>x)(?P<a>y)", "*"),
    *((), (1,), (0.5, 0.5), (0.0, 0.0), (1.0, 0.0), (0.2, 0.8, 1.0), ("a", "b"), (None, None), (True, 1.0)),
    *((math.nan, 1.0), (0.5, math.inf), (10**400, 10**400), (DIGITS, 1), ((0.5, 1.0), (0.5, 1.0)), (0.25, 2.0)),
    *([0.8, 1.0], [], {}, {"a": 1}, set(), b"bytes", 1j, object, len, range(2), ConfigDict({"rounds": 1}), Exception()),
]
REFUSAL = r"[\w.]+ is .*, allowed: ."


def fields(config, prefix=""):
    """Yields the dotted names of all fields, and of the sections that hold them."""
    for name, value in config.items():
        yield prefix + name
        if isinstance(value, ConfigDict):
            yield from fields(value, f"{prefix}{name}.")


def section(config, field):
    *sections, name = field.split(".")
    for part in sections:
        config = config[part]
    return config, name


def put(config, field, value):
    """Removes a field and adds it again, because a ConfigDict accepts a value of another type only in a new field."""
    holder, name = section(config, field)
    del holder[name]
    holder[name] = value


def fresh(name):
    config = importlib.import_module(f"configs.{name}").get_config()
    config.data.path = config.data.path or "photos"
    return config


def refusal(config):
    """Returns the error message of `validate`, or None."""
    try:
        validate(config)
    except ValueError as error:
        return str(error)
    return None


def steps(config):
    """Returns the number of GAN steps, of segmenter steps in all rounds, and of final segmenter steps."""
    schedule = config.schedule
    gan_steps = schedule.rounds * (schedule.gan_images_per_round // config.batch_size)
    return gan_steps, schedule.rounds * schedule.segmenter_steps_per_round, schedule.final_segmenter_steps


def check_usable(config):
    """Checks that a run with an accepted config would end, and that its numbers of steps fit into int64."""
    assert 1 <= config.schedule.rounds <= 10_000
    assert max(steps(config)) < 2**63
    assert config.resolution <= round(config.resolution / config.data.crop_scale[0]) <= 4 * config.resolution
    assert 2**config.networks.unet_depth <= config.resolution


@pytest.mark.parametrize("name", CONFIGS)
def test_mutated_field_is_accepted_or_refused_by_name(name):
    generator, refused = random.Random(name), 0
    for field in fields(fresh(name)):
        for value in generator.sample(VALUES, 4):
            config = fresh(name)
            put(config, field, value)
            words = refusal(config)
            refused += words is not None
            if words is None:
                check_usable(config)
            else:
                assert re.search(REFUSAL, words, re.DOTALL) and len(words) < 3000
                # The message may name another field that depends on the mutated field. Then it also contains the name
                # of the mutated field.
                assert field in words or field.split(".")[-1] in words, (field, words)
    assert refused > 100


def test_configs_with_several_mutations_are_accepted_or_refused():
    generator, refused = random.Random(0), 0
    for _ in range(300):
        config = fresh(generator.choice(CONFIGS))
        for field in generator.sample(sorted(fields(config)), generator.randint(2, 6)):
            try:
                put(config, field, generator.choice(VALUES))
            except (KeyError, TypeError, AttributeError):  # an earlier mutation has replaced the section of this field
                continue
        words = refusal(config)
        refused += words is not None
        if words is None:
            check_usable(config)
        else:
            assert re.match(REFUSAL, words, re.DOTALL), words
    assert refused > 200


def accepted_values(plain):
    """Yields (field, value) for every accepted mutation with which a run trains quickly."""
    for field in fields(plain):
        for value in VALUES:
            config = plain.copy_and_resolve_references()
            put(config, field, value)
            if refusal(config) is None and trains_in_a_moment(config):
                yield field, value


def trains_in_a_moment(config):
    most_steps = max(*steps(config), pass_steps(config))
    return config.schedule.rounds < 5 and most_steps < 20 and config.data.train_pictures < 1_000


@pytest.mark.slow
def test_accepted_configs_train_or_are_refused_with_a_message(tmp_path, eagerly):
    plain = tiny.run_config(shapes, **tiny.ONE_STEP | {"refine.steps": 1}).unlock()
    ended: collections.Counter[str] = collections.Counter()
    skipped = ("data.", "metrics.inception")  # almost every value of these fields is refused
    mutations = [mutation for mutation in accepted_values(plain) if not mutation[0].startswith(skipped)]
    random.Random(0).shuffle(mutations)
    # 240 mutations are enough for 40 configs. Training with these configs takes about 7 minutes on one core.
    del mutations[240:]
    while mutations:
        config = plain.copy_and_resolve_references()
        for field, value in (mutations.pop() for _ in range(min(6, len(mutations)))):
            put(config, field, value)
        try:
            validate(config)
            if memory.estimate(config, config.batch_size) > 2e9:
                ended["would take long"] += 1
                continue
            train.train(config.lock(), tmp_path / str(len(mutations)))
            ended["trained"] += 1
        except (ValueError, OSError, FloatingPointError) as error:  # the command shows these errors as messages
            ended["refused"] += 1
            print(error)
    print(dict(ended))
    assert ended["trained"] > 30 and ended["refused"] > 0


@pytest.mark.parametrize("name", CONFIGS)
def test_missing_and_unknown_fields_are_refused_by_name(name):
    for field in fields(fresh(name)):
        config = fresh(name)
        holder, last = section(config, field)
        del holder[last]
        assert refusal(config).startswith(f"{field} is missing, allowed: a value")
    config = fresh(name)
    config.gan.gamma_old = 1.0
    config.ganz = ConfigDict()
    words = refusal(config)
    assert "gan.gamma_old is 1.0, allowed: no field of this name" in words and "ganz is " in words


JSON = [
    "null",
    "true",
    "-1",
    "1e999",
    "NaN",
    "1" * 400,
    "1" * 5000,
    '""',
    '"\\ud800"',
    "[]",
    "[[1]]",
    "{}",
    "[" * 2000,
    "",
]


def mutated(text, generator):
    """Returns a recorded config in which a value or some bytes were changed."""
    if generator.random() < 0.7:
        start, end = generator.choice([match.span(1) for match in re.finditer(r": ([^\n,{]+)", text)])
        return (text[:start] + generator.choice(JSON) + text[end:]).encode()
    content = bytearray(text.encode())
    for _ in range(generator.randint(1, 5)):
        content[generator.randrange(len(content))] = generator.randrange(256)
    return content[: generator.choice([len(content), generator.randrange(len(content))])]


def test_mutated_config_json_is_accepted_or_refused(tmp_path):
    generator, refused = random.Random(0), 0
    record_config(fresh("shapes"), tmp_path)
    text = (tmp_path / "config.json").read_text()
    for _ in range(300):
        (tmp_path / "config.json").write_bytes(mutated(text, generator))
        try:
            config = load_config(tmp_path)
            validate(config)
            check_usable(config)
        except ValueError:
            refused += 1
    assert refused > 200


@pytest.mark.parametrize("config", [None, 5, {}, "configs/shapes.py", []])
def test_anything_but_a_config_is_refused(config):
    with pytest.raises(ValueError, match="^the config is .*, allowed: a ConfigDict, see .*fields.py$"):
        validate(config)
