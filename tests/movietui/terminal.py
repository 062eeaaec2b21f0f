"""A terminal that runs the real program. A test types into the terminal and reads what a person would see."""

import os
import re
import shutil
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyte
from rich.cells import cell_len

# Queries to the terminal and changes of its keyboard mode, which the emulator would print as text.
SILENT = re.compile(
    rb"\x1b\[(?:[<>=][0-9;]*[a-zA-Z]|\?[0-9;]*(?:\$p|u)|[0-9;]*\$p|[0-9;]*t)|\x1bP[^\x1b]*\x1b\\|\x1b_[^\x1b]*\x1b\\"
)
OTHER_SCREEN = re.compile(rb"\x1b\[\?1049[hl]")
"""Switches between the main screen and the alternate screen, which the emulator does not have."""
TYPED = termios.ICANON | termios.ECHO | termios.ISIG
"""The input modes that are on in a terminal unless a program reads every key by itself."""
KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
}


def displayed(screen: pyte.Screen) -> list[str]:
    """Return the lines of a screen. pyte's ``display`` fails if half of a wide character has been overwritten."""
    return [displayed_line(screen, row) for row in range(screen.lines)]


def displayed_line(screen: pyte.Screen, row: int) -> str:
    """Return a line of a screen."""
    return "".join(_characters(screen, row))


def _characters(screen: pyte.Screen, row: int) -> Iterator[str]:
    covered = False
    for column in range(screen.columns):
        character = screen.buffer[row][column].data
        if not covered:
            yield character or " "
        covered = not covered and cell_len(character) == 2


def program() -> str:
    """Return the path of the console script."""
    beside = Path(sys.executable).with_name("movietui")
    result = str(beside) if beside.exists() else shutil.which("movietui")
    assert result, "the console script movietui is not installed"
    return result


class Terminal:
    """The program in a pseudo-terminal, and its screen."""

    def __init__(
        self, size: tuple[int, int] = (100, 30), arguments: tuple[str, ...] = (), command: str = "", **variables: str
    ) -> None:
        """``command``: what to start instead of the program. ``variables``: more environment variables."""
        columns, rows = size
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._lines = [""] * rows
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "COLORTERM": "truecolor"}
        environment |= variables
        self.child = pexpect.spawn(
            command or program(), list(arguments), dimensions=(rows, columns), env=environment, timeout=5
        )
        self.child.delaybeforesend = None
        self._mode_left = 0
        self.raw = b""
        self._rest = b""

    def read(self, seconds: float = 0.05) -> bool:
        """Read what the program wrote, and return whether it is still running."""
        try:
            piece = self.child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += piece
        whole = OTHER_SCREEN.sub(b"\x1b[2J\x1b[H", SILENT.sub(b"", self._rest + piece))
        escape = whole.rfind(b"\x1b")
        cut = escape if escape >= 0 and len(whole) - escape < 32 else len(whole)
        if escape >= 0 and re.match(rb"\x1b(?:\[[0-9;?]*[@-~]|[()][0-9A-B]|[^\[P_()])", whole[escape:]):
            cut = len(whole)
        self._stream.feed(whole[:cut])
        self._rest = whole[cut:]
        return True

    @property
    def lines(self) -> list[str]:
        """The lines on screen. Only those that changed are read again, because most tests ask after every piece."""
        if len(self._lines) != self.screen.lines:  # after a resize, which marks all lines as changed
            self._lines = [""] * self.screen.lines
        for row in self.screen.dirty.intersection(range(self.screen.lines)):
            self._lines[row] = displayed_line(self.screen, row)
        self.screen.dirty.clear()
        return list(self._lines)

    def wait_for(self, text: str, seconds: float = 120.0, *, gone: bool = False) -> None:
        """Wait until a text is on screen or, with ``gone``, until it no longer is."""
        what = f"{text!r} did not {'go' if gone else 'come'}"
        self.wait_until(lambda: (text in "\n".join(self.lines)) != gone, what, seconds)

    def wait_until(self, condition: Callable[[], bool], otherwise: str, seconds: float = 30.0) -> None:
        """Read until a condition holds. ``otherwise``: the failure message."""
        until = time.monotonic() + seconds
        while not condition():
            if not self.read() or time.monotonic() > until:
                raise AssertionError(f"{otherwise}:\n" + "\n".join(self.lines))

    def resize(self, columns: int, rows: int) -> None:
        """Resize the window, as with a mouse."""
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def send(self, *keys: str) -> None:
        """Type keys one by one, and read for a moment after each."""
        for key in keys:
            self.child.send(KEYS.get(key, key))
            until = time.monotonic() + 0.2
            while time.monotonic() < until and self.read(0.02):
                pass

    def send_at_once(self, *keys: str) -> None:
        """Type keys so fast that all of them arrive together."""
        self.child.send("".join(KEYS.get(key, key) for key in keys))

    def wait_for_movies(self, count: int, seconds: float = 120.0) -> None:
        """Read until at least this many rows of the list are drawn."""
        until = time.monotonic() + seconds
        while len(self.list_of_movies()) < count:
            assert time.monotonic() < until, f"{count} movies did not come:\n" + "\n".join(self.lines)
            self.read(0.1)

    def list_of_movies(self) -> list[str]:
        """Return what each row of the list shows after its first ★, without the line that explains the figures."""
        rows = [line for line in self.lines if re.search(r"★ \d\.\d", line)]
        return [line.split("★", 1)[1].split("│")[0].strip() for line in rows]

    def end(self, seconds: float = 120.0) -> int:
        """Wait until the program has ended, and return its exit code: 128 + n if signal n ended it."""
        until = time.monotonic() + seconds
        while self.read(0.1) and time.monotonic() < until:
            pass
        self._mode_left = termios.tcgetattr(self.child.child_fd)[3]
        while self.child.isalive() and time.monotonic() < until:
            time.sleep(0.02)
        self.child.close(force=False)
        assert self.child.exitstatus is not None or self.child.signalstatus is not None
        return self.child.exitstatus if self.child.exitstatus is not None else 128 + self.child.signalstatus

    def restored(self) -> bool:
        """Return whether the program left the terminal as it was: main screen, cursor visible, no mouse, echo on."""
        modes = dict(re.findall(rb"\x1b\[\?(\d+)([hl])", self.raw))  # each mode as it was last set
        initially_on = {b"25", b"7"}  # the cursor and line wrap
        keyboards = len(re.findall(rb"\x1b\[>\d+u", self.raw)) - self.raw.count(b"\x1b[<u")
        as_it_was = all(modes[each] == (b"h" if each in initially_on else b"l") for each in modes)
        return b"1049" in modes and as_it_was and keyboards == 0 and self._mode_left & TYPED == TYPED

    def kill(self) -> None:
        if self.child.isalive():
            self.child.kill(9)
        self.child.close(force=True)


Start = Callable[..., Terminal]
