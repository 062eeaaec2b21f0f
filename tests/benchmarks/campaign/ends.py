"""Signals, and terminals that disappear, on every screen.

If the program ends, the terminal is restored and no process is left running. If it continues, it still answers keys.
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
"""The program must have ended after this time, even on a busy machine."""
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
"""Makes the app raise when it gets a signal; Python imports it at startup because of its name, ``sitecustomize``."""
PROMPT = "campaign$ "
STARTS = {
    "standard input that is no terminal": ("{} </dev/null", 1),
    "standard output that is no terminal": ("{} | cat; exit ${{PIPESTATUS[0]}}", 1),
    "standard output closed": ("{} >&-", 1),
    "standard input closed": ("{} <&-", 1),
}
"""Ways to start without a terminal, in shell syntax, and the exit codes."""


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
    assert gone(pid, seconds=GONE_SECONDS), "it still runs without a terminal"


def _engine_killed(terminal: Watched, home: Path) -> None:
    for engine in terminals.engines_of(terminal.app):
        os.kill(engine, signal.SIGKILL)
    _goes_on(terminal)


def _engine_stopped(terminal: Watched, home: Path) -> None:
    """Even while the engine hangs, the program can be quit."""
    for engine in terminals.engines_of(terminal.app):
        os.kill(engine, signal.SIGSTOP)
    _ctrl_c(terminal, home)


def _stopped(number: signal.Signals, terminal: Watched, home: Path) -> None:
    os.kill(terminal.app, number)
    until = time.monotonic() + 1  # a program may also announce that it will not stop
    while terminals.state_of(terminal.app) != "T" and time.monotonic() < until:
        terminal.read(0.02)
    os.kill(terminal.app, signal.SIGCONT)
    _goes_on(terminal)


def _ctrl_z(terminal: Watched, home: Path) -> None:
    """In a shell: while the program is suspended, the terminal belongs to the shell; ``fg`` restores everything."""
    terminal.type("\x1a")
    terminal.see(PROMPT)
    left_on = [mode for mode in terminal.left_on() if mode != "mode 2004 on"]  # bash enables bracketed paste
    assert not left_on, f"while it is stopped: {left_on}"
    terminal.type("fg\r")
    terminal.until(lambda: terminal.modes.get(1049), "the screen")
    terminal.settle()
    sizes.goes_on(terminal)
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
    """Try every way on every screen; the seed is the number of the attempt."""
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
                for left in processes_of(home):
                    os.kill(left, signal.SIGKILL)


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
    """Return the command to start, and the text to type into it to start the program in turn."""
    if way == "ctrl+z and fg":
        return ["env", f"PS1={PROMPT}", "bash", "--norc", "--noprofile", "-i"], f"{program()}\r"
    if way == "the terminal closed without SIGHUP":
        return ["/bin/sh", "-c", f"trap '' HUP; {program()}; true"], ""
    return (), ""


def _start(way: str) -> None:
    line, code = STARTS[way]
    terminal = Watched(["bash", "-c", line.format(program())])
    try:
        ended = terminal.wait_until_gone(GONE_SECONDS)
        assert ended == code, f"it ends with {ended}"
        output = terminal.raw.decode().strip()
        for wrong in ("Traceback", "\x1b"):
            assert wrong not in output, f"it says {output!r}"
        assert output.endswith("."), f"it says {output!r}"
    finally:
        terminal.kill()


def _ended(terminal: Watched, code: int | None = None) -> None:
    """Check that the program ends and the terminal is restored."""
    ended = terminal.wait_until_gone(GONE_SECONDS)
    assert code is None or ended == code, f"it ends with {ended}"
    assert not terminal.left_on(), f"left: {terminal.left_on()}"
    assert code == 1 or b"Traceback" not in terminal.raw, "a traceback"


def _goes_on(terminal: Watched) -> None:
    """Check that keys are answered, and quit."""
    assert terminal.child.isalive(), "it ended"
    terminal.redraw()
    sizes.goes_on(terminal)
    _ended(terminal, code=0)
