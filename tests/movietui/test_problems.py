"""Problems on the status line, and errors of screens that are being closed."""

import ast
import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.css.query import NoMatches
from textual.worker import WorkerFailed

import movietui
from movietui.protocol.requests import Requests
from movietui.store.ratings import Store
from movietui.store.runs import Runs
from movietui.ui.browse.model_switch import SwitchPanel
from movietui.ui.browse.search import SearchPanel, SearchResults
from movietui.ui.browse.similar import SimilarPanel
from movietui.ui.help import HelpPanel
from movietui.ui.problems import shows_problems
from movietui.ui.train.model_list import ModelList
from tests.movietui.driving import started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.training import go


async def test_a_reply_that_comes_after_its_widgets_are_gone_is_dropped(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_run(store)
    engine, gone, replied = FakeEngine(), asyncio.Event(), asyncio.Event()
    ask = engine.ask

    async def late(request: Callable[..., Any], **arguments: Any) -> Any:
        if request is Requests.models:
            await gone.wait()
            replied.set()
        return await ask(request, **arguments)

    async with started(engine=engine) as driver:
        screen = await go(driver)
        engine.ask = late  # type: ignore[method-assign]
        monkeypatch.setattr(ModelList, "on_unmount", lambda widget: gone.set(), raising=False)
        worker = screen.list_models()
    assert replied.is_set()
    assert worker.error is None


async def test_a_widget_that_is_missing_on_an_open_screen_is_an_error(store: Store) -> None:
    with_run(store)

    @shows_problems
    async def look(models: ModelList) -> None:
        models.query_one("#nothing")

    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        with pytest.raises(NoMatches):
            await look(screen.models)
        worker = screen.models.run_worker(look(screen.models), exit_on_error=False)
        with pytest.raises(WorkerFailed):
            await worker.wait()


async def test_a_worker_of_textual_may_also_come_too_late(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """For example, Textual's palette queries its list after gathering the commands."""
    with_run(store)
    gone = asyncio.Event()

    async def look(panel: SearchPanel) -> None:
        await gone.wait()
        panel.query_one("#matches")

    async with started(engine=FakeEngine()) as driver:
        panel = SearchPanel(driver.app.session)
        monkeypatch.setattr(SearchResults, "on_unmount", lambda widget: gone.set(), raising=False)
        await driver.app.push_screen(panel)
        worker = panel.run_worker(look(panel))
        await driver.app.pop_screen()
        await driver.press("down")
        assert isinstance(worker.error, NoMatches)


async def test_a_panel_that_is_opened_while_the_app_exits_is_not_shown(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        app = driver.app
        app.exit(7)
        app.push_screen(SwitchPanel(app.session, Runs(store).find()))
    assert app.return_value == 7
    assert app.return_code == 0


async def test_a_panel_can_be_closed_before_it_is_shown(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        app, runs = driver.app, Runs(store).find()
        for _ in range(20):
            for panel in (SwitchPanel(app.session, runs), SimilarPanel("The Odd", []), SearchPanel(app.session)):
                app.push_screen(panel)
                app.pop_screen()
                await asyncio.sleep(0)
        await driver.press("down")
        assert app.screen is driver.browse


async def test_a_panel_is_closed_only_once(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        await driver.press("question_mark")
        panel = driver.app.screen
        assert isinstance(panel, HelpPanel)
        await driver.press("ctrl+p")
        await driver.until(lambda: driver.app.screen is not panel, "the palette")
        palette = driver.app.screen
        for closed, below in ((palette, panel), (panel, driver.browse)):
            closed.dismiss(None)
            closed.dismiss(None)  # as by a second key, before the first is done
            assert driver.app.screen is below
        await driver.press("down")
        await driver.until(lambda: driver.movies.cursor == 1, "the cursor")


async def test_a_panel_can_be_closed_before_it_is_drawn_again(store: Store) -> None:
    with_run(store)
    async with started(engine=FakeEngine()) as driver:
        await driver.press("question_mark")
        panel = driver.app.screen
        assert isinstance(panel, HelpPanel)
        await driver.press("escape")
        await driver.until(lambda: not panel.is_attached, "the end of the panel")
        driver.browse.call_after_refresh(panel.show_matches)  # as if its window had just been resized
        await driver.press("down")
        await driver.until(lambda: driver.movies.cursor == 1, "the cursor")


def test_every_worker_shows_problems() -> None:
    workers = {}
    for path in Path(movietui.__file__).parent.rglob("*.py"):
        for method in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(method, ast.AsyncFunctionDef):
                names = [ast.unparse(decorator).partition("(")[0] for decorator in method.decorator_list]
                if "work" in names:
                    workers[f"{path.stem}.{method.name}"] = names[-1]
                elif "in_background" in names:  # which shows problems by itself
                    workers[f"{path.stem}.{method.name}"] = "shows_problems"
    assert len(workers) > 40
    assert {name for name, innermost in workers.items() if innermost != "shows_problems"} == set()
