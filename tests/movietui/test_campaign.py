"""A few attempts of each part of the campaign, chosen by their seeds, and checks that harm is reported."""

import os
import shutil
from collections.abc import Sequence
from itertools import count, islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from movietui.store.ratings import Store
from tests.benchmarks.campaign import boundaries, ends, homes, injection, inputs, kills, life, places, sizes, writers
from tests.benchmarks.campaign.report import Report
from tests.movietui.homes import build_once


@pytest.fixture(scope="session")
def joined_home(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Path:
    """A home with the demo joined with IMDb, two runs, a profile and an export."""

    def build(folder: Path) -> None:
        shutil.copytree(demo_home, folder)
        homes.furnish(folder)

    return build_once(tmp_path_factory, "campaign-home", build)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def make_attempts(part: ModuleType, template: Path, scratch: Path, seeds: Sequence[int], **options: Any) -> Report:
    """Make the attempts with these seeds, and return the report."""
    times = options.pop("times", part.TIMES)
    report = Report(part.__name__.rpartition(".")[2], times, scratch / "kept", seeds=seeds)
    part.run(report, template, scratch, **options)
    return report


def check_attempts(part: ModuleType, template: Path, scratch: Path, seeds: Sequence[int], **options: Any) -> None:
    """Make the attempts with these seeds, all of which must succeed."""
    report = make_attempts(part, template, scratch, seeds, **options)
    assert not report.failed, report.summary()
    assert report.tried.total() >= len(seeds)


def seed_of_end(way: str, screen: str = "") -> int:
    return ends.ATTEMPTS.index((way, screen))


def seeds_of_kills(kind: str, wanted: int) -> list[int]:
    return list(islice((seed for seed in count() if kills.kind_of(seed) == kind), wanted))


# Everything is covered


def test_every_screen_and_panel_is_visited() -> None:
    assert places.with_keys() <= places.PLACES.keys()


def test_every_command_is_given_hostile_text() -> None:
    assert injection.ARGUMENTS.keys() == set(injection.commands())
    assert all(arguments for arguments in injection.ARGUMENTS.values())


# A few attempts of each part


def test_a_killed_writer_loses_nothing(home: Path, scratch: Path) -> None:
    check_attempts(kills, home, scratch, seeds_of_kills("writer", 12))


@pytest.mark.parametrize("kind", ["rate", "import", "app", "engine"])
def test_a_kill_loses_nothing(joined_home: Path, scratch: Path, kind: str) -> None:
    check_attempts(kills, joined_home, scratch, seeds_of_kills(kind, 1))


def test_five_writers_at_once_lose_nothing(home: Path, scratch: Path) -> None:
    check_attempts(writers, home, scratch, [0, 1])


@pytest.mark.parametrize("screen", ["BrowseScreen", "TrainScreen", "SearchPanel", "TablesPanel"])
def test_resizing_does_no_harm(joined_home: Path, scratch: Path, screen: str) -> None:
    check_attempts(sizes, joined_home, scratch, [list(places.PLACES).index(screen)], each=12)


def test_the_program_starts_in_an_odd_size(joined_home: Path, scratch: Path) -> None:
    check_attempts(sizes, joined_home, scratch, [sizes.START - 1], each=5)


@pytest.mark.parametrize(
    ("way", "screen"),
    [
        ("SIGTERM", "BrowseScreen"),
        ("SIGHUP", "DataScreen"),
        ("SIGQUIT", "NamePanel"),
        ("an exception", "HelpPanel"),
        ("the terminal closed without SIGHUP", "BrowseScreen"),
        ("SIGSTOP and SIGCONT", "SearchPanel"),
        ("ctrl+z and fg", "BrowseScreen"),
        ("the engine stopped", "BrowseScreen"),
        ("standard output closed", ""),
    ],
)
def test_every_end_restores_the_terminal(joined_home: Path, scratch: Path, way: str, screen: str) -> None:
    check_attempts(ends, joined_home, scratch, [seed_of_end(way, screen)])


def test_hostile_inputs_do_no_harm(home: Path, scratch: Path) -> None:
    check_attempts(inputs, home, scratch, range(600))


@pytest.mark.parametrize("command", ["runs list", "history", "import", "runs export"])
def test_commands_print_no_raw_control_characters(hostile_home: Path, scratch: Path, command: str) -> None:
    attempts = [(command, 0, output) for output in ("plain", "json")]
    check_attempts(injection, hostile_home, scratch, [injection.ATTEMPTS.index(each) for each in attempts])


@pytest.mark.parametrize("screen", ["TrainScreen", "HistoryPanel"])
def test_screens_show_no_raw_control_characters(hostile_home: Path, scratch: Path, screen: str) -> None:
    seed = next(
        seed for seed, (command, _, target) in enumerate(injection.ATTEMPTS) if (command, target) == ("", screen)
    )
    check_attempts(injection, hostile_home, scratch, [seed])


def test_a_long_session_accumulates_nothing(joined_home: Path, scratch: Path) -> None:
    walked = ("BrowseScreen", "HelpPanel")
    check_attempts(life, joined_home, scratch, [0], times=150, warm=100, walked=walked, trains=False)


# Harm is reported


def test_a_failure_is_counted_and_saved(tmp_path: Path) -> None:
    report = Report("part", 5, tmp_path)
    for seed in report.seeds():
        report.tried["things"] += 1
        with report.attempt(seed) as evidence:
            evidence.files["input.bin"] = b"%d" % seed
            assert seed != 3, "three is wrong"
    assert report.failures == {"AssertionError: three is wrong": [3]}
    assert (tmp_path / "part" / "3-0" / "input.bin").read_bytes() == b"3"
    assert "5 tried, 1 failed" in report.summary()
    assert "--seed 3" in report.summary()


def test_a_rating_that_is_acknowledged_too_soon_is_a_failure(
    home: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(pipe: int, seed: float) -> None:
        Store(home / "data" / "movietui.sqlite3").close()
        os.write(pipe, b"." * kills.MOST_CHANGES)
        os._exit(0)

    monkeypatch.setattr(kills, "_write", write)
    assert make_attempts(kills, home, scratch, seeds_of_kills("writer", 1)).failed == 1


def test_a_lost_write_is_a_failure(home: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rate = writers.WRITERS["rate"]

    def forgetful(store: Store, number: int) -> None:
        if number != 3:
            rate(store, number)

    monkeypatch.setitem(writers.WRITERS, "rate", forgetful)
    assert make_attempts(writers, home, scratch, [0]).failed == 1


def _raises(folder: Path) -> None:
    raise KeyError("x")


def _writes_elsewhere(folder: Path) -> None:
    (folder.parent / "elsewhere.txt").write_text("x")


def _hangs(folder: Path) -> None:
    while True:
        pass


def _takes_all(folder: Path) -> None:
    bytearray(inputs.MOST_MEMORY + 2**20)


def _dies(folder: Path) -> None:
    os._exit(1)


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (_raises, "KeyError"),
        (_writes_elsewhere, "outside of the home"),
        (_hangs, "not done after"),
        (_takes_all, "MB of memory"),
        (_dies, "died"),
    ],
)
def test_a_harmful_input_is_a_failure(scratch: Path, monkeypatch: pytest.MonkeyPatch, harm: Any, expected: str) -> None:
    class Harmful:
        def kind(self, seed: int, weights: object) -> str:
            return "harmful"

        def input(self, seed: int, weights: object) -> boundaries.Input:
            return boundaries.Input("harmful", "x.txt", b"%d" % seed)

        def take(self, case: boundaries.Input) -> None:
            if case.content == b"2":
                harm(scratch)

    monkeypatch.setattr(inputs, "Boundaries", lambda folder: Harmful())
    if harm is _hangs:
        monkeypatch.setattr(inputs, "LONGEST_SECONDS", 0.3)
    report = make_attempts(inputs, scratch, scratch, range(5))
    ((line, seeds),) = report.failures.items()
    assert expected in line
    assert seeds == [2]


@pytest.mark.parametrize("text", injection.HOSTILE)
def test_raw_control_characters_are_recognised(text: str) -> None:
    assert injection.RAW.search(text)
