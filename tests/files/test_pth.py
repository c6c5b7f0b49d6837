import pickle

import numpy as np
import pytest
from pth_files import write_pth

from tf_layered_gan.files.pth import read_pth

ARRAYS = {
    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4).transpose(1, 2, 0),
    "bn.bias": np.float32([0.5, -0.5]),
    "bn.num_batches_tracked": np.array(7),
}


def test_arrays_are_read_as_they_were(tmp_path):
    read = read_pth(write_pth(tmp_path / "a.pth", ARRAYS))
    assert {name: (array.dtype, array.tolist()) for name, array in read.items()} == {
        name: (array.dtype, array.tolist()) for name, array in ARRAYS.items()
    }


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    whole = write_pth(tmp_path / "a.pth", ARRAYS).read_bytes()
    for size in (0, 10, 60, len(whole) // 2, len(whole) - 40, len(whole) - 1):
        (tmp_path / "a.pth").write_bytes(whole[:size])
        with pytest.raises(ValueError, match="a.pth is not a state_dict in the format of PyTorch before version 1.6: "):
            read_pth(tmp_path / "a.pth")


@pytest.mark.parametrize(
    "content", [b"\xff\xd8\xff", b"PK\x03\x04" + bytes(60), b"".join(map(pickle.dumps, (1, 1, {}, {}, [])))]
)
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(ValueError, match="a.pth is not a state_dict"):
        read_pth(tmp_path / "a.pth")


def test_no_code_of_a_file_is_run(tmp_path):
    class Touch:
        def __reduce__(self):
            return (tmp_path / "touched").touch, ()

    (tmp_path / "a.pth").write_bytes(pickle.dumps(Touch()))
    with pytest.raises(ValueError, match="a.pth is not a state_dict .*: it needs builtins.getattr"):
        read_pth(tmp_path / "a.pth")
    assert not (tmp_path / "touched").exists()
