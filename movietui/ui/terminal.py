"""Drives the terminal: reads input, copes with a lost terminal and with missing colours, and suspends with ctrl+z.

Textual's own driver ends with a traceback at a byte that is not UTF-8, loops forever when the terminal is gone, and
suspends the app even if no shell can resume it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.widgets import Input
from textual.worker import WorkerFailed

from movietui.data.language import tr
from movietui.data.storage import log
from movietui.formatting.color import color_wanted
from movietui.protocol.wire import sentence
from movietui.ui.bindings import keys_that
from movietui.ui.textual_internals import CrashHooks, DriverAccess, driver_of

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

MOUSE = b"\x1b[M"
"""The start of a report in the oldest mouse protocol. Three bytes of any value follow."""
REPORT = len(MOUSE) + 3
LOOK_SECONDS = 0.1
"""Seconds between checks: has the app ended, does the terminal accept output, is the process in the foreground?"""
PATIENCE_SECONDS = 0.5
"""The most seconds that the quit key waits behind earlier keys."""
TURN_SECONDS = 0.001
"""The most seconds that drawing waits for the thread that writes to a terminal."""
PAUSE_SECONDS = 0.00005
"""Seconds between checks of whether that thread has taken everything."""
HURRY_SECONDS = 5.0
"""After ``PATIENCE_SECONDS``, every request fails at once for this many seconds, or until the quit key is handled."""


class Keyboard:
    """Decodes the bytes that a terminal sends, without bytes that are not UTF-8."""

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("ignore").decode
        self._reported = 0

    def text(self, typed: bytes) -> str:
        """Return the next bytes as text. The button and coordinates of a mouse report become spaces, not keys."""
        return self._decode(bytes(self._without_mouse(typed)))

    def _without_mouse(self, typed: bytes) -> Iterator[int]:
        for byte in typed:
            if self._reported == REPORT:
                self._reported = 0
            if self._reported >= len(MOUSE):
                self._reported += 1
                yield ord(" ")
                continue
            self._reported = self._reported + 1 if byte == MOUSE[self._reported] else int(byte == MOUSE[0])
            yield byte


class Output:
    """Writes to the terminal. Characters that the terminal cannot show become question marks."""

    def __init__(self, descriptor: int, encoding: str, gone: Callable[[], None]) -> None:
        """``gone`` is called when the terminal is gone and nothing more can be written."""
        self._descriptor, self._encoding, self._gone = descriptor, encoding, gone

    def write(self, text: str) -> None:
        """Write the whole text, no matter how long the terminal takes."""
        left = memoryview(text.encode(self._encoding, "replace"))
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:  # another program made the terminal non-blocking
                select.select([], [self._descriptor], [], LOOK_SECONDS)
            except OSError:
                self._gone()
                return

    def flush(self) -> None:
        """Do nothing: ``write`` keeps no buffer."""

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._descriptor


class TerminalDriver(DriverAccess):
    """Draws on standard output and reads standard input."""

    def __init__(self, app: TerminalApp, **options: Any) -> None:
        super().__init__(app, **options)
        assert sys.__stdout__ is not None
        self.output = Output(sys.__stdout__.fileno(), sys.__stdout__.encoding, self._gone)
        self._drawing = False
        self._lost = False
        # The event loop calls the handlers, so they never interrupt drawing, which holds locks that they need.
        self._handlers = {signal.SIGTSTP: self._stop, signal.SIGCONT: self._resume}
        for number, handler in self._handlers.items():
            self.loop.add_signal_handler(number, handler)

    # Output

    def write(self, data: str) -> None:
        """Write to the terminal, unless a shell is using it now."""
        if self._drawing:
            super().write(data)

    def flush(self) -> None:
        """Give the thread that writes to the terminal its turn, which it would else get only when nothing is left to
        compute: often two milliseconds later."""
        until = time.perf_counter() + TURN_SECONDS
        while self.is_behind and time.perf_counter() < until:
            time.sleep(PAUSE_SECONDS)

    def start_application_mode(self) -> None:
        """Take over the terminal."""
        self._drawing = True
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual does not annotate it
        # Textual reads the size in the signal handler, which can interrupt the report of the previous size. If the size
        # changed twice in quick succession, the first size would be reported last, and the app would keep it.
        self.loop.add_signal_handler(signal.SIGWINCH, self._resized)
        if not self.is_drawing:
            self._drawing = False
            self._gone()

    def stop_application_mode(self) -> None:
        """Restore the terminal."""
        if self._drawing:
            self.write("\x1b[?1016l")  # stops reports of the mouse in pixels, which Textual leaves on
            super().stop_application_mode()

    def close(self) -> None:
        """End the writing thread once it has written everything."""
        super().close()
        self._drawing = False

    def terminal_size(self) -> tuple[int, int] | None:
        """Return the current columns and lines, whatever environment variables say; ``None`` if they are unknown."""
        with contextlib.suppress(OSError):
            columns, lines = os.get_terminal_size(self.output.fileno())
            if columns and lines:
                return columns, lines
        return None

    def _resized(self) -> None:
        size = self.current_size()
        self.app.post_message(events.Resize(size, size))

    # Input

    def run_input_thread(self) -> None:
        """Read keys until the app ends or the terminal is gone."""
        keyboard, parser = Keyboard(), self.new_parser()
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], LOOK_SECONDS)[0]:
                try:
                    typed = os.read(self.fileno, 4096)
                except OSError:
                    typed = b""
                if not typed:
                    self._gone()
                    return
                if text := keyboard.text(typed):  # to the parser, an empty text is the end of the input
                    for message in parser.feed(text):
                        self.process_message(message)
            for message in parser.tick():
                self.process_message(message)

    def _gone(self) -> None:
        """End the app as the hangup signal would, which the system does not always send."""
        if not self._lost:
            self._lost = True
            os.kill(os.getpid(), signal.SIGHUP)

    def process_message(self, message: Message) -> None:
        """Pass a message from the input thread to the app, and call ``TerminalApp.typed`` at once for a key."""
        if isinstance(message, events.Key):
            self.loop.call_soon_threadsafe(cast("TerminalApp", self.app).typed, message.key)
        super().process_message(message)

    # Suspending and resuming

    def _stop(self) -> None:
        """Give the terminal back to the shell and stop this process, as any program does.

        If nothing can resume the process, the system does not stop it.
        """
        if self._drawing:
            self.suspend_application_mode()
        self._stop_by(signal.SIGTSTP)
        self.loop.call_soon(self._resume)

    def _resume(self) -> None:
        """Take over the terminal and redraw everything at its current size, or stop again in the background."""
        if self._in_background():
            self._stop_by(signal.SIGTTOU)
            self.loop.call_later(LOOK_SECONDS, self._resume)
            return
        if self._drawing:  # the process was stopped before it could restore the terminal
            self.suspend_application_mode()
        self.resume_application_mode()
        self.app.refresh(layout=True)

    def _stop_by(self, number: signal.Signals) -> None:
        """Stop this process with a signal, without our handlers, and return when it resumes."""
        for each in self._handlers:
            self.loop.remove_signal_handler(each)
        os.kill(os.getpid(), number)
        for each, handler in self._handlers.items():
            self.loop.add_signal_handler(each, handler)

    def _in_background(self) -> bool:
        with contextlib.suppress(OSError):  # no shell shares a terminal that is not our controlling terminal
            return os.tcgetpgrp(self.fileno) != os.getpgrp()
        return False


def legible(theme: str) -> str:
    """Return the name of a theme, or an empty string if the theme would be black on black without colours."""
    return "" if "ansi" in theme and color_wanted() is False else theme


class TerminalApp(CrashHooks[int]):
    """An app that copes with a lost terminal and with ctrl+z."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+z",
            "suspend_process",
            tr("Suspend"),
            show=False,
            priority=True,
            id="app.suspend",
            tooltip=tr("Go to the shell; fg returns here"),
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.hurry: Callable[[bool], None] = lambda now: None
        """Called with true to end the requests of earlier keys when a person wants to quit, and later with false."""
        self._quit_requests = 0

    def get_driver_class(self) -> type[Driver]:
        """Return our driver, unless the environment names another one."""
        chosen = super().get_driver_class()
        return TerminalDriver if chosen is LinuxDriver else chosen

    def typed(self, key: str) -> None:
        """Called as soon as a key is typed, so that the quit key does not wait long behind earlier keys."""
        asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._hurry_if_waiting, key, self._quit_requests)

    def _hurry_if_waiting(self, key: str, requests_before: int) -> None:
        if self._quit_requests > requests_before or not self.is_running or not self.screen_stack:
            return
        if key not in keys_that(cast("MovieTui", self), "quit"):  # looking up the active bindings takes 10 ms
            return
        bound = self.screen.active_bindings.get(key)
        if bound is None or bound.binding.action != "quit" or (len(key) == 1 and isinstance(self.focused, Input)):
            return
        self.hurry(True)
        asyncio.get_running_loop().call_later(HURRY_SECONDS, self.hurry, False)

    def quit_requested(self) -> None:
        """Record that the quit key was handled, and let requests work again."""
        self._quit_requests += 1
        self.hurry(False)

    def action_suspend_process(self) -> None:
        """Suspend the process group of the app, which may include the program that started the app."""
        driver = driver_of(self)
        if driver is not None and driver.can_suspend:
            os.killpg(os.getpgrp(), signal.SIGTSTP)

    def crashed(self, error: Exception) -> None:
        """Write the error to the log."""
        log.record("app", error.error if isinstance(error, WorkerFailed) else error)

    def describe_crash(self, error: Exception) -> Text | None:
        """Return a sentence about the error or, in debug mode, ``None`` for a traceback."""
        if os.environ.get("MOVIETUI_DEBUG"):
            return None
        return Text(sentence(error.error if isinstance(error, WorkerFailed) else error))
