"""The filter: what it lets pass, and what is said of what cannot be read."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.dataset import Dataset, ImdbFacts
from data.problems import Problem
from data.titles import film_key
from models.filters import Filter, complete, parse
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


def joined() -> Dataset:
    """The films with what IMDb says of them; of Shorts it knows nothing."""
    found = films()
    facts = ImdbFacts(
        rating=np.full(len(FILMS), 7, np.float32),
        votes=np.full(len(FILMS), 100, np.int32),
        minutes=np.asarray([117, 137, 122, 98, 96, 0, 149], np.int32),
        directors=(
            ("Ridley Scott",),
            ("James Cameron",),
            ("Jean-Pierre Jeunet",),
            ("Joel Coen", "Ethan Coen"),
            ("Alfred Hitchcock",),
            (),
            ("Stanley Kubrick",),
        ),
        people=((),) * len(FILMS),
    )
    return replace(found, movies=replace(found.movies, imdb=facts))


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
    passes(films(), typed, titles)


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("<=117m", "Alien Fargo The"),
        (">=117m", "Alien Aliens Amélie 2001:"),
        (">=117m <=122m <=140m", "Alien Amélie"),
        ("@Scott", "Alien"),
        ("@coen", "Fargo"),
        ("@joel @ethan", "Fargo"),
        ("@joel @scott", ""),
        ("@J", "Aliens Amélie Fargo"),
        ('@"jean pierre j"', "Amélie"),
        ("@HITCH ..1950 <=100m", "The"),
        ("@Scott >=10", ""),
    ],
)
def test_what_passes_of_what_imdb_says(typed: str, titles: str) -> None:
    passes(joined(), typed, titles)


def passes(whole: Dataset, typed: str, titles: str) -> None:
    passing = parse(typed, whole).passes(whole)
    assert passing.dtype == bool
    assert [whole.movies.titles[row].split()[0] for row in np.flatnonzero(passing)] == titles.split()


def test_nothing_typed_is_no_filter() -> None:
    assert parse("  ", films()) == Filter()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("+Western", "There is no genre 'Western'; choose one of Action, Children's, Comedy, Crime, Horror, Sci-Fi"),
        ("-C", "There is no genre 'C'"),
        ("+", "There is no genre ''"),
        ("1999..1980", "With '1999..1980' .* the years 1999 to 1980, which is none"),
        ("1990.. ..1980", "With '..1980' "),
        ("90..99", "'90..99', which cannot be read; write it like"),
        ("..", "cannot be read"),
        (">50", "'>50', which cannot be read"),
        (">=many", "cannot be read"),
        ("<=50", "'<=50', which says no unit; for minutes write <=50m"),
        ("@Scorsese", "'@Scorsese', but directors are not known of planted; join it with IMDb first"),
        ("<=110m", "'<=110m', but runtimes are not known of planted; join it with IMDb first .movietui data imdb"),
        ('"alien', "quote that is not closed"),
    ],
)
def test_what_cannot_be_read(typed: str, told: str) -> None:
    with pytest.raises(Problem, match=told):
        parse(typed, films())


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("@Kubrik", "No director here is called 'Kubrik'; did you mean Stanley Kubrick"),
        ('@"Orson Welles"', "No director here is called 'Orson Welles'; check the name"),
        ("@", "'@', which names nobody"),
        ('@""', "which names nobody"),
        (">=120m <=90m", "With '<=90m' the filter asks for 120 to 90 minutes, which is none"),
    ],
)
def test_what_cannot_be_read_of_what_imdb_says(typed: str, told: str) -> None:
    with pytest.raises(Problem, match=told):
        parse(typed, joined())


def test_a_sign_alone_is_no_genre() -> None:
    few = films()
    with pytest.raises(Problem, match="no genre ''"):
        parse("+", replace(few, movies=replace(few.movies, genres=np.ones((7, 1), bool), genre_names=("Drama",))))


TYPED = st.text(st.sampled_from('+-@"<>=.. 0123456789mABCcoéß$\x00\u2028\ud800'), max_size=20) | st.text(max_size=20)


@given(TYPED, st.booleans())
def test_whatever_is_typed_is_read_or_told(typed: str, known: bool) -> None:
    whole = joined() if known else films()
    try:
        told, shape = "", parse(typed, whole).passes(whole).shape
    except Problem as problem:
        told, shape = str(problem), None
    assert told.endswith((".", "?")) or shape == (len(FILMS),)
    for each in complete(typed, whole):
        assert parse(each.part, whole).passes(whole).sum() == each.movies


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("+", "+Comedy +Sci-Fi +Crime +Horror +Action +Children's"),
        ("+c", "+Comedy +Crime +Children's"),
        ("+Comedy +c", "+Crime +Children's"),
        ("-sc", "-Sci-Fi"),
        ("com", "+Comedy"),
        ("@co", '@"Joel,Coen" @"Ethan,Coen"'),
        ('@"joel c', '@"Joel,Coen"'),
        ("hitch", '@"Alfred,Hitchcock"'),
        ("19", "1990..1999 1980..1989 1970..1979 1960..1969 1930..1939"),
        ("1995", "1990..1999"),
        ("1980..1", "1980..1989"),
        ("80s", "1980..1989"),
        ("<=1", "<=150m <=120m <=100m <=110m"),
        (">=1", ">=100m >=110m >=120m"),
        ("+Crime ", ""),
        ("+xyz", ""),
        ('"al', ""),
        ("", ""),
    ],
)
def test_half_a_part_is_completed(typed: str, parts: str) -> None:
    whole = joined()
    found = complete(typed, whole)
    assert [each.part.replace(" ", ",") for each in found] == parts.split()
    for each in found:
        assert each.line == typed[: len(typed) - len(typed.rsplit(" ", 1)[-1])] + each.part or '"' in typed
        assert parse(each.line, whole)


def test_what_imdb_would_have_to_say_is_not_suggested() -> None:
    assert complete("@co", films()) == complete("<=1", films()) == []
    assert len(complete("+", films(), most=2)) == 2
