"""Shuts the app down after a signal, for example when the terminal is gone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
from collections.abc import Awaitable, Callable
from types import FrameType

from movietui.data.language import tr

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
STOP_SIGNALS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
MAX_SECONDS = 8
"""Seconds after which the process is forced to exit, for example if the terminal accepts no more output."""
RESTORE_SEQUENCES = "\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[<u" + (
    "\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Resets all terminal modes that the app sets."""


class Shutdown:
    """Handles the signals that end a program, while an event loop runs."""

    def __init__(self, first: Callable[[], Awaitable[None]], force: Callable[[], None]) -> None:
        """A signal cancels the task that creates this object.

        First, ``first`` is awaited, which ends whatever the task may be waiting for. After ``MAX_SECONDS``, ``force``
        is called and the process exits at once.
        """
        self.code = 0
        """The exit code after a signal: 128 plus its number."""
        self._first, self._force = first, force
        self._loop = asyncio.get_running_loop()
        self._main_task = asyncio.current_task()
        self._task: asyncio.Task[None] | None = None
        self._terminal_mode = None
        with contextlib.suppress(termios.error):
            self._terminal_mode = termios.tcgetattr(0)
        for number in SIGNALS:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Start to shut down, and ignore further signals."""
        if self.code or self._loop.is_closed():
            return
        self.code = 128 + number
        for stopping in STOP_SIGNALS:  # do not let the process be stopped before it can exit
            signal.signal(stopping, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, self._on_alarm)
        signal.alarm(MAX_SECONDS)
        self._loop.call_soon_threadsafe(self._begin_shutdown)

    def _begin_shutdown(self) -> None:
        self._task = self._loop.create_task(self._shut_down())

    async def _shut_down(self) -> None:
        try:
            await self._first()
        finally:
            if self._main_task is not None:
                self._main_task.cancel()

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        self._force()
        with contextlib.suppress(termios.error):
            if self._terminal_mode is not None:
                termios.tcsetattr(0, termios.TCSANOW, self._terminal_mode)
        with contextlib.suppress(OSError):  # it may be the terminal that blocks everything
            screen = os.open("/dev/tty", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            os.write(screen, RESTORE_SEQUENCES.encode())
        os._exit(self.code)


def missing_terminal() -> str:
    """Return a sentence if standard input or output is not a terminal, else an empty text."""
    for stream, use in ((sys.__stdin__, tr("input")), (sys.__stdout__, tr("output"))):
        if stream is None or not stream.isatty():
            return tr(
                "movietui needs a terminal, but standard {use} is not one; movietui --help lists the commands that "
                "work without one.",
                use=use,
            )
    return ""
