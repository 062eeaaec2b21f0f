"""Calls that run in parallel."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


def side_by_side(one: Callable[[], T], other: Callable[[], U]) -> tuple[T, U]:
    """Make two calls in parallel, and return both results. The calls must not call this function.

    This saves time if both calls spend theirs in numpy, which lets other threads run.
    """
    later = meanwhile(other)
    return one(), later.result()


def meanwhile(call: Callable[[], T]) -> Future[T]:
    """Make a call in another thread, after earlier such calls; it may not wait for a call of its own."""
    return _second_thread().submit(call)


@cache
def _second_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "side by side")


os.register_at_fork(after_in_child=_second_thread.cache_clear)  # a child process does not inherit threads
