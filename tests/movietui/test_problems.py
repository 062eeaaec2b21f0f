"""What becomes of work that cannot be done, or that nobody waits for any more."""

import ast
import asyncio
from pathlib import Path

import pytest
from textual.css.query import NoMatches
from textual.worker import WorkerFailed

import movietui
from movietui.replies import ModelRow
from movietui.session import Session
from movietui.store import Store
from movietui.widgets.tables import ModelList
from movietui.widgets.told import told
from tests.movietui.driving import started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.training import go


async def test_an_answer_that_comes_when_its_widgets_are_gone_is_dropped(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_run(store)
    gone, came = asyncio.Event(), asyncio.Event()
    models = Session.models

    async def late(session: Session) -> list[ModelRow]:
        await gone.wait()
        came.set()
        return await models(session)

    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        monkeypatch.setattr(Session, "models", late)
        monkeypatch.setattr(ModelList, "on_unmount", lambda widget: gone.set(), raising=False)
        worker = screen.list_models()
    assert came.is_set()
    assert worker.error is None


async def test_what_a_screen_that_stands_does_not_find_is_an_error(store: Store) -> None:
    with_run(store)

    @told
    async def look(models: ModelList) -> None:
        models.query_one("#nothing")

    async with started(engine=FakeEngine()) as driver:
        screen = await go(driver)
        with pytest.raises(NoMatches):
            await look(screen.models)
        worker = screen.models.run_worker(look(screen.models), exit_on_error=False)
        with pytest.raises(WorkerFailed):
            await worker.wait()


def test_every_worker_is_told() -> None:
    workers = {}
    for path in Path(movietui.__file__).parent.rglob("*.py"):
        for method in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(method, ast.AsyncFunctionDef):
                names = [ast.unparse(decorator).partition("(")[0] for decorator in method.decorator_list]
                if "work" in names:
                    workers[f"{path.stem}.{method.name}"] = names[-1]
    assert len(workers) > 40
    assert {name for name, innermost in workers.items() if innermost != "told"} == set()
