"""When garbage is collected: a full collection takes as long as several frames."""

import asyncio
from collections.abc import Iterable, Iterator
from types import SimpleNamespace

import pytest

from movietui.ui import start


@pytest.fixture
def did(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replaces the garbage collector, and records what was called; there is always garbage to collect."""
    done: list[str] = []
    steps = {name: lambda name=name: done.append(name) for name in ("collect", "freeze")}
    monkeypatch.setattr(start, "gc", SimpleNamespace(get_count=lambda: (0, 0, start.WORTH), **steps))
    monkeypatch.setattr(start, "PAUSE_SECONDS", 0)
    return done


class Remembering:
    """A screen."""

    def __init__(self, did: list[str]) -> None:
        self._did = did

    def forget_removed(self) -> None:
        self._did.append("forget")


def tidied(monkeypatch: pytest.MonkeyPatch, spent: list[float], screens: Iterable[list[Remembering]]) -> None:
    """Run ``tidy`` for one pause for each of the given processor times, in seconds.

    ``screens``: those there are at each pause, the last for all that follow.
    """
    there = iter(screens)
    now: list[Remembering] = []

    def open_ones() -> list[Remembering]:
        return now

    def clock() -> Iterator[float]:
        nonlocal now
        passed = 0.0
        for seconds in spent:
            yield passed
            passed, now = passed + seconds, next(there, now)
            yield passed
        raise asyncio.CancelledError

    ticks = clock()
    monkeypatch.setattr(start, "time", SimpleNamespace(process_time=lambda: next(ticks)))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(start.tidy(open_ones))


def test_garbage_waits_until_nothing_happens(monkeypatch: pytest.MonkeyPatch, did: list[str]) -> None:
    tidied(monkeypatch, [1.0, 0.1, 0.1], [])
    assert did == []
    tidied(monkeypatch, [1.0, 0.001, 0.1], [])
    assert did == ["collect"]


def test_much_garbage_does_not_wait(monkeypatch: pytest.MonkeyPatch, did: list[str]) -> None:
    monkeypatch.setattr(start.gc, "get_count", lambda: (0, 0, start.OVERDUE))
    tidied(monkeypatch, [1.0, 1.0], [[Remembering(did)]])
    assert did == ["forget", "collect", "freeze", "forget", "collect"]


def test_what_a_new_screen_is_made_of_is_left_out_once(monkeypatch: pytest.MonkeyPatch, did: list[str]) -> None:
    tidied(monkeypatch, [0.001, 0.001], [[Remembering(did)]])
    assert did == ["forget", "collect", "freeze", "forget", "collect"]


def test_what_comes_and_goes_is_not_left_out_again(monkeypatch: pytest.MonkeyPatch, did: list[str]) -> None:
    one, two = [Remembering(did)], [Remembering(did), Remembering(did)]
    tidied(monkeypatch, [0.001] * 6, [one, two, one, two, one, two])
    assert did.count("freeze") == 2
