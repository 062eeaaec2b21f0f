"""How long work tells where it is."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """Where a stage of the work is.

    ``done`` of ``total`` in ``unit``; a total of 0 means that the end is not known. A stage is over when ``finished``.
    """

    name: str
    done: int = 0
    total: int = 0
    unit: str = ""
    note: str = ""
    finished: bool = False
    rate: float = 0.0
    """Units a second of late; 0 where that is not known."""
    seconds_left: float | None = None
    """How long it will still take at that rate."""


WHOLE = "whole"
"""The unit of a stage that tells which share of the whole work is done, its own and all others."""

Report = Callable[[Stage], None]
"""Called with each step of the work. An exception raised here (``Cancelled``) ends the work cleanly."""


def silent(stage: Stage) -> None:
    """Report to nobody."""


class Meter:
    """Reports a stage that goes on in small steps: a few times a second, with its rate and the time left."""

    EVERY = 0.05
    """Seconds from one report to the next."""
    WINDOW = 5.0
    """Seconds that the rate is taken over."""

    def __init__(
        self,
        report: Report,
        name: str,
        total: int,
        unit: str,
        note: str = "",
        *,
        done: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with what is ``done`` already, which does not count for the rate."""
        self._report = report
        self._name, self._total, self._unit, self._note = name, total, unit, note
        self._clock = clock
        self._done = done
        self._marks = deque([(clock(), done)])
        self._tell()

    def add(self, more: int) -> None:
        """Go on by so many units."""
        self._done += more
        if self._clock() - self._marks[-1][0] >= self.EVERY:
            self._tell()

    def on(self, note: str) -> None:
        """Say what is worked on now."""
        self._note = note
        self._tell()

    def finish(self) -> None:
        """Say that the stage is over."""
        self._report(Stage(self._name, self._done, self._done, self._unit, self._note, finished=True))

    def _tell(self) -> None:
        now = self._clock()
        self._marks.append((now, self._done))
        while now - self._marks[1][0] > self.WINDOW:
            self._marks.popleft()
        since, before = self._marks[0]
        rate = (self._done - before) / (now - since) if now > since else 0.0
        left = (self._total - self._done) / rate if rate > 0 and self._total else None
        self._report(Stage(self._name, self._done, self._total, self._unit, self._note, False, rate, left))
