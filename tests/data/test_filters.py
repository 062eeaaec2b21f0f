"""Filters: which movies pass, and the messages for conditions that cannot be parsed."""

import doctest
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movietui.data.dataset import Dataset, ImdbFacts
from movietui.data.problems import Problem
from movietui.data.query import list_conditions
from movietui.data.query.filters import Filter, complete, parse
from movietui.data.query.list_conditions import KnownLists, combined, folded, lists_in, with_list, without_lists
from movietui.data.safe_text import strip_controls
from movietui.data.titles import movie_key
from tests.models.builders import dataset, tags_of

GENRES = ("Action", "Children's", "Comedy", "Crime", "Horror", "Sci-Fi")
MOVIES = (
    ("Alien", 1979, "Horror|Sci-Fi", 9),
    ("Aliens", 1986, "Action|Horror|Sci-Fi", 5),
    ("Amélie", 2001, "Comedy", 7),
    ("Fargo", 1996, "Comedy|Crime", 4),
    ("The Lady Vanishes", 1938, "Crime", 1),
    ("Shorts", 0, "Children's|Comedy", 2),
    ("2001: A Space Odyssey", 1968, "Sci-Fi", 3),
)


def small_dataset() -> Dataset:
    counts = [count for *_, count in MOVIES]
    movie = np.repeat(np.arange(len(MOVIES)), counts)
    base = dataset(np.arange(len(movie)), movie, np.full(len(movie), 4))
    movies = replace(
        base.movies,
        titles=tuple(title for title, *_ in MOVIES),
        years=np.asarray([year for _, year, *_ in MOVIES], np.int32),
        genres=np.asarray([[genre in genres.split("|") for genre in GENRES] for _, _, genres, _ in MOVIES]),
        genre_names=GENRES,
        keys=tuple(movie_key(title, year) for title, year, *_ in MOVIES),
    )
    return replace(base, movies=movies)


def joined() -> Dataset:
    """Return the dataset joined with IMDb; for the movie Shorts, neither the minutes nor directors are known."""
    base = small_dataset()
    facts = ImdbFacts(
        rating=np.full(len(MOVIES), 7, np.float32),
        votes=np.full(len(MOVIES), 100, np.int32),
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
        director_ids=((),) * len(MOVIES),
    )
    return replace(base, movies=replace(base.movies, imdb=facts))


def with_facts() -> Dataset:
    """Return the dataset with tags, and joined with IMDb; the language and country of two movies are unknown."""
    base = joined()
    assert base.movies.imdb is not None
    facts = replace(
        base.movies.imdb,
        cast=(("Sigourney Weaver",), ("Sigourney Weaver", "Lance Henriksen"), ("Audrey Tautou",), (), (), (), ()),
        languages=(("en",), ("en",), ("fr",), (), ("en",), (), ("en", "ko")),
        countries=(("GB", "US"), ("US",), ("FR",), (), ("GB",), (), ("KR",)),
    )
    tags = tags_of(
        [
            *((row, "space", 0.9) for row in (0, 1, 6)),
            *((row, "sci-fi", 0.5) for row in (0, 6)),
            *((row, "outer space travel", 0.4) for row in (6,)),
            (2, "caf\xe9", 0.7),
            (3, "director's cut", 0.7),
            (4, ":)", 0.7),
        ],
        len(MOVIES),
    )
    return replace(base, movies=replace(base.movies, imdb=facts, tags=tags))


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("#space", "Alien Aliens 2001:"),
        ("#SPACE -#sci-fi", "Aliens"),
        ("#spa", "Alien Aliens 2001:"),
        ("#outer-space", "2001:"),
        ('#"outer space travel"', "2001:"),
        ("#travel", "2001:"),
        ("#sci.fi", "Alien 2001:"),
        ("#cafe", "Am\xe9lie"),
        ("#directors-cut", "Fargo"),
        ("#:)", "The"),
        ("-#space", "Am\xe9lie Fargo The Shorts"),
        ("+#space 1980..", "Aliens"),
        ("@weaver", "Alien Aliens"),
        ("@weaver @cameron", "Aliens"),
        ("@weaver -@cameron", "Alien"),
        ("-@s", "Am\xe9lie Fargo The Shorts"),
        ('@"lance h"', "Aliens"),
        ('-@"Lance Henriksen" #space', "Alien 2001:"),
        ("lang:en", "Alien Aliens The 2001:"),
        ("LANG:English lang:korean", "2001:"),
        ("-lang:en", "Am\xe9lie"),  # of the others, the language is unknown
        ("-lang:fr", "Alien Aliens The 2001:"),
        ("lang:de", ""),
        ("lang:uk", ""),  # Ukrainian, although the country uk is another name for gb
        ("lang:mandarin", ""),
        ("country:gb", "Alien The"),
        ("country:UK -country:us", "The"),
        ("country:south-korea", "2001:"),
        ('country:"south korea"', "2001:"),
        ("country:korea", "2001:"),
        ("-country:united", "Am\xe9lie 2001:"),
        ("+Comedy country:france #caf\xe9 @tautou", "Am\xe9lie"),
    ],
)
def test_movies_that_pass_by_facts(typed: str, titles: str) -> None:
    check_passing(with_facts(), typed, titles)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("#spcae", "There is no tag 'spcae' here; did you mean space"),
        ("#western", "There is no tag 'western' here; in the app, type # and a letter to see some"),
        ("#", "'#' without a tag; write one after #"),
        ('-#""', "without a tag"),
        ("@Weever", "There is no director or actor 'Weever' here; did you mean Sigourney Weaver"),
        ("lang:Koraen", "There is no language 'Koraen'; did you mean Korean"),
        ("lang:", "'lang:' without a language; write one after lang:"),
        ("country:Atlantis", "There is no country 'Atlantis'; write a code or name, like kr or South-Korea"),
        ('country:"atlantis', "open quote"),
    ],
)
def test_facts_that_do_not_exist(typed: str, message: str) -> None:
    with pytest.raises(Problem, match=message):
        parse(typed, with_facts())


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("-#space", "'-#space', but planted has no tags; use a dataset that has, such as ml-latest-small or ml-32m"),
        (
            "lang:ko",
            r"was joined without title.akas.tsv.gz, which has the languages; join it again \(movietui data imdb",
        ),
        ("-country:us", "which has the countries"),
        ("@Weaver", r"no director 'Weaver' here; check the name; to find actors too, join again \(movietui data imdb"),
    ],
)
def test_facts_that_a_join_lacks(typed: str, message: str) -> None:
    with pytest.raises(Problem, match=message):
        parse(typed, joined())
    with pytest.raises(Problem, match=r"has no (tags|languages|countries|directors); (use|join it with IMDb first)"):
        parse(typed, small_dataset())


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("#s", "#space #sci-fi #outer-space-travel"),
        ("-#sp", "-#outer-space-travel -#space"),
        ("#", "#space #sci-fi #cafe #directors-cut #outer-space-travel #:)"),
        ("spac", "#space #outer-space-travel"),
        ("@w", '@"Sigourney,Weaver"'),
        ('-@"sig', '-@"Sigourney,Weaver"'),
        ("lang:", "lang:english lang:french lang:korean"),
        ("lang:k", "lang:korean"),
        ("-lang:f", "-lang:french"),
        ("la", 'lang:english lang:french lang:korean @"Lance,Henriksen"'),
        ("country:u", "country:united-kingdom country:united-states"),
        ("-country:kr", "-country:south-korea"),
        ("count", "country:united-kingdom country:united-states country:france country:south-korea"),
    ],
)
def test_completions_of_facts(typed: str, parts: str) -> None:
    whole = with_facts()
    completions = complete(typed, whole)
    assert sorted(each.part.replace(" ", ",") for each in completions) == sorted(parts.split())
    for each in completions:
        assert parse(each.part, whole).passes(whole).sum() == each.movies


def test_facts_are_not_suggested_without_a_join() -> None:
    for typed in ("@we", "#s", "lang:", "country:u"):
        assert complete(typed, small_dataset()) == []


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
def test_movies_that_pass(typed: str, titles: str) -> None:
    check_passing(small_dataset(), typed, titles)


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
def test_movies_that_pass_by_imdb_facts(typed: str, titles: str) -> None:
    check_passing(joined(), typed, titles)


def check_passing(whole: Dataset, typed: str, titles: str) -> None:
    passing = parse(typed, whole).passes(whole)
    assert passing.dtype == bool
    assert [whole.movies.titles[row].split()[0] for row in np.flatnonzero(passing)] == titles.split()


def test_without_an_upper_limit_no_movie_is_too_long_or_too_late() -> None:
    whole = joined()
    assert whole.movies.imdb is not None
    endless = replace(whole.movies.imdb, minutes=np.full(len(MOVIES), 51_420, np.int32))  # Logistics (2012)
    years = np.full(len(MOVIES), 10_191, np.int32)
    whole = replace(whole, movies=replace(whole.movies, imdb=endless, years=years))
    assert parse(">=90m 1980..", whole).passes(whole).all()
    assert not parse("<=90m", whole).passes(whole).any()
    assert not parse("..9999", whole).passes(whole).any()


def test_empty_text_is_an_empty_filter() -> None:
    assert parse("  ", small_dataset()) == Filter()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("+Western", "There is no genre 'Western'; choose one of Action, Children's, Comedy, Crime, Horror, Sci-Fi"),
        ("-C", "Several genres begin with 'C'; write Children's, Comedy or Crime."),
        ("+", "There is no genre ''"),
        ("1999..1980", "'1999..1980' .* the years 1999 to 1980; put the earlier year first"),
        ("1990.. ..1980", "'..1980' "),
        ("90..99", "'90..99', which cannot be read; write conditions as in"),
        ("..", "cannot be read"),
        (">50", "'>50', which cannot be read"),
        (">=many", "cannot be read"),
        ("<=50", "'<=50' without a unit; for minutes write <=50m"),
        ("@Scorsese", "'@Scorsese', but planted has no directors; join it with IMDb first"),
        ("<=110m", "'<=110m', but planted has no runtimes; join it with IMDb first .movietui data imdb"),
        ('"alien', "open quote"),
    ],
)
def test_parts_that_cannot_be_parsed(typed: str, message: str) -> None:
    with pytest.raises(Problem, match=message):
        parse(typed, small_dataset())


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("@Kubrik", "There is no director 'Kubrik' here; did you mean Stanley Kubrick"),
        ('@"Orson Welles"', "There is no director 'Orson Welles' here; check the name"),
        ("@", "'@' without a name"),
        ('@""', "without a name"),
        (">=120m <=90m", "'<=90m' makes the filter ask for 120 to 90 minutes, which is impossible"),
    ],
)
def test_parts_about_imdb_facts_that_cannot_be_parsed(typed: str, message: str) -> None:
    with pytest.raises(Problem, match=message):
        parse(typed, joined())


def test_a_sign_alone_is_not_a_genre() -> None:
    few = small_dataset()
    with pytest.raises(Problem, match="no genre ''"):
        parse("+", replace(few, movies=replace(few.movies, genres=np.ones((7, 1), bool), genre_names=("Drama",))))


TYPED = st.text(st.sampled_from('+-@#"<>=.. 0123456789mABCcol:éß$\x00\u2028\ud800'), max_size=20) | st.text(max_size=20)


@given(TYPED | st.tuples(st.sampled_from(["lang:", "-country:", "#", "-@"]), TYPED).map("".join), st.booleans())
def test_any_text_is_parsed_or_explained(typed: str, known: bool) -> None:
    whole = with_facts() if known else small_dataset()
    try:
        message, shape = "", parse(typed, whole).passes(whole).shape
    except Problem as problem:
        message, shape = str(problem), None
    assert message.endswith((".", "?")) or shape == (len(MOVIES),)
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
def test_completions_of_a_part(typed: str, parts: str) -> None:
    whole = joined()
    completions = complete(typed, whole)
    assert [each.part.replace(" ", ",") for each in completions] == parts.split()
    for each in completions:
        assert each.line == typed[: len(typed) - len(typed.rsplit(" ", 1)[-1])] + each.part or '"' in typed
        assert parse(each.line, whole)


def test_imdb_facts_are_not_suggested_without_a_join() -> None:
    assert complete("@co", small_dataset()) == complete("<=1", small_dataset()) == []
    assert len(complete("+", small_dataset(), limit=2)) == 2


ANNA = {
    "Shelf": [movie_key("Alien", 1979), movie_key("Fargo", 1996), movie_key("Nowhere", 1950)],
    "Rainy  evenings": [movie_key("Fargo", 1996)],
    'My "best"': [],
}
LISTS = KnownLists(("anna", "tom"), combined([ANNA, {"shelf": [movie_key("Shorts", 0)]}]))


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("list:shelf", "Alien Fargo Shorts"),
        ("+LIST:SHELF +comedy", "Fargo Shorts"),
        ('list:"rainy evenings"', "Fargo"),
        ('list:shelf -list:"Rainy evenings" ..2000', "Alien"),
        ("-list:shelf 1979..2001", "Aliens Amélie"),
        ("list:\"My 'best'\"", ""),
        ('"list:shelf"', ""),
    ],
)
def test_a_filter_can_name_lists(typed: str, titles: str) -> None:
    data = small_dataset()
    passing = parse(typed, data, LISTS).passes(data)
    assert [data.movies.titles[row].split()[0] for row in np.flatnonzero(passing)] == titles.split()


@pytest.mark.parametrize(
    ("typed", "lists", "problem"),
    [
        ("list:shlef", LISTS, "There is no list 'shlef' of anna and tom; did you mean Shelf"),
        ("-list:zzz", LISTS, "There is no list 'zzz' of anna and tom; lists: Shelf, Rainy  evenings, My"),
        (
            "list:x",
            KnownLists(("anna",)),
            "anna has no lists yet; movietui list --profile anna add NAME MOVIE makes one.",
        ),
        (
            "list:x",
            KnownLists(("anna", "tom")),
            "anna and tom have no lists yet; movietui list --profile anna add NAME ",
        ),
        ("list:shelf", KnownLists(), "'list:shelf', but a user of a dataset has no lists; choose a profile."),
        ('-list:""', LISTS, "without a name; write the name of a list after list:."),
        ('list:"shelf', LISTS, "open quote"),
    ],
)
def test_an_unknown_list_is_refused_with_a_suggestion(typed: str, lists: KnownLists, problem: str) -> None:
    with pytest.raises(Problem, match=re.escape(problem)):
        parse(typed, small_dataset(), lists)


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("li", ["list:shelf", 'list:"Rainy evenings"']),
        ("alien list:", ["list:shelf", 'list:"Rainy evenings"']),
        ("-list:R", ['-list:"Rainy evenings"']),
        ('list:"rainy e', ['list:"Rainy evenings"']),
        ("list:shelf list:s", []),
        ("l", []),
        ("list:z", []),
    ],
)
def test_names_of_lists_are_completed(typed: str, parts: list[str]) -> None:
    matches = complete(typed, small_dataset(), lists={"shelf": 2, "Rainy evenings": 1, "empty": 0})
    assert [each.part for each in matches] == parts
    for each in matches:
        lists = KnownLists(("anna",), {"shelf": [], "Rainy evenings": []})
        parse(each.line, small_dataset(), lists)


@given(st.text(max_size=30), st.text(max_size=20))
def test_the_list_of_a_filter_can_be_replaced(name: str, other: str) -> None:
    name, other = strip_controls(name), strip_controls(other)
    if not name.split() or other.count('"') % 2:
        return
    filter_text = with_list(other, name)
    assert ("", folded(name)) in [(sign, folded(named)) for sign, named in lists_in(filter_text)]
    assert with_list(filter_text, name) == filter_text
    assert without_lists(filter_text, {folded(name)}) == without_lists(other, {folded(name)})


def test_the_examples_in_docstrings_are_right() -> None:
    assert doctest.testmod(list_conditions).attempted
    assert not doctest.testmod(list_conditions).failed
