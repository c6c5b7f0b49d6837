import os
import signal
import threading

import pytest
import tiny

from tf_layered_gan.interruption import Interrupted, handled
from tf_layered_gan.training.preemption import EXIT_CODE, preemptible

WAIT = """
import sys, time
from tf_layered_gan.command_line import run_command

def main():
    print("at work", flush=True)
    time.sleep(30)

run_command(main)
"""

SUITE = """
import os, signal
from tf_layered_gan.training.preemption import preemptible

def test_run():
    with preemptible() as signals, signals.deferred():
        os.kill(os.getpid(), signal.SIGTERM)

def test_next():
    pass
"""


def ended_by(number):
    """Starts a command, sends it a signal, and returns its exit code and its output after the signal."""
    process = tiny.python("-c", WAIT)
    assert process.stdout.readline() == "at work\n"
    process.send_signal(number)
    return tiny.finish(process)


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_command_ends_with_one_line_and_the_code_of_the_signal(number, code):
    name = signal.Signals(number).name
    assert ended_by(number) == (code, f"stopped by {name}; to go on, run the same command again\n")


def test_ignored_hangup_stays_ignored():
    process = tiny.python("-c", f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{WAIT}")
    assert process.stdout.readline() == "at work\n"
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    assert tiny.finish(process)[0] == 143


def test_second_signal_ends_the_process_at_once():
    code = "import os, signal\nfrom tf_layered_gan.interruption import handled\n"
    code += "with handled(print):\n    [os.kill(os.getpid(), signal.SIGINT) for _ in range(2)]\n    print('after')"
    assert tiny.finish(tiny.python("-c", code))[0] == -signal.SIGINT


def test_ctrl_c_during_imports_shows_one_line():
    code = "import sys; sys.orig_argv = ['python', '-m', 'tf_layered_gan.main']; import tf_layered_gan.startup\n"
    code += "raise KeyboardInterrupt"
    status, printed = tiny.finish(tiny.python("-c", code))
    assert printed == "stopped by SIGINT\n" and status in (130, -signal.SIGINT)


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, EXIT_CODE), (signal.SIGHUP, 129)])
def test_training_saves_before_each_signal_ends_it(number, code):
    steps = []
    with pytest.raises(Interrupted) as raised, preemptible() as signals, signals.deferred():
        os.kill(os.getpid(), number)
        steps.append("saved")
    assert (raised.value.code, steps) == (code, ["saved"])


def test_other_threads_go_without_signals():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with handled(print), preemptible() as signals, signals.deferred():
            seen.append(signals.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False] and signal.getsignal(signal.SIGTERM) == before


def test_output_that_nobody_reads_does_not_end_a_command(tmp_path):
    done = tmp_path / "done"
    code = WAIT.replace(
        "time.sleep(30)", f"[print('x' * 9_999, flush=True) for _ in range(99)]; open({str(done)!r}, 'w')"
    )
    process = tiny.python("-c", code)
    process.stdout.close()
    assert process.wait() == 0 and done.exists()


def test_signal_during_a_run_in_a_test_ends_pytest(tmp_path):
    (tmp_path / "test_suite.py").write_text(SUITE)
    arguments = ["-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", tmp_path]
    folders = (tiny.ROOT, tiny.ROOT / "tests", tiny.ROOT / "tests/helpers")
    code, printed = tiny.finish(tiny.python(*arguments, PYTHONPATH=":".join(map(str, folders))))
    assert code == EXIT_CODE and "stopped by SIGTERM" in printed and "passed" not in printed, printed
