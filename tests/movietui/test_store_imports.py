"""Marks and imports in the store."""

import subprocess
import sys
from pathlib import Path

import pytest

from movietui.data.imports.entries import Mark
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.store.ratings import Change, Ids, ImportedMovie, ImportResult, Movie, Store
from tests.movietui.stored import ALIEN, ANNA, BRAZIL, FARGO, TOM, marked, stars_of


def test_marks_are_stored_and_removed(store: Store) -> None:
    assert store.mark(ANNA, FARGO, "watchlist") == Change(ANNA, FARGO, None, 1, "watchlist")
    store.mark(ANNA, FARGO, "watchlist")
    store.mark(ANNA, ALIEN, "hidden")
    store.mark(ANNA, BRAZIL, "seen")
    store.mark(TOM, BRAZIL, "watchlist")
    assert marked(store, ANNA) == [("Fargo", "watchlist"), ("Alien", "hidden"), ("Brazil", "seen")]
    assert marked(store, ANNA, "watchlist", "seen") == [("Fargo", "watchlist"), ("Brazil", "seen")]
    assert store.unmark(ANNA, ALIEN, "hidden") == Change(ANNA, ALIEN, 1, None, "hidden")
    assert marked(store, ANNA, "hidden") == []
    assert stars_of(store, ANNA) == {}
    store.close()
    again = Store(store.path)
    assert marked(again, ANNA) == [("Fargo", "watchlist"), ("Brazil", "seen")]
    again.close()


LONG_AGO = "2010-05-01T00:00:00.000+00:00"
LATER = "2012-05-01T00:00:00.000+00:00"


def imported(
    movie: Movie, stars: float | None, at: str = LONG_AGO, *marks: Mark, import_key: str = ""
) -> ImportedMovie:
    return ImportedMovie(movie, import_key or movie.key, stars, marks, at)


def test_an_import_is_one_step(store: Store) -> None:
    store.rate(ANNA, BRAZIL, 3)
    movies = [imported(FARGO, 4, LATER), imported(ALIEN, None, LONG_AGO, "watchlist", "liked")]
    assert store.import_movies(ANNA, "letterboxd", movies) == ImportResult(3)
    step = store.history(ANNA)[0]
    assert (step.kind, step.note, len(step.changes)) == ("import", "letterboxd", 3)
    assert [rated.at for rated in store.ratings(ANNA)][1] == LATER
    assert store.import_movies(ANNA, "letterboxd", movies) is None
    undone_step = store.undo([ANNA])
    assert undone_step is not None
    assert {(change.movie.title, change.before, change.after) for change in undone_step.changes} == {
        ("Fargo", 4, None),
        ("Alien", 1, None),
    }
    assert (stars_of(store, ANNA), store.marks(ANNA)) == ({"Brazil": 3}, [])
    store.redo([ANNA])
    assert stars_of(store, ANNA) == {"Brazil": 3, "Fargo": 4}
    assert marked(store, ANNA) == [("Alien", "watchlist"), ("Alien", "liked")]


def test_the_newer_rating_wins(store: Store) -> None:
    store.import_movies(ANNA, "", [imported(FARGO, 4, LONG_AGO), imported(ALIEN, 4, LATER)])
    store.import_movies(ANNA, "", [imported(FARGO, 2, LATER), imported(ALIEN, 2, LONG_AGO)])
    assert stars_of(store, ANNA) == {"Fargo": 2, "Alien": 4}
    store.rate(ANNA, FARGO, 5)
    assert store.import_movies(ANNA, "", [imported(FARGO, 1, LATER)]) == ImportResult(0, stayed=1)
    assert stars_of(store, ANNA) == {"Fargo": 5, "Alien": 4}


def test_an_undated_rating_replaces_only_imported_ratings(store: Store) -> None:
    store.import_movies(ANNA, "", [imported(FARGO, 3, ""), imported(ALIEN, 3, LATER)])
    store.rate(ANNA, BRAZIL, 3)
    undated = [imported(FARGO, 5, ""), imported(ALIEN, 5, ""), imported(BRAZIL, 5, "")]
    assert store.import_movies(ANNA, "", undated) == ImportResult(2, stayed=1)
    assert stars_of(store, ANNA) == {"Brazil": 3, "Fargo": 5, "Alien": 5}
    assert store.import_movies(ANNA, "", undated) == ImportResult(0, stayed=1)
    store.rate(ANNA, FARGO, 1)
    store.undo([ANNA])
    store.import_movies(ANNA, "", [imported(FARGO, 4, "")])  # the rating that was given by hand has been undone
    assert stars_of(store, ANNA)["Fargo"] == 4


def test_batches_of_an_import_give_the_same_result(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movietui.store.ratings.BATCH_SIZE", 2)
    movies = [Movie(f"{number} 1990", str(number), 1990) for number in range(7)]
    twice = [
        imported(movie, 1 + number % 4, f"20{number + 10}-05-01T00:00:00.000+00:00")
        for number, movie in enumerate([*movies, *movies])
    ]
    assert store.import_movies(ANNA, "", [*twice, imported(movies[6], None, LATER, "seen")]) == ImportResult(14)
    assert [rated.stars for rated in store.ratings(ANNA)] == [4, 1, 2, 3, 4, 1, 2]
    assert [rated.movie.title for rated in store.ratings(ANNA)] == list("0123456")
    assert store.marks(ANNA) == []
    store.undo([ANNA])
    assert store.ratings(ANNA) == []
    store.redo([ANNA])
    assert [rated.stars for rated in store.ratings(ANNA)] == [4, 1, 2, 3, 4, 1, 2]


def test_a_removed_mark_stays_removed(store: Store) -> None:
    movies = [imported(FARGO, None, LONG_AGO, "watchlist")]
    store.import_movies(ANNA, "", movies)
    store.unmark(ANNA, FARGO, "watchlist")
    assert store.import_movies(ANNA, "", movies) is None
    assert store.marks(ANNA) == []
    store.undo([ANNA])
    assert marked(store, ANNA) == [("Fargo", "watchlist")]


def test_a_rated_movie_is_not_also_marked_as_seen(store: Store) -> None:
    store.rate(ANNA, FARGO, 4)
    store.import_movies(
        ANNA, "", [imported(FARGO, None, LONG_AGO, "seen", "liked"), imported(ALIEN, None, LONG_AGO, "seen")]
    )
    assert marked(store, ANNA) == [("Fargo", "liked"), ("Alien", "seen")]


def test_an_import_with_invalid_stars_is_rolled_back(store: Store) -> None:
    with pytest.raises(Problem, match=r"use 0\.5 to 5 in half stars"):
        store.import_movies(ANNA, "", [imported(FARGO, 4), imported(ALIEN, 7)])
    assert (stars_of(store, ANNA), store.history(ANNA)) == ({}, [])


def test_a_movie_with_two_keys_is_one_movie(store: Store) -> None:
    """A rating or a mark under either key belongs to the same movie."""
    elsewhere = Movie("fargo 1997", "Fargo!", 1997)
    store.import_movies(ANNA, "", [imported(Movie(FARGO.key, "Fargo!", 1997), 4, import_key="fargo 1997")])
    assert store.describe([FARGO.key])[0].aliases == ("fargo 1997",)
    store.rate(ANNA, ALIEN, 3)
    store.undo([ANNA])
    store.rate(ANNA, elsewhere, 2)
    assert stars_of(store, ANNA) == {"Fargo!": 2}
    store.mark(ANNA, elsewhere, "hidden")
    assert [each.movie.key for each in store.marks(ANNA)] == [FARGO.key]
    store.rate(TOM, elsewhere, 5)
    assert [rated.movie for rated in store.ratings(TOM)] == [elsewhere]
    assert store.undo([ANNA]) is not None


def test_a_match_chosen_by_hand_can_be_changed(store: Store) -> None:
    unmatched = Movie("fargoh 1996", "Fargoh", 1996)

    def settle(movie: Movie) -> tuple[str, ...]:
        store.settle(unmatched.key, movie.key)
        again = ImportedMovie(Movie(movie.key, "Fargoh", 1996), unmatched.key, 4, (), LONG_AGO)
        assert store.import_movies(ANNA, "", [again]) is None  # the profile already has the movie, under its import key
        assert store.movie_keys(ANNA) == [unmatched.key]
        return store.describe([unmatched.key])[0].aliases

    store.import_movies(ANNA, "", [imported(unmatched, 4)])
    assert settle(ALIEN) == ("alien 1979",)
    assert settle(FARGO) == ("fargo 1996",)
    store.settle("no film", None)
    assert store.settled() == {"fargoh 1996": "fargo 1996", "no film": None}


def test_ids_of_movies_are_collected(store: Store) -> None:
    for ids in (Ids(imdb="tt0116282"), Ids(tmdb=275), Ids()):
        store.import_movies(ANNA, "", [ImportedMovie(FARGO, FARGO.key, 4, (), LONG_AGO, ids)])
    assert store.ids() == {FARGO.key: Ids("tt0116282", 275, 0)}
    store.learn_ids({FARGO.key: Ids("tt0000001", 1, 1), BRAZIL.key: Ids("tt0088846")})
    assert store.ids() == {FARGO.key: Ids("tt0116282", 275, 0), BRAZIL.key: Ids("tt0088846")}
    assert store.ids([BRAZIL.key, ALIEN.key]) == {BRAZIL.key: Ids("tt0088846")}


def test_ids_are_stored_with_ratings_and_marks(store: Store) -> None:
    store.rate(ANNA, Movie(FARGO.key, "Fargo", 1996, Ids("tt0116282", 275, 608)), 4)
    store.mark(ANNA, Movie(ALIEN.key, "Alien", 1979, Ids("tt0078748")), "seen")
    store.rate(ANNA, BRAZIL, 3)
    assert store.ids() == {FARGO.key: Ids("tt0116282", 275, 608), ALIEN.key: Ids("tt0078748")}


IMPORTS = """
from movietui.data.storage import locations
from movietui.store.ratings import Movie, ImportedMovie, Store
from movietui.protocol.viewers import profile
store = Store(locations.store())
for number in range(10**6):
    movies = [Movie(f"{number} {part} 1990", "F", 1990) for part in range(40)]
    imported = [ImportedMovie(movie, movie.key, 4, ("seen",)) for movie in movies]
    store.import_movies(profile("anna"), str(number), imported)
    print(number, flush=True)
"""


def test_an_import_is_on_disk_completely_or_not_at_all(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", IMPORTS], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        last = [int(child.stdout.readline()) for _ in range(8)][-1]
        child.kill()
        last = max([last, *(int(line) for line in child.stdout.read().split())])
    store = Store(locations.store())
    steps = store.history(ANNA)
    assert len(steps) in (last + 1, last + 2)
    assert {len(step.changes) for step in steps} == {80}
    assert len(store.ratings(ANNA)) == len(store.marks(ANNA)) == 40 * len(steps)
    store.close()
