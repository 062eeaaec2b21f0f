"""Delays interruptions during work that must not be cut short; Python may raise them between any two instructions."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def delayed() -> Iterator[Callable[[], None]]:
    """Delay interruptions until the block ends; yield a function that lets a delayed one through earlier.

    An interruption is a SIGINT: ctrl+c sends it, and a job gets it when its parent cancels it or ends. Blocks may be
    nested: an interruption waits for the outermost one. Python interrupts only the main thread, so in other threads,
    and if Python does not handle SIGINT, there is nothing to delay.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield lambda: None
        return
    pending: list[tuple[int, object]] = []

    def let_through() -> None:
        if pending:
            handler(*pending.pop())  # type: ignore[arg-type]

    signal.signal(signal.SIGINT, lambda number, frame: pending.append((number, frame)))
    try:
        yield let_through
    finally:
        signal.signal(signal.SIGINT, handler)
        let_through()
