"""Values that are computed from several fields of a config."""

from ml_collections import ConfigDict


def pass_steps(config: ConfigDict) -> int:
    """Returns the number of training steps of a pass over photos.

    A pass takes `refine.steps` steps. If `refine.steps` is 0, a pass takes as many steps as the segmenter takes on
    synthetic pairs.
    """
    schedule = config.schedule
    return config.refine.steps or schedule.rounds * schedule.segmenter_steps_per_round + schedule.final_segmenter_steps
