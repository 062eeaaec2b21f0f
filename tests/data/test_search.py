"""Search while somebody types: which movies, people, tags and users match."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from movietui.data.dataset import Dataset, ImdbFacts
from movietui.data.query.search import MIN_TYPO_LENGTH, Index, Search, _bits, _signs
from movietui.data.titles import movie_key
from tests.models.builders import dataset, tags_of

MOVIES = (
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
def small_dataset() -> Dataset:
    movie = np.repeat(np.arange(len(MOVIES)), [count for *_, count in MOVIES])
    base = dataset(np.arange(len(movie)), movie, np.full(len(movie), 4))
    total = len(MOVIES)
    facts = ImdbFacts(
        np.full(total, 7, np.float32),
        np.ones(total, np.int32),
        np.full(total, 100, np.int32),
        tuple((director,) for *_, director, _ in MOVIES),
        ((),) * total,
    )
    movies = replace(
        base.movies,
        titles=tuple(title for title, *_ in MOVIES),
        years=np.asarray([year for _, year, *_ in MOVIES], np.int32),
        keys=tuple(movie_key(title, year) for title, year, *_ in MOVIES),
        imdb=facts,
    )
    return replace(base, movies=movies)


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("star", "One Star|Star Wars|Starman|A Lone Star"),
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
        ("alein", "Aliens|Alien"),
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
def test_titles_that_match(small_dataset: Dataset, typed: str, titles: str) -> None:
    matches = [small_dataset.movies.titles[row] for row in Search(small_dataset).movies(typed, 5)]
    assert matches == [title for title in titles.split("|") if title]


def of_titles(*movies: tuple[str, int]) -> Search:
    """Return a search of a dataset without IMDb, of movies from 1990 given by their titles and numbers of ratings."""
    movie = np.repeat(np.arange(len(movies)), [count for _, count in movies])
    base = dataset(np.arange(len(movie)) % 400, movie, np.full(len(movie), 4))
    titles = tuple(title for title, _ in movies)
    keys = tuple(movie_key(title, 1990) for title in titles)
    years = np.full(len(titles), 1990, np.int32)
    return Search(replace(base, movies=replace(base.movies, titles=titles, years=years, keys=keys)))


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("god", "The Godfather|Playing God|Oh, God!"),
        ("the g", "The Godfather|The Game"),
        ("silence", "The Silence of the Lambs|Silence"),
        ("love", "Love|Love Actually"),
        ("love act", "Love Actually"),
        ("game", "The Game|Game of the Aimless"),
    ],
)
def test_well_known_titles_come_first(typed: str, titles: str) -> None:
    search = of_titles(
        ("Oh, God!", 4),
        ("Playing God", 40),
        ("The Godfather", 380),
        ("The Game", 90),
        ("Aimless Endgame", 90),
        ("Silence", 2),
        ("The Silence of the Lambs", 300),
        ("Love", 30),
        ("Love Actually", 60),
        ("Game of the Aimless", 1),
    )
    first = [search.dataset.movies.titles[row] for row in search.movies(typed, 9)]
    assert first[: titles.count("|") + 1] == titles.split("|")


def test_an_obscure_movie_whose_title_was_typed_exactly_is_near_the_top() -> None:
    search = of_titles(("Home", 1), *((f"Home {number}", 300) for number in range(500)))
    assert 0 in search.movies("home", 12)


def test_directors_come_before_titles_that_match_by_accident(small_dataset: Dataset) -> None:
    search = Search(small_dataset)
    for typed, directors_first in (("lucas", True), ("kubrick", True), ("star", False), ("s", False), ("xyzzy", False)):
        assert search.find(typed, 5).directors_first is directors_first, typed


def test_typos_are_forgiven_only_if_nothing_matches_as_typed() -> None:
    base = of_titles(("Naked Lunch", 9), ("Eraserhead", 9)).dataset
    facts = ImdbFacts(
        np.full(2, 7, np.float32),
        np.ones(2, np.int32),
        np.full(2, 100, np.int32),
        (("David Cronenberg",), ("David Lynch",)),
        ((),) * 2,
    )
    search = Search(replace(base, movies=replace(base.movies, imdb=facts)))
    result = search.find("lynch", 5)
    assert (result.movies, result.directors, result.directors_first) == ((), ("David Lynch",), True)
    assert search.find("lumch", 5).movies == (0,)
    assert search.find("lnych", 5).directors == ("David Lynch",)
    assert search.find("lunch", 5).directors == ()


def test_actors_and_tags_that_match() -> None:
    base = of_titles(("Alien", 9), ("Galaxy Quest", 5), ("Holes", 7)).dataset
    facts = ImdbFacts(
        np.full(3, 7, np.float32),
        np.ones(3, np.int32),
        np.full(3, 100, np.int32),
        (("Ridley Scott",), ("Dean Parisot",), ("Andrew Davis",)),
        ((),) * 3,
        cast=(
            ("Sigourney Weaver", "John Hurt"),
            ("Tim Allen", "Sigourney Weaver", "Ridley Scott"),
            ("Sigourney Weaver",),
        ),
    )
    tags = tags_of([(0, "outer space", 0.9), (1, "space", 0.9), (1, "spoof", 0.5), (2, "space", 0.9)], 3)
    search = Search(replace(base, movies=replace(base.movies, imdb=facts, tags=tags)))
    matches = search.find("weaver", 5)
    assert (matches.directors, matches.actors, matches.tags) == ((), ("Sigourney Weaver",), ())
    matches = search.find("scott", 5)
    assert (matches.directors, matches.actors) == (("Ridley Scott",), ())  # who also acts
    assert search.find("space", 5).tags == ("space", "outer space")
    assert search.find("sigurney waever", 5).actors == ("Sigourney Weaver",)
    assert search.find("spcae", 5).tags == ("space", "outer space")
    assert search.find("space", 1).tags == ("space",)


def test_the_limit_keeps_the_best(small_dataset: Dataset) -> None:
    rows = Search(small_dataset).movies("s", 10)
    assert len(rows) > 3
    assert Search(small_dataset).movies("s", 3) == rows[:3]


def test_directors_that_match(small_dataset: Dataset) -> None:
    search = Search(small_dataset)
    assert search.directors("scott", 9) == ["John Scott", "Ridley Scott"]  # the movies of John Scott have more ratings
    assert search.directors("Kubrik", 9) == ["Stanley Kubrick"]
    assert search.directors("john nobody", 9) == []
    assert search.directors("jean pierre", 9) == ["Jean-Pierre Jeunet"]
    assert Search(replace(small_dataset, movies=replace(small_dataset.movies, imdb=None))).directors("scott", 9) == []


def test_movies_people_and_users_at_once(small_dataset: Dataset) -> None:
    result = Search(small_dataset).find("u1", 3)
    assert result.users == (1, 10, 11)
    result = Search(small_dataset).find("scott", 3)
    assert (result.movies, len(result.directors)) == ((), 2)


def test_users_without_demographics() -> None:
    few = dataset([0, 1], [0, 1], [3, 4], users=12)
    few = replace(few, users=type(few.users)(few.users.ids))
    assert Search(few).users("u1") == [1, 10, 11]
    assert Search(few).users("0") == []
    assert len(Search(few).users(" ")) == 12


WORDS = st.text("abcdefgh", min_size=1, max_size=12)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_similar_words_are_never_ruled_out(one: str, other: str) -> None:
    """A typo changes at most two bits, so words that differ in more than ``2 * n`` bits have more than n typos."""
    differing_bits = int(_bits(_signs([one])[:, -1] ^ _signs([other])[:, -1])[0])
    assert differing_bits <= 2 * OSA.distance(one, other)


FEW_LETTERS = st.text("ab", min_size=MIN_TYPO_LENGTH, max_size=2 * MIN_TYPO_LENGTH + 1)


@settings(deadline=None)
@given(FEW_LETTERS, FEW_LETTERS)
def test_words_with_few_enough_typos_match(one: str, other: str) -> None:
    forgiven = 1 if len(one) < 2 * MIN_TYPO_LENGTH else 2
    if OSA.distance(one, other) <= forgiven:
        assert Index((other, "x" * len(one))).find(one, 1).rows == (0,)


@settings(deadline=None)
@given(st.text(max_size=15))
def test_any_text_can_be_searched(typed: str) -> None:
    assert Index(()).find(typed, 3).rows == ()
    assert len(Index(("star wars 1977", "alien 1979")).find(typed, 3).rows) <= 2
