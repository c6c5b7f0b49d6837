import os
import sys

import pytest

from benchmarks.speed import soak


def test_slope_is_the_change_in_an_hour():
    assert soak.slope([0, 1800, 3600], [10.0, 11.0, 12.0]) == pytest.approx((2.0, 11.0))
    rise, mean = soak.slope([0, 1200, 2400, 3600], [5.0, 3.0, 3.0, 5.0])
    assert rise == pytest.approx(0, abs=1e-9) and mean == 4


def test_memory_grows_with_what_a_process_holds():
    before = soak.resident_bytes(os.getpid())
    held = bytearray(b"1" * 2**26)
    assert soak.resident_bytes(os.getpid()) - before > 2**25 and len(held) == 2**26


def test_memory_and_speed_are_read_from_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(soak, "_EVERY", 0.1)
    program = (
        "import time\nfor rate in (120, 130):\n    print(f'gan step 1 of 2: G 0.1, {rate} images/s', flush=True)\n"
    )
    command = [sys.executable, "-c", program + "time.sleep(60)"]
    measured = soak.soak(command, seconds=1.0, log=tmp_path / "log")
    assert [rate for _, rate in measured["speed"]] == [120, 130]
    assert len(measured["memory"]) > 1 and 2**20 < measured["memory"][-1][1] < 2**30


def test_a_run_that_ends_too_early_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(soak, "_EVERY", 0.05)
    with pytest.raises(ChildProcessError, match="the run ended after .* s: see .*log"):
        soak.soak([sys.executable, "-c", "raise SystemExit(3)"], seconds=60, log=tmp_path / "log")
