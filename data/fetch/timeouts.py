"""How long to wait for a server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timeouts:
    """Limits for a download."""

    connect: float = 5
    """The most seconds until the connection is established."""
    idle: float = 20
    """The most seconds without a byte."""
    rate_window: float = 30
    """Seconds over which the rate is measured."""
    min_rate: int = 1024
    """The lowest accepted rate, in bytes per second."""


DEFAULT_TIMEOUTS = Timeouts()
