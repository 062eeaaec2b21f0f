"""How long to wait for a server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timeouts:
    """Limits for a download."""

    connect: float = 5
    """The maximum time until the connection is established, in seconds."""
    idle: float = 20
    """The maximum time without a byte, in seconds."""
    rate_window: float = 30
    """Seconds over which the rate is measured."""
    min_rate: int = 1024
    """The lowest accepted rate, in bytes per second."""


DEFAULT_TIMEOUTS = Timeouts()
