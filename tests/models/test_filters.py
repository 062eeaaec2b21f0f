"""The filter: what it lets pass, and what is said of what cannot be read."""

from dataclasses import replace

import numpy as np
import pytest

from data.dataset import Dataset
from data.problems import Problem
from data.titles import film_key
from models.filters import Filter, parse
from tests.models.builders import dataset

GENRES = ("Action", "Children's", "Comedy", "Crime", "Horror", "Sci-Fi")
FILMS = (
    ("Alien", 1979, "Horror|Sci-Fi", 9),
    ("Aliens", 1986, "Action|Horror|Sci-Fi", 5),
    ("Amélie", 2001, "Comedy", 7),
    ("Fargo", 1996, "Comedy|Crime", 4),
    ("The Lady Vanishes", 1938, "Crime", 1),
    ("Shorts", 0, "Children's|Comedy", 2),
    ("2001: A Space Odyssey", 1968, "Sci-Fi", 3),
)


def films() -> Dataset:
    counts = [count for *_, count in FILMS]
    movie = np.repeat(np.arange(len(FILMS)), counts)
    found = dataset(np.arange(len(movie)), movie, np.full(len(movie), 4))
    movies = replace(
        found.movies,
        titles=tuple(title for title, *_ in FILMS),
        years=np.asarray([year for _, year, *_ in FILMS], np.int32),
        genres=np.asarray([[genre in genres.split("|") for genre in GENRES] for _, _, genres, _ in FILMS]),
        genre_names=GENRES,
        keys=tuple(film_key(title, year) for title, year, *_ in FILMS),
    )
    return replace(found, movies=movies)


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("", "Alien Aliens Amélie Fargo The Shorts 2001:"),
        ("+Comedy", "Amélie Fargo Shorts"),
        ("+comedy +CRIME", "Fargo"),
        ("+Sci-Fi -Action", "Alien 2001:"),
        ("+scifi -act", "Alien 2001:"),
        ("-horror -com", "The 2001:"),
        ("+Children", "Shorts"),
        ("1979..1996", "Alien Aliens Fargo"),
        ("..1968", "The 2001:"),
        ("1996..", "Amélie Fargo"),
        ("1960.. ..1980", "Alien 2001:"),
        (">=5", "Alien Aliens Amélie"),
        (">=7 >=5", "Alien Amélie"),
        ("alien", "Alien Aliens"),
        ("ALIENS", "Aliens"),
        ("amelie", "Amélie"),
        ('"lady vanishes"', "The"),
        ("vanishes lady", "The"),
        ("fargo lady", ""),
        ("2001", "2001:"),
        ('"2001: a"', "2001:"),
        ("+Comedy -Crime 1990..2010 >=5 ame", "Amélie"),
        ("+Horror +Comedy", ""),
        ('"+Comedy"', ""),
    ],
)
def test_what_passes(typed: str, titles: str) -> None:
    whole = films()
    passing = parse(typed, GENRES).passes(whole)
    assert passing.dtype == bool
    assert [whole.movies.titles[row].split()[0] for row in np.flatnonzero(passing)] == titles.split()


def test_nothing_typed_is_no_filter() -> None:
    assert parse("  ", GENRES) == Filter()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("+Western", "There is no genre 'Western'; choose one of Action, Children's, Comedy, Crime, Horror, Sci-Fi"),
        ("-C", "There is no genre 'C'"),
        ("+", "There is no genre ''"),
        ("1999..1980", "the years 1999 to 1980, which is none"),
        ("90..99", "'90..99', which cannot be read; write it like"),
        ("..", "cannot be read"),
        (">50", "'>50', which cannot be read"),
        (">=many", "cannot be read"),
        ("@Scorsese", "cannot be read"),
        ('"alien', "quote that is not closed"),
    ],
)
def test_what_cannot_be_read(typed: str, told: str) -> None:
    with pytest.raises(Problem, match=told):
        parse(typed, GENRES)


def test_a_sign_alone_is_no_genre() -> None:
    with pytest.raises(Problem, match="no genre ''"):
        parse("+", ["Drama"])
