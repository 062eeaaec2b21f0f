"""Calls that run in parallel."""

import os
from collections.abc import Callable, Iterable
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


def for_each(work: Callable[[T], object], items: Iterable[T]) -> None:
    """Call ``work`` with each item: as many calls at a time as torch uses threads, each in a single thread.

    This is for batches of small matrices. If LAPACK divides each matrix among threads, they wait for each other once
    for each matrix; on a busy machine, that takes many times as long as the computation.
    """
    import torch

    threads = torch.get_num_threads()
    if threads == 1:
        for item in items:
            work(item)
        return
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(work, items):
                pass
    finally:
        torch.set_num_threads(threads)


@cache
def _second_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "side by side")


os.register_at_fork(after_in_child=_second_thread.cache_clear)  # a child process does not inherit threads
