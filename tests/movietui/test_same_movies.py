"""What somebody rated, saw or hid in one dataset counts in every other dataset, even if titles differ."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from movietui.answers.lists import same_movies, viewer
from movietui.data.dataset import Dataset
from movietui.data.storage import locations
from movietui.protocol.viewers import profile
from movietui.state.session import Session
from movietui.store.profile_entries import entries_of
from movietui.store.ratings import Ids, ImportedMovie, Movie, Store
from movietui.store.same_movies import SameMovies, from_rows, to_rows
from tests.data.joined import get_linked
from tests.data.labelled import dataset
from tests.movietui.commands import Run, document
from tests.movietui.fakes import MOVIES, FakeEngine, title
from tests.movietui.stored import FARGO

ANNA = profile("anna")
OLD = dataset(("Se7en (1995)", "Postman, The (Postino, Il) (1994)", "Emma (1996)", "Of Old Alone (1990)"), name="old")
NEW = dataset(
    ("Seven (a.k.a. Se7en) (1995)", "Postino, Il (1994)", "Emma (1997)", "Of New Alone (1999)", "Emma (2020)"),
    name="new",
)
SEVEN, POSTINO, EMMA, ALONE = range(4)


@pytest.fixture
def store(store: Store) -> Store:
    store.create_profile("anna")
    return store


def movie_of(dataset: Dataset, row: int) -> Movie:
    movies = dataset.movies
    return Movie(movies.keys[row], movies.titles[row], int(movies.years[row]))


def rate(store: Store, of: Dataset, row: int, stars: float) -> None:
    """Rate a movie of a dataset as the app and the command line do."""
    store.rate(ANNA, same_movies(store, of, [ANNA]).stored(ANNA, movie_of(of, row)), stars)


def rated(store: Store, of: Dataset) -> dict[int, float]:
    history = viewer(of, same_movies(store, of, [ANNA]).for_engine(ANNA)).history
    return dict(zip(history.movies.tolist(), history.stars.tolist(), strict=True))


@pytest.mark.parametrize(("here", "there"), [(OLD, NEW), (NEW, OLD)])
@pytest.mark.parametrize("movie", [SEVEN, POSTINO])
def test_a_rating_counts_in_a_dataset_with_another_title(
    store: Store, here: Dataset, there: Dataset, movie: int
) -> None:
    rate(store, here, movie, 4)
    assert rated(store, there) == {movie: 4}
    rate(store, there, movie, 2)
    assert rated(store, here) == rated(store, there) == {movie: 2}
    assert len(store.ratings(ANNA)) == 1
    assert len({change.movie.key for step in store.history(ANNA) for change in step.changes}) == 1
    store.undo([ANNA])
    assert rated(store, here) == rated(store, there) == {movie: 4}


def test_a_rating_has_the_time_of_the_store(store: Store) -> None:
    """The newest rating of a movie counts, and so does its time."""
    key, title, year = "an old key", OLD.movies.titles[SEVEN], int(OLD.movies.years[SEVEN])
    old = ImportedMovie(Movie(key, title, year), key, 2.0, at="2020-01-05T10:00:00.250+00:00")
    other = movie_of(NEW, POSTINO)
    dated = ImportedMovie(other, other.key, 5.0, at="1969-12-31T23:59:58+00:00")
    store.import_movies(ANNA, "file", [old, dated])
    history = viewer(NEW, same_movies(store, NEW, [ANNA]).for_engine(ANNA)).history
    assert history.time is not None
    times = dict(zip(history.movies.tolist(), history.time.tolist(), strict=True))
    assert times == {SEVEN: 1_578_218_400, POSTINO: -2}
    before = int(time.time())
    rate(store, NEW, SEVEN, 4)
    history = viewer(NEW, same_movies(store, NEW, [ANNA]).for_engine(ANNA)).history
    assert history.time is not None
    assert before <= history.time[history.movies.tolist().index(SEVEN)] <= time.time()


def test_a_mark_counts_in_another_dataset(store: Store) -> None:
    for movie, mark in ((SEVEN, "seen"), (POSTINO, "hidden"), (ALONE, "liked")):
        store.mark(ANNA, movie_of(OLD, movie), mark)
    there = same_movies(store, NEW, [ANNA])
    assert there.for_engine(ANNA)["seen"] == [NEW.movies.keys[SEVEN]]
    assert there.for_engine(ANNA)["hidden"] == [NEW.movies.keys[POSTINO]]
    assert there.stored(ANNA, movie_of(NEW, POSTINO)).key == OLD.movies.keys[POSTINO]


def test_an_uncertain_match_does_not_count(store: Store) -> None:
    """Emma (1996) may or may not be the Emma of 1997, so an import would ask."""
    rate(store, OLD, EMMA, 5)
    rate(store, OLD, ALONE, 5)
    assert rated(store, NEW) == {}
    rate(store, NEW, EMMA, 1)
    assert (rated(store, OLD), rated(store, NEW)) == ({EMMA: 5, ALONE: 5}, {EMMA: 1})


def test_of_two_ratings_the_newest_counts(store: Store) -> None:
    """Both ratings stay in the store, and a new rating changes the newest one."""
    store.rate(ANNA, movie_of(OLD, SEVEN), 2)
    store.rate(ANNA, movie_of(NEW, SEVEN), 4)
    assert rated(store, OLD) == rated(store, NEW) == {SEVEN: 4}
    store.rate(ANNA, movie_of(OLD, SEVEN), 1)
    assert rated(store, OLD) == rated(store, NEW) == {SEVEN: 1}
    rate(store, NEW, SEVEN, 5)
    assert [(each.movie.key, each.stars) for each in store.ratings(ANNA)] == [
        (NEW.movies.keys[SEVEN], 4),
        (OLD.movies.keys[SEVEN], 5),
    ]


def test_a_mark_is_removed_under_the_key_that_has_it(store: Store) -> None:
    """This holds even if the movie has been rated under another key since then."""
    store.mark(ANNA, movie_of(OLD, SEVEN), "hidden")
    store.rate(ANNA, movie_of(NEW, SEVEN), 4)
    here = same_movies(store, NEW, [ANNA])
    assert here.stored(ANNA, movie_of(NEW, SEVEN), "hidden").key == OLD.movies.keys[SEVEN]
    assert here.stored(ANNA, movie_of(NEW, SEVEN)).key == NEW.movies.keys[SEVEN]


LONG = "A Name of Many Words"


def test_two_stored_movies_are_not_merged(store: Store) -> None:
    """As in an import, a stored movie with the dataset's year counts before one with another year."""
    one = dataset([f"{LONG} (1991)"])
    store.rate(ANNA, Movie("a name of many words 1990", LONG, 1990), 1)
    assert rated(store, one) == {0: 1}
    store.rate(ANNA, movie_of(one, 0), 4)
    store.rate(ANNA, Movie("a name of many words 1990", LONG, 1990), 2)
    assert rated(store, one) == {0: 4}
    assert same_movies(store, one, [ANNA]).stored(ANNA, movie_of(one, 0)).key == one.movies.keys[0]


def linked(labels: Sequence[str], *ids: str) -> Dataset:
    return dataset(labels, ids)


def test_ids_identify_a_movie(store: Store) -> None:
    """A rating is stored with the ids of the movie in its dataset. In other datasets, ids count more than titles."""
    here = linked(["Whatever It Is Called (1990)"], "tt0000001")
    there = linked(["Something Else (1995)", "Whatever It Is Called (1991)"], "tt0000001", "tt0000002")
    store.rate(ANNA, movie_of(here, 0), 4)
    assert rated(store, here) == {0: 4}
    assert store.ids() == {here.movies.keys[0]: Ids("tt0000001")}
    assert rated(store, there) == {0: 4}


def test_a_movie_is_recognised_again_after_a_later_import(store: Store) -> None:
    same = SameMovies(store)
    store.rate(ANNA, movie_of(OLD, ALONE), 4)
    (unknown,) = same.unknown([ANNA])
    assert from_rows(to_rows([unknown])) == [unknown]
    same.learn([unknown], {unknown.key: {"key": "", "sure": False, "ids": ("", 0, 0)}})
    assert same.unknown([ANNA]) == same.unknown([ANNA], again=True) == []
    movie = movie_of(OLD, ALONE)
    store.import_movies(ANNA, "", [ImportedMovie(movie, movie.key, 4, ids=Ids("tt0000009"))])
    assert same.unknown([ANNA]) == []
    assert [each.ids for each in same.unknown([ANNA], again=True)] == [Ids("tt0000009")]


def test_ratings_do_not_count_for_another_profile(store: Store) -> None:
    rate(store, OLD, SEVEN, 4)
    assert same_movies(store, NEW, [profile("tom")]).for_engine(profile("tom"))["rated"] == []


def test_an_export_contains_each_movie_once(store: Store, tmp_path: Path) -> None:
    here, there = linked(["Whatever It Is Called (1990)"], "tt0000001"), linked(["Something Else (1995)"], "tt0000001")
    store.rate(ANNA, movie_of(here, 0), 4)
    store.rate(ANNA, movie_of(there, 0), 2)
    store.mark(ANNA, movie_of(here, 0), "liked")
    store.rate(ANNA, FARGO, 3)
    for each in (here, there):
        same_movies(store, each, [ANNA])
    assert [(each.title, each.stars, each.marks) for each in entries_of(store, ANNA)] == [
        ("Something Else", 2, {"liked"}),
        ("Fargo", 3, frozenset()),
    ]


# In the app, with an engine that knows movies by their titles


async def test_the_app_recognises_a_movie_under_another_key(store: Store, faked: FakeEngine) -> None:
    session = Session(store, faked)
    named = Movie("as called elsewhere 1999", title(7), 1999)
    store.rate(ANNA, named, 4)
    store.mark(ANNA, Movie("hidden elsewhere 1999", title(8), 1999), "hidden")
    store.rate(ANNA, Movie("in no dataset 1999", "In No Dataset", 1999), 1)
    await session.open("demo")
    await session.look_at(ANNA)
    ranked = await session.ranked(0, MOVIES)
    assert not {"7", "8"} & {row["key"] for row in ranked["rows"]}
    assert ranked["total"] == MOVIES - 2
    (sent,) = faked.asked[-1][1]["query"]["viewers"]
    assert (sent["rated"], sent["seen"], sent["hidden"]) == ([("7", 4)], [], ["8"])
    change = await session.rate(faked.movie_details(viewers=[], movies=["7"])[0], 2)
    assert (change.movie.key, change.before, change.after) == (named.key, 4, 2)
    assert [step.changes[0].movie.key for step in store.history(ANNA)].count("7") == 0
    await session.ranked(0, 10)
    assert faked.asked[-1][1]["query"]["viewers"][0]["rated"] == [("7", 2)]
    await session.undo()
    await session.ranked(0, 10)
    assert faked.asked[-1][1]["query"]["viewers"][0]["rated"] == [("7", 4)]
    unhidden = await session.mark(faked.movie_details(viewers=[], movies=["8"])[0], "hidden")
    assert (unhidden.before, unhidden.after) == (1, None)
    assert (await session.ranked(0, 10))["total"] == MOVIES - 1


async def test_a_movie_is_recognised_once(store: Store, faked: FakeEngine) -> None:
    """A movie is recognised again only after another dataset is opened or an import adds ids."""
    session = Session(store, faked)
    store.rate(ANNA, Movie("as called elsewhere 1999", title(7), 1999), 4)
    await session.open("demo")
    await session.look_at(ANNA)

    def requests() -> list[list[str]]:
        return [[movie["key"] for movie in named["movies"]] for do, named in faked.asked if do == "recognise"]

    first = (await session.ranked(0, 10))["rows"][0]
    await session.rate(first, 5)
    await session.ranked(0, 10)
    await session.taste()
    assert requests() == [["as called elsewhere 1999"]]
    other = Store(store.path)
    other.import_movies(
        ANNA, "", [ImportedMovie(Movie("as called elsewhere 1999", title(7), 1999), "7", 4, ids=Ids("tt0000007"))]
    )
    other.rate(ANNA, Movie("3", title(3), 1999), 2)
    other.close()
    await session.ranked(0, 10)
    assert set(requests()[-1]) == {"as called elsewhere 1999", "3", first["key"]}
    assert len(requests()) == 2


# On the command line


def test_the_command_line_recognises_a_movie_under_another_key(tmp_path: Path, run: Run) -> None:
    """This holds for lists, for another rating of the movie, and for the next import."""
    get_linked(tmp_path, {1: "Se7en (1995)", 2: "Fargo (1996)", 3: "Alien (1979)"}, {1: 1, 2: 2, 3: 3}, "old", users=20)
    get_linked(tmp_path, {1: "Seven (1995)", 2: "Fargo (1996)", 3: "Alien (1979)"}, {1: 1, 2: 2, 3: 3}, "new", users=20)
    for name in ("old", "new"):
        assert (trained := run("train", "popularity", "--dataset", name)).exit_code == 0, trained.output
    assert run("rate", "Se7en", "4", "--profile", "anna", "--dataset", "old").exit_code == 0
    for name in ("old", "new"):
        result = document(run("recommend", "--profile", "anna", "--dataset", name, "--json"))
        assert {movie["id"] for movie in result["movies"]} == {"2", "3"}
        assert result["viewers"][0]["ratings"] == 1
    assert run("rate", "Seven", "2", "--profile", "anna", "--dataset", "new").exit_code == 0
    path = tmp_path / "ratings.csv"
    path.write_text("title,year,rating,date\nSeven,1995,5,2035-01-01\nFargo,1996,3,2020-01-01\n")
    assert run("import", path, "--profile", "anna", "--dataset", "new").exit_code == 0
    store = Store(locations.store())
    assert [(each.movie.title, each.stars) for each in store.ratings(ANNA)] == [("Se7en", 2), ("Fargo", 3)]
    assert len({change.movie.key for step in store.history(ANNA) for change in step.changes}) == 2
    store.close()
    report = document(run("explain", "Alien", "--profile", "anna", "--dataset", "new", "--json"))
    assert report["viewers"][0]["ratings"] == 2
