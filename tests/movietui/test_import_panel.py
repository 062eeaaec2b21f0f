"""The panels of an import: the file, its preview, decisions about ambiguous titles, and cancelling."""

from pathlib import Path

import pytest

from movietui.data.storage import locations
from movietui.protocol.viewers import profile
from movietui.store.ratings import Store
from movietui.ui.browse.import_panel import ChoicePanel, PreviewPanel
from movietui.ui.panels import completions
from tests.data.exports import IMDB, imdb_row, letterboxd, letterboxd_row, table
from tests.data.files import write_zip
from tests.movietui.at_hand import EngineAtHand
from tests.movietui.driving import LARGE, SIZES, Driver, started


@pytest.fixture
def engine(ready: Path) -> EngineAtHand:
    return EngineAtHand()


def movies(engine: EngineAtHand) -> list[tuple[str, int]]:
    """Return the titles and years of the movies in the demo."""
    demo = engine.service.opened.dataset.movies
    return [(demo.titles[row], int(demo.years[row])) for row in range(len(demo))]


def zip_of(tmp_path: Path, engine: EngineAtHand) -> Path:
    """Return a zip with movies of the demo, one of them with a wrong year, an unknown movie, and an untitled row."""
    (one, a), (two, b), (three, c), (four, d) = movies(engine)[:4]
    files = letterboxd(
        ratings=[
            letterboxd_row(one, a, 4.5),
            letterboxd_row(two, b, 1),
            letterboxd_row(three, c + 2, 3),
            letterboxd_row("[b]Nowhere[/b]", 1950, 2),
        ],
        watchlist=[letterboxd_row(four, d), letterboxd_row("", 1990)],
    )
    return write_zip(tmp_path / "letterboxd.zip", files, "")


async def choose_file(driver: Driver, path: Path) -> None:
    await driver.press("i")
    await driver.see("tab complete")
    driver.app.screen.query_one("#path").value = str(path)  # type: ignore[attr-defined]
    await driver.press("enter")


def counts(driver: Driver) -> list[str]:
    return str(driver.app.screen.query_one("#parts").render()).split()


@SIZES
async def test_a_preview_can_be_settled_and_imported(
    engine: EngineAtHand, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with started(size, engine=engine) as driver:
        path = zip_of(tmp_path, engine)
        (third, year), key = movies(engine)[2], engine.service.opened.dataset.movies.keys[2]
        await choose_file(driver, path)
        await driver.see("could be")
        assert " ".join(counts(driver)) == "1 needs review 1 2 matched 3 3 not in dataset 1 4 skipped 1"
        await driver.press("enter")
        await driver.until(lambda: isinstance(driver.app.screen, ChoicePanel), "the choice")
        await driver.see("none of these")
        await driver.press("enter")
        await driver.until(lambda: isinstance(driver.app.screen, PreviewPanel), "the preview")
        await driver.see(f"✓ {third} ({year + 2})"[:30])
        await driver.press("right")
        await driver.see("★ 4½")
        await driver.press("3")
        await driver.see("[b]Nowhere[/b] (1950)")
        await driver.press("4")
        await driver.see("it has no title")
        await driver.press("y")
        await driver.see("Whose movies are these?")
        await driver.type("anna")
        await driver.press("enter")
        await driver.wait_for_notice("anna now has 5 movies from letterboxd.zip, 4 of them in demo · u undo")
        store = Store(locations.store())
        assert {rated.movie.title: rated.stars for rated in store.ratings(profile("anna"))}["[b]Nowhere[/b]"] == 2
        assert store.settled() == {f"{key.rpartition(' ')[0]} {year + 2}": key}
        assert driver.app.session.audience.rater == profile("anna")

        await choose_file(driver, path)
        await driver.see("by hand" if size == LARGE else "matched 4")
        assert " ".join(counts(driver)) == "1 needs review 0 2 matched 4 3 not in dataset 1 4 skipped 1"
        await driver.press("y")
        await driver.wait_for_notice("anna already has everything from letterboxd.zip (5 movies); nothing changed")
        assert len(store.history(profile("anna"))) == 1
        await driver.press("u")
        await driver.wait_for_notice("undid an import with")
        assert not store.ratings(profile("anna"))
        assert not store.marks(profile("anna"))
        store.close()


async def test_an_empty_part_of_a_preview_says_what_that_means(engine: EngineAtHand, tmp_path: Path) -> None:
    files = letterboxd(ratings=[letterboxd_row("Nowhere", 1950, 2)])
    async with started(engine=engine) as driver:
        await choose_file(driver, write_zip(tmp_path / "letterboxd.zip", files, ""))
        await driver.see("Nowhere (1950)")
        for key, words in (
            ("1", "Nothing needs review."),
            ("2", "No movie was matched."),
            ("4", "Nothing was skipped."),
        ):
            await driver.press(key)
            await driver.see(words)


async def test_escape_leaves_everything_as_it_was(engine: EngineAtHand, tmp_path: Path) -> None:
    async with started(engine=engine) as driver:
        await choose_file(driver, zip_of(tmp_path, engine))
        await driver.see("could be")
        await driver.press("enter", "enter", "escape")
        await driver.wait_for_notice("Import cancelled")
        store = Store(locations.store())
        assert (store.profiles(), store.settled()) == ([], {})
        store.close()


async def test_a_movie_may_be_none_of_its_candidates_and_another_profile_chosen(
    engine: EngineAtHand, tmp_path: Path
) -> None:
    store = Store(locations.store())
    store.create_profile("Anna")
    async with started(engine=engine) as driver:
        await choose_file(driver, zip_of(tmp_path, engine))
        await driver.see("could be")
        await driver.press("enter", "G", "enter")
        await driver.see("✓")
        await driver.see("none of these")
        await driver.see("into Anna")
        await driver.press("n")
        await driver.see("existing profiles: Anna")
        await driver.type("tom")
        await driver.press("enter")
        await driver.see("into tom")
        await driver.press("y")
        await driver.wait_for_notice("tom now has 5 movies from letterboxd.zip, 3 of them in demo")
        assert list(store.settled().values()) == [None]
        assert dict(store.profiles()) == {profile("Anna"): 0, profile("tom"): 4}
    store.close()


async def test_an_export_from_imdb_is_recognised(engine: EngineAtHand, tmp_path: Path) -> None:
    async with started(engine=engine) as driver:
        (title, year), *_ = movies(engine)
        path = tmp_path / "ratings.csv"
        path.write_bytes(table(IMDB["2017"], [imdb_row("tt9999999", 7, title, year)], "\r\n"))
        await choose_file(driver, path)
        await driver.see("Import · ratings.csv · imdb")
        await driver.see("★ 3½")


async def test_a_scale_that_was_guessed_can_be_changed(engine: EngineAtHand, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    async with started(engine=engine) as driver:
        (title, year), *_ = movies(engine)
        path.write_text(f"Title,Year,Rating,Mood\n{title},{year},4\n")
        await choose_file(driver, path)
        await driver.see("ratings up to 5 (assumed)")
        await driver.see("Ignored columns: Mood")
        await driver.see("★ 4")
        await driver.press("s")
        await driver.see("ratings up to 10 (as you chose)")
        await driver.see("★ 2")
        await driver.press("y")
        await driver.see("Whose movies are these?")
        await driver.type("anna")
        await driver.press("enter")
        await driver.wait_for_notice("anna now has 1 movie from mine.csv")
        store = Store(locations.store())
        assert [rated.stars for rated in store.ratings(profile("anna"))] == [2]
        store.close()


async def test_titles_without_ratings_become_a_list_or_seen_movies(engine: EngineAtHand, tmp_path: Path) -> None:
    path = tmp_path / "evening.txt"
    async with started(engine=engine) as driver:
        (title, year), *_ = movies(engine)
        path.write_text(f"{title} ({year})\n")
        for presses, outcome in (
            (0, "anna now has the list evening from evening.txt"),
            (1, "anna now has 1 movie from evening"),
        ):
            await choose_file(driver, path)
            await driver.see("Imported as a list")
            await driver.press(*"m" * presses)
            await driver.see("Imported as seen movies" if presses else "List “evening”: 1 title")
            await driver.press("y")
            if not presses:
                await driver.see("Whose movies are these?")
                await driver.type("anna")
                await driver.press("enter")
            await driver.wait_for_notice(outcome)
        store = Store(locations.store())
        assert store.lists(profile("anna")) == [("evening", 1)]
        assert [marked.mark for marked in store.marks(profile("anna"))] == ["seen"]
        await driver.press("u", "u")
        await driver.wait_for_notice("undid the list evening")
        assert store.lists(profile("anna")) == []
        store.close()


async def test_a_path_in_quotes_is_accepted(engine: EngineAtHand, tmp_path: Path) -> None:
    path = tmp_path / "my export.csv"
    path.write_text("Title,Rating\nX (1990),4\n")
    async with started(engine=engine) as driver:
        await choose_file(driver, Path(f"'{path}' "))
        await driver.see("Import · my export.csv · csv")


async def test_the_panel_reports_a_file_that_is_not_an_export(engine: EngineAtHand, tmp_path: Path) -> None:
    async with started(LARGE, engine=engine) as driver:
        hostile = write_zip(tmp_path / "slip.zip", {"ratings.csv": b"Name\nx\n", "../../evil.csv": b"Name\nx\n"}, "")
        other = tmp_path / "other.csv"
        other.write_text("colour,size\nred,3\n")
        await driver.press("i")
        await driver.see("tab complete")
        field = driver.app.screen.query_one("#path")
        for path, sentence in (
            (hostile, "slip.zip"),
            (other, "other.csv"),
            (tmp_path / "none.zip", "does not exist"),
            ("~nobody-of-this-name/x.zip", "does not exist"),
        ):
            field.value = str(path)  # type: ignore[attr-defined]
            await driver.press("enter")
            await driver.until(lambda sentence=sentence: sentence in wrong(driver), sentence)
            assert wrong(driver).count("\n") == 0
        await driver.press("escape")
        assert driver.app.screen is driver.browse


def wrong(driver: Driver) -> str:
    return str(driver.app.screen.query_one("#wrong").render())


def test_paths_are_completed_to_folders_and_matching_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Lists.zip", "letterboxd.ZIP", "letters.txt", ".hidden.zip"):
        (tmp_path / name).touch()
    (tmp_path / "let").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert completions("~/l", (".zip",)) == ["let/", "letterboxd.ZIP"]
    assert completions("let", (".zip",)) == ["let/", "letterboxd.ZIP"]
    assert completions(f"{tmp_path}/", (".zip",)) == ["let/", "letterboxd.ZIP", "Lists.zip"]
    assert completions("~/.h", (".zip",)) == [".hidden.zip"]
    assert completions("~", (".zip",)) == ["~/"]
    assert completions("none/at/all", (".zip",)) == completions("~nobody-of-this-name/", (".zip",)) == []


async def test_tab_completes_a_path(engine: EngineAtHand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("letterboxd-a.zip", "letterboxd-b.zip", "[b]odd.zip"):
        (tmp_path / name).touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    async with started(engine=engine) as driver:
        await driver.press("i")
        await driver.see("tab complete")
        field = driver.app.screen.query_one("#path")
        field.value = "~/l"  # type: ignore[attr-defined]
        await driver.press("tab")
        await driver.see("letterboxd-a.zip  letterboxd-b.zip")
        assert field.value == "~/letterboxd-"  # type: ignore[attr-defined]
        field.value = "~/["  # type: ignore[attr-defined]
        await driver.press("tab")
        await driver.until(lambda: field.value == "~/[b]odd.zip", "the name")  # type: ignore[attr-defined]
