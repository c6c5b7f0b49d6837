import os
import signal

import pytest

from tf_layered_gan.training.preemption import EXIT_CODE, Preempted, preemptible


def sigterm():
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_ends_the_program_at_once_with_its_own_exit_code():
    steps = []
    with pytest.raises(SystemExit) as raised, preemptible():
        sigterm()
        steps.append("after")
    assert (raised.value.code, steps) == (EXIT_CODE, [])
    assert EXIT_CODE not in (0, 1, 2, 128 + signal.SIGTERM)  # these exit codes have other meanings


def test_deferred_sigterm_waits_for_the_end_of_the_block():
    steps = []
    with pytest.raises(Preempted), preemptible() as signals:
        with signals.deferred():
            steps.append(signals.requested)
            sigterm()
            steps.append(signals.requested)
        steps.append("after")
    assert steps == [False, True]


def test_sigterm_after_a_deferred_block_ends_the_program_at_once():
    with pytest.raises(Preempted), preemptible() as signals:
        with signals.deferred():
            assert not signals.requested
        sigterm()


def test_error_in_a_deferred_block_is_not_hidden():
    with pytest.raises(FloatingPointError), preemptible() as signals, signals.deferred():
        sigterm()
        raise FloatingPointError


def test_earlier_handler_of_sigterm_is_restored():
    before = signal.getsignal(signal.SIGTERM)
    with preemptible():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
