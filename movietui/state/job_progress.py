"""What a running job looks like from outside: an immutable picture that its events turn into the next one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from data.progress import WHOLE
from movietui import text
from movietui.wire import Message

PHASES = {
    "curve": "learning",
    "measure": "measuring on the test part",
    "serve": "learning from all ratings",
}

ENOUGH_TO_TELL = 0.1
"""From which share of the first phase on its time says how long all will take."""


@dataclass(frozen=True)
class Activity:
    """A job in progress."""

    title: str
    """What it does: ``get ml-100k``, ``train mf``."""
    request: Message
    step: str = ""
    done: float = 0
    total: float = 0
    share: float = 0.0
    """Which share of the first phase is done, where that is told within an epoch."""
    unit: str = ""
    left: float | None = None
    """Seconds that the stage will still take, as it says itself."""
    stages: tuple[Message, ...] = ()
    """The last word of each stage so far, in their order."""
    curve: tuple[Message, ...] = ()
    """The epochs of the first phase, which has a validation loss."""
    inside: Message | None = None
    """What a fit is at between its epochs: a stage of a closed form, or how many ratings of the epoch are done."""
    results: tuple[Message, ...] = ()
    """Of a sweep: the combinations that are measured, in their order."""
    phase: str = ""
    began: float = field(default_factory=time.monotonic)
    phase_began: float = field(default_factory=time.monotonic)
    first_phase: float = 0.0
    """How many seconds the first phase took; 0 while it is not over."""
    now: float = field(default_factory=time.monotonic)

    def after(self, event: Message) -> Activity:
        """Return the picture after an event."""
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
            goes_on = event["phase"] == self.phase
            first = self.first_phase
            if not first and self.phase and not goes_on:  # it ended sooner than was asked for
                first = self.now - self.began
            elif not first and event["epoch"] == event["of"]:
                first = now - self.began
            return replace(
                self,
                step=PHASES.get(event["phase"], str(event["phase"])),
                done=event["epoch"],
                total=event["of"],
                unit="epoch",
                curve=(*self.curve, event) if event["phase"] == "curve" else self.curve,
                inside=None,
                phase=event["phase"],
                phase_began=self.phase_began if goes_on else now,
                first_phase=first,
                now=now,
            )
        if event["event"] == "inside":
            found = replace(self, inside=event, now=now)
            if event["unit"] == WHOLE:
                found = replace(found, share=event["done"] / event["total"])
            if self.unit != "epoch":
                found = replace(found, step=PHASES["curve"], done=0, total=0, unit="", left=None)
            return found
        if event["event"] == "result":
            return replace(self, results=(*self.results, event["row"]), now=now)
        return self

    @property
    def seconds_left(self) -> float | None:
        """How long the stage or phase will still take; ``None`` where that cannot be said."""
        if self.unit != "epoch":
            return self.left
        if self.done < 2:
            return None
        return (self.now - self.phase_began) / (self.done - 1) * (self.total - self.done)

    def whole(self) -> tuple[float, float | None]:
        """Return which share of a training is done, all phases together, and how many seconds are left.

        Epochs may be of very different length, but phases repeat the same work: the first tells how long all take.
        """
        phases = 2 if self.request.get("split") else 3
        passed = time.monotonic() - self.began
        share = max(self.share, self.done / self.total if self.unit == "epoch" else 0.0)
        if not self.first_phase and share < ENOUGH_TO_TELL:
            return share / phases, None
        all_in_all = phases * (self.first_phase or passed / share)
        return min(0.99, passed / all_in_all), max(0.0, all_in_all - passed) or None

    @property
    def reached(self) -> str:
        """How far it is, in words."""
        left = f", {text.duration(self.seconds_left)} left" if self.seconds_left else ""
        if self.inside is not None:
            if not self.inside["total"]:
                return str(self.inside["name"])
            share = f"{self.inside['note']}, {self.inside['done'] / self.inside['total']:.0%}"
            rate = f" · {self.inside['rate']:,.0f} {self.inside['unit']}/s" if self.inside["rate"] else ""
            return share + rate + left
        if self.unit == "epoch":
            return f"epoch {self.done:.0f} of {self.total:.0f}{left}"
        if self.unit == "bytes":
            return text.size(self.done) + (f" of {text.size(self.total)}" if self.total else "") + left
        if self.total:
            return f"{self.done:,.0f} of {self.total:,.0f}{f' {self.unit}' if self.unit else ''}"
        return ""
