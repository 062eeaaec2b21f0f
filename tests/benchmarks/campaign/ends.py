"""Send signals and take the terminal away, on every screen.

If the program ends, the terminal must be restored and no process may be left running. If the program continues, it must
still respond to keys.
"""

import itertools
import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.benchmarks.campaign import homes, places, sizes, terminals
from tests.benchmarks.campaign.report import Evidence, Report
from tests.benchmarks.campaign.terminals import Watched
from tests.movietui.processes import gone, processes_of
from tests.movietui.terminal import program

GONE_SECONDS = 20.0
"""The program must end within this time, even on a busy machine."""
RAISES = """
import asyncio, signal

def boom(*_):
    def fail():
        raise RuntimeError("raised by the campaign")
    for task in asyncio.all_tasks(asyncio.get_event_loop()):
        waiting = task.get_coro()
        while (frame := getattr(waiting, "cr_frame", None)) is not None:
            if hasattr(frame.f_locals.get("app"), "call_later"):
                frame.f_locals["app"].call_later(fail)
                return
            waiting = waiting.cr_await

signal.signal(signal.SIGUSR1, boom)
"""
"""The content of ``sitecustomize.py``, which Python imports at startup. It makes the app raise an error on SIGUSR1."""
PROMPT = "campaign$ "
STARTS = {
    "standard input that is not a terminal": ("{} </dev/null", 1),
    "standard output that is not a terminal": ("{} | cat; exit ${{PIPESTATUS[0]}}", 1),
    "standard output closed": ("{} >&-", 1),
    "standard input closed": ("{} <&-", 1),
}
"""Ways to start without a terminal: the shell command, and the exit code that the program must end with."""


def _signal(number: signal.Signals, terminal: Watched, home: Path) -> None:
    os.kill(terminal.app, number)
    _ended(terminal)


def _ctrl_c(terminal: Watched, home: Path) -> None:
    terminal.press("\x03")
    if terminal.child.isalive() and sizes.LEAVE in "\n".join(terminal.lines):
        terminal.type("n")
    _ended(terminal, code=0)


def _raises(terminal: Watched, home: Path) -> None:
    os.kill(terminal.app, signal.SIGUSR1)
    _ended(terminal, code=1)
    assert b"raised by the campaign" in terminal.raw, "the cause is not printed"


def _terminal_closed(terminal: Watched, home: Path) -> None:
    pid = terminal.app
    os.close(terminal.child.child_fd)
    terminal.child.closed = True
    assert gone(pid, seconds=GONE_SECONDS), "the program still runs without a terminal"


def _engine_killed(terminal: Watched, home: Path) -> None:
    for engine in terminals.engines_of(terminal.app):
        os.kill(engine, signal.SIGKILL)
    _check_and_quit(terminal)


def _engine_stopped(terminal: Watched, home: Path) -> None:
    """Check that the program quits even if the engine hangs."""
    for engine in terminals.engines_of(terminal.app):
        os.kill(engine, signal.SIGSTOP)
    _ctrl_c(terminal, home)


def _stopped(number: signal.Signals, terminal: Watched, home: Path) -> None:
    os.kill(terminal.app, number)
    until = time.monotonic() + 1  # the program may also refuse to stop
    while terminals.state_of(terminal.app) != "T" and time.monotonic() < until:
        terminal.read(0.02)
    os.kill(terminal.app, signal.SIGCONT)
    _check_and_quit(terminal)


def _ctrl_z(terminal: Watched, home: Path) -> None:
    """Check that the shell gets its terminal back when the program is suspended, and that ``fg`` resumes it."""
    terminal.type("\x1a")
    terminal.see(PROMPT)
    left_on = [mode for mode in terminal.left_on() if mode != "mode 2004 on"]  # bash enables bracketed paste
    assert not left_on, f"left on while the program is suspended: {left_on}"
    terminal.type("fg\r")
    terminal.until(lambda: terminal.modes.get(1049), "the screen")
    terminal.settle()
    sizes.check_and_quit(terminal)
    terminal.see(PROMPT)
    terminal.type("exit\r")
    _ended(terminal, code=0)


WAYS: dict[str, Callable[[Watched, Path], None]] = {
    "SIGTERM": partial(_signal, signal.SIGTERM),
    "SIGHUP": partial(_signal, signal.SIGHUP),
    "SIGQUIT": partial(_signal, signal.SIGQUIT),
    "SIGINT": partial(_signal, signal.SIGINT),
    "ctrl+c": _ctrl_c,
    "an exception": _raises,
    "the terminal closed": _terminal_closed,
    "the terminal closed without SIGHUP": _terminal_closed,
    "SIGTSTP and SIGCONT": partial(_stopped, signal.SIGTSTP),
    "SIGSTOP and SIGCONT": partial(_stopped, signal.SIGSTOP),
    "ctrl+z and fg": _ctrl_z,
    "the engine killed": _engine_killed,
    "the engine stopped": _engine_stopped,
}
ATTEMPTS = [*itertools.product(WAYS, places.PLACES), *((way, "") for way in STARTS)]
TIMES = len(ATTEMPTS)


def run(report: Report, template: Path, scratch: Path) -> None:
    """Try each of ``WAYS`` in every place, then each of ``STARTS``; the seed is the number of the attempt."""
    scripts = scratch / "scripts"
    scripts.mkdir()
    (scripts / "sitecustomize.py").write_text(RAISES)
    for seed in report.seeds():
        way, name = ATTEMPTS[seed % len(ATTEMPTS)]
        report.tried[way] += 1
        with report.attempt(seed) as evidence, homes.copy_of(template, scratch / f"home-{seed}") as home:
            try:
                if way in STARTS:
                    _start(way)
                else:
                    _end(way, name, home, scripts, evidence)
                assert gone(*processes_of(home), seconds=GONE_SECONDS), "a process still runs"
            except Exception as error:
                raise AssertionError(f"{way} on {name}: {error}" if name else f"{way}: {error}") from error
            finally:
                for pid in processes_of(home):
                    os.kill(pid, signal.SIGKILL)


def _end(way: str, name: str, home: Path, scripts: Path, evidence: Evidence) -> None:
    more = {"PYTHONPATH": str(scripts)} if way == "an exception" else {}
    command, typed = _command(way)
    terminal = places.begin(name, home, command, typed, **more)
    try:
        WAYS[way](terminal, home)
    except Exception:
        evidence.files["output.bin"] = terminal.raw[-100_000:]
        raise
    finally:
        if not terminal.child.closed:
            terminal.kill()


def _command(way: str) -> tuple[Sequence[str], str]:
    """Return the command to run and, if it is a shell, the text that starts the program in it."""
    if way == "ctrl+z and fg":
        return ["env", f"PS1={PROMPT}", "bash", "--norc", "--noprofile", "-i"], f"{program()}\r"
    if way == "the terminal closed without SIGHUP":
        return ["/bin/sh", "-c", f"trap '' HUP; {program()}; true"], ""
    return (), ""


def _start(way: str) -> None:
    line, code = STARTS[way]
    terminal = Watched(["bash", "-c", line.format(program())])
    try:
        exit_code = terminal.wait_until_gone(GONE_SECONDS)
        assert exit_code == code, f"the exit code is {exit_code}"
        output = terminal.raw.decode().strip()
        for unwanted in ("Traceback", "\x1b"):
            assert unwanted not in output, f"the program prints {output!r}"
        assert output.endswith("."), f"the program prints {output!r}"
    finally:
        terminal.kill()


def _ended(terminal: Watched, code: int | None = None) -> None:
    """Check that the program ends and restores the terminal."""
    exit_code = terminal.wait_until_gone(GONE_SECONDS)
    assert code is None or exit_code == code, f"the exit code is {exit_code}"
    assert not terminal.left_on(), f"not restored: {terminal.left_on()}"
    assert code == 1 or b"Traceback" not in terminal.raw, "the program prints a traceback"


def _check_and_quit(terminal: Watched) -> None:
    """Check that the program responds to keys and quits."""
    assert terminal.child.isalive(), "the program ended"
    terminal.redraw()
    sizes.check_and_quit(terminal)
    _ended(terminal, code=0)
