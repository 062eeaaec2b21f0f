"""How far a fit is within an epoch, for whoever watches a model whose epochs take minutes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

OnShare = Callable[[float], None]
"""Called with the share of the fit that is done. What it raises ends the fit, as with ``Progress``."""

_told: ContextVar[OnShare | None] = ContextVar("within", default=None)


@contextmanager
def watching(on_share: OnShare) -> Iterator[None]:
    """Hear how far each fit is that happens inside."""
    token = _told.set(on_share)
    try:
        yield
    finally:
        _told.reset(token)


def tell(share: float) -> None:
    """Tell whoever watches how far the fit is, from 0 to 1."""
    on_share = _told.get()
    if on_share is not None:
        on_share(share)
