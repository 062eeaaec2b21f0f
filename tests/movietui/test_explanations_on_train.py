"""Metrics, models and columns are explained where they are shown on the Train screen, and in the help."""

from movietui.formatting.explanations import metric_lines
from movietui.models.choices import METRICS, TRAIN_LOSSES
from movietui.store.ratings import Store
from movietui.ui.help import sections_of
from movietui.ui.train.curve import Curve
from movietui.ui.train.epoch_list import EpochList
from movietui.ui.widgets.text_pane import TextPane
from movietui.ui.wording import RUN_COLUMNS
from tests.movietui.driving import LARGE, SMALL, shown, started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.test_legend import explained
from tests.movietui.training import go


async def test_the_mouse_explains_headings_and_models(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine(), tooltips=True) as driver:
        screen = await go(driver)
        await explained(driver, "ndcg@10 ", "Järvelin and Kekäläinen 2002", right=1)
        for line in metric_lines("ndcg@10"):
            assert line[:20] in shown(driver.app)
        await explained(driver, " cleaning ", RUN_COLUMNS["cleaning"][:20], right=2)
        await explained(driver, "validation ", RUN_COLUMNS["validation"][:18], right=2)
        await explained(driver, " mf  ", "Somebody 1999", right=1)
        assert "m + p_u · q_i" in shown(driver.app)
        await explained(driver, "system 009", "earlier system 009;", right=1)
        screen._explain_losses("ncf")
        assert TRAIN_LOSSES["ncf"] in screen.query_one("#epochs", EpochList).explain(12, 0)
        assert TRAIN_LOSSES["ncf"] in str(screen.query_one("#curve", Curve).tooltip)


async def test_the_form_says_what_the_model_does_and_who_described_it(store: Store) -> None:
    with_run(store)
    async with started(SMALL, engine=FakeEngine()) as driver:
        await go(driver)
        await driver.press("v", "v")
        for line in ("Learns tastes.", "m + p_u · q_i", "Somebody 1999"):
            await driver.see(line)


async def test_the_help_explains_every_metric_and_column(store: Store) -> None:
    with_run(store)
    async with started(SMALL, engine=FakeEngine()) as driver:
        screen = await go(driver)
        sections = {section.title: section.entries for section in sections_of(screen)}
        metrics = {entry.sign: entry.meaning for entry in sections["Metrics"]}
        assert set(metrics) == set(METRICS)
        assert all(METRICS[name].formula in meaning for name, meaning in metrics.items())
        assert {entry.sign for entry in sections["The columns of runs and epochs"]} == set(RUN_COLUMNS)
        await driver.press("question_mark")
        await driver.type("gini")
        await driver.see("Shani and Gunawardana 2011")


async def test_the_details_of_a_run_explain_its_metrics(store: Store) -> None:
    with_run(store)
    async with started(SMALL, engine=FakeEngine()) as driver:
        await go(driver)
        await driver.press("right", "home", "enter")
        await driver.see("settings")
        for _ in range(12):
            if "Järvelin and" in shown(driver.app):
                break
            await driver.press("down", "down", "down")
        for words in ("root mean squared error", "sqrt(mean((p", "Järvelin and"):
            assert words in shown(driver.app)
        pane = driver.app.screen.query_one("#tables", TextPane)
        assert pane.show_vertical_scrollbar
        assert max(map(len, pane._text.plain.splitlines())) <= pane.scrollable_content_region.width
