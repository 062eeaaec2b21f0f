"""The app ends, stops and resumes in real terminals, and leaves them as they were."""

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
    """Quit, and stop any training."""
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


def show_list(terminal: Terminal) -> None:
    terminal.wait_for("★ 4.")
    terminal.wait_for("seen")


def show_panel(terminal: Terminal) -> None:
    show_list(terminal)
    terminal.send("?")
    terminal.wait_for("Keys · Browse")


def show_search(terminal: Terminal) -> None:
    show_list(terminal)
    terminal.send("/")
    terminal.wait_for("─ Search ─")


def show_training(terminal: Terminal) -> None:
    """Go to the Train screen, and wait until the waiting run is being trained."""
    show_list(terminal)
    terminal.send("t")
    terminal.wait_for("of 200", 120)


@pytest.fixture
def waiting(ready: Path) -> Path:
    """A home with a waiting run, which is trained as soon as the app starts."""
    with contextlib.closing(Store(locations.store())) as store:
        Runs(store).queue("mf", "demo", "random90", {"cleaning": "standard", "settings": {"sweeps": 200}})
        Runs(store).release()
    return ready


def show_question(terminal: Terminal) -> None:
    show_training(terminal)
    terminal.send("q")
    terminal.wait_for("Quit while models are training?")


# Signals


@pytest.mark.parametrize(
    ("screen", "number"),
    [*((show_list, number) for number in SIGNALS), (show_panel, signal.SIGTERM), (show_search, signal.SIGHUP)],
    ids=lambda value: getattr(value, "name", "") or value.__name__,
)
def test_a_signal_ends_the_app(
    ready: Path, start: Start, screen: Callable[[Terminal], None], number: signal.Signals
) -> None:
    terminal = start()
    screen(terminal)
    os.kill(terminal.child.pid, number)
    ended(terminal, 128 + number, ready)


@pytest.mark.parametrize("screen", [show_training, show_question])
def test_a_signal_also_ends_training(waiting: Path, start: Start, screen: Callable[[Terminal], None]) -> None:
    terminal = start((140, 40))
    screen(terminal)
    os.kill(terminal.child.pid, signal.SIGTERM)
    ended(terminal, 128 + signal.SIGTERM, waiting)
    with contextlib.closing(Store(locations.store())) as store:
        assert store.runs()[0].state == "cancelled"


@pytest.mark.parametrize("moment", ["at once", "Your first list"])
def test_a_signal_ends_the_first_start(home: Path, start: Start, moment: str) -> None:
    terminal = start()
    if moment == "at once":
        while b"\x1b[?1049h" not in terminal.raw:
            assert terminal.read(1)
    else:
        terminal.wait_for("There is no list", 60)
        terminal.send("e")
        terminal.wait_for(moment, 60)
    os.kill(terminal.child.pid, signal.SIGTERM)
    ended(terminal, 128 + signal.SIGTERM, home)


def test_several_signals_at_once_end_the_app(ready: Path, start: Start) -> None:
    terminal = start()
    show_list(terminal)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCONT, signal.SIGTERM):
        os.kill(terminal.child.pid, number)
    assert terminal.end(20) in (128 + signal.SIGTERM, 128 + signal.SIGHUP)  # whichever the system delivers first
    assert terminal.restored()
    assert gone(*processes_of(ready))


def test_a_signal_ends_the_app_even_if_it_started_with_signals_ignored(ready: Path, start: Start) -> None:
    """For example, nohup or a shell may start the app with signals ignored."""
    terminal = start(arguments=("-c", f"trap '' INT HUP QUIT TERM; exec {program()}"), command="/bin/sh")
    show_list(terminal)
    os.kill(terminal.child.pid, signal.SIGHUP)
    ended(terminal, 128 + signal.SIGHUP, ready)


PATCHED = """
from movietui.ui import shutdown, start
{}
raise SystemExit(start.run())
"""


def patched(start: Start, lines: str, **variables: str) -> Terminal:
    """Run lines of Python that change something in the app, then start it."""
    return start(arguments=("-c", PATCHED.format(lines)), command=sys.executable, **variables)


def test_a_terminal_that_takes_no_output_delays_the_end_only_briefly(ready: Path, start: Start) -> None:
    terminal = patched(start, "shutdown.MAX_SECONDS = 1")
    show_list(terminal)
    writable = select.poll()
    writable.register(terminal.child.child_fd, select.POLLOUT)
    for _ in range(3000):  # the app draws after each key, and nobody reads
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


IN_ANOTHER_SESSION = """
import os, sys
if os.fork():
    os.wait()
else:
    os.setsid()
    os.execv(sys.argv[1], sys.argv[1:])
"""
"""Starts a program that gets no signal when its terminal closes."""


def test_the_app_ends_if_its_terminal_closes_without_a_signal(ready: Path, start: Start) -> None:
    terminal = start(arguments=("-c", IN_ANOTHER_SESSION, program()), command=sys.executable)
    show_list(terminal)
    terminal.send("right", "5")
    terminal.wait_for("rated ")
    running = processes_of(ready)
    terminal.child.close(force=True)
    assert gone(*running, seconds=20)
    assert ratings() == [5.0]


def test_bytes_that_are_not_text_are_ignored(ready: Path, start: Start) -> None:
    """Such bytes are, for example, mouse reports that nobody asked for, and letters in another encoding."""
    terminal = start()
    show_list(terminal)
    for typed in (
        *(b"\x1b[M\x20\xc8\x30", b"\x1b[M\x20\x31\x35", b"\xe9"),
        *(b"\xff\xfe", b"\xc3", b"\x1b[M\x20\xc8\x9a"),
    ):
        os.write(terminal.child.child_fd, typed)
        terminal.send("?")
        terminal.wait_for("Keys · Browse")
        terminal.send("esc")
        terminal.wait_for("Keys · Browse", gone=True)  # esc and q that arrive together are alt+q
    leave(terminal)
    ended(terminal, 0, ready)
    assert ratings() == []


# No terminal, no colours


@pytest.mark.parametrize("without", ["<&-", ">&-", "</dev/null", ">/dev/null", "<&- >&-"])
def test_the_app_says_that_it_needs_a_terminal(ready: Path, start: Start, without: str) -> None:
    terminal = start(arguments=("-c", f"{program()} {without}"), command="/bin/sh")
    assert terminal.end(20) == 1
    output = terminal.raw.decode().splitlines()
    assert len(output) == 1
    assert output[0].startswith("movietui needs a terminal")
    assert gone(*processes_of(ready))


def test_the_error_output_may_be_redirected(ready: Path, start: Start, tmp_path: Path) -> None:
    terminal = start(arguments=("-c", f"{program()} 2>{tmp_path}/errors"), command="/bin/sh")
    show_list(terminal)
    leave(terminal)
    ended(terminal, 0, ready)
    assert (tmp_path / "errors").read_bytes() == b""


def test_a_dumb_terminal_gets_the_plain_mode(ready: Path, start: Start) -> None:
    terminal = start(TERM="dumb")
    terminal.wait_for("> ")
    terminal.child.send("rate 1 4.5\r")
    terminal.wait_for("undo reverts it")
    terminal.child.send("quit\r")
    assert terminal.end(20) == 0
    assert b"\x1b" not in terminal.raw
    assert gone(*processes_of(ready))


def test_ctrl_c_leaves_the_plain_mode(ready: Path, start: Start) -> None:
    terminal = start(arguments=("ask",))
    terminal.wait_for("> ")
    terminal.child.send("\x03")
    assert terminal.end(20) == 130
    assert b"Traceback" not in terminal.raw
    assert gone(*processes_of(ready))


def test_a_terminal_gets_colours(ready: Path, start: Start) -> None:
    terminal = start()
    show_list(terminal)
    assert COLOUR.search(terminal.raw)


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("runs", "list"), {"TERM": "dumb"}),
        (("data", "clean", "demo"), {"NO_COLOR": "1"}),
        (("train", "bias", "--dataset", "demo"), {"TERM": "dumb"}),
    ],
)
def test_commands_send_no_colours_if_none_are_wanted(
    ready: Path, start: Start, arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    terminal = start(arguments=arguments, **variables)
    assert terminal.end(60) == 0
    assert terminal.raw
    assert not COLOUR.search(terminal.raw)


# Stopping and resuming


def shell(start: Start, before: str = "") -> Terminal:
    """Start the app as a job of a shell."""
    terminal = start((100, 30), arguments=("--norc", "--noprofile", "-i"), command="/bin/bash", PS1="ready> ")
    terminal.wait_for("ready>")
    terminal.child.send(f"{before}{program()}\r")
    return terminal


def pid_in(terminal: Terminal) -> int:
    """Return the process id of the app, which is a job of the shell in the terminal."""
    (job,) = Path(f"/proc/{terminal.child.pid}/task/{terminal.child.pid}/children").read_text().split()
    return int(job)


def leave_shell(terminal: Terminal, home: Path) -> None:
    """End the shell once it has the terminal back."""
    terminal.wait_for("ready>")
    terminal.child.send("echo left $?\r")
    terminal.wait_for("left 0")
    terminal.child.send("exit\r")
    ended(terminal, 0, home)


@pytest.mark.parametrize(
    ("screen", "shown", "key", "expected"),
    [
        (show_list, "seen", "4", "rated "),
        (show_panel, "Keys · Browse", "esc", "seen"),
        (show_search, "─ Search ─", "144", "user     144"),
    ],
)
def test_fg_resumes_the_app_after_ctrl_z(
    ready: Path, start: Start, screen: Callable[[Terminal], None], shown: str, key: str, expected: str
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
    terminal.wait_for(expected)
    leave(terminal, "\x03")
    leave_shell(terminal, ready)


def test_fg_resumes_the_first_start_after_ctrl_z(home: Path, start: Start) -> None:
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
def test_a_stopped_app_resumes_in_another_size(ready: Path, start: Start, number: signal.Signals) -> None:
    terminal = shell(start)
    show_list(terminal)
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


def test_bg_stops_the_app_again(ready: Path, start: Start) -> None:
    terminal = shell(start)
    show_list(terminal)
    terminal.child.send("\x1a")
    terminal.wait_for("Stopped")
    terminal.child.send("clear; bg; wait\r")
    terminal.wait_for("Stopped")
    terminal.child.send("fg\r")
    terminal.wait_for("seen")
    leave(terminal)
    leave_shell(terminal, ready)


def test_a_stopped_app_can_be_ended(ready: Path, start: Start) -> None:
    terminal = shell(start)
    show_list(terminal)
    terminal.child.send("\x1a")
    terminal.wait_for("Stopped")
    terminal.child.send("clear; kill %1\r")
    while "Exit 143" not in "\n".join(terminal.lines):  # the shell reports the end before its next prompt
        terminal.child.send("\r")
        assert terminal.read(1)
    terminal.child.send("exit\r")
    ended(terminal, 0, ready)


def test_ctrl_z_does_nothing_if_no_shell_could_resume_the_app(ready: Path, start: Start) -> None:
    terminal = start()
    show_list(terminal)
    terminal.send("right", "\x1a", "4")
    terminal.wait_for("rated ")
    leave(terminal)
    ended(terminal, 0, ready)


# Errors


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
def test_an_unexpected_error_is_reported_in_one_sentence(ready: Path, start: Start, where: str) -> None:
    terminal = patched(start, BROKEN.format(where))
    while b"\x1b[?1049h" not in terminal.raw:
        assert terminal.read(1)
    if "key_x" in where:
        show_list(terminal)
        terminal.send("x")
    ended(terminal, 1, ready)
    output = terminal.raw.rpartition(b"\x1b[?1004l")[2].decode()
    assert " ".join(output.split()).count("Unexpected error: ValueError: a [b]screw[/b] is loose") == 1
    assert len(output.split()) < 30


def test_an_error_before_anything_is_drawn_is_reported(ready: Path, start: Start) -> None:
    terminal = patched(start, "from movietui.state import session\nsession.Session.__init__ = lambda *_: 1 / 0")
    assert terminal.end(20) == 1
    assert b"Unexpected error: ZeroDivisionError" in terminal.raw
    assert b"Traceback" not in terminal.raw


def test_the_traceback_is_printed_when_debugging(ready: Path, start: Start) -> None:
    terminal = patched(start, BROKEN.format("browse.BrowseScreen.on_mount = breaks"), MOVIETUI_DEBUG="1")
    assert terminal.end(20) == 1
    assert terminal.restored()
    assert b"Traceback" in terminal.raw
    assert gone(*processes_of(ready))


# Hangs


def engine_of(home: Path) -> int:
    (engine,) = [pid for pid in processes_of(home) if b"movietui.engine" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return engine


@pytest.mark.parametrize(("keys", "quit_key"), [("", "\x03"), ("44", "q"), ("\r", "q")])
def test_a_hung_engine_does_not_prevent_quitting(ready: Path, start: Start, keys: str, quit_key: str) -> None:
    """Each key waits for the replies to the keys before it, except a key that quits."""
    terminal = patched(start, "from movietui.state import child_processes as children; children.HANG_SECONDS = 600")
    show_list(terminal)
    os.kill(engine_of(ready), signal.SIGSTOP)
    terminal.child.send(keys)
    leave(terminal, quit_key)
    ended(terminal, 0, ready)


def test_a_hung_engine_is_reported_and_started_again(ready: Path, start: Start) -> None:
    terminal = patched(
        start,
        "from movietui.state import child_processes as children; children.SILENT_SECONDS, children.HANG_SECONDS = 1, 4",
    )
    show_list(terminal)
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
def test_training_that_hangs_can_be_cancelled(waiting: Path, start: Start, key: str) -> None:
    terminal = start((140, 40))
    show_training(terminal)
    (job,) = [pid for pid in processes_of(waiting) if b"movietui.jobs" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(job, signal.SIGSTOP)
    if key == "c":
        terminal.send("c")
        terminal.wait_for("Stopped training mf")
        assert gone(job)
    leave(terminal)
    ended(terminal, 0, waiting)
