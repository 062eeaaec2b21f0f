"""Titles, names and occupations that try to break the screen break no list and no panel."""

import base64
import inspect
import pkgutil
import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.text import Text
from textual.filter import ANSIToTruecolor
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

import movietui.ui
from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls
from movietui.data.storage import locations
from movietui.store.named_lists import ListEntry
from movietui.store.ratings import Movie, Store
from movietui.ui.app import MovieTui
from movietui.ui.browse.movie_details import describe
from movietui.ui.widgets.row_list import RowList
from tests.movietui.driving import LARGE, SIZES, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.hostile import POISON, RAW, TITLES, poison
from tests.movietui.stored import ANNA
from tests.movietui.terminal import Terminal
from tests.movietui.training import go

SHORT = [title for title in TITLES if title == strip_controls(title) and len(title) < 14 and title.isascii()]


def check(driver: Driver) -> None:
    """Check that nothing on screen controls the terminal, and that every line has the width of the screen."""
    for line in lines(driver.app):
        assert not RAW.search(line), repr(line)
        assert cell_len(line) == driver.app.size.width, repr(line)


def columns(driver: Driver) -> set[int]:
    """Return the columns at which the stars begin in the rows of the list."""
    drawn = [line for line in lines(driver.app) if re.search(r"★ \d", line)]
    return {cell_len(re.split(r"★ \d", line)[0]) for line in drawn}


@SIZES
async def test_hostile_titles_break_no_list(hostile: Path, size: tuple[int, int]) -> None:
    async with started(size) as driver:
        check(driver)
        await driver.press("n")
        await driver.type("x")
        await driver.press("enter")
        await driver.see("Getting to know x")
        await driver.see("Which kinds")
        for _ in range(3):
            check(driver)
            await driver.press("enter")
        await driver.see("Rate those you have seen")
        check(driver)
        await driver.leave_the_interview()
        assert driver.movies.total == len(TITLES)
        seen = ""
        for _ in range(driver.movies.total):
            check(driver)
            assert len(columns(driver) - {0}) <= (2 if size == LARGE else 1)
            seen += shown(driver.app)
            await driver.press("down")
        for title in SHORT:
            assert title in seen
        if size == LARGE:
            return
        await driver.press("home")
        for _ in range(driver.movies.total):
            await driver.press("enter")
            await driver.until(lambda: driver.app.screen is not driver.browse, "the panel")
            check(driver)
            await driver.press("escape")
            title = await driver.rate("4")
            check(driver)
            assert title[:20] in driver.app.notice.plain
        await driver.see("You have seen everything here")


@SIZES
async def test_hostile_names_break_no_list_of_a_pair(hostile: Path, size: tuple[int, int]) -> None:
    async with started(size) as driver:
        await driver.press("n")
        driver.app.screen.query_one("#name").value = "[red]漢字[/red] [/b]"  # type: ignore[attr-defined]
        await driver.press("enter")
        await driver.leave_the_interview()
        await driver.press("left", "down", "p")
        await driver.until(lambda: driver.movies.together, "the pair")
        check(driver)
        await driver.press("enter")
        await driver.pilot.pause(0.1)
        check(driver)
        await driver.press("escape")
        await driver.rate("2")
        await driver.press("d")
        await driver.see("hostile")
        check(driver)
        await driver.press("t")
        await driver.see("bias")
        check(driver)


async def test_hostile_notices_break_nothing(store: Store) -> None:
    with_run(store)
    engine = FakeEngine()
    async with started(LARGE, engine=engine) as driver:
        for title in TITLES:
            engine.problem = f"There is no movie {strip_controls(title)} here."
            await driver.press("enter")
            await driver.until(lambda title=title: strip_controls(title)[:10] in driver.app.notice.plain, title)
            check(driver)
        assert driver.app.is_running


@pytest.mark.parametrize("title", TITLES, ids=range(len(TITLES)))
def test_lines_of_reasons_fill_the_width(title: str) -> None:
    engine = FakeEngine()
    engine.titles = [strip_controls(title)] * 200
    details = engine.movie_details(
        viewers=[{"kind": "user", "id": "1", "rated": [], "seen": [], "hidden": []}] * 2, movies=["3"]
    )[0]
    for width in (20, 40, 52):
        reasons = [line for line in describe(details, ["a", "b"], width).plain.splitlines() if "●●●●●" in line]
        assert [cell_len(line) for line in reasons] == [width, width]


# What reaches the terminal


def test_no_widget_bypasses_the_line_filter() -> None:
    """A widget that makes its lines in another way would bypass the app's line filters."""
    for module in pkgutil.walk_packages(movietui.ui.__path__, "movietui.ui."):
        for kind in vars(import_module(module.name)).values():
            if inspect.isclass(kind) and issubclass(kind, Widget) and kind.__module__.startswith("movietui."):
                lines = kind.render_lines
                assert lines is Widget.render_lines or "super().render_lines(" in inspect.getsource(lines), kind
                filters = kind.get_line_filters
                assert filters in (Widget.get_line_filters, Screen.get_line_filters, RowList.get_line_filters), kind
                assert kind.BLANK in (Widget.BLANK, Screen.BLANK), kind


async def test_lists_keep_all_filters_but_that_of_ansi_colours(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        of_app, of_list = driver.app.get_line_filters(), driver.movies.get_line_filters()
        assert [each for each in of_app if not isinstance(each, ANSIToTruecolor)] == of_list
        assert of_list


async def test_text_of_any_widget_keeps_its_width(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        app = driver.app
        for text in (*TITLES, POISON, "a\tb", "👩\u200d🚀" * 40, "❤\ufe0f" * 60):
            static = Static(Text(text), markup=False)
            static.styles.dock = "top"
            await app.screen.mount(static)
            static.border_title = POISON
            static.styles.border = ("round", "red")
            app.show_notice(text)
            app.notify(text, title=text, markup=False)
            await driver.pilot.pause()
            check(driver)
            await static.remove()


async def test_copied_text_is_clean_and_only_known_links_open(
    faked: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with started(engine=faked) as driver:
        app, sent = driver.app, []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", sent.append)
        monkeypatch.setattr(app._driver, "open_url", lambda url, new_tab: sent.append(url))
        app.copy_to_clipboard(POISON)
        (copied,) = re.findall(r"^\x1b\]52;c;([^\x07]*)\x07$", "".join(sent))
        assert not RAW.search(base64.b64decode(copied).decode())
        sent.clear()
        for url in (
            "file:///etc/passwd",
            "http://www.imdb.com/title/tt0114369/",
            "https://www.imdb.com@example.org/",
            "https://example.org/",
            "https://www.imdb.com/\x1b]0;x\x07",
            "https://www.imdb.com:99/",
            "javascript:alert(1)",
        ):
            with pytest.raises(Problem, match="movietui does not open"):
                app.open_url(url)
        assert sent == []
        app.open_url("https://www.imdb.com/title/tt0114369/")
        assert sent == ["https://www.imdb.com/title/tt0114369/"]


def fill(store: Store) -> None:
    """Store ratings, marks and steps, and put hostile text into them."""
    for movie in (Movie("3", "Three", 1995), Movie("4", "Four", 1995)):  # the keys of ``FakeEngine``
        store.rate(ANNA, movie, 4)
        store.mark(ANNA, movie, "watchlist")
        listed = ListEntry(movie.key, movie.title, movie.year)
        store.change_list(ANNA, POISON, lambda movies, listed=listed: (*movies, listed), POISON)
    store.undo([ANNA])
    poison(locations.store())


OPENS = {
    "enter": "DetailsPanel",
    "h": "HistoryPanel",
    "asterisk": "RatingsPanel",
    "Y": "WritePanel",
    "l": "PagesPanel",
    "m": "SimilarPanel",
    "T": "TastePanel",
    "slash": "SearchPanel",
    "question_mark": "HelpPanel",
    "M": "SwitchPanel",
    "c": "ListsPanel",
    "n": "NamePanel",
}
"""The panels that keys on the Browse screen open."""
BROWSE = (*OPENS, "f", "ctrl+p")
TRAIN = ("question_mark", "n", "N", "m", "E", "D", "P", "x", "slash", "e", "S", "v", "f", "enter", "ctrl+p")


@SIZES
async def test_a_poisoned_store_breaks_no_panel(store: Store, size: tuple[int, int]) -> None:
    with_run(store)
    fill(store)
    engine = FakeEngine()
    engine.titles = [f"{number} {POISON}" for number in range(60)]

    def name() -> str:
        return type(driver.app.screen).__name__

    async def try_keys(keys: Iterable[str], opens: Mapping[str, str] = {}) -> None:
        for key in keys:
            await driver.press(key)
            await driver.pilot.pause()
            if key in opens:
                await driver.until(lambda panel=opens[key]: name() == panel, opens[key])
            check(driver)
            for field in driver.app.screen.query(Input):
                if driver.app.screen.is_modal:
                    field.value = POISON
            await driver.pilot.pause()
            check(driver)
            for _ in range(4):
                typing = isinstance(driver.app.focused, Input)
                if typing or driver.app.screen.is_modal or name() == "InterviewScreen":
                    await driver.press("escape")
                    await driver.pilot.pause()
                    check(driver)

    async with started(size, engine=engine) as driver:
        await try_keys(BROWSE, OPENS)
        await driver.press("right")
        await try_keys(("v", "x", "w", "u", "h"))
        await driver.app.switch_mode("data")
        await driver.until(lambda: driver.app.current_mode == "data", "the Data screen")
        await try_keys(("slash", "p", "right", "ctrl+p", "x"))
        await driver.app.switch_mode("train")
        await driver.until(lambda: driver.app.current_mode == "train", "the Train screen")
        await go(driver)
        await driver.press("right", "home")
        await try_keys(TRAIN)
        assert isinstance(driver.app, MovieTui)


SENT_BY_TEXTUAL = re.compile(
    r"\x1b\[[<>=?]?[0-9;]*(?:\$p|[a-zA-Z])|\x1bP[^\x1b]*\x1b\\|\x1b_[^\x1b]*\x1b\\|\x1b\]22;[a-z]*\x07|[\r\n]"
)
"""What Textual itself sends: colours, cursor positions, modes, queries and line ends."""


def test_a_real_terminal_gets_no_raw_control_characters(hostile: Path) -> None:
    store = Store(locations.store())
    fill(store)
    store.close()
    terminal = Terminal((140, 40))
    try:
        terminal.wait_for("hostile")
        terminal.wait_for_movies(5, 30)
        terminal.send("h")
        terminal.wait_for("pwn")
        terminal.send("esc", "t")
        terminal.wait_for("in use")
        terminal.send("d")
        terminal.wait_for("pwn")
        terminal.send("q")
        assert terminal.end() == 0
    finally:
        terminal.kill()
    sent = terminal.raw.decode("utf-8")
    for sequence in ("\x1b[31m\x1b]0", "owned\x07", "\x1b[2J", "\x9b", "\u202e", "\u200b", "\u200d"):
        assert sequence not in sent
    assert not RAW.search(SENT_BY_TEXTUAL.sub("", sent)), repr(RAW.search(SENT_BY_TEXTUAL.sub("", sent)))
