"""Popular movies on IMDb that a dataset lacks follow its own movies."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movietui.data import catalogue
from movietui.data.imdb import join as imdb
from movietui.data.imdb import unrated
from movietui.data.imdb.external_ids import links_of
from movietui.data.query.filters import parse
from movietui.data.query.search import Search
from tests.data.imdb_tables import basics, crew, person, rating, write_tables
from tests.data.joined import facts_of, get_linked

POPULAR = [
    basics(12, "Fargo", 1996),
    basics(30, "Parasite", 2019, original="Gisaengchung", genres="Drama,Family,Thriller", minutes=132),
    basics(31, "Too Few Votes", 2019),
    basics(32, "A Series", 2019, "tvSeries"),
    basics(33, "Adults Only", 2019, adult=1),
    basics(34, "When?", "\\N"),
    basics(35, "The \x1b[31mDune", 2021, genres="\\N"),
    basics(36, "Badly Rated", 2020),
    basics(37, "On Television", 2018, "tvMovie"),
]
RATINGS = [
    rating(12, 9_000),
    rating(30, 5_000, 8.5),
    rating(31, 999),
    *(rating(number, 4_000) for number in (32, 33, 34)),
    rating(35, 7_000, 8.0),
    rating(36, 4_000, 77.0),
    rating(37, 1_000, 6.1),
]


@pytest.fixture
def joined(tmp_path: Path) -> None:
    tables = write_tables(tmp_path / "imdb", POPULAR, RATINGS, [crew(30, 41)], [person(41, "Bong Joon Ho")])
    get_linked(tmp_path, {1: "Fargo (1996)", 2: "Amelie (2001)"}, {1: "0000012"}, genres={2: "Children|Thriller"})
    imdb.join("linked", tables)


@pytest.mark.usefixtures("joined")
def test_popular_movies_follow_those_of_the_dataset() -> None:
    dataset, facts = facts_of("linked")
    movies = dataset.movies
    assert movies.ids == ("1", "2", "tt0000035", "tt0000030", "tt0000037")  # most votes first
    assert movies.unrated == 3
    assert movies.titles[2:] == ("The Dune", "Parasite", "On Television")
    assert movies.years.tolist() == [1996, 2001, 2021, 2019, 2018]
    assert movies.keys[3] == "parasite 2019"
    assert movies.genres_of(3) == ["Children", "Drama", "Thriller"]
    assert movies.genres_of(2) == []
    assert facts.directors[3] == ("Bong Joon Ho",)
    assert facts.of(3)["votes"] == 5_000  # type: ignore[index]
    assert dataset.counts.tolist() == [1, 1, 0, 0, 0]


@pytest.mark.usefixtures("joined")
def test_unrated_movies_follow_only_once_however_often_the_join_is_attached() -> None:
    dataset = catalogue.load("linked", "none")
    again = imdb.attach(dataset)
    assert again.movies.ids == dataset.movies.ids
    assert (again.movies.unrated, again.movies.titles) == (3, dataset.movies.titles)


@pytest.mark.usefixtures("joined")
def test_without_unrated_movies_the_dataset_is_as_before() -> None:
    dataset = catalogue.load("linked", "none")
    alone = dataset.without_unrated()
    assert alone.movies.ids == ("1", "2")
    assert alone.movies.unrated == 0
    assert alone.movies.imdb is not None
    assert alone.movies.imdb.ids == ("tt0000012", "")
    for column in ("titles", "years", "genres", "keys"):
        assert len(getattr(alone.movies, column)) == 2
    assert alone.without_unrated() is alone
    assert alone.fingerprint == dataset.fingerprint


@pytest.mark.usefixtures("joined")
def test_unrated_movies_can_be_searched_and_filtered() -> None:
    dataset = catalogue.load("linked", "none")
    assert Search(dataset).find("parasite", 5).movies[0] == 3
    assert parse("new", dataset).passes(dataset).tolist() == [False, False, True, True, True]
    assert parse("-NEW", dataset).passes(dataset).tolist() == [True, True, False, False, False]
    assert parse("new +Thriller", dataset).passes(dataset).tolist() == [False, False, False, True, False]
    assert not parse('"new"', dataset).passes(dataset).any()  # a word of the title
    assert parse("", dataset).passes(dataset).all()


@pytest.mark.usefixtures("joined")
def test_a_movie_that_the_user_matches_by_hand_is_not_added_again() -> None:
    imdb.settle("linked", "2", "tt0000030")
    dataset, facts = facts_of("linked")
    assert facts.ids == ("tt0000012", "tt0000030", "tt0000035", "tt0000037")
    assert dataset.movies.unrated == 2


@pytest.mark.usefixtures("joined")
def test_unrated_movies_have_the_ids_of_imdb() -> None:
    dataset = catalogue.load("linked", "none")
    for name, ids in (("linked", (0, 0)), ("ml-1m", (1, 2))):
        links = links_of(replace(dataset, name=name))
        assert links.imdb == ("tt0000012", "", "tt0000035", "tt0000030", "tt0000037")
        assert links.movielens == (*ids, 0, 0, 0)


def test_the_number_of_unrated_movies_is_limited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(unrated, "MOST", 1)
    tables = write_tables(tmp_path / "imdb", POPULAR, RATINGS)
    get_linked(tmp_path, {1: "Fargo (1996)"}, {1: "0000012"})
    imdb.join("linked", tables)
    assert facts_of("linked")[1].ids == ("tt0000012", "tt0000035")


def test_without_votes_no_unrated_movies_are_added(tmp_path: Path) -> None:
    tables = write_tables(tmp_path / "imdb", POPULAR)
    (tables / "title.ratings.tsv.gz").unlink()
    get_linked(tmp_path, {1: "Fargo (1996)"}, {1: "0000012"})
    imdb.join("linked", tables)
    assert facts_of("linked")[0].movies.unrated == 0


@pytest.mark.usefixtures("joined")
def test_only_rated_movies_keep_their_facts_and_their_ratings() -> None:
    from tests.models.builders import tags_of

    dataset = catalogue.load("linked", "none")
    tags = tags_of([(0, "snow", 0.9), (1, "paris", 0.8), (1, "train", 0.7), (3, "moon", 0.6)], len(dataset.movies))
    dataset = replace(dataset, movies=replace(dataset.movies, tags=tags))
    of_second = dataset.with_ratings(np.flatnonzero(dataset.ratings.movie == 1))
    part = of_second.only_rated()
    assert (part.movies.ids, part.movies.unrated) == (("2",), 0)
    assert (part.movies.titles, part.movies.tags_of(0)) == (dataset.movies.titles[1:2], ["paris", "train"])
    assert part.movies.imdb is not None
    assert part.movies.imdb.ids == ("",)
    assert part.ratings.movie.tolist() == [0]
    assert (part.ratings.stars.tolist(), part.users) == (of_second.ratings.stars.tolist(), dataset.users)


def test_unrated_movies_have_no_tags(joined: None) -> None:
    from tests.models.builders import tags_of

    tags = tags_of([(0, "snow", 0.9), (1, "paris", 0.8)], 2)
    more = tags.with_untagged(3)
    assert [more.of(row) for row in range(5)] == [["snow"], ["paris"], [], [], []]
    np.testing.assert_array_equal(more.take(np.arange(2)).weight, tags.weight)
