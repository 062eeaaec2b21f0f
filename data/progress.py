"""Progress reports of long work."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from movietui.data.language import tr


@dataclass(frozen=True)
class Stage:
    """The progress of one stage of the work: ``done`` of ``total`` units.

    A ``total`` of 0 means that the total is unknown; ``unit`` names the units, such as bytes.
    """

    name: str
    done: int = 0
    total: int = 0
    unit: str = ""
    note: str = ""
    finished: bool = False
    rate: float = 0.0
    """Units per second, measured recently; 0 if unknown."""
    seconds_left: float | None = None
    """Seconds until the stage ends at this rate; None if unknown."""


CLEANING, ENCODING = tr("Cleaning"), tr("Encoding")
"""The names of the stages that make a dataset of the files that were fetched."""
WHOLE = "whole"
"""The unit of a stage whose ``done`` and ``total`` measure the whole work, not only this stage."""

ENOUGH_TO_PREDICT = 0.1
"""The share of the work that must be done before its pace predicts how long the rest takes."""

Report = Callable[[Stage], None]
"""A function to call at each step of the work. An exception that it raises, such as ``Cancelled``, ends the work
cleanly."""


def silent(stage: Stage) -> None:
    """Do nothing: a ``Report`` for callers who need none."""


class Meter:
    """Reports a stage that advances in small steps, with its rate and the time left."""

    EVERY = 0.05
    """The shortest time between two reports of ``add``, in seconds."""
    WINDOW = 5.0
    """Seconds over which the rate is measured."""
    STALL = 10
    """A recent rate that is lower than the mean since the start by more than this factor does not predict the time
    left: where work stalls near its end, a few seconds of it would become hours."""

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
        """Start at ``done`` units, which do not count towards the rate."""
        self._report = report
        self._name, self._total, self._unit, self._note = name, total, unit, note
        self._clock = clock
        self._done = done
        self._marks = deque([(clock(), done)])
        self._start = self._marks[0]
        self._send()

    def add(self, more: int) -> None:
        """Advance by this many units, and report it unless the last report was too recent."""
        self._done += more
        if self._clock() - self._marks[-1][0] >= self.EVERY:
            self._send()

    def set_note(self, note: str) -> None:
        """Change the note, for example to the name of the next file, and report it."""
        self._note = note
        self._send()

    def finish(self) -> None:
        """Report that the stage is finished."""
        self._report(Stage(self._name, self._done, self._done, self._unit, self._note, finished=True))

    def _send(self) -> None:
        current_time = self._clock()
        self._marks.append((current_time, self._done))
        while current_time - self._marks[1][0] > self.WINDOW:
            self._marks.popleft()
        since, before = self._marks[0]
        rate = (self._done - before) / (current_time - since) if current_time > since else 0.0
        began, done_before = self._start
        mean = (self._done - done_before) / (current_time - began) if current_time > began else 0.0
        pace = max(rate, mean / self.STALL) if rate > 0 else 0.0
        seconds_left = (self._total - self._done) / pace if pace > 0 and self._total else None
        self._report(Stage(self._name, self._done, self._total, self._unit, self._note, False, rate, seconds_left))
