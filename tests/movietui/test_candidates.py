"""The app and the command line agree on which movies may be in a list, whichever viewer marked them."""

from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from movietui.models.choices import UnseenBy
from movietui.protocol.viewers import ViewerRef, profile, user
from movietui.state.session import Session
from movietui.store.ratings import Movie, Store
from tests.movietui.at_hand import EngineAtHand
from tests.movietui.commands import Run, document

ANNA, TOM, USER = profile("anna"), profile("tom"), user("1", "demo")
PAIRS = {"two profiles": (ANNA, TOM), "a user and a profile": (USER, TOM)}
GIVEN = ("watchlist", "seen", "liked", "hidden", "rated", "nothing")
BY = {"the first": (0,), "the second": (1,), "both": (0, 1)}


def give(store: Store, viewer: ViewerRef, movie: Movie, what: str) -> None:
    if what == "rated":
        store.rate(viewer, movie, 4)
    elif what != "nothing":
        store.mark(viewer, movie, what)  # type: ignore[arg-type]


@pytest.fixture
async def session(ready: Path, store: Store) -> AsyncIterator[Session]:
    for viewer in (ANNA, TOM):
        store.create_profile(viewer.id)
    engine = EngineAtHand()
    opened = Session(store, engine)
    await opened.open("demo")
    yield opened
    await engine.close()


def movies_to_mark(session: Session) -> list[tuple[str, Movie]]:
    """Return the movies that have ratings in the dataset, with their ids, starting with those that user 1 rated."""
    assert isinstance(session.engine, EngineAtHand)
    dataset = session.engine.service.opened.dataset
    rated = set(dataset.ratings.movie[dataset.ratings.user == 0].tolist())
    rows = sorted((row for row in range(len(dataset.movies)) if dataset.counts[row]), key=lambda row: row not in rated)
    movies = dataset.movies
    return [(movies.ids[row], Movie(movies.keys[row], movies.titles[row], int(movies.years[row]))) for row in rows]


async def listed(session: Session) -> list[str]:
    return [row["id"] for row in (await session.ranked(0, 10_000))["rows"]]


def recommended(run: Run, viewers: tuple[ViewerRef, ...], *options: object) -> list[str]:
    named = [word for ref in viewers for word in (f"--{ref.kind}", ref.id)]
    result = document(run("recommend", *named, "-k", 10_000, "--dataset", "demo", "--json", *options))
    return [movie["id"] for movie in result["movies"]]


@pytest.mark.parametrize("unseen_by", get_args(UnseenBy))
@pytest.mark.parametrize("viewers", PAIRS.values(), ids=PAIRS)
async def test_a_pair_has_the_same_list_in_the_app_and_on_the_command_line(
    session: Session, run: Run, viewers: tuple[ViewerRef, ViewerRef], unseen_by: UnseenBy
) -> None:
    all_movies = movies_to_mark(session)
    rated = 0 if viewers[0].kind == "profile" else 1  # in the dataset, a user has already rated the first movies
    given: dict[str, str] = {}
    seen = [
        {movie_id for movie_id, _ in all_movies[: await seen_count(session, viewers[0])]} if rated else set[str](),
        set[str](),
    ]
    hidden: set[str] = set()
    # Once with movies that the user rated in the dataset, once with movies that they did not.
    for part in (all_movies[: len(GIVEN) * len(BY)], all_movies[-len(GIVEN) * len(BY) :]):
        for (movie_id, movie), (what, (whose, members)) in zip(part, product(GIVEN, BY.items()), strict=True):
            given[movie_id] = f"{what} by {whose}"
            for member in members:
                give(session.store, viewers[member], movie, what)
                hidden |= {movie_id} if what == "hidden" else set()
                seen[member] |= {movie_id} if what in ("seen", "liked", "rated") else set()
    await session.look_at(viewers[0])
    session.show_to(session.audience.paired_with(viewers[1]))
    while session.audience.unseen_by != unseen_by:
        session.show_to(session.audience.next_unseen_by())
    by = {"all": seen[0] | seen[1], "any": seen[0] & seen[1], "none": set[str]()}
    expected = {movie_id for movie_id, _ in all_movies} - hidden - by[unseen_by]
    in_app, on_command_line = await listed(session), recommended(run, viewers, "--unseen", unseen_by)
    wrong = {movie_id: given.get(movie_id, "") for movie_id in expected ^ set(in_app)}
    assert not wrong, "in the app"
    wrong = {movie_id: given.get(movie_id, "") for movie_id in expected ^ set(on_command_line)}
    assert not wrong, "on the command line"
    assert in_app == on_command_line


async def seen_count(session: Session, viewer: ViewerRef) -> int:
    await session.look_at(viewer)
    return (await session.ranked(0, 1))["rated"][0]


@pytest.mark.parametrize("viewer", [ANNA, USER], ids=["a profile", "a user"])
async def test_one_viewer_has_the_same_list_in_the_app_and_on_the_command_line(
    session: Session, run: Run, viewer: ViewerRef
) -> None:
    for (_, movie), what in zip(movies_to_mark(session)[-len(GIVEN) :], GIVEN, strict=True):
        give(session.store, viewer, movie, what)
    await session.look_at(viewer)
    assert await listed(session) == recommended(run, (viewer,))


async def test_lists_of_compared_runs_contain_no_hidden_or_seen_movies(session: Session, run: Run) -> None:
    await session.look_at(ANNA)
    top = (await session.ranked(0, 3))["rows"]
    for row, what in zip(top, ("hidden", "seen", "liked"), strict=True):
        give(session.store, ANNA, Movie(row["key"], row["title"], row["year"]), what)
    report = document(run("runs", "compare", 1, 2, "--profile", "anna", "-k", 50, "--json"))
    assert not {row["title"] for row in top} & {movie["title"] for movie in report["top"]["movies"]}
