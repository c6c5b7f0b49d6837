import json

import numpy as np
import pytest
import tensorflow as tf
import tiny

from benchmarks import export_step
from configs import shapes
from tf_layered_gan.models import build

EVERY_TERM = {"codes.prior": "normal", "gan.gamma_size": 2.0, "gan.gamma_independence": (1.0, 1.0)}


@pytest.mark.parametrize("changes", [{}, pytest.param(EVERY_TERM, marks=pytest.mark.slow)])
def test_the_program_carries_its_whole_state(changes, tmp_path):
    config = tiny.run_config(shapes, jit=True, **changes)
    step, arguments = export_step.training_step(config, "gan")
    export_step.save_program(step, arguments, tmp_path)
    meta = json.loads((tmp_path / "meta.json").read_text())
    with np.load(tmp_path / "state.npz") as state:
        assert set(state.files) == {"arg0", "arg1", *(f"var{i}" for i in range(len(meta["captured"])))}
    assert "module @" in (tmp_path / "program.mlir").read_text()
    assert meta["arguments"] == ["image", "step"]
    assert "mask_mean" in meta["results"]
    # A step writes every variable that it reads but the segmenter's, which is fixed, and two learning rates.
    written = {parameter - meta["args"] for _, parameter in meta["aliases"]}
    assert written <= set(range(len(meta["captured"])))
    fixed = len(build.build_segmenter(config).network.variables) + 2
    assert len(written) == len(meta["captured"]) - fixed


def test_a_step_that_reads_what_is_no_variable_is_refused(tmp_path):
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant([0], tf.int64), tf.constant([1.0])), 0.0
    )
    step = tf.function(lambda x: {"y": table.lookup(x)})
    with pytest.raises(ValueError, match="no variable"):
        export_step._variable(step.get_concrete_function(tf.constant([0], tf.int64)), table.resource_handle)
