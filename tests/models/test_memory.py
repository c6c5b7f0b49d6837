import keras
import pytest
import tiny

from configs import shapes
from tf_layered_gan import train
from tf_layered_gan.models import build, memory
from tf_layered_gan.runs.config_record import record_config
from tf_layered_gan.runs.restore import restore_run

HUGE = {"networks.generator_width": 512, "codes.num_categories": 100_000, "codes.group_size": 1}
FEW_STEPS = {
    "data.train_pictures": 200,
    "data.held_out_pictures": 20,
    "schedule.rounds": 2,
    "schedule.segmenter_steps_per_round": 2,
    "schedule.final_segmenter_steps": 2,
}


def config_of(**changes):
    config = shapes.get_config()
    config.update_from_flattened_dict(changes)
    return config


def test_estimate_has_seven_copies_of_every_weight():
    def weights(config):
        return sum(network.count_params() for network in build.build_gan_networks(config))

    few, many = (tiny.run_config(shapes, **{"codes.num_categories": count}) for count in (6, 60))
    grown = memory.estimate(many, 0) - memory.estimate(few, 0)
    assert grown == pytest.approx(4 * 7 * (weights(many) - weights(few)))


def test_estimate_leaves_no_uninitialised_weights_in_keras():
    before = keras.layers.Dense(1).name
    # If the estimate left uninitialised weights in Keras, the next layer would initialise them.
    memory.estimate(config_of(**HUGE), 16)
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    number = int(before.rpartition("_")[2]) if before[-1].isdecimal() else 0
    assert keras.layers.Dense(1).name == f"dense_{number + 2}"


def test_training_refuses_a_config_that_needs_too_much_memory(tmp_path):
    words = r"training needs about \d+\.\d GB of memory, but this machine has \d+\.\d GB: lower batch_size, resolution"
    with pytest.raises(ValueError, match=words):
        train.train(config_of(**HUGE).lock(), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    record_config(config_of(**HUGE), tmp_path)
    with pytest.raises(ValueError, match=words):
        restore_run(config_of(**HUGE).lock(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 512},
        {"codes.num_categories": 20_000, "codes.group_size": 1},
        {"batch_size": 32, "resolution": 128, "networks.generator_width": 16, "networks.background_width": 16},
    ],
)
def test_estimate_is_close_to_the_memory_of_a_run(tmp_path, changes):
    changes = FEW_STEPS | changes
    changes["schedule.gan_images_per_round"] = 2 * changes.get("batch_size", 16)
    flags = [f"--config.{name}={value}" for name, value in changes.items()]
    script = tiny.measured(tmp_path / "peak", "tf_layered_gan/main.py")
    code, printed = tiny.finish(
        tiny.python(*script, "--config=configs/shapes.py", f"--workdir={tmp_path / 'run'}", *flags)
    )
    assert code == 0, printed
    config, taken = config_of(**changes), tiny.peak_memory(tmp_path / "peak")
    estimated = memory.estimate(config, config.batch_size)
    print(f"estimated {estimated / 1e9:.2f} GB, taken {taken / 1e9:.2f}")
    assert 0.75 < taken / estimated < 1.25
