import pytest

from benchmarks import replicas


def test_an_all_reduce_goes_up_and_down_a_tree_and_sends_every_byte_round():
    # Two devices: each sends its half of the sum on and then the result's: 8 bytes in all at 4 a second, two hops.
    assert replicas.all_reduce_seconds([8], devices=2, bandwidth=4, latency=0.5) == 2 + 2 * 0.5
    # Four devices, ten sums: 10 * 2 * 2 hops, and 6 / 4 of the 10 * 8 bytes.
    assert replicas.all_reduce_seconds([8] * 10, devices=4, bandwidth=2, latency=1) == pytest.approx(40 + 60)


def test_devices_that_make_no_whole_tree_take_the_hops_of_the_next_higher_one():
    five, eight = (replicas.all_reduce_seconds([0], devices=n, bandwidth=1, latency=1) for n in (5, 8))
    assert five == eight == 6
