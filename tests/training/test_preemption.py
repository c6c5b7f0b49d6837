import os
import signal

import pytest

from tf_layered_gan.training.preemption import EXIT_CODE, Preempted, preemptible


def sigterm():
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_ends_at_once_with_a_code_of_its_own():
    steps = []
    with pytest.raises(SystemExit) as raised, preemptible():
        sigterm()
        steps.append("after")
    assert (raised.value.code, steps) == (EXIT_CODE, [])
    assert EXIT_CODE not in (0, 1, 2, 128 + signal.SIGTERM)  # what a program that knows nothing of it ends with


def test_sigterm_waits_for_the_end_of_a_deferred_stretch():
    steps = []
    with pytest.raises(Preempted), preemptible() as signals:
        with signals.deferred():
            steps.append(signals.requested)
            sigterm()
            steps.append(signals.requested)
        steps.append("after")
    assert steps == [False, True]


def test_a_stretch_that_sigterm_spared_ends_as_if_nothing_had_been_and_sigterm_ends_what_follows():
    with pytest.raises(Preempted), preemptible() as signals:
        with signals.deferred():
            assert not signals.requested
        sigterm()


def test_an_error_in_a_deferred_stretch_is_not_hidden():
    with pytest.raises(FloatingPointError), preemptible() as signals, signals.deferred():
        sigterm()
        raise FloatingPointError


def test_sigterm_does_afterwards_what_it_did_before():
    before = signal.getsignal(signal.SIGTERM)
    with preemptible():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
