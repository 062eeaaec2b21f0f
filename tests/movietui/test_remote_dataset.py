"""A dataset that was cleaned on a cluster, and a model that was trained there, in the app."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from movietui.data.cluster.dataset import ClusterDataset
from movietui.data.dataset import Dataset
from movietui.engine.service import Service
from movietui.protocol.viewers import user
from movietui.store.ratings import Store
from movietui.store.runs import Runs
from movietui.ui.data.screen import DataScreen
from movietui.ui.panels import SurprisePanel
from tests.movietui.commands import Run, document
from tests.movietui.driving import LARGE, SIZES, Driver, lines, shown, started
from tests.movietui.homes import checkpoint_of
from tests.movietui.remote import save_remote, train_remote
from tests.movietui.training import choose, go

Remote = tuple[Dataset, ClusterDataset]
AWAY = "cannot be read from here"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the dataset lies on the cluster."""
    return tmp_path / "cluster"


@pytest.fixture
def remote(ready: Path, folder: Path) -> Remote:
    """A dataset on a cluster, beside the demo of this home."""
    return save_remote(folder)


@pytest.fixture
def served(remote: Remote, store: Store) -> Remote:
    """The dataset with an als run, which serves and was opened last."""
    store.serve_with(Runs(store).get(train_remote(store, *remote)))
    store.choose("dataset", "own")
    return remote


async def data_screen(driver: Driver, name: str) -> DataScreen:
    """Open the Data screen and select a dataset."""
    await driver.press("d")
    await driver.until(lambda: driver.app.screen.query("#datasets"), "the Data screen")
    screen = cast(DataScreen, driver.app.screen)
    await driver.until(lambda: name in names(screen), "the datasets")
    screen.datasets.cursor = names(screen).index(name)
    await driver.until(lambda: screen._shown == name, "the dataset")
    return screen


def names(screen: DataScreen) -> Sequence[str]:
    return [cast(Any, row)["name"] if isinstance(row, dict) else "" for row in screen.datasets.known_rows()]


@SIZES
async def test_the_data_screen_shows_what_is_known(remote: Remote, folder: Path, size: tuple[int, int]) -> None:
    whole, _ = remote
    async with started(size) as driver:
        screen = await data_screen(driver, "own")
        await driver.see("on cluster")
        await driver.until(lambda: screen.rules.total > 10, "the report")
        await driver.until(lambda: "Its ratings are on a cluster, at" in text_of(screen), "where its ratings are")
        await driver.see("Its ratings are on a cluster")
        assert folder.name in text_of(screen)
        assert "movietui cluster train als --dataset own" in text_of(screen)
        await driver.until(lambda: len(screen.chart.charts) == 3, "the charts")
        genres = next(chart for chart in screen.chart.charts if chart["name"] == "genres")
        assert sum(genres["counts"]) == int(whole.movies.genres.sum())
        await driver.press("enter")
        await driver.wait_for_notice(
            "No model has been trained on own yet; train one on the cluster with movietui cluster"
        )


def text_of(screen: DataScreen) -> str:
    """Return what the pane about the dataset says, on one line."""
    return " ".join(cast(Any, screen._pane("terms"))._text.plain.split())


async def test_rules_and_imdb_are_not_for_a_dataset_on_a_cluster(remote: Remote) -> None:
    async with started(LARGE) as driver:
        screen = await data_screen(driver, "own")
        await driver.until(lambda: screen.rules.total > 10, "the report")
        before = [rule["on"] for rule in screen.rules.known_rows()]
        await driver.press("i")
        await driver.wait_for_notice("! own is on a cluster, where it cannot be joined with IMDb")
        await driver.press("p")
        await driver.wait_for_notice("! own was cleaned on a cluster; to change its rules, clean it there again")
        await driver.press("right")
        for key in ("space", "right_square_bracket"):
            await driver.press(key)
            await driver.wait_for_notice("! own was cleaned on a cluster; to change its rules, clean it there again")
        await driver.press("enter")
        await driver.wait_for_notice("! The rows that a rule removed are on the cluster")
        assert [rule["on"] for rule in screen.rules.known_rows()] == before
        await driver.press("left", "escape", "x")
        await driver.see("So are its ratings on the cluster")
        await driver.press("y")
        await driver.until(lambda: "own" not in names(screen), "the end of the dataset here")


@SIZES
async def test_enter_opens_a_dataset_that_a_run_serves(remote: Remote, store: Store, size: tuple[int, int]) -> None:
    train_remote(store, *remote)
    async with started(size) as driver:
        screen = await data_screen(driver, "own")
        await driver.until(lambda: "enter opens it" in text_of(screen), "what enter does")
        await driver.press("enter")
        await driver.until(lambda: opened_in(driver) == "own" and driver.movies.total, "the list")
        await driver.until(lambda: driver.app.current_mode == "browse", "Browse")


def opened_in(driver: Driver) -> str:
    opened = driver.app.session.opened
    return opened["dataset"] if opened else ""


@SIZES
async def test_the_app_starts_with_the_list(served: Remote, size: tuple[int, int]) -> None:
    whole, _ = served
    async with started(size) as driver:
        assert opened_in(driver) == "own"
        first = whole.users.ids[0]
        assert driver.app.session.audience.viewers == (user(first, "own"),)
        rated = len(whole.rows_of(0))
        await driver.see(f"{len(whole.movies) - rated:,} of {len(whole.movies):,} · {rated:,} rated")


async def test_a_user_is_found_by_id(served: Remote, store: Store) -> None:
    whole, _ = served
    async with started(LARGE) as driver:
        await driver.see("users on the cluster")
        await driver.press("left", "slash")
        await driver.type("nobody")
        await driver.see("enter finds user nobody")
        await driver.press("enter")
        await driver.wait_for_notice("! own has no user nobody on its cluster")
        await driver.press("slash", *["backspace"] * 6)
        await driver.type("17")
        await driver.press("enter")
        await driver.wait_for_notice("The list of user 17")
        rated = len(whole.rows_of(whole.users.row["17"]))
        await driver.see(f"{rated:,} rated")
        await driver.until(lambda: any("17" in line and str(rated) in line for line in lines(driver.app)), "the user")
    assert store.choice("viewer:own") == "user:17"


async def test_panels_of_a_list_on_a_cluster(served: Remote) -> None:
    async with started(LARGE) as driver:
        await driver.press("enter")
        await driver.see("average")
        await driver.press("escape", "m")
        await driver.see("More like")
        assert "both rated" not in shown(driver.app)
        await driver.press("escape", "T")
        await driver.see("Taste ·")
        await driver.press("escape", "asterisk")
        await driver.see("Ratings ·")
        await driver.press("escape", "h")
        await driver.see("History ·")
        await driver.press("escape", "s")
        await driver.until(lambda: isinstance(driver.app.screen, SurprisePanel), "the surprise")
        await driver.press("escape", "N")
        await driver.wait_for_notice("! An interview needs the ratings of many users of own, which are on a cluster")


async def test_a_profile_rates_as_anywhere(served: Remote, store: Store) -> None:
    async with started(LARGE) as driver:
        await driver.press("n")
        await driver.see("Name of the profile")
        await driver.type("anna")
        await driver.press("enter")
        await driver.wait_for_notice("! An interview needs the ratings of many users of own")
        await driver.press("right")
        title = await driver.rate("5")
        assert [rated.movie.title for rated in store.ratings(next(ref for ref, _ in store.profiles()))] == [title]
        await driver.press("u")
        await driver.until(lambda: title in driver.titles(100), "the movie again")
        await driver.press("left", "slash")
        await driver.type("17")
        await driver.press("enter")
        await driver.wait_for_notice("The list of user 17")
        await driver.press("left", "home", "p")
        await driver.until(lambda: driver.app.session.audience.together and driver.movies.together, "the pair")
        await driver.see("alike: ")


async def test_models_of_a_cluster_are_switched(served: Remote, store: Store) -> None:
    other = train_remote(store, *served, model="bias")
    async with started(LARGE) as driver:
        await driver.press("M")
        await driver.see("bias")
        await driver.press("down", "enter")
        await driver.until(lambda: driver.app.session.run and driver.app.session.run.id == other, "the other run")
        await driver.until(lambda: driver.movies.total and "bias" in shown(driver.app), "its list")


async def test_ratings_that_cannot_be_reached(served: Remote, store: Store, folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    async with started(LARGE, wait=False) as driver:
        await driver.wait_for_notice(AWAY)
        assert opened_in(driver) == "own"
        await driver.press("n")
        await driver.see("Name of the profile")
        await driver.type("anna")
        await driver.press("enter")
        await driver.until(lambda: driver.movies.total, "the list of a profile")
        await driver.press("left", "slash")
        await driver.type("17")
        await driver.press("enter")
        await driver.wait_for_notice(AWAY)
    folder.with_name("elsewhere").rename(folder)


def test_the_command_similar_compares_by_the_model_in_use(served: Remote, run: Run) -> None:
    whole, _ = served
    result = document(run("similar", f"id:{whole.movies.ids[0]}", "-k", 3, "--dataset", "own", "--json"))
    assert (result["model"], [movie["common"] for movie in result["movies"]]) == ("als", [None] * 3)
    assert run("similar", f"id:{whole.movies.ids[0]}", "--dataset", "own").exit_code == 0


async def test_training_says_which_command_does_it(served: Remote, store: Store) -> None:
    async with started(LARGE) as driver:
        screen = await go(driver)
        await choose(driver, screen, "ease")
        await driver.press("enter")
        await driver.wait_for_notice(
            "! own is on a cluster; train there with movietui cluster train ease --dataset own."
        )
        await choose(driver, screen, "blend")
        await driver.press("enter")
        await driver.wait_for_notice("! own is on a cluster, where blend cannot be trained; choose one of als, ")
        assert len(store.runs()) == 3


def test_the_engine_reads_a_user_once(served: Remote, store: Store, folder: Path) -> None:
    service = Service()
    opened = service.open(dataset="own", cleaning="standard", checkpoint=checkpoint_of("als"))
    whole, stored = served
    assert (opened["ratings"], opened["users"], opened["cluster"]) == (len(whole.ratings), len(whole.users), stored.uri)
    assert service.find_users(search="17", offset=0, limit=9)["total"] == 1
    shutil.rmtree(folder)
    ratings = service.given_ratings(viewer={"kind": "user", "id": "17", "rated": [], "seen": [], "hidden": []})
    assert len(ratings) == len(whole.rows_of(whole.users.row["17"]))
