"""Five processes write to one store at the same time: nothing is lost, and no write is refused."""

import multiprocessing
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from multiprocessing.queues import Queue
from pathlib import Path

from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.protocol.viewers import profile
from movietui.store.ratings import ImportedMovie, Movie, Store
from tests.benchmarks.campaign import homes, kills
from tests.benchmarks.campaign.report import Report

TIMES = 5000
EACH = 24
"""How many times a process writes in a round: a multiple of 6, because some writers write in groups of two or three."""
LIMIT_SECONDS = 120.0
ALL = profile("everybody")
"""A profile that three of the writers share."""


def _movie(who: str, number: int) -> Movie:
    return Movie(f"{who} {number}", f"{who.title()} {number}", 2000)


def _rate(store: Store, number: int) -> None:
    store.rate(ALL if number % 2 else profile("rate"), _movie("rate", number), 1 + number % 9 / 2)


def _undo(store: Store, number: int) -> None:
    """Rate a movie in two of three calls; in the third, undo the last rating."""
    if number % 3 == 2:
        assert store.undo([profile("undo")]) is not None
    else:
        store.rate(profile("undo"), _movie("undo", number), 4.0)


def _import(store: Store, number: int) -> None:
    movies = [_movie("import", 3 * number + index) for index in range(3)]
    assert store.import_movies(ALL, "export", [ImportedMovie(movie, movie.key, 3.5) for movie in movies]) is not None


def _mark(store: Store, number: int) -> None:
    store.mark(ALL if number % 2 else profile("mark"), _movie("mark", number), "seen")


def _run(store: Store, number: int) -> None:
    """Start a run in one of two calls; in the other, end it."""
    if number % 2 == 0:
        store.start_run("mf", "demo", "standard", "random90", number, {})
    else:
        newest = next(run for run in store.runs() if run.seed == number - 1)
        store.end_run(newest.id, "done", metrics={"rmse": number})


WRITERS: dict[str, Callable[[Store, int], None]] = {
    "rate": _rate,
    "undo": _undo,
    "import": _import,
    "mark": _mark,
    "run": _run,
}


def _write(who: str, path: Path, outcomes: "Queue[tuple[str, str]]") -> None:
    """Make all writes of a writer. Reopen the store now and then, as commands do."""
    store = Store(path)
    generator = random.Random(who)
    try:
        for number in range(EACH):
            if generator.random() < 0.2:
                store.close()
                store = Store(path)
            WRITERS[who](store, number)
        outcomes.put((who, ""))
    except (Problem, AssertionError, sqlite3.Error) as error:
        outcomes.put((who, f"{type(error).__name__}: {error}"))
    finally:
        store.close()


def run(report: Report, template: Path, scratch: Path) -> None:
    """Let all writers write at once, round after round."""
    context = multiprocessing.get_context("fork")
    (scratch / "empty").mkdir(exist_ok=True)
    for seed in report.seeds():
        report.tried["writes"] += len(WRITERS) * EACH
        with report.attempt(seed), homes.copy_of(scratch / "empty", scratch / f"home-{seed}"):
            outcomes: Queue[tuple[str, str]] = context.Queue()
            writers = [context.Process(target=_write, args=(who, locations.store(), outcomes)) for who in WRITERS]
            random.Random(seed).shuffle(writers)
            try:
                for writer in writers:
                    writer.start()
                ended = dict(outcomes.get(timeout=LIMIT_SECONDS) for _ in writers)
            finally:
                for writer in writers:
                    writer.join(1)
                    writer.kill()
            assert not any(ended.values()), ended
            _check()


def _check() -> None:
    """Check that every write was stored."""
    kills.check_database()
    with closing(Store(locations.store())) as store:
        rated = {one.movie.key: one.stars for ref in (ALL, profile("rate")) for one in store.ratings(ref)}
        marked = {one.movie.key for ref in (ALL, profile("mark")) for one in store.marks(ref, "seen")}
        left = {one.movie.key for one in store.ratings(profile("undo"))}
        ended = {run.seed: run.metrics for run in store.runs() if run.state == "done"}
    expected = {_movie("rate", number).key: 1 + number % 9 / 2 for number in range(EACH)}
    expected |= {_movie("import", number).key: 3.5 for number in range(3 * EACH)}
    assert rated == expected
    assert marked == {_movie("mark", number).key for number in range(EACH)}
    assert left == {_movie("undo", number).key for number in range(0, EACH, 3)}
    assert ended == {number: {"rmse": number + 1} for number in range(0, EACH, 2)}
