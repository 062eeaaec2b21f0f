"""The list, the watchlist and ratings are copied and saved as they are shown."""

import csv
import errno
import io
import os
from pathlib import Path

import pytest

from movietui.data.problems import Problem
from movietui.data.storage import disk
from movietui.data.storage.paths import free_path
from movietui.formatting.movie_files import (
    FORMATS,
    FileMovie,
    MovieFile,
    listed,
    ratings_file,
    recommended,
    shortlist_file,
    to_csv,
    to_letterboxd,
    to_markdown,
)
from movietui.models.choices import ORDERS
from movietui.protocol.messages import MovieRow
from movietui.protocol.viewers import profile
from movietui.store.ratings import Ids, Movie, Store
from movietui.ui.browse import writing
from movietui.ui.browse.write_panel import COUNTS
from tests.movietui.driving import LARGE, SIZES, SMALL, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, title, with_run

ANNA = profile("anna")
HOSTILE = "=1+[x](http://e.org) *b* \x1b]52;c;eA==\x07<i>"


@pytest.fixture
def folder(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder. A profile in the store has two ratings and one movie on its watchlist."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(tmp_path))
    with_run(store)
    store.create_profile("anna")
    store.rate(ANNA, Movie("20", title(20), 1970, Ids("tt0000020", 20, 2)), 3.0)
    store.rate(ANNA, Movie("30", title(30), 1980), 4.5)
    store.mark(ANNA, Movie("40", title(40), 1990, Ids("tt0000040")), "watchlist")
    return work


async def choose(driver: Driver, *keys: str) -> None:
    await driver.press("Y")
    await driver.see("Copy or save")
    await driver.press(*keys)


def table(content: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content)))


def on_screen(driver: Driver, row: MovieRow) -> str:
    """Return the line of the list that shows a movie."""
    return next(line for line in lines(driver.app) if f" {row['title']} " in line and "±" in line)


# From the list


async def test_the_shortlist_is_copied_as_it_is_shown(folder: Path, store: Store) -> None:
    async with started(LARGE, engine=FakeEngine()) as driver:
        shown_rows = driver.movies.known_rows()[:10]
        drawn = [on_screen(driver, row) for row in shown_rows]
        await choose(driver, "enter")
        await driver.wait_for_notice("Copied 10 movies as Markdown")
        head, _, about, _, *written = driver.app.clipboard.splitlines()
        assert head == "# What anna may like"
        assert about == f"From demo, by the model mf. Ordered by {ORDERS['liked']}."
        assert len(written) == 10
        for rank, (row, line, on_screen_line) in enumerate(zip(shown_rows, written, drawn, strict=True), 1):
            assert line.startswith(f"{rank}. ")
            assert row["title"] in line
            figures = line.partition(": ")[2].split(", ")
            assert figures[0] in on_screen_line
            assert f" {figures[1].removesuffix('s').removesuffix(' rating')} " in on_screen_line
        assert not list(folder.iterdir())


async def test_a_whole_long_list_can_be_copied(folder: Path) -> None:
    async with started(engine=FakeEngine()) as driver:
        total = driver.movies.total
        await choose(driver, "right", *["plus"] * 9, "enter")
        await driver.wait_for_notice(f"Copied {total} movies as CSV")
        rows = table(driver.app.clipboard)
        await driver.press("end")
        await driver.until(lambda: driver.movies.current, "the last movie")
        assert [row["rank"] for row in rows] == [str(rank) for rank in range(1, total + 1)]
        last = driver.movies.current
        assert last is not None
        assert (rows[-1]["title"], rows[-1]["predicted"]) == (last["title"], f"{last['stars']:.1f}")
        await choose(driver)
        await driver.see(f"● all {total}")  # as chosen last time
        await driver.see("● CSV")


async def test_a_copied_list_says_which_viewers_and_which_filter_it_is_for(folder: Path) -> None:
    async with started(LARGE, engine=FakeEngine()) as driver:
        await driver.press("left", "down", "p")
        await driver.until(lambda: driver.movies.together, "the pair")
        await driver.press("right", "e")
        await driver.until(lambda: driver.app.session.view.filter_text == "+even", "the filter")
        await driver.press("full_stop", "greater_than_sign", "exclamation_mark")
        await driver.wait_for_notice("vetoed")
        await driver.until(lambda: driver.movies.total, "the list")
        first, vetoed = driver.movies.known_rows()[0], driver.app.session.audience.vetoes[0].movie.title
        names = [ref.label for ref in driver.app.session.audience.viewers]
        await choose(driver, "enter")
        await driver.wait_for_notice("Copied 10 movies")
        head, _, about, _, line, *_ = driver.app.clipboard.splitlines()
        assert head == f"# What {names[0]} and {names[1]} may like"
        about = about.replace("\\", "")
        assert "Unseen by both, with the scores combined as “weighted”, 60% of the way to least misery." in about
        assert "Filter: +even." in about
        assert "10% daring. 10% recent." in about
        assert f"Without {vetoed}." in about
        each = ", ".join(f"{name} ★ {stars:.1f}" for name, stars in zip(names, first["by"], strict=True))
        assert f"★ {first['stars']:.1f}, {each}, agree" in line
        await choose(driver, "right", "enter")
        await driver.wait_for_notice("as CSV")
        row = table(driver.app.clipboard)[0]
        assert row[f"predicted for {names[1]}"] == f"{first['by'][1]:.1f}"
        assert "uncertainty" not in row


async def test_an_empty_list_is_not_copied(folder: Path) -> None:
    engine = FakeEngine()
    async with started(engine=engine) as driver:
        engine.titles = []
        await driver.press("e")
        await driver.until(lambda: not driver.movies.total, "the empty list")
        await choose(driver, "plus", "enter")
        await driver.wait_for_notice("The list is empty, so there is nothing to copy or save.")
        assert driver.app.clipboard == ""


# Watchlist and ratings


async def test_the_watchlist_can_be_copied(folder: Path, store: Store) -> None:
    async with started(engine=FakeEngine()) as driver:
        await choose(driver, "down", "enter")
        await driver.wait_for_notice("Copied 1 movie as Markdown")
        link = "https://www.imdb.com/title/tt0000040/"
        assert driver.app.clipboard == f"# Watchlist of anna\n\n- [{title(40)} \\(1990\\)]({link})\n"
        store.unmark(ANNA, Movie("40", title(40), 1990), "watchlist")
        await choose(driver, "down", "enter")
        await driver.wait_for_notice("The watchlist of anna is empty; w adds the selected movie.")


async def test_ratings_can_be_copied_for_letterboxd(folder: Path) -> None:
    async with started(engine=FakeEngine()) as driver:
        await choose(driver, "down", "down", "left")
        await driver.see("● Letterboxd")
        await driver.see("Import a list or watchlist as")
        await driver.press("enter")
        await driver.wait_for_notice("Copied 2 movies for Letterboxd")
        assert table(driver.app.clipboard) == [
            {"tmdbID": "", "imdbID": "tt0000030", "Title": title(30), "Year": "1980", "Rating": "4.5"},
            {"tmdbID": "", "imdbID": "tt0000020", "Title": title(20), "Year": "1970", "Rating": "3.0"},
        ]


async def test_ratings_are_written_in_the_order_shown(folder: Path) -> None:
    async with started(engine=FakeEngine()) as driver:
        await driver.press("asterisk")
        await driver.see("2 ratings")
        await driver.press("home", "1", "o")
        await driver.see("most stars first")
        drawn = [line for line in lines(driver.app) if "★" in line and "19" in line]
        await driver.press("Y")
        await driver.see("most stars first")
        await driver.press("enter")
        await driver.wait_for_notice("Copied 2 movies as Markdown")
        _, _, about, _, *written = driver.app.clipboard.splitlines()
        assert about == "Predicted stars are from the model mf, trained on demo. Most stars first."
        for line, on_screen_line, stars in zip(written, drawn, ("★ 3", "★ 1"), strict=False):
            rating, predicted, date = line.rpartition(": ")[2].split(", ")
            assert rating == stars
            assert stars in on_screen_line
            assert predicted.removeprefix("predicted ") in on_screen_line
            assert date in on_screen_line


# To a file


async def test_a_file_is_saved_and_never_replaced_without_asking(folder: Path) -> None:
    (folder / "movies.md").write_text("mine")
    async with started(engine=FakeEngine()) as driver:
        await choose(driver, "s")
        await driver.see("Save 10 movies as Markdown to:")
        field = driver.app.screen.query_one("#name")
        assert field.value == str(folder / "movies-2.md")  # type: ignore[attr-defined]
        field.value = str(folder / "movies.md")  # type: ignore[attr-defined]
        await driver.press("enter")
        await driver.see("already exists")
        await driver.press("n")
        await driver.see("Save 10 movies")
        assert (folder / "movies.md").read_text() == "mine"
        await driver.press("enter")
        await driver.see("already exists")
        await driver.press("y")
        await driver.wait_for_notice(f"Saved 10 movies as Markdown to {folder / 'movies.md'}")
        assert (folder / "movies.md").read_text("utf-8").startswith("# What anna may like\n")
        await choose(driver, "right", "s")
        await driver.see("as CSV to:")
        await driver.press("enter")
        await driver.wait_for_notice("Saved 10 movies")
        assert len(table((folder / "movies.csv").read_text("utf-8"))) == 10
        await choose(driver, "s")
        await driver.see("as CSV to:")
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.browse, "the list")
        assert sorted(path.name for path in folder.iterdir()) == ["movies.csv", "movies.md"]


async def test_a_file_that_cannot_be_written_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with started(engine=FakeEngine()) as driver:
        await choose(driver, "s")
        await driver.see("Save 10 movies")
        field = driver.app.screen.query_one("#name")
        for typed, problem in (
            ("", "Type a file name."),
            (str(folder), "is a folder; add a file name"),
            (str(folder / "none" / "x.md"), "No such file or directory"),
        ):
            field.value = typed  # type: ignore[attr-defined]
            await driver.press("enter")
            await driver.until(lambda problem=problem: problem in str(driver.widget("#wrong").render()), problem)

        def full(path: Path) -> object:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(disk, "open_new", full)
        field.value = "x.md"  # type: ignore[attr-defined]
        await driver.press("enter")
        await driver.until(lambda: "No space left on device" in str(driver.widget("#wrong").render()), "the problem")
        await driver.press("escape")
        assert not list(folder.iterdir())


async def test_a_text_that_is_too_long_for_the_clipboard_is_not_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "COPY_LIMIT", 300)
    async with started(engine=FakeEngine()) as driver:
        await choose(driver, "enter")
        await driver.wait_for_notice("save them to a file")
        assert driver.app.clipboard == ""


def test_the_proposed_file_is_new_and_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    here, downloads = tmp_path / "here", tmp_path / "Downloads"
    here.mkdir()
    monkeypatch.chdir(here)
    assert writing.proposed_path("movies", ".md") == here / "movies.md"
    (here / "movies.md").touch()
    assert writing.proposed_path("movies", ".md") == here / "movies-2.md"
    monkeypatch.setattr(os, "access", lambda path, mode: path != here)
    assert writing.proposed_path("movies", ".md") == tmp_path / "movies.md"
    downloads.mkdir()
    assert writing.proposed_path("movies", ".md") == downloads / "movies.md"
    assert free_path(here, "runs", ".csv") == here / "runs.csv"


# The panel


@SIZES
async def test_the_panel_opens_from_the_palette_and_offers_choices(folder: Path, size: tuple[int, int]) -> None:
    async with started(size, engine=FakeEngine()) as driver:
        await driver.press("ctrl+p")
        await driver.type("copy or save")
        await driver.see("Copy or save the list, watchlist or ratings")
        await driver.press("down", "enter")
        await driver.see("enter copy · s save to a file · esc back")
        for words in ("This list", "Watchlist of anna", "Ratings of anna", "● Markdown", "○ CSV", "○ Letterboxd"):
            await driver.see(words)
        for count in COUNTS:
            await driver.see(f" {count} ")
        await driver.press("minus")
        await driver.see("● 10")
        await driver.press("plus", "plus")
        await driver.see("● 50")
        await driver.press("down")
        await driver.until(lambda: "● 50" not in shown(driver.app), "no choice of how many")
        y = next(y for y, line in enumerate(lines(driver.app)) if "○ CSV" in line)
        x = lines(driver.app)[y].index("○ CSV")
        await driver.pilot.click(offset=(x + 2, y))
        await driver.see("● CSV")
        await driver.press("Y")
        await driver.until(lambda: driver.app.screen is driver.browse, "the list")
        assert driver.app.clipboard == ""


async def test_copying_needs_a_list(store: Store) -> None:
    async with started(SMALL, engine=FakeEngine(), wait=False) as driver:
        await driver.app.switch_mode("browse")
        await driver.press("Y")
        await driver.wait_for_notice("There is no list yet")


# The text


def test_hostile_titles_are_written_as_text() -> None:
    movie = FileMovie(HOSTILE, 1990, ("tt1/../x", 0, 0), 1, predicted=4.62, uncertainty=0.51, by=(4.0, 5.0), count=1234)
    file = shortlist_file(["*anna*", HOSTILE], [movie], HOSTILE, "mf", [f"Filter: {HOSTILE}"])
    text = to_markdown(file)
    assert "\x1b" not in text
    assert "](" not in text.replace("\\]\\(", "")
    assert "://e" not in text
    assert ": ★ 4.6 ±.5, " in text.splitlines()[-1]
    assert text.splitlines()[-1].endswith(" ★ 5.0, 1,234 ratings")
    (_, row) = csv.reader(io.StringIO(to_csv(file)))
    assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert "\x1b" not in to_csv(file) + to_letterboxd(file)


def test_columns_without_values_are_left_out() -> None:
    assert to_csv(MovieFile("x", [FileMovie("Fargo")])) == "title,year\r\nFargo,\r\n"
    rated = FileMovie("Fargo", 1996, ("tt0116282", 275, 0), stars=4.5, predicted=4.0, at="2020-01-05T10:00:00+00:00")
    assert to_csv(MovieFile("x", [rated])).splitlines() == [
        "title,year,rating,predicted,date,imdb_id,tmdb_id",
        "Fargo,1996,4.5,4.0,2020-01-05T10:00:00+00:00,tt0116282,275",
    ]
    line = "- [Fargo \\(1996\\)](https://www.imdb.com/title/tt0116282/): ★ 4½, predicted ★ 4.0, 2020-01-05"
    assert to_markdown(MovieFile("x", [rated])).splitlines()[2] == line
    predicted = FileMovie("Fargo", 1996, rank=1, predicted=4.5)
    assert to_letterboxd(MovieFile("x", [predicted])).splitlines()[1] == ",,Fargo,1996,"  # a prediction is not a rating


def test_commands_and_the_app_write_the_same() -> None:
    row = FakeEngine().rank(
        query={"viewers": [{"kind": "user", "id": "1", "rated": [], "seen": [], "hidden": []}], "misery": 0.0},
        offset=0,
        limit=1,
    )["rows"][0]
    named = {**row, "stars_by_viewer": row["by"], "why": [], "alike": []}
    assert recommended(named) == listed(row)
    why = [{"title": "Alien", "weight": 0.2, "stars": 5.0}]
    assert to_markdown(MovieFile("x", [recommended({**named, "why": why})])).endswith(", because of Alien\n")


def test_each_format_has_a_suffix() -> None:
    assert [each.suffix for each in FORMATS.values()] == [".md", ".csv", ".csv"]
    assert ratings_file("anna", [], "demo", "mf").title == "Ratings of anna"
    with pytest.raises(Problem, match="Type a file name"):
        writing._write_new(b"", " ")
