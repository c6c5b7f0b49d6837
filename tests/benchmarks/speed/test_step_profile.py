import pytest

from benchmarks.speed import step_profile
from benchmarks.speed.step_profile import Operation


@pytest.mark.parametrize(
    "event, expected",
    [
        (
            "gradient_tape/layered_gan_1/foreground_generator_1/conv2d_25_1/convolution/Conv2DBackpropFilter:"
            "_MklNativeConv2DBackpropFilter",
            Operation("foreground_generator", True, "Conv2DBackpropFilter", 2.0),
        ),
        (
            "discriminator_1/conv2d_1/Conv2D:_FusedConv2D",
            Operation("discriminator", False, "FusedConv2D", 2.0),
        ),
        ("adam/AssignSubVariableOp_3:AssignSubVariableOp", Operation("other", False, "AssignSubVariableOp", 2.0)),
        ("ExecutorState::Process", None),
        ("EagerExecute: __inference_run_1", None),
        ("StatefulPartitionedCall:StatefulPartitionedCall", None),
    ],
)
def test_events_are_sorted_by_network_and_kind(event, expected):
    assert step_profile.parse(event, 2.0) == expected


def test_tables_show_the_times_of_one_step():
    operations = [Operation("unet", False, "Conv2D", 6.0), Operation("unet", True, "Relu", 2.0)] * 2
    table = step_profile.format_tables(operations, steps=2, most=1)
    assert "| unet | 6.0 | 2.0 | 100.0% |" in table
    assert "| Conv2D | 1 | 6.0 | 75.0% |" in table
    assert "Relu" not in table
