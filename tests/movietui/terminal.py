"""A terminal with the real program in it: what is typed goes in, what a person would see comes out."""

import os
import re
import shutil
import sys
import termios
import time
from pathlib import Path

import pexpect
import pyte

# Questions to the terminal and its keyboard modes, which the emulator would print.
SILENT = re.compile(
    rb"\x1b\[(?:[<>=][0-9;]*[a-zA-Z]|\?[0-9;]*(?:\$p|u)|[0-9;]*\$p|[0-9;]*t)|\x1bP[^\x1b]*\x1b\\|\x1b_[^\x1b]*\x1b\\"
)
KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
}


def program() -> str:
    """Return the console script."""
    beside = Path(sys.executable).with_name("movietui")
    found = str(beside) if beside.exists() else shutil.which("movietui")
    assert found, "the console script movietui is not installed"
    return found


class Terminal:
    """The program in a pseudo-terminal, and its screen."""

    def __init__(self, size: tuple[int, int] = (100, 30), arguments: tuple[str, ...] = ()) -> None:
        columns, rows = size
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "COLORTERM": "truecolor"}
        self.child = pexpect.spawn(program(), list(arguments), dimensions=(rows, columns), env=environment, timeout=5)
        self.child.delaybeforesend = None
        self._mode = termios.tcgetattr(self.child.child_fd)[3]
        self._mode_left = 0
        self.raw = b""
        self._rest = b""

    def read(self, seconds: float = 0.05) -> bool:
        """Take in what the program wrote; return whether it still runs."""
        try:
            piece = self.child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += piece
        whole = SILENT.sub(b"", self._rest + piece)
        escape = whole.rfind(b"\x1b")
        cut = escape if escape >= 0 and len(whole) - escape < 32 else len(whole)
        if escape >= 0 and re.match(rb"\x1b(?:\[[0-9;?]*[@-~]|[()][0-9A-B]|[^\[P_()])", whole[escape:]):
            cut = len(whole)
        self._stream.feed(whole[:cut])
        self._rest = whole[cut:]
        return True

    @property
    def lines(self) -> list[str]:
        return list(self.screen.display)

    def wait_for(self, text: str, seconds: float = 30.0, *, gone: bool = False) -> None:
        """Wait until a text is on screen, or with ``gone`` no longer is."""
        until = time.monotonic() + seconds
        while (text in "\n".join(self.lines)) == gone:
            if not self.read() or time.monotonic() > until:
                raise AssertionError(f"{text!r} did not {'go' if gone else 'come'}:\n" + "\n".join(self.lines))

    def send(self, *keys: str) -> None:
        """Type slowly."""
        for key in keys:
            self.child.send(KEYS.get(key, key))
            until = time.monotonic() + 0.2
            while time.monotonic() < until and self.read(0.02):
                pass

    def send_at_once(self, *keys: str) -> None:
        """Type so fast, or over so slow a line, that all keys arrive together."""
        self.child.send("".join(KEYS.get(key, key) for key in keys))

    def wait_for_movies(self, many: int, seconds: float = 10.0) -> None:
        """Read until so many rows of the list are drawn."""
        until = time.monotonic() + seconds
        while len(self.list_of_movies()) < many:
            assert time.monotonic() < until, f"{many} movies did not come:\n" + "\n".join(self.lines)
            self.read(0.1)

    def list_of_movies(self) -> list[str]:
        """Return the rows of the list, as drawn."""
        return [line.split("★", 1)[1].split("│")[0].strip() for line in self.lines if "★" in line]

    def end(self, seconds: float = 10.0) -> int:
        """Wait until the program ended and return its exit code; 128 and more for a signal."""
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
        """Return whether the terminal was left as it was found: its own screen, a cursor, typing echoed."""
        own_screen = self.raw.rfind(b"\x1b[?1049l") > self.raw.rfind(b"\x1b[?1049h") >= 0
        cursor = self.raw.rfind(b"\x1b[?25h") > self.raw.rfind(b"\x1b[?25l")
        return own_screen and cursor and self._mode_left == self._mode

    def kill(self) -> None:
        if self.child.isalive():
            self.child.kill(9)
        self.child.close(force=True)
