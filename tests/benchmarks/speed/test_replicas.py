import pytest

from benchmarks.speed import replicas


def test_all_reduce_takes_the_hops_of_a_tree_and_the_bytes_of_a_ring():
    # Each of the two devices sends half of its own 8 bytes, and then half of the 8 bytes of the sum. Together, these 8
    # bytes take 2 s at 4 bytes/s. There are two hops of 0.5 s each.
    assert replicas.all_reduce_seconds([8], devices=2, bandwidth=4, latency=0.5) == 2 + 2 * 0.5
    # For each of the ten sums, four devices need 2 * 2 hops of 1 s. That is 40 s for all sums. Each device sends 1.5 *
    # 80 bytes in 60 s.
    assert replicas.all_reduce_seconds([8] * 10, devices=4, bandwidth=2, latency=1) == pytest.approx(40 + 60)


def test_incomplete_tree_takes_the_hops_of_a_complete_one():
    five, eight = (replicas.all_reduce_seconds([0], devices=n, bandwidth=1, latency=1) for n in (5, 8))
    assert five == eight == 6
