"""Stopping work at an awkward moment: while a module is imported and a class of it is created."""

import click
import pytest
from click.testing import CliRunner

from movietui.cli.output import handle_errors
from movietui.data.problems import Cancelled, Problem, is_stop
from movietui.jobs.train import record_end
from movietui.protocol.exit_codes import FAILED, INTERRUPTED


class Interrupted:
    """A member of a class in whose creation an interruption arrives."""

    def __set_name__(self, owner: type, name: str) -> None:
        raise KeyboardInterrupt


class Recorder:
    """Takes down how a run ended."""

    state = ""

    def end(self, state: str, problem: str = "") -> None:
        self.state = state


def interrupted_import() -> None:
    """Create a class, and be interrupted meanwhile."""
    type("Class", (), {"member": Interrupted()})


def test_an_interruption_while_a_class_is_created_is_a_stop() -> None:
    with pytest.raises((RuntimeError, KeyboardInterrupt)) as raised:  # Python 3.12 leaves it as it is
        interrupted_import()
    assert is_stop(raised.value)


@pytest.mark.parametrize("error", [Cancelled(), KeyboardInterrupt()])
def test_what_a_stop_causes_is_a_stop(error: BaseException) -> None:
    problem = Problem("The plug-in cannot be imported.")
    problem.__cause__ = error
    assert is_stop(error)
    assert is_stop(problem)


def test_an_error_while_a_stop_is_handled_is_an_error() -> None:
    problem = OSError("No space left on device")
    problem.__context__ = KeyboardInterrupt()
    assert not is_stop(problem)
    assert not is_stop(Problem("There is no such dataset."))


@pytest.mark.parametrize(
    ("work", "code", "said"),
    [(interrupted_import, INTERRUPTED, "Stopped."), (lambda: 1 / 0, FAILED, "Unexpected error")],
)
def test_a_command_says_that_it_was_stopped(work: object, code: int, said: str) -> None:
    result = CliRunner().invoke(click.command()(handle_errors(work)))  # type: ignore[arg-type]
    assert result.exit_code == code
    assert result.output.startswith(said)


def test_the_run_was_cancelled_and_did_not_fail() -> None:
    recorder = Recorder()
    with pytest.raises((RuntimeError, KeyboardInterrupt)) as raised:
        interrupted_import()
    record_end(recorder, raised.value)  # type: ignore[arg-type]
    assert recorder.state == "cancelled"
