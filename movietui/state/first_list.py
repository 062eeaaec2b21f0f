"""The progress of the first list, in three steps: get the ratings, clean them, learn from them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from movietui.data.fetch import estimates
from movietui.data.language import tr
from movietui.data.progress import CLEANING, ENCODING
from movietui.formatting import text
from movietui.state.job_progress import JobProgress

DEFAULT_DATASET = "ml-100k"
"""The dataset of the first list."""
DEMO = "demo"
StepName = Literal["get", "clean", "learn"]
STEPS: Sequence[StepName] = ("get", "clean", "learn")
EASE_SECONDS = 4.0
"""How fast the time left, as shown, approaches a new estimate."""
CLEANING_STAGES = (CLEANING, ENCODING)
"""The stages of a ``get`` job that belong to the second step. Earlier stages belong to the first step."""


@dataclass(frozen=True)
class Step:
    """A step, as the screen draws it."""

    title: str
    state: Literal["done", "now", "later"]
    share: float = 0.0
    """The share of a step in progress that is done, from 0 to 1."""
    note: str = ""
    short_note: str = ""
    """The note for a narrow window."""


@dataclass(frozen=True)
class FirstList:
    """The progress of the first list."""

    getting_title: str
    """The title of the first step: ``Get MovieLens 100K``."""
    usual: Mapping[StepName, float] = field(default_factory=lambda: usual_seconds_of_default())
    """How many seconds each step usually takes; used until the step reports how long it will take."""
    began: float = field(default_factory=time.monotonic)
    """When the first step began, by ``time.monotonic``."""
    getting: JobProgress | None = None
    """The progress of the job that gets and cleans the dataset."""
    got: bool = False
    """Whether this job is done."""
    learning: JobProgress | None = None
    """The progress of the training of the quick model."""
    learning_began: float = 0.0
    """When the last step began, by ``time.monotonic``."""

    @property
    def current(self) -> StepName:
        """The step in progress."""
        if self.got:
            return "learn"
        stages = {stage["name"] for stage in self.getting.stages} if self.getting is not None else set()
        return "clean" if stages.intersection(CLEANING_STAGES) else "get"

    def steps(self) -> Sequence[Step]:
        """Return the three steps."""
        titles: Mapping[StepName, str] = {
            "get": self.getting_title,
            "clean": tr("Clean the ratings"),
            "learn": tr("Learn what people like"),
        }
        position = STEPS.index(self.current)
        progress = self._progress()
        return [
            Step(titles[name], "done")
            if index < position
            else Step(titles[name], "now", *progress)
            if index == position
            else Step(titles[name], "later")
            for index, name in enumerate(STEPS)
        ]

    def _progress(self) -> tuple[float, str, str]:
        """Return the share of the current step that is done, a note about its progress and a short note."""
        if self.current == "learn":
            return (self.learning.whole()[0] if self.learning is not None else 0.0), "", ""
        job = self.getting
        if job is None or not job.total:
            return 0.0, "", ""
        share = min(1.0, job.done / job.total)
        if job.unit != "bytes":
            return share, "", ""
        done = text.size(job.done)
        return share, tr("{done} of {total}", done=done, total=text.size(job.total)), done

    def seconds_left(self, now: float) -> float:
        """Return about how many seconds are left; ``now`` is by ``time.monotonic``."""
        later = sum(self.usual[name] for name in STEPS[STEPS.index(self.current) + 1 :])
        return self._left_of_step(now) + later

    def _left_of_step(self, now: float) -> float:
        if self.current == "learn":
            known = self.learning.whole()[1] if self.learning is not None else None
            began = self.learning_began
        else:
            known = self.getting.seconds_left if self.getting is not None else None
            began = self.began + (self.usual["get"] if self.current == "clean" else 0.0)
        return known if known is not None else max(1.0, self.usual[self.current] - (now - began))


@dataclass
class Countdown:
    """The time left as shown: it never jumps, but approaches each new estimate while it counts down."""

    _left: float | None = None
    _at: float = 0.0

    def show(self, left: float, now: float) -> int:
        """Return how many seconds to show, at least one. ``left`` is estimated; ``now`` is by ``time.monotonic``.

        Of the difference between the estimate and what is shown, a share of 1 − 1/e goes in ``EASE_SECONDS``.
        """
        if self._left is not None:
            passed = max(0.0, now - self._at)
            counted = self._left - passed
            left = left + (counted - left) * math.exp(-passed / EASE_SECONDS)
        self._left, self._at = left, now
        return max(1, math.ceil(left))


def usual_seconds(download: int, ratings: int) -> Mapping[StepName, float]:
    """Return how many seconds each step usually takes for a ``download`` in bytes with this many ``ratings``."""
    seconds = estimates.seconds(download, ratings)
    return {"get": seconds.get, "clean": seconds.clean, "learn": seconds.learn}


def usual_seconds_of_default() -> Mapping[StepName, float]:
    """Return how many seconds each step usually takes with ``DEFAULT_DATASET``."""
    from movietui.data.fetch.sources import SOURCES  # only the first start needs it, and it is slow to import

    source = SOURCES[DEFAULT_DATASET]
    return usual_seconds(source.size, source.ratings)
