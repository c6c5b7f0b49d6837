import pytest

from benchmarks.speed.between_steps import summary


def test_summary_has_medians_and_the_share_of_the_time_between_steps():
    spans = [(0.0, 1.0), (2.0, 5.0), (6.0, 9.0), (12.0, 14.0)]
    # The times between the steps are 1, 1 and 3 s. The steps after the first take 3, 3 and 2 s.
    assert summary(spans) == (3.0, 1.0, pytest.approx(5 / 13))
