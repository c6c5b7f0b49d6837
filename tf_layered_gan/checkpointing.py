"""Checkpoints of everything that a run's future depends on, and the run's record of its own config."""

import hashlib
import json
import pathlib

import numpy as np
import tensorflow as tf
from absl import logging

from configs import default
from tf_layered_gan import builders
from tf_layered_gan.memory import check_memory
from tf_layered_gan.records import read_record, write_record
from tf_layered_gan.workdir_links import check_links

_KEPT = 2  # so that there is one when the newest is cut off
# What a file that was cut off, or overwritten, never gives: of some damage TensorFlow raises its errors' base class.
_NO_DAMAGE = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.PermissionDeniedError,
    tf.errors.ResourceExhaustedError,
    tf.errors.UnavailableError,
)
_MAY_CHANGE = ("schedule.", "monitoring.", "metrics.", "jit", "distribution", "data.classes")
_OF_A_ROUND = ("schedule.gan_images_per_round", "schedule.segmenter_steps_per_round")  # which bind, as rounds follow


class Checkpointer:
    """Saves and restores models, optimizers, averaged generators and the training position.

    Random draws and the order of the data are functions of the position and the config's seed, so nothing else needs
    saving for a run to go on exactly where it stopped.

    Args:
        workdir: the run's directory; checkpoints go to its folder `checkpoints`, the two newest are kept.
        gan: LayeredGAN, compiled; None where the segmenter alone trains, as a student does (see `distill`).
        segmenter: Segmenter, compiled.
        saves: whether this worker writes them.

    Attributes:
        gan_step, segmenter_step: tf.Variable int64, steps taken in the rounds.
        final_step, final_round: tf.Variable int64, steps of the final segmenter, and after which round they began.
        skipped: tf.Variable int64, by how much the batches are ahead of the steps, since a run went back.
        seconds: tf.Variable float64, time spent training, over all sittings.
    """

    def __init__(self, workdir, gan, segmenter, saves=True):
        self.gan_step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.segmenter_step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.final_step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.final_round = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.skipped = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        self._trained = {"segmenter": segmenter, "segmenter_optimizer": segmenter.optimizer}
        if gan is not None:
            self._trained |= {"gan": gan, "generator_optimizer": gan.optimizer}
            self._trained["discriminator_optimizer"] = gan.discriminator_optimizer
        self._checkpoint = tf.train.Checkpoint(
            **self._trained,
            gan_step=self.gan_step,
            segmenter_step=self.segmenter_step,
            final_step=self.final_step,
            final_round=self.final_round,
            skipped=self.skipped,
            seconds=self.seconds,
        )
        self._directory = pathlib.Path(workdir) / "checkpoints"
        self._saves = saves
        self._number = 0  # of the newest checkpoint that is whole

    def restore(self):
        """Restores the newest checkpoint that can be read; returns whether there was one.

        Raises:
            ValueError: if a checkpoint does not hold the variables of the models, since another version wrote it; or
                if none can be read, though there are some.
        """
        numbers = self._written()
        for number in reversed(numbers):
            path = self._path(number)
            try:
                self._checkpoint.read(path).assert_existing_objects_matched()
            except (AssertionError, ValueError) as error:  # a variable is missing, or has another shape
                raise ValueError(
                    f"{path} was written by another version of this program; take another workdir"
                ) from error
            except _NO_DAMAGE:
                raise
            except (tf.errors.OpError, IndexError) as error:  # the latter is what too short a file gives
                logging.warning("%s is damaged and left out (%s)", path, str(error).splitlines()[0])
            else:
                self._number = number
                return True
        if numbers:
            raise ValueError(f"no checkpoint in {self._directory} can be read, so the run cannot go on")
        return False

    def save(self):
        """Writes a checkpoint, if that is for this worker to do, over a damaged one where the run went on from another.

        Raises:
            FloatingPointError: if a variable, or what an optimizer keeps of it, is not finite; names it.
            OSError: if it cannot be written, as on a full disk; the ones before it are left.
        """
        self._check_finite()
        if not self._saves:
            return
        try:
            self._checkpoint.write(self._path(self._number + 1))
        except tf.errors.OpError as error:
            raise OSError(f"no checkpoint could be written to {self._directory}: {error.message}") from error
        self._number += 1
        for number in self._written():
            if number <= self._number - _KEPT:
                for file in self._directory.glob(f"ckpt-{number}.*"):
                    file.unlink()

    def _check_finite(self):
        for holder in self._trained.values():
            for variable in holder.variables:
                if not np.isfinite(variable.numpy()).all():
                    raise FloatingPointError(f"{variable.path} is not finite, so no checkpoint is written")

    @property
    def steps_taken(self):
        """How many steps of any kind led to these variables."""
        optimizers = ("generator_optimizer", "segmenter_optimizer")
        return sum(int(self._trained[name].iterations) for name in optimizers if name in self._trained)

    @property
    def position(self):
        """Where the run is: dict of str to int."""
        names = ("gan_step", "segmenter_step", "final_step", "final_round", "skipped")
        return {name: int(getattr(self, name)) for name in names}

    def _path(self, number):
        return str(self._directory / f"ckpt-{number}")

    def _written(self):
        """The numbers of the checkpoints that are there, TensorFlow's own list of which may be damaged, too."""
        names = (path.stem.removeprefix("ckpt-") for path in self._directory.glob("ckpt-*.index"))
        return sorted(int(name) for name in names if name.isdecimal() and name.isascii())


def check_config(config, workdir):
    """Checks that a run in `workdir`, if there is one, was begun with this config.

    Args:
        config: the run's ConfigDict.
        workdir: the run's directory.

    Raises:
        ValueError: if `workdir` lies in the folder of photos, or the run was begun with another config, or with one
            of other fields; names the fields. What leaves the earlier steps as they were may change: `monitoring`,
            `metrics`, `jit`, `distribution`, `data.classes` and, of `schedule`, all but the size of a round. Also if
            the run's config.json is damaged, or something in `workdir` would have the run write elsewhere, see
            `check_links`.
    """
    check_links(workdir)
    photos = config.data.path if config.data.source == "folder" else None
    if photos and pathlib.Path(workdir).resolve().is_relative_to(pathlib.Path(photos).resolve()):
        raise ValueError(f"workdir is {workdir}, in the folder of photos, which would take its pictures for photos too")
    path = pathlib.Path(workdir) / "config.json"
    if path.exists():
        begun, given = _binding(read_record(path)), _binding(json.loads(config.to_json()))
        _check_fields(path, begun, given)
        fields = [name for name in sorted(given) if begun[name] != given[name]]
        if fields:
            raise ValueError(f"{path} was begun with other values of {', '.join(fields)}; take another workdir")


def check_photos(splits, workdir):
    """Checks that a run in `workdir` still has the photos that it was begun with; records a new run's in photos.json.

    Args:
        splits: `data.photos.Splits`.
        workdir: the run's directory.

    Raises:
        ValueError: if photos were added, removed or renamed, since others would then be held out; or if photos.json
            is damaged.
    """
    path, given = pathlib.Path(workdir) / "photos.json", photo_facts(splits)
    if not path.exists():
        write_record(path, given)
    begun = read_record(path)
    if begun != given:
        try:
            before, now = (" / ".join(str(split["photos"]) for split in splits.values()) for splits in (begun, given))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged: it does not hold the number of photos in each split") from error
        counts = f"{before} to train, validate and test on, now {now}"
        raise ValueError(f"{workdir} was begun with other photos ({counts}); put them back, or take another workdir")


def photo_facts(splits):
    """Returns what tells a run's photos from others: a dict of each split's number of photos and its names' SHA-256."""
    names = {name: getattr(splits, name).names for name in ("train", "validation", "test")}
    return {name: {"photos": len(n), "sha256": _sha256("\n".join(n))} for name, n in names.items()}


def config_facts(config):
    """Returns a config's values by dotted names, a dict of what JSON knows."""
    return _flattened(json.loads(config.to_json()))


def _sha256(text):
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def load_config(workdir):
    """Reads the config that a run was begun with.

    Args:
        workdir: the run's directory.

    Returns:
        ConfigDict.

    Raises:
        FileNotFoundError: there is no run in `workdir`.
        ValueError: its config.json is damaged, or has other fields than configs/default.py; names them. Also as
            `check_links`.
    """
    check_links(workdir)
    path = pathlib.Path(workdir) / "config.json"
    if not path.exists():
        raise FileNotFoundError(f"no config.json in {workdir}: train first (python -m tf_layered_gan.main)")
    config, recorded = default.get_config(), _flattened(read_record(path))
    _check_fields(path, recorded, _flattened(json.loads(config.to_json())))
    try:
        config.update_from_flattened_dict(recorded)  # makes tuples again of what JSON has as lists
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    return config


def record_config(config, workdir):
    """Writes the resolved config to WORKDIR/config.json; makes the directory where it is missing."""
    path = pathlib.Path(workdir) / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_record(path, json.loads(config.to_json()))


def _flattened(record, prefix=""):
    """The values of a nested dict, by dotted names."""
    flat = {}
    for name, value in record.items():
        flat |= _flattened(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def _binding(record):
    """Those fields of a recorded config that a run must go on with."""
    return {
        name: value
        for name, value in _flattened(record).items()
        if name in _OF_A_ROUND or not name.startswith(_MAY_CHANGE)
    }


def _check_fields(path, recorded, known):
    differences = {"lacks": known.keys() - recorded.keys(), "has the unknown": recorded.keys() - known.keys()}
    words = [f"{verb} {', '.join(sorted(names))}" for verb, names in differences.items() if names]
    if words:
        raise ValueError(f"{path} {' and '.join(words)}: another version wrote it; take another workdir")


def restore_run(config, workdir):
    """Builds the models and restores the newest checkpoint of a run.

    Args:
        config: the ConfigDict that the run was begun with.
        workdir: the run's directory.

    Returns:
        (LayeredGAN, Segmenter, Checkpointer).

    Raises:
        FileNotFoundError: if the run has no checkpoint.
        ValueError: see `check_config` and `check_memory`.
    """
    check_config(config, workdir)
    check_memory(config, pictures=1)
    segmenter = builders.build_segmenter(config)
    gan = builders.build_gan(config, segmenter)
    checkpointer = Checkpointer(workdir, gan, segmenter)
    if not checkpointer.restore():
        raise FileNotFoundError(f"no checkpoint in {workdir}: train first (--mode=train)")
    return gan, segmenter, checkpointer
