"""When garbage is looked for: all of it takes as long as several frames."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from movietui import start


@pytest.fixture
def did(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done about garbage; there always is some."""
    done: list[str] = []
    steps = {name: lambda name=name: done.append(name) for name in ("collect", "freeze")}
    monkeypatch.setattr(start, "gc", SimpleNamespace(get_count=lambda: (0, 0, start.WORTH), **steps))
    monkeypatch.setattr(start, "PAUSE_SECONDS", 0)
    return done


def tidied(monkeypatch: pytest.MonkeyPatch, spent: list[float], screens: list[str]) -> None:
    """Tidy for as many pauses as there are seconds of the processor that were spent in them."""

    def clock() -> Iterator[float]:
        now = 0.0
        for seconds in spent:
            yield now
            now += seconds
            yield now
        raise asyncio.CancelledError

    ticks = clock()
    monkeypatch.setattr(start, "time", SimpleNamespace(process_time=lambda: next(ticks)))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(start.tidy(lambda: screens))


def test_garbage_waits_until_nothing_happens(monkeypatch: pytest.MonkeyPatch, did: list[str]) -> None:
    tidied(monkeypatch, [1.0, 0.1, 0.1], [])
    assert did == []
    tidied(monkeypatch, [1.0, 0.001, 0.1], [])
    assert did == ["collect"]


def test_what_a_new_screen_is_made_of_is_left_out_once(monkeypatch: pytest.MonkeyPatch, did: list[str]) -> None:
    tidied(monkeypatch, [0.001, 0.001], ["browse"])
    assert did == ["collect", "freeze", "collect"]
