"""The progress of a running job: an immutable value, which each event of the job replaces with a new one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from movietui.data.language import tr
from movietui.data.progress import ENOUGH_TO_PREDICT, WHOLE
from movietui.formatting import text
from movietui.formatting.run_progress import PHASES, reached
from movietui.protocol.jobs import EpochEvent, InsideEvent, JobEvent, JobRequest, StageEvent, SweepRow

OF_FITS = ("epoch", "stage")
"""The units of the progress of a fit."""


@dataclass(frozen=True)
class JobProgress:
    """How far a job is."""

    title: str
    """What the job does: ``get ml-100k``, ``train mf``."""
    request: JobRequest
    step: str = ""
    """What the job is doing now, in words: a stage or, in training, a phase."""
    done: float = 0
    """How much of the step is done, in ``unit``."""
    total: float = 0
    """How much the step has in all, in ``unit``; 0 if unknown."""
    share: float = 0.0
    """The share of the first phase that is done, if the job reports that."""
    unit: str = ""
    """Such as ``bytes``, ``lines`` or, of a fit, ``epoch`` or ``stage``."""
    left: float | None = None
    """How many seconds the stage will still take, as the job estimates; ``None`` if unknown."""
    stages: tuple[StageEvent, ...] = ()
    """The last event of each stage so far, in order."""
    curve: tuple[EpochEvent, ...] = ()
    """The epochs of the first phase."""
    inside: InsideEvent | None = None
    """Progress within an epoch, or within a fit that has no epochs."""
    results: tuple[SweepRow, ...] = ()
    """The combinations of a sweep measured so far, in order."""
    phase: str = ""
    fits: float = 0
    """How long the whole training takes, in units of its first fit; 0 until the first epoch says so."""
    began: float = field(default_factory=time.monotonic)
    phase_began: float = field(default_factory=time.monotonic)
    first_phase: float = 0.0
    """Seconds that the first phase took; 0 until it ends."""
    now: float = field(default_factory=time.monotonic)

    @property
    def dataset(self) -> str:
        """The dataset that the job is about."""
        request = self.request
        if request["do"] == "train" or request["do"] == "sweep":  # two comparisons, so that mypy narrows the type
            return request["dataset"]
        return request["name"]

    def after(self, event: JobEvent) -> JobProgress:
        """Return the progress after an event."""
        now = time.monotonic()
        if event["event"] == "stage":
            earlier = tuple(stage for stage in self.stages if stage["name"] != event["name"])
            return replace(
                self,
                step=str(event["note"] or event["name"]),
                done=event["done"],
                total=event["total"],
                unit=event["unit"],
                left=event["seconds_left"],
                stages=(*earlier, event),
                inside=None,
                now=now,
            )
        if event["event"] == "epoch":
            same_phase = event["phase"] == self.phase
            first = self.first_phase
            if not first and self.phase and not same_phase:  # the first phase stopped early
                first = self.now - self.began
            elif not first and event["epoch"] == event["of"]:
                first = now - self.began
            return replace(
                self,
                step=PHASES.get(event["phase"], str(event["phase"])),
                done=event["epoch"],
                total=event["of"],
                unit="stage" if "stage" in event else "epoch",
                curve=(*self.curve, event) if event["phase"] == (self.curve or (event,))[0]["phase"] else self.curve,
                inside=None,
                phase=event["phase"],
                fits=event.get("fits", self.fits),
                phase_began=self.phase_began if same_phase else now,
                first_phase=first,
                now=now,
            )
        if event["event"] == "inside":
            progress = replace(self, inside=event, now=now)
            if event["unit"] == WHOLE:
                progress = replace(progress, share=event["done"] / event["total"])
            if self.unit not in OF_FITS:
                progress = replace(progress, step=PHASES["curve"], done=0, total=0, unit="", left=None)
            return progress
        if event["event"] == "result":
            return replace(self, results=(*self.results, event["row"]), now=now)
        return self

    @property
    def seconds_left(self) -> float | None:
        """How many seconds the stage or phase will still take; ``None`` if unknown."""
        if self.unit not in OF_FITS:
            return self.left
        if self.done < 2:
            return None
        return (self.now - self.phase_began) / (self.done - 1) * (self.total - self.done)

    def whole(self) -> tuple[float, float | None]:
        """Return which share of a whole training is done, and how many seconds are left (``None`` if unknown).

        Epochs may take very different times. But how long the other phases take, compared to the first, is known.
        """
        usual = 2 if self.request["do"] == "train" and self.request.get("split") else 3
        fits = self.fits or usual
        elapsed = time.monotonic() - self.began
        share = max(self.share, self.done / self.total if self.unit in OF_FITS else 0.0)
        if not self.first_phase and share < ENOUGH_TO_PREDICT:
            return share / fits, None
        in_all = fits * (self.first_phase or elapsed / share)
        return min(0.99, elapsed / in_all), max(0.0, in_all - elapsed) or None

    @property
    def reached(self) -> str:
        """The progress of the job, in words."""
        left = tr(", {duration} left", duration=text.duration(self.seconds_left)) if self.seconds_left else ""
        if self.inside is not None:
            if not self.inside["total"]:
                return str(self.inside["name"])
            share = f"{self.inside['note']}, {self.inside['done'] / self.inside['total']:.0%}"
            rate = ""
            if self.inside["rate"]:
                rate = tr(" · {rate:,.0f} {unit}/s", rate=self.inside["rate"], unit=self.inside["unit"])
            return share + rate + left
        if self.unit in OF_FITS:
            return f"{reached(self.unit, round(self.done), round(self.total))}{left}"
        if self.unit == "bytes":
            done, total = text.size(self.done), text.size(self.total)
            return (tr("{done} of {total}", done=done, total=total) if self.total else done) + left
        if self.total:
            unit = f" {self.unit}" if self.unit else ""
            return tr("{done:,.0f} of {total:,.0f}{unit}", done=self.done, total=self.total, unit=unit)
        return ""
