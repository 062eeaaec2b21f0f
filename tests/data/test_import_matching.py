"""Which movie of a dataset a film of an export is."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from data import catalogue
from data.dataset import Dataset, ImdbFacts, Movies, Ratings, Scale, Users
from data.imports.entries import Entry
from data.imports.matching import Match, Matcher
from data.links import links_of
from data.titles import film_key, parse_label
from tests.data.files import contents, write_zip


def dataset(labels: Sequence[str], imdb: Sequence[str] = (), name: str = "own") -> Dataset:
    """A dataset of movies alone, with ids from 1."""
    parsed = [parse_label(label) for label in labels]
    count = len(labels)
    nothing = np.zeros(count, np.int32)
    facts = ImdbFacts(np.zeros(count, np.float32), nothing, nothing, ((),) * count, ((),) * count, (), tuple(imdb))
    movies = Movies(
        tuple(str(movie) for movie in range(1, count + 1)),
        tuple(title for title, _ in parsed),
        np.array([year for _, year in parsed], np.int32),
        np.zeros((count, 0), bool),
        (),
        tuple(film_key(title, year) for title, year in parsed),
        imdb=facts if imdb else None,
    )
    none = np.empty(0, np.int32)
    ratings = Ratings(none, none, none.astype(np.float32), none.astype(np.int64))
    return Dataset(name, ratings, Users(()), movies, Scale(), "")


LABELS = (
    "Fargo (1996)",
    "Usual Suspects, The (1995)",
    "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
    "Star Wars (1977)",
    "Hamlet (1996)",
    "Hamlet (1990)",
    "Hamlet (2000)",
    "Spider-Man (2002)",
    "Godfather: Part II, The (1974)",
    "Emma (1996)",
    "Emma (1996) ",
    "National Lampoon's Vacation (1983)",
    "Twin (1990)",
    "Twin (1992)",
    "Moonlight",
    "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb (1963)",
)
HERE = dataset(LABELS)


def match(entry: Entry, of: Dataset = HERE) -> Match:
    (found,) = Matcher(of).match([entry])
    return found


FOUND = [
    ("Fargo", 1996, "Fargo", "title"),
    ("FARGO!", 1996, "Fargo", "title"),
    ("The Usual Suspects", 1995, "The Usual Suspects", "title"),
    ("Usual Suspects", 1995, "The Usual Suspects", "similar title"),
    ("La Cité des enfants perdus", 1995, "The City of Lost Children", "title"),
    ("The City of Lost Children", 1995, "The City of Lost Children", "title"),
    ("Star Wars: Episode IV - A New Hope", 1977, "Star Wars", "title"),
    ("Hamlet", 1996, "Hamlet", "title"),
    ("Spiderman", 2002, "Spider-Man", "similar title"),
    ("The Godfather Part Two", 1974, "The Godfather: Part II", "similar title"),
    ("Vacation", 1983, "National Lampoon's Vacation", "title"),
    ("Fargo", 1997, "Fargo", "near year"),
    ("Emma", 1996, "Emma", "title"),
    (LABELS[-1][:-7], 1964, LABELS[-1][:-7], "near year"),
    (LABELS[-1][:-7], 0, LABELS[-1][:-7], "title"),
]


@pytest.mark.parametrize(("title", "year", "movie", "way"), FOUND)
def test_films_that_are_found(title: str, year: int, movie: str, way: str) -> None:
    found = match(Entry(title, year))
    assert found.row is not None
    assert HERE.movies.titles[found.row].partition(" (")[0] == movie.partition(" (")[0]
    assert (found.way, found.outcome, found.candidates) == (way, "matched", ())
    assert abs(int(HERE.movies.years[found.row]) - (year or int(HERE.movies.years[found.row]))) <= 1


AMBIGUOUS = [
    ("Twin", 1991, "2 movies fit as well", 2),
    ("Hamlet", 0, "its year is not known", 3),
    ("Fargo", 0, "its year is not known", 1),
    ("Fargo", 1999, "of another year", 1),
    ("Usual Suspects", 1996, "of another year", 1),
    ("Moonlight", 2016, "the year of the movie is not known", 1),
]


@pytest.mark.parametrize(("title", "year", "reason", "candidates"), AMBIGUOUS)
def test_films_that_are_not_guessed(title: str, year: int, reason: str, candidates: int) -> None:
    found = match(Entry(title, year))
    assert (found.outcome, found.row, len(found.candidates)) == ("ambiguous", None, candidates)
    assert reason in found.reason


UNMATCHED = [
    ("Hamlet", 1948, "own has no movie of that name and year"),
    ("Nothing", 1990, "own has no movie of that name and year"),
    ("Nothing", 0, "own has no movie of that name"),
    ("Dune", 2021, "own ends in 2002"),
]


@pytest.mark.parametrize(("title", "year", "reason"), UNMATCHED)
def test_films_that_the_dataset_does_not_have(title: str, year: int, reason: str) -> None:
    found = match(Entry(title, year))
    assert (found.outcome, found.reason) == ("unmatched", reason)


def test_a_film_goes_by_its_older_name_too() -> None:
    later = dataset(("Star Wars: Episode IV - A New Hope (1977)",))
    assert match(Entry("Star Wars", 1977), later).row == 0
    assert match(Entry("Star Wars", 1985), later).row is None


def test_the_original_title_finds_too() -> None:
    assert match(Entry("Die Stadt", 1995, original="La Cité des enfants perdus")).row == 2


def test_an_id_wins_over_the_title_and_contradicts_it() -> None:
    linked = dataset(("Fargo (1996)", "Fargo Again (1996)"), ("tt0116282", "tt0000002"))
    assert match(Entry("Whatever", 1950, imdb="tt0116282"), linked).way == "imdb"
    assert match(Entry("Fargo", 1996, imdb="tt0000002"), linked).row == 1
    another = match(Entry("Fargo", 1996, imdb="tt2802850"), linked)
    assert (another.outcome, another.candidates) == ("ambiguous", (0,))
    assert "another id" in another.reason


def test_an_id_of_movielens_counts_where_the_title_agrees() -> None:
    assert match(Entry("Emma", 1996, movielens=10)).way == "movielens"
    assert match(Entry("Fargo", 1996, movielens=2)).row == 0
    assert match(Entry("Nothing", 1996, movielens=2)).row is None


def test_what_was_settled_by_hand_wins() -> None:
    entry = Entry("Twin", 1991)
    found = Matcher(HERE).match([entry], {"twin 1991": "twin 1992"})[0]
    assert (found.way, found.row) == ("hand", 13)
    none = Matcher(HERE).match([entry], {"twin 1991": None})[0]
    assert (none.outcome, none.reason) == ("unmatched", "settled by hand to be none of them")
    elsewhere = Matcher(HERE).match([entry], {"twin 1991": "a film of another dataset 1991"})[0]
    assert elsewhere.outcome == "ambiguous"


def test_two_films_are_not_one_movie() -> None:
    """The one of the very year is; the other is asked about."""
    found = Matcher(HERE).match([Entry("Fargo", 1997), Entry("Fargo", 1996)])
    assert [each.outcome for each in found] == ["ambiguous", "matched"]
    assert found[0].reason == "it would be the same movie as Fargo (1996)"
    assert found[0].candidates == (0,)


def test_links_of_a_dataset(tmp_path: Path) -> None:
    layout = "ml-latest-small"
    catalogue.get(layout, write_zip(tmp_path / "a.zip", contents(layout=layout)))
    loaded = catalogue.load(layout, "none")
    links = links_of(loaded)
    assert (links.imdb[0], links.tmdb[0], links.movielens[0]) == ("tt0114001", 1, 1)
    assert links.tmdb[9] == 0
    assert match(Entry("Whatever", 0, tmdb=3), loaded).way == "tmdb"
    assert match(Entry("Whatever", 0, imdb="tt0114002"), loaded).row == 1


def test_links_of_another_dataset_that_has_the_same_films(tmp_path: Path) -> None:
    """ML-1M has no links, but the ids of later releases; a movie of another name there is another one."""
    movies = [f"{movie}::Filmé, Number {movie} (1995)::Drama" for movie in range(1, 31)]
    movies[2] = "3::Another (1995)::Drama"
    catalogue.get("ml-1m", write_zip(tmp_path / "b.zip", contents({"movies.dat": movies}, "ml-1m")))
    assert set(links_of(catalogue.load("ml-1m", "none")).imdb) == {""}
    layout = "ml-latest-small"
    catalogue.get(layout, write_zip(tmp_path / "a.zip", contents(layout=layout)))
    links = links_of(catalogue.load("ml-1m", "none"))
    assert links.imdb[:4] == ("tt0114001", "tt0114002", "", "tt0114004")
    assert links.movielens[:2] == (1, 2)


@pytest.mark.real
def test_the_films_of_a_real_dataset_are_found(published: Path) -> None:
    """Titles and years of 1M are not always those of latest-small; ids, which are the same, are not looked at."""
    for name in ("ml-latest-small", "ml-1m"):
        catalogue.get(name, published / f"{name}.zip")
    small, large = catalogue.load("ml-latest-small"), catalogue.load("ml-1m")
    rows = [row for row, movie in enumerate(large.movies.ids) if movie in small.movies.row]
    entries = [Entry(large.movies.titles[row].partition(" (")[0], int(large.movies.years[row])) for row in rows]
    found = Matcher(small).match(entries)
    wrong = [
        each.entry
        for row, each in zip(rows, found, strict=True)
        if each.row is not None and small.movies.ids[each.row] != large.movies.ids[row]
    ]
    assert len(wrong) <= len(rows) / 300
    assert sum(each.row is not None for each in found) >= 0.98 * len(rows)
