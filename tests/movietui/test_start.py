"""Garbage is collected when the app is idle, because a full collection takes as long as several frames."""

import asyncio
from collections.abc import Iterable, Iterator
from types import SimpleNamespace

import pytest

from movietui.ui import start


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of a fake garbage collector and fake screens. There is always garbage to collect."""
    names: list[str] = []
    steps = {name: lambda name=name: names.append(name) for name in ("collect", "freeze")}
    monkeypatch.setattr(start, "gc", SimpleNamespace(get_count=lambda: (0, 0, start.DUE), **steps))
    monkeypatch.setattr(start, "PAUSE_SECONDS", 0)
    return names


class FakeScreen:
    """Records when it is asked to forget removed widgets."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def forget_removed(self) -> None:
        self._calls.append("forget")


def run_tidy(monkeypatch: pytest.MonkeyPatch, spent: list[float], screens: Iterable[list[FakeScreen]]) -> None:
    """Run ``tidy`` until it has paused once for each item of ``spent``, the CPU seconds used during that pause.

    ``screens``: the screens that are open after each pause. The last of these stay open.
    """
    next_screens = iter(screens)
    now: list[FakeScreen] = []

    def open_screens() -> list[FakeScreen]:
        return now

    def clock() -> Iterator[float]:
        nonlocal now
        passed = 0.0
        for seconds in spent:
            yield passed
            passed, now = passed + seconds, next(next_screens, now)
            yield passed
        raise asyncio.CancelledError

    ticks = clock()
    monkeypatch.setattr(start, "time", SimpleNamespace(process_time=lambda: next(ticks)))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(start.tidy(open_screens))


def test_garbage_is_collected_when_nothing_happens(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    run_tidy(monkeypatch, [1.0, 0.1, 0.1], [])
    assert calls == []
    run_tidy(monkeypatch, [1.0, 0.001, 0.1], [])
    assert calls == ["collect"]


def test_much_garbage_does_not_wait(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    monkeypatch.setattr(start.gc, "get_count", lambda: (0, 0, start.OVERDUE))
    run_tidy(monkeypatch, [1.0, 1.0], [[FakeScreen(calls)]])
    assert calls == ["forget", "collect", "freeze", "forget", "collect"]


def test_the_objects_of_a_new_screen_are_frozen_once(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    run_tidy(monkeypatch, [0.001, 0.001], [[FakeScreen(calls)]])
    assert calls == ["forget", "collect", "freeze", "forget", "collect"]


def test_screens_that_come_and_go_are_not_frozen_again(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    one, two = [FakeScreen(calls)], [FakeScreen(calls), FakeScreen(calls)]
    run_tidy(monkeypatch, [0.001] * 6, [one, two, one, two, one, two])
    assert calls.count("freeze") == 2
