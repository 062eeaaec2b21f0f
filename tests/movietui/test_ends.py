"""How the app ends, stops and goes on, and what it leaves of the terminal, in real terminals."""

import contextlib
import os
import re
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from movietui.data.storage import locations
from movietui.protocol.viewers import user
from movietui.store.ratings import Store
from movietui.store.runs import Runs
from movietui.ui.shutdown import SIGNALS
from tests.movietui.processes import gone, processes_of
from tests.movietui.terminal import Start, Terminal, program

COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")


def ratings() -> list[float]:
    with contextlib.closing(Store(locations.store())) as store:
        return [rated.stars for rated in store.ratings(user("1", "demo"))]


def leave(terminal: Terminal, key: str = "q") -> None:
    """Leave; where something trains, stop it."""
    terminal.send(key)
    deadline = time.monotonic() + 20
    while terminal.read(0.1) and time.monotonic() < deadline:
        if "Quit while models are training?" in "\n".join(terminal.lines):
            terminal.send("n")
            return
        if terminal.raw.rfind(b"\x1b[?1049l") > terminal.raw.rfind(b"\x1b[?1049h"):
            return


def ended(terminal: Terminal, code: int, home: Path) -> None:
    assert terminal.end(20) == code
    assert terminal.restored()
    assert b"Traceback" not in terminal.raw
    assert gone(*processes_of(home))


def up(terminal: Terminal) -> None:
    terminal.wait_for("★ 4.")
    terminal.wait_for("seen")


def panel(terminal: Terminal) -> None:
    up(terminal)
    terminal.send("?")
    terminal.wait_for("Keys · Browse")


def field(terminal: Terminal) -> None:
    up(terminal)
    terminal.send("/")
    terminal.wait_for("─ Search ─")


def training(terminal: Terminal) -> None:
    """Wait until what waited in the store trains."""
    up(terminal)
    terminal.send("t")
    terminal.wait_for("of 200", 120)


@pytest.fixture
def waiting(ready: Path) -> Path:
    """A home with a training that begins with the app."""
    with contextlib.closing(Store(locations.store())) as store:
        Runs(store).queue("mf", "demo", "random90", {"cleaning": "standard", "settings": {"sweeps": 200}})
        Runs(store).release()
    return ready


def asking(terminal: Terminal) -> None:
    training(terminal)
    terminal.send("q")
    terminal.wait_for("Quit while models are training?")


# Signals


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("screen", [up, panel, field])
def test_a_signal_ends_it(
    ready: Path, start: Start, screen: Callable[[Terminal], None], number: signal.Signals
) -> None:
    terminal = start()
    screen(terminal)
    os.kill(terminal.child.pid, number)
    ended(terminal, 128 + number, ready)


@pytest.mark.parametrize("screen", [training, asking])
def test_a_signal_ends_what_trains(waiting: Path, start: Start, screen: Callable[[Terminal], None]) -> None:
    terminal = start((140, 40))
    screen(terminal)
    os.kill(terminal.child.pid, signal.SIGTERM)
    ended(terminal, 128 + signal.SIGTERM, waiting)
    with contextlib.closing(Store(locations.store())) as store:
        assert store.runs()[0].state == "cancelled"


@pytest.mark.parametrize("moment", ["at once", "There is no list", "Your first list", "Who is watching?"])
def test_a_signal_ends_the_first_start(home: Path, start: Start, moment: str) -> None:
    terminal = start()
    if moment == "at once":
        while b"\x1b[?1049h" not in terminal.raw:
            assert terminal.read(1)
    else:
        terminal.wait_for("There is no list", 60)
        if not moment.startswith("There"):
            terminal.send("e")
        terminal.wait_for(moment, 60)
    os.kill(terminal.child.pid, signal.SIGTERM)
    ended(terminal, 128 + signal.SIGTERM, home)


def test_asked_to_end_by_several_at_once(ready: Path, start: Start) -> None:
    terminal = start()
    up(terminal)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCONT, signal.SIGTERM):
        os.kill(terminal.child.pid, number)
    assert terminal.end(20) in (128 + signal.SIGTERM, 128 + signal.SIGHUP)  # whichever the system hands over first
    assert terminal.restored()
    assert gone(*processes_of(ready))


def test_a_signal_ends_it_where_signals_are_ignored(ready: Path, start: Start) -> None:
    """As started by nohup, or by a shell that keeps them off."""
    terminal = start(arguments=("-c", f"trap '' INT HUP QUIT TERM; exec {program()}"), command="/bin/sh")
    up(terminal)
    os.kill(terminal.child.pid, signal.SIGHUP)
    ended(terminal, 128 + signal.SIGHUP, ready)


PATCHED = """
from movietui.ui import shutdown, start
{}
raise SystemExit(start.run())
"""


def patched(start: Start, lines: str, **variables: str) -> Terminal:
    """Start the app with something in it that is different."""
    return start(arguments=("-c", PATCHED.format(lines)), command=sys.executable, **variables)


def test_a_terminal_that_takes_nothing_keeps_it_no_longer_than_a_while(ready: Path, start: Start) -> None:
    terminal = patched(start, "shutdown.MAX_SECONDS = 1")
    up(terminal)
    writable = select.poll()
    writable.register(terminal.child.child_fd, select.POLLOUT)
    for _ in range(3000):  # each draws; nobody reads
        if not writable.poll(1000):
            break
        os.write(terminal.child.child_fd, b"\x1b[B\x1b[A")
    os.kill(terminal.child.pid, signal.SIGTERM)
    deadline = time.monotonic() + 20
    while terminal.child.isalive():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert terminal.child.exitstatus == 128 + signal.SIGTERM
    assert gone(*processes_of(ready))


# The terminal goes away


OF_ANOTHER_SESSION = """
import os, sys
if os.fork():
    os.wait()
else:
    os.setsid()
    os.execv(sys.argv[1], sys.argv[1:])
"""
"""Starts a program that its terminal tells nothing when it goes."""


def test_the_terminal_goes_away_without_a_word(ready: Path, start: Start) -> None:
    terminal = start(arguments=("-c", OF_ANOTHER_SESSION, program()), command=sys.executable)
    up(terminal)
    terminal.send("right", "5")
    terminal.wait_for("rated ")
    running = processes_of(ready)
    terminal.child.close(force=True)
    assert gone(*running, seconds=20)
    assert ratings() == [5.0]


@pytest.mark.parametrize(
    "typed", [b"\x1b[M\x20\xc8\x30", b"\x1b[M\x20\x31\x35", b"\xe9", b"\xff\xfe", b"\xc3", b"\x1b[M\x20\xc8\x9a"]
)
def test_bytes_that_are_no_text_are_left_out(ready: Path, start: Start, typed: bytes) -> None:
    """Reports of the mouse that nobody asked for, and letters of another encoding."""
    terminal = start()
    up(terminal)
    os.write(terminal.child.child_fd, typed)
    terminal.send("?")
    terminal.wait_for("Keys · Browse")
    terminal.send("esc")
    leave(terminal)
    ended(terminal, 0, ready)
    assert ratings() == []


# No terminal, no colours


@pytest.mark.parametrize("without", ["<&-", ">&-", "</dev/null", ">/dev/null", "<&- >&-"])
def test_without_a_terminal_it_says_so(ready: Path, start: Start, without: str) -> None:
    terminal = start(arguments=("-c", f"{program()} {without}"), command="/bin/sh")
    assert terminal.end(20) == 1
    said = terminal.raw.decode().splitlines()
    assert len(said) == 1
    assert said[0].startswith("movietui needs a terminal")
    assert gone(*processes_of(ready))


def test_errors_may_go_elsewhere(ready: Path, start: Start, tmp_path: Path) -> None:
    terminal = start(arguments=("-c", f"{program()} 2>{tmp_path}/errors"), command="/bin/sh")
    up(terminal)
    leave(terminal)
    ended(terminal, 0, ready)
    assert (tmp_path / "errors").read_bytes() == b""


def test_a_dumb_terminal_gets_no_colours(ready: Path, start: Start) -> None:
    terminal = start(TERM="dumb")
    up(terminal)
    terminal.send("down", "t")
    terminal.wait_for("popularity")
    leave(terminal)
    ended(terminal, 0, ready)
    assert b"\x1b[7m" in terminal.raw or b";7m" in terminal.raw  # where the cursor is can be seen all the same
    assert not COLOUR.search(terminal.raw)


def test_a_terminal_gets_colours(ready: Path, start: Start) -> None:
    terminal = start()
    up(terminal)
    assert COLOUR.search(terminal.raw)


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
@pytest.mark.parametrize(
    "arguments", [("runs", "list"), ("data", "clean", "demo"), ("train", "bias", "--dataset", "demo")]
)
def test_commands_send_no_colours_where_none_are_wanted(
    ready: Path, start: Start, arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    terminal = start(arguments=arguments, **variables)
    assert terminal.end(60) == 0
    assert terminal.raw
    assert not COLOUR.search(terminal.raw)


# Stopping and going on


def shell(start: Start, before: str = "") -> Terminal:
    """Start the app as a job of a shell."""
    terminal = start((100, 30), arguments=("--norc", "--noprofile", "-i"), command="/bin/bash", PS1="ready> ")
    terminal.wait_for("ready>")
    terminal.child.send(f"{before}{program()}\r")
    return terminal


def pid_in(terminal: Terminal) -> int:
    """Return the process of the app that is a job of a shell."""
    (job,) = Path(f"/proc/{terminal.child.pid}/task/{terminal.child.pid}/children").read_text().split()
    return int(job)


def leave_shell(terminal: Terminal, home: Path) -> None:
    """End the shell, when the app gave the terminal back to it."""
    terminal.wait_for("ready>")
    terminal.child.send("echo left $?\r")
    terminal.wait_for("left 0")
    terminal.child.send("exit\r")
    ended(terminal, 0, home)


@pytest.mark.parametrize(
    ("screen", "shown", "key", "comes"),
    [
        (up, "seen", "4", "rated "),
        (panel, "Keys · Browse", "esc", "seen"),
        (field, "─ Search ─", "144", "user     144"),
    ],
)
def test_ctrl_z_and_fg(
    ready: Path, start: Start, screen: Callable[[Terminal], None], shown: str, key: str, comes: str
) -> None:
    terminal = shell(start)
    screen(terminal)
    for _ in range(2):
        terminal.child.send("\x1a")
        terminal.wait_for("Stopped")
        terminal.child.send("stty -a | tr ' ' '\\n' | grep -x icanon\r")
        terminal.wait_for("\nicanon")
        terminal.child.send("fg\r")
        terminal.wait_for("movietui   demo")
        terminal.wait_for(shown)
    terminal.send(key)
    terminal.wait_for(comes)
    leave(terminal, "\x03")
    leave_shell(terminal, ready)


def test_ctrl_z_at_the_first_start(home: Path, start: Start) -> None:
    terminal = shell(start)
    while b"\x1b[?1049h" not in terminal.raw:
        assert terminal.read(1)
    terminal.child.send("\x1a")
    terminal.wait_for("Stopped")
    terminal.child.send("fg\r")
    terminal.wait_for("There is no list", 60)
    leave(terminal, "\x03")
    leave_shell(terminal, home)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP], ids=lambda number: number.name)
def test_stopped_from_outside_and_gone_on_in_another_size(ready: Path, start: Start, number: signal.Signals) -> None:
    terminal = shell(start)
    up(terminal)
    os.kill(pid_in(terminal), number)
    terminal.wait_for("Stopped")
    terminal.child.setwinsize(40, 120)
    terminal.screen.resize(40, 120)
    terminal.child.send("fg\r")
    terminal.wait_for("movietui   demo")
    terminal.wait_for("seen")
    while "? Keys" not in terminal.lines[39] or not terminal.lines[1].endswith("╮"):
        assert terminal.read(10)
    leave(terminal)
    leave_shell(terminal, ready)


def test_bg_stops_it_again(ready: Path, start: Start) -> None:
    terminal = shell(start)
    up(terminal)
    terminal.child.send("\x1a")
    terminal.wait_for("Stopped")
    terminal.child.send("clear; bg; wait\r")
    terminal.wait_for("Stopped")
    terminal.child.send("fg\r")
    terminal.wait_for("seen")
    leave(terminal)
    leave_shell(terminal, ready)


def test_ended_while_it_is_stopped(ready: Path, start: Start) -> None:
    terminal = shell(start)
    up(terminal)
    terminal.child.send("\x1a")
    terminal.wait_for("Stopped")
    terminal.child.send("clear; kill %1\r")
    while "Exit 143" not in "\n".join(terminal.lines):  # a shell tells of it before its next prompt
        terminal.child.send("\r")
        assert terminal.read(1)
    terminal.child.send("exit\r")
    ended(terminal, 0, ready)


def test_ctrl_z_where_no_shell_could_let_it_go_on(ready: Path, start: Start) -> None:
    terminal = start()
    up(terminal)
    terminal.send("right", "\x1a", "4")
    terminal.wait_for("rated ")
    leave(terminal)
    ended(terminal, 0, ready)


# What breaks


BROKEN = """
from movietui.ui.browse import screen as browse
def breaks(*arguments, **options):
    raise ValueError("a [b]screw[/b] is loose")
{}
"""


@pytest.mark.parametrize(
    "where",
    [
        "browse.BrowseScreen.compose = breaks",
        "browse.BrowseScreen.on_mount = breaks",
        "browse.BrowseScreen.action_help = breaks; browse.BrowseScreen.key_x = breaks",
        "from movietui.state import session; session.Session.ranked = breaks",
    ],
)
def test_what_breaks_is_one_sentence(ready: Path, start: Start, where: str) -> None:
    terminal = patched(start, BROKEN.format(where))
    while b"\x1b[?1049h" not in terminal.raw:
        assert terminal.read(1)
    if "key_x" in where:
        up(terminal)
        terminal.send("x")
    ended(terminal, 1, ready)
    said = terminal.raw.rpartition(b"\x1b[?1004l")[2].decode()
    assert " ".join(said.split()).count("Unexpected error: ValueError: a [b]screw[/b] is loose") == 1
    assert len(said.split()) < 30


def test_what_breaks_before_anything_is_drawn(ready: Path, start: Start) -> None:
    terminal = patched(start, "from movietui.state import session\nsession.Session.__init__ = lambda *_: 1 / 0")
    assert terminal.end(20) == 1
    assert b"Unexpected error: ZeroDivisionError" in terminal.raw
    assert b"Traceback" not in terminal.raw


def test_whoever_looks_for_the_reason_gets_the_traceback(ready: Path, start: Start) -> None:
    terminal = patched(start, BROKEN.format("browse.BrowseScreen.on_mount = breaks"), MOVIETUI_DEBUG="1")
    assert terminal.end(20) == 1
    assert terminal.restored()
    assert b"Traceback" in terminal.raw
    assert gone(*processes_of(ready))


# What hangs


def engine_of(home: Path) -> int:
    (engine,) = [pid for pid in processes_of(home) if b"movietui.engine" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return engine


@pytest.mark.parametrize("leaving", ["q", "\x03"])
@pytest.mark.parametrize("keys", ["", "44", "\r"])
def test_a_hung_engine_does_not_prevent_quitting(ready: Path, start: Start, keys: str, leaving: str) -> None:
    """Keys wait for each other's answers; the one that leaves waits for none."""
    terminal = patched(start, "from movietui.state import child_processes as children; children.HANG_SECONDS = 600")
    up(terminal)
    os.kill(engine_of(ready), signal.SIGSTOP)
    terminal.child.send(keys)
    leave(terminal, leaving)
    ended(terminal, 0, ready)


def test_a_hung_engine_is_reported_and_started_again(ready: Path, start: Start) -> None:
    terminal = patched(
        start,
        "from movietui.state import child_processes as children; children.SILENT_SECONDS, children.HANG_SECONDS = 1, 4",
    )
    up(terminal)
    terminal.send("right")
    os.kill(engine_of(ready), signal.SIGSTOP)
    terminal.send("4")
    terminal.wait_for("The ranking engine is not responding")
    terminal.wait_for("The ranking engine hung; restarting it.")
    terminal.wait_for("rated ")
    leave(terminal)
    ended(terminal, 0, ready)
    assert ratings() == [4.0]


@pytest.mark.parametrize("key", ["c", "q"])
def test_a_training_that_hangs_is_cancelled(waiting: Path, start: Start, key: str) -> None:
    terminal = start((140, 40))
    training(terminal)
    (job,) = [pid for pid in processes_of(waiting) if b"movietui.jobs" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(job, signal.SIGSTOP)
    if key == "c":
        terminal.send("c")
        terminal.wait_for("Stopped training mf")
        assert gone(job)
    leave(terminal)
    ended(terminal, 0, waiting)
