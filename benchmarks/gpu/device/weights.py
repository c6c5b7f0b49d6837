"""Files of weights that the device returns. A file has less than 16 MiB, and the most important networks come first.

This module needs only NumPy.
"""

import json
import math
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

# A device can return at most 8 files of up to 16 MiB. Four of them are record.json, log.txt, curve.csv and grids.png.
FILE_BYTES = int(15.5 * 2**20)
FILES = 4
# The limit for all files together, except record.json. A device can return 60 MiB, so 2 MiB are left for record.json.
TOTAL_BYTES = 58 * 2**20
# Groups of variables, in the order in which they are written. If a group no longer fits, all of it is left out.
GROUPS = (
    "average_segmenter",
    "average_background_generator",
    "average_foreground_generator",
    "mask_encoder",
    "augmentation",
    "discriminator",
    "segmenter",
    "background_generator",
    "foreground_generator",
    "segmenter_optimizer",
    "discriminator_optimizer",
    "generator_optimizer",
)
_SMALL = 4096  # arrays with fewer numbers, such as biases and statistics, stay float32


def write_weights(out: pathlib.Path, state: Mapping[str, np.ndarray], record: dict[str, Any]) -> str:
    """Writes OUT/weights_0.bin, OUT/weights_1.bin and so on with all variables that fit, and OUT/record.json.

    If all variables fit as float32, they are written as float32. Otherwise large arrays become float16. In that case
    the optimizers are left out, because Adam's second moments are too small for float16.

    Args:
        out: the folder OUT.
        state: the variables by name. A name is "GROUP/INDEX".
        record: content of record.json. The function adds a description of the weights to it.

    Returns:
        a message for the log, with the size of the files and the groups that were left out.
    """
    others = [file for file in out.iterdir() if not file.name.startswith(("weights_", "record"))]
    free = min(TOTAL_BYTES - sum(file.stat().st_size for file in others), FILES * FILE_BYTES)
    half = sum(value.nbytes for value in state.values()) > free
    groups, entries, data = [], [], bytearray()
    for group in GROUPS:
        arrays = {name: state[name] for name in sorted(state) if name.split("/")[0] == group}
        if half:
            arrays = {name: _halved(array) for name, array in arrays.items()}
        size = sum(array.nbytes for array in arrays.values())
        if not arrays or len(data) + size > free or (half and "optimizer" in group):
            continue
        groups.append(group)
        for name, array in arrays.items():
            entries.append({"name": name, "dtype": array.dtype.name, "shape": list(array.shape), "at": len(data)})
            data += array.tobytes()
    parts = [data[start : start + FILE_BYTES] for start in range(0, len(data), FILE_BYTES)]
    for file in out.glob("weights_*.bin"):
        file.unlink()
    for i, part in enumerate(parts):
        (out / f"weights_{i}.bin").write_bytes(part)
    record = record | {"entries": entries, "groups": groups, "files": len(parts), "half": half}
    (out / "record.json").write_text(json.dumps(record))
    left_out = ", ".join(sorted({name.split("/")[0] for name in state} - set(groups))) or "nothing"
    kind = "large arrays as float16" if half else "float32"
    return f"wrote {len(data) / 2**20:.1f} MiB of weights in {len(parts)} files ({kind}); left out: {left_out}"


def read_weights(folder: pathlib.Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Returns the content of record.json, and the variables by name. Converts float16 variables back to float32."""
    record = json.loads((folder / "record.json").read_text())
    data = b"".join((folder / f"weights_{i}.bin").read_bytes() for i in range(record["files"]))
    state = {}
    for entry in record["entries"]:
        array = np.frombuffer(data, entry["dtype"], math.prod(entry["shape"]), entry["at"]).reshape(entry["shape"])
        state[entry["name"]] = array.astype(np.float32) if array.dtype == np.float16 else array
    return record, state


def _halved(value: np.ndarray) -> np.ndarray:
    if value.dtype != np.float32 or value.size < _SMALL:
        return value
    with np.errstate(over="ignore"):
        half = value.astype(np.float16)
    return half if np.isfinite(half).all() else value
