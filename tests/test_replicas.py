import pytest

from benchmarks import replicas


def test_a_ring_takes_two_rounds_for_every_sum():
    # Two devices: each sends its half of the sum on and then the result's: 8 bytes in all at 4 a second, two hops.
    assert replicas.ring_seconds([8], devices=2, bandwidth=4, latency=0.5) == 2 + 2 * 0.5
    # Four devices, ten sums: 10 * 6 hops, and 6 / 4 of the 10 * 8 bytes.
    assert replicas.ring_seconds([8] * 10, devices=4, bandwidth=2, latency=1) == pytest.approx(60 + 60)
