"""A pseudo-terminal for attacks. It can be resized, and knows when the program is idle and which modes are left on."""

import contextlib
import glob
import os
import pty
import re
import select
import termios
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pyte

from tests.movietui.terminal import KEYS, Terminal, program

MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
KEYBOARD = re.compile(rb"\x1b\[([<>])[0-9;]*u")
ON_AT_FIRST = {7, 25}
"""Private modes that are on in a new terminal: line wrap and visible cursor."""
LEFT_ALONE = {2026}
"""A mode that lasts for only one frame. If the frame is cut off, the terminal resets the mode by itself."""
QUIET_SECONDS = 0.01
"""The program is idle if it writes nothing and computes nothing for this long."""
AT_REST = 1_000_000
"""Nanoseconds of CPU time that an idle program may use within ``QUIET_SECONDS``, for its timers."""
LONGEST_SECONDS = 60.0
"""An expected event that takes longer than this counts as missing, even on a busy machine."""
ESCAPE = "\x1b[27u"
"""The escape key in the keyboard mode that the app turns on. There it differs from the start of an escape sequence."""
SIZE = (120, 36)


def _mode_of_a_new_terminal() -> list[Any]:
    """Return the settings of a new terminal; those of a program's terminal may already have been changed."""
    ours, theirs = pty.openpty()
    try:
        return termios.tcgetattr(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


class Watched(Terminal):
    """A program in a pseudo-terminal. Emulation can be paused, because it is slower than drawing."""

    def __init__(
        self,
        command: Sequence[str] = (),
        size: tuple[int, int] = SIZE,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """``command``: what to start, by default the program itself; ``more``: more environment variables."""
        columns, rows = size
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._lines = [""] * rows
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "COLORTERM": "truecolor"}
        name, *arguments = command or [program()]
        self.child = pexpect.spawn(
            name, arguments, dimensions=(rows, columns), env={**environment, **(more or {})}, timeout=5
        )
        self.child.delaybeforesend = None
        self._mode = self._mode_left = _mode_of_a_new_terminal()
        self.raw = b""
        self._rest = b""
        self.emulated = True
        self.modes: dict[int, bool] = {}
        """The private modes that the program has turned on (true) or off (false)."""
        self.keyboard = 0
        """How many keyboard modes the program has pushed and not popped."""
        self._end = b""

    def read(self, seconds: float = 0.05) -> bool:
        """Read what the program wrote; return whether it is still running."""
        before = len(self.raw)
        stream = self._stream
        if not self.emulated:
            self._stream = _NOTHING
        try:
            running = super().read(seconds)
        finally:
            self._stream = stream
        self._watch(self.raw[before:])
        return running

    def _watch(self, piece: bytes) -> None:
        whole = self._end + piece
        last = 0
        for match in MODE.finditer(whole):
            self.modes |= dict.fromkeys(map(int, match[1].split(b";")), match[2] == b"h")
            last = match.end()
        for match in KEYBOARD.finditer(whole):
            self.keyboard += 1 if match[1] == b">" else -1
            last = max(last, match.end())
        self._end = whole[max(last, len(whole) - 32) :]

    def forget(self, keep: int = 0) -> None:
        """Drop the output so far, which may be large, except for the last ``keep`` bytes."""
        self.raw = self.raw[-keep:] if keep else b""

    def ready(self, seconds: float) -> bool:
        """Return whether the program writes something within this time."""
        return bool(select.select([self.child.child_fd], [], [], seconds)[0])

    def settle(self) -> bool:
        """Read until the program and its engine are idle; return whether the program is still running."""
        until = time.monotonic() + LONGEST_SECONDS
        app = self.app
        watched = (app, *engines_of(app))
        while self.child.isalive():
            before = _computed(watched)
            if self.ready(QUIET_SECONDS):
                if not self.read(0):
                    return False
            elif before is not None and (after := _computed(watched)) is not None and after - before < AT_REST:
                return True
            assert time.monotonic() < until, "the program does not come to rest:\n" + "\n".join(self.lines)
        return False

    @property
    def app(self) -> int:
        """The id of the process that draws: the one that was started, or a process below it."""
        pid = self.child.pid
        while not (_command_of(pid) & {b"movietui", b"movietui.__main__"}) and (below := children_of(pid)):
            pid = below[0]
        return pid

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Read until a condition holds."""
        until = time.monotonic() + LONGEST_SECONDS
        while not condition():
            running = self.read()
            assert running or condition(), f"the program ended before {what} came:\n" + "\n".join(self.lines)
            assert time.monotonic() < until, f"{what} did not come:\n" + "\n".join(self.lines)

    def see(self, text: str) -> None:
        """Read until a text is on screen."""
        self.until(lambda: text in "\n".join(self.lines), repr(text))

    def press(self, *keys: str) -> bool:
        """Type keys, waiting after each until the program is idle; return whether it is still running."""
        for key in keys:
            if not self.type(key):
                return False
            if not self.settle():
                return False
        return True

    def type(self, key: str | bytes) -> bool:
        """Type a key without waiting; return whether the terminal is still open."""
        try:
            self.child.send(key if isinstance(key, bytes) else ESCAPE if key == "esc" else KEYS.get(key, key))
        except OSError:
            return False
        return True

    def resize(self, columns: int, rows: int) -> None:
        """Change the size; the system notifies the program."""
        self.child.setwinsize(rows, columns)
        self.screen.resize(rows, columns)

    def redraw(self, size: tuple[int, int] = SIZE) -> None:
        """Restart the emulation with a full redraw, by changing to another size and back."""
        self.settle()
        self.resize(size[0] - 1, size[1])
        self.settle()
        self.emulated = True
        self.screen.reset()
        self.resize(*size)
        self.settle()

    def left_on(self) -> list[str]:
        """Return the modes and settings that the program did not restore."""
        wrong = [
            f"mode {mode} {'on' if on else 'off'}"
            for mode, on in sorted(self.modes.items())
            if mode not in LEFT_ALONE and on != (mode in ON_AT_FIRST)
        ]
        wrong += [f"{self.keyboard} keyboard modes"] if self.keyboard else []
        return wrong + (["stty"] if self._mode_left != self._mode else [])

    def wait_until_gone(self, seconds: float = LONGEST_SECONDS) -> int:
        """Read all output until the program ends, and return its exit code: 128 + n if signal n ended it."""
        until = time.monotonic() + seconds
        while self.child.isalive() and time.monotonic() < until:
            if not self.read(0.05):
                time.sleep(0.01)  # the terminal is closed, and the process is about to end
        while self.ready(0) and self.read(0):
            pass
        assert not self.child.isalive(), "the program does not end:\n" + "\n".join(self.lines)
        self._mode_left = termios.tcgetattr(self.child.child_fd)
        code = self.child.exitstatus
        return 128 + (self.child.signalstatus or 0) if code is None else code


def _computed(pids: Iterable[int]) -> int | None:
    """Return the CPU time of processes in nanoseconds, or None if one of them is computing now."""
    total = 0
    for pid in pids:
        for task in glob.glob(f"/proc/{pid}/task/*"):
            try:
                state = Path(task, "stat").read_text().rpartition(")")[2].split()[0]
                computed = Path(task, "schedstat").read_text().split()[0]
            except OSError:
                continue  # the thread has ended
            if state in "RD":
                return None
            total += int(computed)
    return total


def children_of(pid: int) -> list[int]:
    """Return the ids of the children of a process, in ascending order."""
    result = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                result.append(int(folder.name))
    return sorted(result)


def engines_of(pid: int) -> list[int]:
    """Return the process ids of an app's engines. There are two only while one replaces the other."""
    result = []
    for child in children_of(pid):
        if b"movietui.engine" in _command_of(child):
            result.append(child)
    return result


def _command_of(pid: int) -> set[bytes]:
    """Return the words of a process's command line; of each path, only the last part."""
    with contextlib.suppress(OSError):
        return {word.rpartition(b"/")[2] for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")}
    return set()


def state_of(pid: int) -> str:
    """Return the letter that stands for a process's state, or an empty text if there is no such process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


class _Nothing:
    """Takes the emulator's place while emulation is paused."""

    def feed(self, data: bytes) -> None:
        """Ignore the data."""


_NOTHING = _Nothing()
