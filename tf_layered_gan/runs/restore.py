"""A run's models as they were last saved."""

from tf_layered_gan.models import build
from tf_layered_gan.models.memory import check_memory
from tf_layered_gan.runs.checkpoints import Checkpointer
from tf_layered_gan.runs.config_record import check_config


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
    segmenter = build.build_segmenter(config)
    gan = build.build_gan(config, segmenter)
    checkpointer = Checkpointer(workdir, gan, segmenter)
    if not checkpointer.restore():
        raise FileNotFoundError(f"no checkpoint in {workdir}: train first (--mode=train)")
    return gan, segmenter, checkpointer
