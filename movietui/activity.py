"""What a running job looks like from outside: an immutable picture that its events turn into the next one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from movietui import text
from movietui.wire import Message

PHASES = {
    "curve": "learning",
    "measure": "measuring on the test part",
    "serve": "learning from all ratings",
}


@dataclass(frozen=True)
class Activity:
    """A job in progress."""

    title: str
    """What it does: ``get ml-100k``, ``train mf``."""
    request: Message
    step: str = ""
    done: float = 0
    total: float = 0
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
    phase_began: float = field(default_factory=time.monotonic)
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
            began = self.phase_began if event["phase"] == self.phase else now
            return replace(
                self,
                step=PHASES.get(event["phase"], str(event["phase"])),
                done=event["epoch"],
                total=event["of"],
                unit="epoch",
                curve=(*self.curve, event) if event["phase"] == "curve" else self.curve,
                inside=None,
                phase=event["phase"],
                phase_began=began,
                now=now,
            )
        if event["event"] == "inside":
            if self.unit == "epoch":
                return replace(self, inside=event, now=now)
            begun = replace(self, step=PHASES["curve"], done=0, total=0, unit="", left=None)
            return replace(begun, inside=event, now=now)
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
