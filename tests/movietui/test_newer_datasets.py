"""A dataset with newer movies is offered, fetched in the background, and opened on request."""

import csv
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movietui.answers import datasets
from movietui.data import catalogue
from movietui.data.dataset import Dataset
from movietui.data.fetch import estimates
from movietui.data.storage import locations
from movietui.formatting import newer_datasets, text
from movietui.protocol.messages import NewerDataset
from movietui.protocol.viewers import profile
from movietui.store.ratings import Movie, Store
from movietui.ui.browse.newer import NewerLine
from tests.benchmarks.generate import generate
from tests.data.files import contents, write_zip
from tests.data.server import Server, serving
from tests.models.builders import dataset as built
from tests.movietui.commands import Run
from tests.movietui.driving import LARGE, SIZES, SMALL, Driver, lines, started
from tests.movietui.fakes import FakeEngine, FakeJob, train_request, with_run
from tests.movietui.terminal import Start
from tests.movietui.test_end_to_end import quit_with

ROOT = Path(__file__).parents[2]
OFFER: NewerDataset = {
    "dataset": "ml-32m",
    "last_year": 2023,
    "than": "ml-100k",
    "than_year": 1998,
    "newer": 0,
    "movies": 0,
    "state": "get",
    "download": 238_950_008,
    "disk": 622_952_456,
    "free": 10**11,
    "seconds": 640.0,
}


# Which dataset is offered


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOVIETUI_OFFLINE")
    monkeypatch.setattr(datasets, "_free", lambda: 10**12)


def small(name: str = "ml-100k") -> Dataset:
    return replace(built([0], [0], [3], movies=3), name=name)


def put_on_disk(name: str, tmp_path: Path, store: Store, *, trained: bool) -> None:
    """Store a small dataset under the name of a published one, with a run if it is ``trained``."""
    catalogue.get(name, write_zip(tmp_path / f"{name}-own.zip", contents(layout="ml-latest-small")))
    if trained:
        run = store.start_run("mf", name, "standard", "random90", 0, {})
        store.end_run(run, "done", seconds=3.0)


def offered(store: Store, dataset: Dataset, years: list[int] | None = None) -> tuple[str, str] | None:
    newer = datasets.newer(store, dataset, years or [])
    return None if newer is None else (newer["dataset"], newer["state"])


def test_the_newest_dataset_with_the_smallest_download_is_offered(store: Store, online: None) -> None:
    newer = datasets.newer(store, small())
    assert newer is not None
    assert (newer["dataset"], newer["state"], newer["last_year"]) == ("ml-32m", "get", 2023)
    assert (newer["than"], newer["than_year"], newer["download"]) == ("ml-100k", 1998, 238_950_008)
    assert newer["disk"] == estimates.disk(238_950_008, 32_000_204) < newer["free"]
    assert newer["seconds"] == estimates.seconds(238_950_008, 32_000_204).total


@pytest.mark.parametrize("name", ["ml-32m", "ml-latest", "ml-25m"])
def test_no_dataset_is_offered_beside_a_list_that_is_almost_as_new(store: Store, online: None, name: str) -> None:
    assert offered(store, small(name)) is None


def test_a_dataset_of_the_users_is_as_new_as_its_newest_rated_movie(store: Store, online: None) -> None:
    rated = built([0, 1, 2, 3, 4], [0] * 5, [3] * 5, movies=2)

    def until(year: int) -> Dataset:
        years = np.asarray([year, 2023], np.int32)  # nobody rated the second movie
        return replace(rated, name="own", movies=replace(rated.movies, years=years))

    assert offered(store, until(2018)) == ("ml-32m", "get")
    assert offered(store, until(2019)) is None
    assert offered(store, until(0)) is None  # nothing is known about its years


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        ([1999] * 3 + [1990] * 10, ("ml-32m", "get")),
        ([1999] * 2 + [1990] * 10, None),
        ([1999] * 3 + [1990] * 100, None),
        ([1999] * 6 + [1990] * 100, ("ml-32m", "get")),
        ([0] * 10, None),
        ([2024] * 10, None),
        ([2024] * 10 + [2023], ("ml-32m", "get")),
        ([1998] * 10, None),
    ],
)
def test_the_newer_movies_of_an_import_decide_about_the_offer(
    store: Store, online: None, years: list[int], expected: tuple[str, str] | None
) -> None:
    assert offered(store, small(), years) == expected


def test_an_import_counts_its_newer_movies(store: Store, online: None) -> None:
    newer = datasets.newer(store, small("ml-1m"), [2000, 2001, 2002, 2003, 0])
    assert newer is not None
    assert (newer["newer"], newer["movies"], newer["than_year"]) == (3, 5, 2000)


def test_with_network_access_switched_off_only_datasets_on_disk_are_offered(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert os.environ["MOVIETUI_OFFLINE"] == "1"
    assert offered(store, small()) is None
    put_on_disk("ml-25m", tmp_path, store, trained=False)
    assert offered(store, small()) == ("ml-25m", "learn")
    monkeypatch.delenv("MOVIETUI_OFFLINE")
    assert offered(store, small()) == ("ml-32m", "get")


def test_of_equally_new_datasets_one_on_disk_is_offered(store: Store, online: None, tmp_path: Path) -> None:
    put_on_disk("ml-latest", tmp_path, store, trained=False)
    newer = datasets.newer(store, small())
    assert newer is not None
    assert (newer["dataset"], newer["state"], newer["download"], newer["disk"]) == ("ml-latest", "learn", 0, 0)
    put_on_disk("ml-32m", tmp_path, store, trained=True)
    newer = datasets.newer(store, small())
    assert newer is not None
    assert (newer["dataset"], newer["state"], newer["seconds"]) == ("ml-32m", "open", 0)


def test_a_disk_without_enough_space_is_reported(store: Store, online: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "_free", lambda: 10**6)
    newer = datasets.newer(store, small())
    assert newer is not None
    assert (newer["state"], newer["free"]) == ("full", 10**6)
    sentence = newer_datasets.offer(newer)
    assert sentence == "ml-32m goes to 2023, but it needs 623 MB of disk space, and only 1.0 MB is free"
    assert newer_datasets.commands(newer, "me") == []


def test_a_partial_download_needs_less_room(store: Store, online: None) -> None:
    whole = datasets.newer(store, small())
    part = locations.downloads() / "ml-32m.zip.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    rest = datasets.newer(store, small())
    assert whole is not None
    assert rest is not None
    assert rest["disk"] == whole["disk"] - 1000


# How long the first list takes


def test_the_estimate_grows_with_the_download_and_the_ratings() -> None:
    small, large = estimates.seconds(4_924_029, 100_000), estimates.seconds(238_950_008, 32_000_204)
    assert 10 < small.total < 30
    assert small.get < large.get
    assert small.clean < large.clean
    assert small.learn < large.learn
    assert small.total == small.get + small.clean + small.learn
    assert estimates.seconds(0, 10**6, learned=2.5).learn == estimates.LEARN_START + 2.5


def test_what_was_measured_here_replaces_the_estimate(store: Store, tmp_path: Path) -> None:
    def seconds() -> float | None:
        (row,) = (row for row in datasets.list_datasets(store) if row["name"] == "ml-25m")
        return row["seconds"]

    estimated = estimates.seconds(261_978_986, 25_000_095)
    assert seconds() == estimated.total
    put_on_disk("ml-25m", tmp_path, store, trained=True)
    assert seconds() == 0
    catalogue.remove("ml-25m")
    assert seconds() == estimated.get + estimated.clean + estimates.LEARN_START + 3.0  # what its run took


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.5, "10 seconds"), (20, "20 seconds"), (21, "30 seconds"), (90, "90 seconds"), (100, "2 minutes")],
)
def test_an_estimate_is_a_round_number(seconds: float, words: str) -> None:
    assert text.about(seconds) == words


def test_long_estimates_are_in_minutes_or_hours() -> None:
    assert text.about(640) == "11 minutes"
    assert text.about(7300) == "2 hours"
    assert (text.until_list(0), text.until_list(None)) == ("at once", "")


# The command line


def exported(folder: Path, rows: list[tuple[str, int, float]]) -> Path:
    path = folder / "ratings.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Date", "Name", "Year", "Letterboxd URI", "Rating"])
        writer.writerows(["2024-01-01", title, year, "https://boxd.it/x", stars] for title, year, stars in rows)
    return path


NEW = [("Paper Moons", 2030, 5.0), ("Iron Suns", 2031, 4.0), ("Silent Stars", 2032, 4.5), ("The Godfather", 1972, 5.0)]
"""Three movies that are newer than the demo, and one that the demo has."""


def test_import_says_which_dataset_has_the_newer_movies(
    run: Run, ready: Path, tmp_path: Path, online: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = catalogue.sources.SOURCES["ml-32m"]
    monkeypatch.setitem(catalogue.sources.SOURCES, "ml-32m", replace(source, years=(1874, 2032)))
    path = exported(tmp_path, NEW)
    result = run("import", path, "--profile", "it's me", "--dataset", "demo")
    assert result.exit_code == 0
    assert re.search(
        r"3 of 4 movies are newer than demo \(\d{4}\)\. ml-32m goes to 2032 \(239 MB, about 5 minutes\)\.",
        " ".join(result.stdout.split()),
    )
    assert "movietui data get ml-32m && movietui train mf --dataset ml-32m" in " ".join(result.stdout.split())
    document = json.loads(run("import", path, "--profile", "me", "--dataset", "demo", "--json").stdout)
    assert document["newer"]["dataset"] == "ml-32m"
    assert (document["newer"]["newer"], document["newer"]["movies"], document["newer"]["state"]) == (3, 4, "get")
    assert document["newer"]["commands"][0] == "movietui data get ml-32m"
    monkeypatch.setenv("MOVIETUI_OFFLINE", "1")
    assert json.loads(run("import", path, "--profile", "me", "--json").stdout)["newer"] is None
    assert "newer than" not in run("import", path, "--profile", "me").stdout


def test_the_command_for_a_dataset_that_is_ready_names_the_profile() -> None:
    show = "movietui recommend --profile 'it'\"'\"'s me; rm -rf' --dataset ml-32m"
    assert newer_datasets.commands({**OFFER, "state": "open"}, "it's me; rm -rf") == [show]
    commands = newer_datasets.commands({**OFFER, "state": "learn"}, "it's me; rm -rf")
    assert commands == ["movietui train mf --dataset ml-32m", show]


def test_the_list_of_datasets_has_its_facts(run: Run) -> None:
    listed = {row["name"]: row for row in json.loads(run("data", "list", "--json").stdout)}
    facts = {key: listed["ml-latest"][key] for key in ("first_year", "last_year", "ratings", "users", "movies")}
    assert facts == {
        "first_year": 1874,
        "last_year": 2023,
        "ratings": 33_832_162,
        "users": 330_975,
        "movies": 86_537,
    }
    assert listed["ml-latest"]["disk"] > listed["ml-latest"]["download"] > 0
    assert listed["demo"]["seconds"] is None
    table = run("data", "list").stdout
    (line,) = (line for line in table.splitlines() if line.startswith("ml-32m"))
    for cell in ("1874–2023", "32,000,204", "87,585", "239 MB", "5 minutes", "623 MB"):
        assert cell in line


def test_a_narrow_terminal_lists_the_most_important_facts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    heading, *rows = run("data", "list").stdout.splitlines()
    assert heading.split()[:3] == ["dataset", "state", "years"]
    assert "title" not in heading
    assert all(len(row) <= 60 for row in rows)


# The app


@pytest.fixture
def jobs() -> list[FakeJob]:
    FakeJob.made = []
    return FakeJob.made


@pytest.fixture
def engine(faked: FakeEngine) -> FakeEngine:
    faked.newer = {**OFFER}
    return faked


def line(driver: Driver) -> str:
    """Return the line that offers a dataset; empty if the line is hidden."""
    widget = driver.browse.query_one(NewerLine)
    return lines(driver.app)[widget.region.y].strip() if widget.display else ""


def window(store: Store, engine: FakeEngine, size: tuple[int, int] = LARGE) -> Any:
    return started(size, engine=engine, job=lambda: FakeJob(store))


@SIZES
async def test_the_offer_is_below_the_list_until_it_is_hidden(
    store: Store, engine: FakeEngine, jobs: list[FakeJob], size: tuple[int, int]
) -> None:
    async with window(store, engine, size) as driver:
        await driver.see("ml-32m goes to 2023 (239 MB, about 11 minutes): X gets it · H hides this")
        assert ("ml-100k ends in 1998. " in line(driver)) == (size == LARGE)
        await driver.press("H")
        await driver.wait_for_notice("Hidden; d shows all datasets")
        assert line(driver) == ""
        await driver.press("X")
        await driver.wait_for_notice("No dataset with newer movies is offered; d shows all datasets.")
    async with window(store, engine, size) as driver:
        await driver.until(lambda: [name for name, _ in engine.asked].count("newer_dataset") == 2, "the request")
        await driver.pilot.pause()
        assert line(driver) == ""
    engine.newer = {**OFFER, "dataset": "ml-99m"}  # hiding one offer does not hide that of a newer dataset
    async with window(store, engine, size) as driver:
        await driver.see("ml-99m goes to 2023")
    assert not jobs


async def test_an_import_with_newer_movies_shows_a_hidden_offer_again(
    store: Store, engine: FakeEngine, jobs: list[FakeJob]
) -> None:
    async with window(store, engine) as driver:
        await driver.see("X gets it")
        await driver.press("H")
        await driver.until(lambda: line(driver) == "", "no offer")
        report: Any = {"newer": {**OFFER, "newer": 141, "movies": 174}}
        driver.app.newer.after_import(report)
        await driver.see(
            "141 of 174 movies are newer than ml-100k (1998). ml-32m goes to 2023 (239 MB, about 11 minutes)"
        )
        driver.app.newer.after_import({**report, "newer": None})
        assert "141 of 174" in line(driver)


async def test_the_dataset_is_fetched_in_the_background_and_opened_on_request(
    store: Store, engine: FakeEngine, jobs: list[FakeJob]
) -> None:
    store.create_profile("anna")
    async with window(store, engine) as driver:
        await driver.see("X gets it")
        await driver.press("X")
        await driver.see("Getting ml-32m in the background · X stops it")
        await driver.see("get ml-32m ─")
        rated = await driver.rate("5")
        assert rated
        jobs[0].end()
        await driver.see("train mf · ml-32m")
        request = await train_request(jobs, 1)
        assert (request["model"], request["dataset"]) == ("mf", "ml-32m")
        titles, cursor = driver.titles(50), driver.movies.cursor
        jobs[1].end()
        await driver.wait_for_notice("ml-32m is ready: press X to open it")
        await driver.see("ml-32m goes to 2023 and is ready: X opens it")
        assert (driver.titles(50), driver.movies.cursor) == (titles, cursor)
        assert driver.app.session.opened is not None
        assert driver.app.session.opened["dataset"] == "demo"
        engine.newer = None
        await driver.press("X")
        await driver.wait_for_notice("ml-32m has movies up to 2023; your ratings count here too")
        await driver.until(lambda: "ml-32m · 240 movies" in lines(driver.app)[0], "the title line")
        await driver.until(lambda: line(driver) == "", "no offer")
        assert rated not in driver.titles(100)
    assert [name for name, _ in store.profiles()] == [profile("anna")]


async def test_pressing_the_key_again_cancels_and_the_offer_stays(
    store: Store, engine: FakeEngine, jobs: list[FakeJob]
) -> None:
    async with window(store, engine, SMALL) as driver:
        await driver.see("X gets it")
        await driver.press("X")
        await driver.see("Getting ml-32m")
        await driver.press("X")
        await driver.wait_for_notice("Stopped getting ml-32m; the download can continue later")
        await driver.see("X gets it")
        await driver.press("X")
        await driver.until(lambda: len(jobs) == 2, "the second attempt")
        jobs[1].end()
        await driver.until(lambda: len(jobs) == 3 and driver.app.newer.run, "the training")
        await driver.press("X")
        await driver.wait_for_notice("Stopped getting ml-32m")
        assert "download" not in driver.app.notice.plain
        assert [run.state for run in store.runs() if run.dataset == "ml-32m"] == ["cancelled"]
        assert driver.app.queue.running == []


async def test_a_failure_is_reported_and_the_offer_stays(store: Store, engine: FakeEngine, jobs: list[FakeJob]) -> None:
    async with window(store, engine) as driver:
        await driver.see("X gets it")
        await driver.press("X")
        await driver.until(lambda: jobs, "the job")
        jobs[0].end("failed")
        await driver.wait_for_notice("There is no such model.")
        await driver.see("X gets it")


async def test_a_dataset_that_is_ready_opens_at_once(store: Store, engine: FakeEngine, jobs: list[FakeJob]) -> None:
    with_run(store, "ml-32m")
    store.choose("dataset", "demo")
    engine.newer = {**OFFER, "state": "open", "download": 0, "seconds": 0.0}
    async with window(store, engine) as driver:
        await driver.see("ml-32m goes to 2023 and is ready: X opens it")
        engine.newer = None
        await driver.press("X")
        await driver.until(lambda: "ml-32m · " in lines(driver.app)[0], "the other list")
    assert not jobs


@SIZES
async def test_the_line_says_that_the_disk_is_full(
    store: Store, engine: FakeEngine, jobs: list[FakeJob], size: tuple[int, int]
) -> None:
    engine.newer = {**OFFER, "state": "full", "free": 5_000_000}
    async with window(store, engine, size) as driver:
        await driver.see("H hides this")
        assert ("it needs 623 MB of disk space, and only 5.0 MB is free" in line(driver)) == (size == LARGE)
        await driver.press("X")
        await driver.wait_for_notice("only 5.0 MB is free; free some space first.")
    assert not jobs


async def test_the_dial_to_recent_movies_is_in_the_heading(faked: FakeEngine) -> None:
    async with started(SMALL, engine=faked) as driver:
        await driver.press(*["greater_than_sign"] * 3)
        await driver.wait_for_notice("any year ├───●───────┤ recent")
        assert "any year ├───●───────┤ recent" in lines(driver.app)[1]
        queries = [arguments["query"] for name, arguments in faked.asked if name == "rank"]
        assert [query.get("recent") for query in queries[-4:]] == [None, 0.1, 0.2, 0.3]
        assert driver.app.session.view.recent == 0.3
        await driver.press(*["less_than_sign"] * 4)
        await driver.until(lambda: driver.app.session.view.recent == 0, "the dial at its start")
        await driver.until(lambda: "recent" not in lines(driver.app)[1], "no dial")


# From an import to the new list, in a terminal


@pytest.fixture
def archive_server(tmp_path: Path) -> Iterator[Server]:
    """A server with an archive that has the layout of ML-32M, but is small."""
    folder = tmp_path / "generated"
    generate(folder, 20_000, seed=1)
    archive = tmp_path / "ml-32m.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in folder.iterdir():
            packed.write(path, f"ml-32m/{path.name}")
    with serving("ml-32m.zip") as state:
        state.content = archive.read_bytes()
        yield state


def newest(folder: Path, count: int) -> list[tuple[str, int, float]]:
    """Return the newest movies in generated files, each with five stars, for a file to import."""
    with (folder / "movies.csv").open(newline="") as file:
        named = [re.fullmatch(r"(.*) \((\d{4})\)", row["title"]) for row in csv.DictReader(file)]
    rows = [(match[1], int(match[2])) for match in named if match and ", " not in match[1] and " " in match[1]]
    rows = [(title, year) for title, year in rows if not title.startswith(("The ", "A ", "Le "))]
    rows.sort(key=lambda row: -row[1])
    return [(title, year, 5.0) for title, year in rows[:count]]


def test_an_import_leads_to_the_list_of_a_newer_dataset(
    ready: Path, tmp_path: Path, start: Start, archive_server: Server
) -> None:
    rows = newest(tmp_path / "generated", 12)
    path = exported(tmp_path, rows)
    size, digest = len(archive_server.content), hashlib.sha256(archive_server.content).hexdigest()
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "sitecustomize.py").write_text(
        "from dataclasses import replace\n"
        "from movietui.data.fetch.sources import SOURCES\n"
        f"SOURCES['ml-32m'] = replace(SOURCES['ml-32m'], url={archive_server.url!r}, sha256={digest!r}, size={size},\n"
        "    ratings=20_000, years=(1874, 2099))\n"
    )
    with closing(Store(locations.store())) as store:
        store.rate(store.create_profile("anna"), Movie("godfather 1972", "The Godfather", 1972), 5.0)
        store.choose("viewer:demo", "profile:anna")
    terminal = start((140, 40), MOVIETUI_OFFLINE="0", PYTHONPATH=os.pathsep.join([str(scripts), str(ROOT)]))
    terminal.wait_for_movies(5)
    terminal.send("i")
    terminal.wait_for("Letterboxd")
    terminal.send(*str(path), "enter")
    terminal.wait_for("imports 12 movies into anna")
    terminal.send("y")
    terminal.wait_for("ml-32m goes to 2099")
    terminal.wait_for("X gets it")
    terminal.send("X")
    terminal.wait_for("Getting ml-32m")
    terminal.send("5")
    terminal.wait_for("rated ")
    terminal.wait_for("ml-32m goes to 2099 and is ready: X opens it")
    assert "demo · " in terminal.lines[0]
    terminal.send("X")
    terminal.wait_for("ml-32m · ")
    terminal.wait_for(f"{len(rows)} rated")
    assert "anna" in terminal.lines[0]
    quit_with(terminal, "q", ready)
    with closing(Store(locations.store())) as store:
        assert dict(store.profiles())[profile("anna")] == len(rows) + 2
