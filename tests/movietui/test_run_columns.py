"""The columns of the table of runs: which are shown, their order, the settings that differ, and published figures."""

from movietui.store.ratings import Store
from movietui.ui.train.columns_panel import ColumnsPanel
from movietui.ui.train.run_table import PublishedRow
from movietui.ui.wording import RUN_COLUMNS
from tests.movietui.driving import LARGE, SMALL, Driver, lines, shown, started
from tests.movietui.fakes import FakeEngine, with_run
from tests.movietui.training import go, numbers


def add(
    store: Store,
    model: str,
    metrics: dict[str, float],
    *,
    split: str = "random90",
    dataset: str = "demo",
    **settings: object,
) -> int:
    number = store.start_run(model, dataset, "none", split, 0, settings)
    store.end_run(number, "done", seconds=1.0, metrics=metrics)
    return number


def table_of(driver: Driver) -> list[str]:
    """Return the lines of the table of runs, without its border."""
    drawn = lines(driver.app)
    first = next(index for index, line in enumerate(drawn) if " run " in line and " state " in line)
    return [line.strip("│") for line in drawn[first : len(drawn) - 3]]


async def test_a_small_window_shows_number_dataset_and_the_metric_of_each_task(store: Store) -> None:
    with_run(store)
    number = store.start_run(
        "blend", "ml-latest-small", "none", "kfold5-0 validation", 3, {}, task="ranking", kind="trial"
    )
    store.end_run(number, "done", metrics={"ndcg@10": 0.3999, "recall@10": 0.25})
    async with started(SMALL, engine=FakeEngine()) as driver:
        await go(driver)
        head, first, second, *_ = table_of(driver)
        assert head.split()[:6] == ["run", "model", "dataset", "split", "rmse", "ndcg@10"]
        assert first.split() == ["4", "blend", "ml-latest-small", "kfold5-0", "valid", "0.3999", "done"]
        assert second.split() == ["●", "3", "mf", "demo", "random90", "0.9100", "0.1900", "in", "use"]
        assert "…" not in "".join(table_of(driver))


async def test_lists_of_other_lengths_leave_room_for_the_dataset(store: Store) -> None:
    for length in (3, 5, 7, 100):
        add(store, "ease", {f"ndcg@{length}": 0.3})
    with_run(store)
    add(store, "ease", {"ndcg@10": 0.3})
    async with started(SMALL, engine=FakeEngine()) as driver:
        await go(driver)
        assert table_of(driver)[0].split()[:6] == ["run", "model", "dataset", "split", "rmse", "ndcg@10"]


async def test_a_join_with_imdb_is_a_column_if_a_run_has_one(store: Store) -> None:
    with_run(store)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await go(driver)
        assert "IMDb" not in table_of(driver)[0]
    number = add(store, "bias", {"rmse": 0.9})
    with store.change():
        store.execute("UPDATE runs SET imdb = 'c0ffee00c0ffee' WHERE id = ?", number)
    async with started(LARGE, engine=FakeEngine()) as driver:
        await go(driver)
        head, first, second, *_ = table_of(driver)
        assert " IMDb " in head
        assert " c0ffee00 " in first
        assert "c0ffee" not in second


async def test_a_ranker_is_judged_by_its_lists(store: Store) -> None:
    add(store, "ease", {"rmse": 0.93, "mae": 0.7, "ndcg@10": 0.36})
    async with started(SMALL, engine=FakeEngine()) as driver:
        await go(driver)
        assert table_of(driver)[0].split()[4] == "ndcg@10"


async def test_columns_and_their_order_are_chosen_and_remembered(store: Store) -> None:
    with_run(store)
    async with started(SMALL, engine=FakeEngine()) as driver:
        screen = await go(driver)
        await driver.press("right", "C")
        await driver.until(lambda: isinstance(driver.app.screen, ColumnsPanel), "the panel")
        await driver.see(RUN_COLUMNS["run"].split(";")[0])
        await driver.press("J", "down", "space", "end", "up", "up")
        panel = driver.app.screen
        assert isinstance(panel, ColumnsPanel)
        panel.rows.cursor = panel.rows.known_rows().index("seed")
        await driver.press("space", "K", "enter")
        await driver.wait_for_notice("Columns: model, run")
        chosen = screen.runs.chosen
        assert list(chosen[:2]) == ["model", "run"]
        assert "dataset" not in chosen
        assert "seed" in chosen
        assert table_of(driver)[0].split()[:2] == ["model", "run"]
        await driver.until(lambda: store.choice("run-columns").startswith("model,run,"), "the choice")
        await driver.press("o", "o")
        await driver.wait_for_notice("Sorted by run.")
    async with started(SMALL, engine=FakeEngine()) as driver:
        screen = await go(driver)
        assert list(screen.runs.chosen) == list(chosen)
        assert table_of(driver)[0].split()[:2] == ["model", "run"]
        await driver.press("right", "C", "r")
        await driver.wait_for_notice("The usual columns")
        assert table_of(driver)[0].split()[:2] == ["run", "model"]
        await driver.until(lambda: store.choice("run-columns") == "", "the choice")


async def test_a_choice_that_is_damaged_is_ignored(store: Store) -> None:
    with_run(store)
    store.choose("run-columns", "split,nothing,rmse")
    store.choose("published-figures", "some")
    async with started(SMALL, engine=FakeEngine()) as driver:
        screen = await go(driver)
        assert list(screen.runs.chosen) == ["split", "rmse"]
        assert screen.runs.which_published == "comparable"


async def test_settings_that_differ_among_the_runs_of_a_model_are_a_column(store: Store) -> None:
    same = {"caution": 2.0, "features": True}
    add(store, "mf", {"rmse": 0.91}, factors=10, sweeps=12, **same)
    add(store, "mf", {"rmse": 0.90}, factors=32, sweeps=12, **same)
    add(store, "bayes", {"rmse": 0.89}, factors=8, **same)
    add(store, "bayes", {"rmse": 0.88}, factors=8, caution=2.0, features=False)
    async with started(LARGE, engine=FakeEngine()) as driver:
        screen = await go(driver)
        rows = {row.id: screen.runs.differing.get(row.id) for row in screen.runs.known_rows() if row.id}
        assert rows == {1: "factors 10", 2: "factors 32", 3: "features yes", 4: "features no"}
        await driver.see("factors 32")
        await driver.see("features no")
        await driver.press("slash")
        await driver.type("bayes")
        await driver.press("enter")
        await driver.until(lambda: "factors" not in "".join(table_of(driver)), "only runs of one model")
        assert "features yes" in shown(driver.app)


def published(**changes: object) -> dict[str, object]:
    (row,) = FakeEngine().published_results()
    return {**row, **changes}


class PeerEngine(FakeEngine):
    """Has figures of peers on several splits."""

    def published_results(self) -> list[object]:  # type: ignore[override]
        return [
            published(by="Hug 2020", model="SVD", split="kfold5", reference="Hug, Surprise, 2020"),
            published(by="Berg 2017", model="GC-MC", split="u1", note="the best of many"),
            published(by="Liang 2018", model="Mult-VAE", split="kfold5", metrics={"ndcg@100": 0.4}),
            published(by="system 002", model="pair", split="kfold5-0", task="pair"),
            published(by="Rendle 2019", model="BPMF", split="kfold5", dataset="ml-10m"),
        ]


async def test_published_figures_that_can_be_compared_are_rows_of_their_own(store: Store) -> None:
    add(store, "mf", {"rmse": 0.95, "mae": 0.7}, split="kfold5-0")
    async with started(LARGE, engine=PeerEngine()) as driver:
        screen = await go(driver)
        table = screen.runs

        def models() -> list[str]:
            return [row.model for row in table.known_rows() if isinstance(row, PublishedRow)]

        await driver.until(lambda: models() == ["SVD"], "the figures on the folds")
        assert numbers(screen) == [1, 0]
        (line,) = [line for line in table_of(driver) if "SVD" in line]
        assert line.split() == ["SVD", "demo", "none", "kfold5", "0.9555", "Hug", "2020"]
        row = table.known_rows()[1]
        assert {style for text, style in table.draw(row, 130) if text.strip()} == {"quiet"}
        assert "1 run" in shown(driver.app)
        assert screen.run_actions._runs_store.find(None, None, None) == [screen.runs_by_id[1]]
        await driver.press("right", "end")
        await driver.see("Hug, Surprise, 2020")
        await driver.press("u")
        await driver.wait_for_notice("These are published figures without a model")
        await driver.press("y")
        await driver.wait_for_notice("No command makes published figures")
        await driver.press("enter")
        await driver.see("Published figures")
        await driver.see("root mean squared error")
        await driver.press("escape", "F")
        await driver.wait_for_notice("Published figures: all.")
        assert models() == ["SVD", "GC-MC", "Mult-VAE", "pair", "BPMF"]
        await driver.press("F")
        await driver.wait_for_notice("Published figures: none.")
        assert models() == []
        await driver.until(lambda: store.choice("published-figures") == "none", "the choice")
    async with started(LARGE, engine=PeerEngine()) as driver:
        screen = await go(driver)
        assert numbers(screen) == [1]
        await driver.press("F")
        await driver.wait_for_notice("on the datasets and splits of your runs")
        assert numbers(screen) == [1, 0]


async def test_a_key_copies_the_command_of_the_selected_run(store: Store) -> None:
    number = store.start_run(
        "mf", "demo", "none", "kfold5-1", 4, {"sweeps": 20, "spread": 0.2, "tags": False}, request={"split": "kfold5-1"}
    )
    store.end_run(number, "done", metrics={"rmse": 0.9})
    async with started(SMALL, engine=FakeEngine()) as driver:
        await go(driver)
        await driver.press("right", "home", "y")
        command = (
            "movietui train mf --dataset demo --set sweeps=20 --set tags=no --seed 4 --split kfold5-1 --cleaning none"
        )
        await driver.wait_for_notice(f"Copied: {command}")
        assert driver.app.clipboard == command
        await driver.press("left", "y")
        await driver.wait_for_notice("Copied: movietui train mf --dataset demo")
        assert driver.app.clipboard == "movietui train mf --dataset demo"
