"""The state behind the screens, with a fake engine."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from movietui.data.problems import Problem
from movietui.protocol.messages import MovieRow
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import ViewerRef, profile, user
from movietui.state.audience import Audience
from movietui.state.session import Session
from movietui.store import database
from movietui.store.ratings import Store
from tests.movietui.driving import PATIENCE
from tests.movietui.fakes import MISERY, FakeEngine, with_run


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def session(store: Store, engine: FakeEngine) -> Session:
    with_run(store)
    return Session(store, engine)


async def first(session: Session) -> MovieRow:
    return (await session.ranked(0, 10))["rows"][0]


async def test_a_dataset_without_a_model_cannot_be_opened(store: Store, engine: FakeEngine) -> None:
    session = Session(store, engine)
    with pytest.raises(Problem, match="No model has been trained on demo yet"):
        await session.open("demo")


async def test_details_are_about_the_viewers_at_the_request(
    session: Session, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await session.open("demo")
    movie, after_matching = await first(session), session._movies.after_matching

    async def after_a_change(*arguments: Any) -> Any:
        session.show_to(session.audience.joined_by(user("2", "demo")))
        return await after_matching(*arguments)

    monkeypatch.setattr(session._movies, "after_matching", after_a_change)
    await session.details(movie["id"])
    assert [viewer["id"] for viewer in dict(engine.asked)["movie_details"]["viewers"]] == ["1"]


class Commits:
    """Lets each transaction of the store wait until the engine has been asked for a list, and then end or fail."""

    def __init__(self, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = threading.Event()
        self.error: Exception | None = None
        transaction, ask = database._transaction, engine.ask

        @contextmanager
        def waiting(db: sqlite3.Connection) -> Iterator[None]:
            with transaction(db):
                yield
                assert self.asked.wait(PATIENCE)
                if self.error:
                    raise self.error

        async def note(request: Any, **named: Any) -> Any:
            if request is Requests.rank:
                self.asked.set()
            return await ask(request, **named)

        monkeypatch.setattr(database, "_transaction", waiting)
        monkeypatch.setattr(engine, "ask", note)


async def test_the_list_is_ranked_while_the_rating_is_written(
    session: Session, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await session.open("demo")
    movie = await first(session)
    Commits(engine, monkeypatch)
    change, window = await session.rate_and_rank(movie, 4.0, 0, 10)
    assert (change.movie.key, change.after) == (movie["key"], 4.0)
    assert movie["id"] not in [row["id"] for row in window["rows"]]
    assert session.seen_steps == session.store.steps_version()
    with closing(Store(session.store.path)) as another:
        assert [rated.stars for rated in another.ratings(change.viewer)] == [4.0]


async def test_a_rating_that_cannot_be_written_gives_no_list(
    session: Session, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await session.open("demo")
    movie = await first(session)
    commits = Commits(engine, monkeypatch)
    commits.error = sqlite3.OperationalError("database or disk is full")
    with pytest.raises(Problem, match="the disk is full"):
        await session.rate_and_rank(movie, 4.0, 0, 10)
    assert session.changes.last is None
    *_, before, last = [named for name, named in engine.asked if name == Requests.rank.__name__]
    assert before["query"]["viewers"][0]["rated"] != last["query"]["viewers"][0]["rated"]
    assert not last["compare"]
    assert await first(session) == movie


async def test_open_shows_the_first_user(session: Session, engine: FakeEngine) -> None:
    opened = await session.open("demo")
    assert session.opened == opened
    assert session.run is not None
    assert session.run.id == 3
    assert session.audience == Audience((user("1", "demo"),), misery=MISERY)
    arguments = dict(engine.asked)["open"]
    assert arguments["cleaning"] == "standard"
    assert Path(arguments["checkpoint"]).name == session.run.checkpoint
    assert session.store.choice("dataset") == "demo"


async def test_open_shows_a_profile_before_a_user(session: Session) -> None:
    session.store.create_profile("tom")
    session.store.create_profile("Anna")
    await session.open("demo")
    assert session.audience.viewers == (profile("Anna"),)


@pytest.mark.parametrize("viewer", [user("7", "demo"), profile("tom")])
async def test_open_remembers_the_last_viewer(session: Session, engine: FakeEngine, viewer: ViewerRef) -> None:
    session.store.create_profile("Anna")
    session.store.create_profile("tom")
    await session.open("demo")
    await session.look_at(viewer)
    again = Session(session.store, engine)
    await again.open("demo")
    assert again.audience.viewers == (viewer,)


async def test_a_remembered_user_who_is_gone_is_forgotten(session: Session) -> None:
    """This happens if the dataset has been read again from another file, which lacks the user."""
    session.store.choose("viewer:demo", "user:99999")
    await session.open("demo")
    assert session.audience.viewers == (user("1", "demo"),)


async def test_a_failed_open_changes_nothing(session: Session) -> None:
    await session.open("demo")
    before = (session.opened, session.run, session.audience)
    with_run(session.store, "gone")
    with pytest.raises(Problem, match="gone is not here"):
        await session.open("gone")
    assert (session.opened, session.run, session.audience) == before
    assert session.store.choice("dataset") == "demo"


async def test_another_run_of_the_dataset_keeps_the_audience(session: Session) -> None:
    await session.open("demo")
    await session.look_at(user("5", "demo"))
    session.show_to(session.audience.paired_with(user("6", "demo")))
    await session.open("demo")
    assert session.audience.viewers == (user("5", "demo"), user("6", "demo"))


async def test_a_rating_is_stored_and_sent_with_the_next_request(
    session: Session, engine: FakeEngine, store: Store
) -> None:
    await session.open("demo")
    row = await first(session)
    change = await session.rate(row, 4)
    assert (change.viewer, change.movie.title) == (user("1", "demo"), row["title"])
    assert (change.before, change.after) == (None, 4)
    await session.ranked(0, 10, after_rating=True)
    do, arguments = engine.asked[-1]
    assert (do, arguments["compare"]) == ("rank", True)
    ((_, _, rated_at),) = store.stars(user("1", "demo"))
    assert arguments["query"]["viewers"] == [
        {"kind": "user", "id": "1", "rated": [(row["key"], 4.0)], "rated_at": [rated_at], "seen": [], "hidden": []}
    ]


async def test_nudging_changes_the_last_rating_by_half_a_star(session: Session) -> None:
    await session.open("demo")
    with pytest.raises(Problem, match="Rate a movie first, with 1 to 5"):
        await session.nudge(0.5)
    row = await first(session)
    await session.rate(row, 4)
    assert (await session.nudge(0.5)).after == 4.5
    assert (await session.nudge(0.5)).after == 5
    assert (await session.nudge(0.5)).after == 5
    await session.rate(row, 1)
    assert [(await session.nudge(-0.5)).after for _ in range(2)] == [0.5, 0.5]


async def test_nudging_does_not_change_a_rating_of_another_viewer(session: Session) -> None:
    await session.open("demo")
    await session.rate(await first(session), 4)
    await session.look_at(user("2", "demo"))
    with pytest.raises(Problem):
        await session.nudge(0.5)


async def test_changes_are_undone_and_redone(session: Session) -> None:
    await session.open("demo")
    assert await session.undo() is None
    assert await session.redo() is None
    row = await first(session)
    await session.rate(row, 4)
    await session.nudge(-0.5)
    assert [(await session.undo()).changes[0].after for _ in range(2)] == [4, None]  # type: ignore[union-attr]
    with pytest.raises(Problem):
        await session.nudge(0.5)
    again = await session.redo()
    assert again is not None
    assert again.changes[0].after == 4
    assert (await session.nudge(0.5)).after == 4.5


async def test_a_veto_ends_redo(session: Session) -> None:
    await session.open("demo")
    session.show_to(Audience((user("1", "demo"), user("2", "demo"))))
    window = await session.ranked(0, 10)
    await session.rate(window["rows"][0], 4)
    assert await session.undo() is not None
    veto = session.veto(window["rows"][1])
    assert await session.redo() is None
    assert await session.undo() == veto
    assert await session.redo() == veto
    assert await session.redo() is None


async def test_a_second_viewer_joins_and_leaves_the_pair(session: Session) -> None:
    await session.open("demo")
    one, two, three = (user(number, "demo") for number in "123")
    session.show_to(session.audience.paired_with(one))
    assert session.audience.viewers == (one,)
    session.show_to(session.audience.paired_with(two))
    assert session.audience == Audience((one, two), 0, MISERY)
    session.show_to(session.audience.next_rater())
    assert session.audience.rater == two
    row = await first(session)
    assert (await session.rate(row, 2)).viewer == two
    session.show_to(session.audience.next_rater())
    assert session.audience.rater == one
    session.show_to(session.audience.paired_with(three))
    assert session.audience.viewers == (one, three)
    session.show_to(session.audience.next_rater())
    session.show_to(session.audience.paired_with(three))
    assert session.audience == Audience((one,), 0, MISERY)
    session.show_to(session.audience.next_rater())
    assert session.audience.rater == one


async def test_the_first_member_can_leave_the_pair(session: Session) -> None:
    await session.open("demo")
    session.show_to(session.audience.paired_with(user("2", "demo")))
    session.show_to(session.audience.paired_with(user("1", "demo")))
    assert session.audience.viewers == (user("2", "demo"),)


async def test_the_dial_stops_at_its_ends(session: Session) -> None:
    await session.open("demo")
    session.show_to(session.audience.paired_with(user("2", "demo")))
    for _ in range(12):
        session.show_to(session.audience.leaning(-1))
    assert session.audience.misery == 0
    session.show_to(session.audience.leaning(1))
    assert session.audience.misery == 0.1
    for _ in range(12):
        session.show_to(session.audience.leaning(1))
    assert session.audience.misery == 1


async def test_undo_for_a_pair_takes_back_the_newest_change_of_both(session: Session) -> None:
    await session.open("demo")
    session.show_to(session.audience.paired_with(user("2", "demo")))
    rows = (await session.ranked(0, 10))["rows"]
    await session.rate(rows[0], 4)
    session.show_to(session.audience.next_rater())
    await session.rate(rows[1], 2)
    session.show_to(session.audience.next_rater())
    changes = [await session.undo(), await session.undo(), await session.undo()]
    assert [change and change.viewer.id for change in changes] == ["2", "1", None]
