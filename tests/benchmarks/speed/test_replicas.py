import pytest

from benchmarks.speed import replicas


def test_all_reduce_takes_the_hops_of_a_tree_and_the_bytes_of_a_ring():
    # Each of two devices sends half of its sum and half of the result. That is 8 bytes at 4 bytes/s, in two hops.
    assert replicas.all_reduce_seconds([8], devices=2, bandwidth=4, latency=0.5) == 2 + 2 * 0.5
    # Four devices need 10 * 2 * 2 hops for ten sums, and send 1.5 times 80 bytes.
    assert replicas.all_reduce_seconds([8] * 10, devices=4, bandwidth=2, latency=1) == pytest.approx(40 + 60)


def test_incomplete_tree_takes_the_hops_of_a_complete_one():
    five, eight = (replicas.all_reduce_seconds([0], devices=n, bandwidth=1, latency=1) for n in (5, 8))
    assert five == eight == 6
