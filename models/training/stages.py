"""What a fit is at between two epochs, or where it has none, for whoever listens.

A closed form has stages, a network the ratings that it has seen of an epoch. Whoever wants to hear of them fits
``inside`` a report; others pay nothing but a look at the clock for each batch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from data.progress import WHOLE, Meter, Report, Stage, silent

_listener: ContextVar[Report] = ContextVar("listener", default=silent)


@contextmanager
def inside(report: Report) -> Iterator[None]:
    """Let a report hear of what is fitted in the block."""
    token = _listener.set(report)
    try:
        yield
    finally:
        _listener.reset(token)


def share(name: str, done: float) -> None:
    """Say what the fit does and which share of all of it is done, from 0 to 1: of one whose epochs take minutes."""
    _listener.get()(Stage(name, round(1000 * done), 1000, WHOLE, name))


def at(name: str) -> None:
    """Say what the fit does from now on."""
    _listener.get()(Stage(name))


def ratings_of(epoch: int, of: int, rows: int) -> Meter:
    """Return what counts the ratings of an epoch as they are gone through."""
    return Meter(_listener.get(), "ratings", rows, "ratings", f"epoch {epoch} of {of}")
