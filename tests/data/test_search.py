"""What is found as somebody types, and what is not guessed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from data.dataset import Dataset, ImdbFacts
from data.titles import film_key
from models.search import FORGIVEN, Index, Search, _bits, _signs
from tests.models.builders import dataset

FILMS = (
    ("Star Wars", 1977, "George Lucas", 9),
    ("The Empire Strikes Back", 1980, "Irvin Kershner", 8),
    ("The Usual Suspects", 1995, "Bryan Singer", 7),
    ("La Cité des enfants perdus", 1995, "Jean-Pierre Jeunet", 3),
    ("Alien", 1979, "Ridley Scott", 5),
    ("Aliens", 1986, "James Cameron", 6),
    ("Starman", 1984, "John Carpenter", 2),
    ("A Lone Star", 1996, "John Sayles", 1),
    ("2001: A Space Odyssey", 1968, "Stanley Kubrick", 4),
    ("One Star", 1998, "John Scott", 12),
)


@pytest.fixture(scope="module")
def films() -> Dataset:
    movie = np.repeat(np.arange(len(FILMS)), [count for *_, count in FILMS])
    found = dataset(np.arange(len(movie)), movie, np.full(len(movie), 4))
    total = len(FILMS)
    facts = ImdbFacts(
        np.full(total, 7, np.float32),
        np.ones(total, np.int32),
        np.full(total, 100, np.int32),
        tuple((director,) for *_, director, _ in FILMS),
        ((),) * total,
    )
    movies = replace(
        found.movies,
        titles=tuple(title for title, *_ in FILMS),
        years=np.asarray([year for _, year, *_ in FILMS], np.int32),
        keys=tuple(film_key(title, year) for title, year, *_ in FILMS),
        imdb=facts,
    )
    return replace(found, movies=movies)


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("star", "One Star|Star Wars|A Lone Star|Starman"),
        ("star w", "Star Wars"),
        ("wars star", "Star Wars"),
        ("STAR WRAS", "Star Wars"),
        ("empire", "The Empire Strikes Back"),
        ("emprie strikes", "The Empire Strikes Back"),
        ("usual suspetcs", "The Usual Suspects"),
        ("usual suspetc", "The Usual Suspects"),
        ("usal", "The Usual Suspects"),
        ("ssual", "The Usual Suspects"),
        ("usual xyzzy", "The Usual Suspects"),
        ("alein", "Alien|Aliens"),
        ("alien", "Alien|Aliens"),
        ("alien 1986", "Aliens"),
        ("1995", "The Usual Suspects|La Cité des enfants perdus"),
        ("cite", "La Cité des enfants perdus"),
        ("space 2001", "2001: A Space Odyssey"),
        ("xyzzy", ""),
        ("xy zz y alien", ""),
        ("", ""),
        ("!?", ""),
    ],
)
def test_titles(films: Dataset, typed: str, titles: str) -> None:
    found = [films.movies.titles[row] for row in Search(films).movies(typed, 5)]
    assert found == [title for title in titles.split("|") if title]


def test_no_more_than_asked(films: Dataset) -> None:
    everything = Search(films).movies("s", 10)
    assert len(everything) > 3
    assert Search(films).movies("s", 3) == everything[:3]


def test_people(films: Dataset) -> None:
    search = Search(films)
    assert search.people("scott", 9) == ["John Scott", "Ridley Scott"]  # whose movies have more ratings
    assert search.people("Kubrik", 9) == ["Stanley Kubrick"]
    assert search.people("john nobody", 9) == []
    assert search.people("jean pierre", 9) == ["Jean-Pierre Jeunet"]
    assert Search(replace(films, movies=replace(films.movies, imdb=None))).people("scott", 9) == []


def test_all_at_once(films: Dataset) -> None:
    found = Search(films).find("u1", 3)
    assert found.users == (1, 10, 11)
    found = Search(films).find("scott", 3)
    assert (found.movies, len(found.people)) == ((), 2)


def test_users_of_whom_nothing_is_known() -> None:
    few = dataset([0, 1], [0, 1], [3, 4], users=12)
    few = replace(few, users=type(few.users)(few.users.ids))
    assert Search(few).users("u1") == [1, 10, 11]
    assert Search(few).users("0") == []
    assert len(Search(few).users(" ")) == 12


WORDS = st.text("abcdefgh", min_size=1, max_size=12)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_words_that_are_near_are_never_passed_over(one: str, other: str) -> None:
    """Every typo changes two signs at most: what the bits rule out is further away."""
    apart = int(_bits(_signs([one])[:, -1] ^ _signs([other])[:, -1])[0])
    assert apart <= 2 * OSA.distance(one, other)


FEW_LETTERS = st.text("ab", min_size=FORGIVEN, max_size=2 * FORGIVEN + 1)


@settings(deadline=None)
@given(FEW_LETTERS, FEW_LETTERS)
def test_what_has_no_more_typos_than_are_forgiven_is_found(one: str, other: str) -> None:
    forgiven = 1 if len(one) < 2 * FORGIVEN else 2
    if OSA.distance(one, other) <= forgiven:
        assert Index((other, "x" * len(one))).find(one, 1) == [0]


@settings(deadline=None)
@given(st.text(max_size=15))
def test_whatever_is_typed_is_no_error(typed: str) -> None:
    assert Index(()).find(typed, 3) == []
    assert len(Index(("star wars 1977", "alien 1979")).find(typed, 3)) <= 2
