import json

import numpy as np
import pytest
import tensorflow as tf
import tiny

from benchmarks import export_step
from configs import shapes

EVERY_TERM = {"codes.prior": "normal", "gan.gamma_size": 2.0, "gan.gamma_independence": (1.0, 1.0)}


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, EVERY_TERM])
def test_the_program_carries_its_whole_state(changes, tmp_path):
    step, arguments = export_step.training_step(tiny.run_config(shapes, jit=True, **changes), "gan")
    export_step.save_program(step, arguments, tmp_path)
    meta = json.loads((tmp_path / "meta.json").read_text())
    with np.load(tmp_path / "state.npz") as state:
        assert set(state.files) == {"arg0", "arg1", *(f"var{i}" for i in range(len(meta["captured"])))}
    assert "module @" in (tmp_path / "program.mlir").read_text()
    assert meta["arguments"] == ["image", "step"]
    assert "mask_mean" in meta["results"]
    # A step writes what it reads, but for the segmenter, which is fixed, and constants: every alias is a variable.
    written = {parameter - meta["args"] for _, parameter in meta["aliases"]}
    assert written <= set(range(len(meta["captured"])))
    assert any("kernel" in meta["captured"][i] for i in written)


def test_a_step_that_reads_what_is_no_variable_is_refused(tmp_path):
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant([0], tf.int64), tf.constant([1.0])), 0.0
    )
    step = tf.function(lambda x: {"y": table.lookup(x)})
    with pytest.raises(ValueError, match="no variable"):
        export_step._variable(step.get_concrete_function(tf.constant([0], tf.int64)), table.resource_handle)
