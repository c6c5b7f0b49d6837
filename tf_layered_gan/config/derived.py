"""Values that follow from several fields of a config."""

from ml_collections import ConfigDict


def pass_steps(config: ConfigDict) -> int:
    """Returns the training steps of a pass over photos: `refine.steps`, or as many as the segmenter has on pairs."""
    schedule = config.schedule
    return config.refine.steps or schedule.rounds * schedule.segmenter_steps_per_round + schedule.final_segmenter_steps
