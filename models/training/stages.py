"""Progress within an epoch, or within a fit that has no epochs, reported to a subscriber.

A closed-form fit reports its stages, and a network how many rows of an epoch it has seen. To subscribe, fit inside
``reporting``. Without a subscriber, the cost is one reading of the clock per batch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from movietui.data.language import tr
from movietui.data.progress import WHOLE, Meter, Report, Stage, silent

_listener: ContextVar[Report] = ContextVar("listener", default=silent)


@contextmanager
def reporting(report: Report) -> Iterator[None]:
    """Send the progress of the fits in the block to ``report``."""
    token = _listener.set(report)
    try:
        yield
    finally:
        _listener.reset(token)


def report_share(name: str, done: float) -> None:
    """Report a stage and the share of the whole fit that is done, from 0 to 1, for fits whose epochs take minutes."""
    _listener.get()(Stage(name, round(1000 * done), 1000, WHOLE, name))


def begin(name: str) -> None:
    """Report the stage that begins now."""
    _listener.get()(Stage(name))


def rows_meter(epoch: int, of: int, rows: int, unit: str) -> Meter:
    """Return a counter of the rows of an epoch; ``unit`` is what the rows are, such as ``ratings``."""
    return Meter(_listener.get(), unit, rows, unit, tr("epoch {epoch} of {epochs}", epoch=epoch, epochs=of))
