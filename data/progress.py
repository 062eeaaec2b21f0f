"""How long work tells where it is."""

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


Report = Callable[[Stage], None]
"""Called with each step of the work. An exception raised here (``Cancelled``) ends the work cleanly."""


def silent(stage: Stage) -> None:
    """Report to nobody."""
