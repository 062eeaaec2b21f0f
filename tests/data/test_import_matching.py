"""Matching the movies of an export with those of a dataset."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movietui.data import catalogue
from movietui.data.dataset import Dataset
from movietui.data.imdb.external_ids import links_of
from movietui.data.imdb.join import Knowledge
from movietui.data.imdb.names_index import Names, NamesBuilder
from movietui.data.imports import matching
from movietui.data.imports.entries import Entry
from movietui.data.imports.matching import Match, Matcher
from tests.data.files import contents, write_zip
from tests.data.joined import get_linked
from tests.data.labelled import dataset

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
    "Beneath the Planet of the Apes (1970)",
    "Three Colors: Red (Trois couleurs: Rouge) (1994)",
    "Harry Potter and the Deathly Hallows: Part II (2011)",
    "Star Trek VI: The Undiscovered Country (1991)",
    "Postman, The (Postino, Il) (1994)",
    "Beverly Hills Ninja (1997)",
    "I Am Curious (Yellow) (1967)",
    "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb (1963)",
)
DATASET = dataset(LABELS)


def match(entry: Entry, dataset: Dataset = DATASET) -> Match:
    (result,) = Matcher(dataset).match([entry])
    return result


MATCHED = [
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
    ("Beneath the Planet of the Apes", 1971, "Beneath the Planet of the Apes", "near year"),
    ("Three Colours: Red", 1994, "Three Colors: Red", "similar title"),
    ("Harry Potter and Deathly Hallows Part 2", 2011, "Harry Potter and the Deathly Hallows: Part II", "similar title"),
    ("Star Trek: The Undiscovered Country", 1991, "Star Trek VI: The Undiscovered Country", "similar title"),
    ("Il postino (The Postman)", 1994, "The Postman", "title"),
    ("Emma", 1996, "Emma", "title"),
    (LABELS[-1][:-7], 1964, LABELS[-1][:-7], "near year"),
    (LABELS[-1][:-7], 0, LABELS[-1][:-7], "title"),
]


@pytest.mark.parametrize(("title", "year", "movie", "way"), MATCHED)
def test_movies_that_match(title: str, year: int, movie: str, way: str) -> None:
    result = match(Entry(title, year))
    assert result.row is not None
    assert DATASET.movies.titles[result.row].partition(" (")[0] == movie.partition(" (")[0]
    assert (result.way, result.outcome, result.candidates) == (way, "matched", ())
    assert abs(int(DATASET.movies.years[result.row]) - (year or int(DATASET.movies.years[result.row]))) <= 1


AMBIGUOUS = [
    ("Fargo", 1997, "from another year", 1),
    ("I Am Curious (Blue)", 1968, "from another year", 1),
    ("The Fargo", 1996, "spelled slightly differently", 1),
    ("Beverly Hills Ninjas", 1997, "only similar to another one", 1),
    ("The Undiscovered Country", 1991, "spelled slightly differently", 1),
    ("Twin", 1991, "2 movies fit equally well", 2),
    ("Hamlet", 0, "its year is unknown", 3),
    ("Fargo", 0, "its year is unknown", 1),
    ("Fargo", 1999, "from another year", 1),
    ("Usual Suspects", 1996, "from another year", 1),
    ("Moonlight", 2016, "the year of the movie is unknown", 1),
]


@pytest.mark.parametrize(("title", "year", "reason", "candidates"), AMBIGUOUS)
def test_movies_that_are_ambiguous(title: str, year: int, reason: str, candidates: int) -> None:
    result = match(Entry(title, year))
    assert (result.outcome, result.row, len(result.candidates)) == ("ambiguous", None, candidates)
    assert reason in result.reason


UNMATCHED = [
    ("Hamlet", 1948, "own has no movie with that name and year"),
    ("Nothing", 1990, "own has no movie with that name and year"),
    ("Nothing", 0, "own has no movie with that name"),
    ("Dune", 2021, "own has no movies after 2011"),
]


@pytest.mark.parametrize(("title", "year", "reason"), UNMATCHED)
def test_movies_that_the_dataset_lacks(title: str, year: int, reason: str) -> None:
    result = match(Entry(title, year))
    assert (result.outcome, result.reason) == ("unmatched", reason)


def test_a_movie_matches_by_its_earlier_name() -> None:
    later = dataset(("Star Wars: Episode IV - A New Hope (1977)",))
    assert match(Entry("Star Wars", 1977), later).row == 0
    assert match(Entry("Star Wars", 1985), later).row is None


def test_a_movie_matches_by_its_original_title() -> None:
    assert match(Entry("Die Stadt", 1995, original="La Cité des enfants perdus")).row == 2


def test_an_id_decides_even_against_the_title() -> None:
    linked = dataset(("Fargo (1996)", "Fargo Again (1996)"), ("tt0116282", "tt0000002"))
    assert match(Entry("Whatever", 1950, imdb="tt0116282"), linked).way == "imdb"
    assert match(Entry("Fargo", 1996, imdb="tt0000002"), linked).row == 1
    another = match(Entry("Fargo", 1996, imdb="tt2802850"), linked)
    assert (another.outcome, another.candidates) == ("ambiguous", (0,))
    assert "another id" in another.reason


def test_a_movielens_id_counts_if_the_title_agrees() -> None:
    assert match(Entry("Emma", 1996, movielens=10)).way == "movielens"
    assert match(Entry("Fargo", 1996, movielens=2)).row == 0
    assert match(Entry("Nothing", 1996, movielens=2)).row is None


def test_a_choice_made_by_hand_takes_precedence() -> None:
    entry = Entry("Twin", 1991)
    result = Matcher(DATASET).match([entry], {"twin 1991": "twin 1992"})[0]
    assert (result.way, result.row) == ("hand", 13)
    none = Matcher(DATASET).match([entry], {"twin 1991": None})[0]
    assert (none.outcome, none.reason) == ("unmatched", "you chose none of them")
    elsewhere = Matcher(DATASET).match([entry], {"twin 1991": "a film of another dataset 1991"})[0]
    assert elsewhere.outcome == "ambiguous"


def test_two_movies_of_an_export_do_not_match_the_same_movie() -> None:
    """The movie with the same year as in the dataset is matched; the other is ambiguous."""
    apes = "Beneath the Planet of the Apes"
    matches = Matcher(DATASET).match([Entry(apes, 1971), Entry(apes, 1970)])
    assert [each.outcome for each in matches] == ["ambiguous", "matched"]
    assert matches[0].reason == f"it would be the same movie as {apes} (1970)"
    assert matches[0].candidates == (LABELS.index(f"{apes} (1970)"),)


def test_links_of_a_dataset(tmp_path: Path) -> None:
    layout = "ml-latest-small"
    catalogue.get(layout, write_zip(tmp_path / "a.zip", contents(layout=layout)))
    loaded = catalogue.load(layout, "none")
    links = links_of(loaded)
    assert (links.imdb[0], links.tmdb[0], links.movielens[0]) == ("tt0114001", 1, 1)
    assert links.tmdb[9] == 0
    assert match(Entry("Whatever", 0, tmdb=3), loaded).way == "tmdb"
    assert match(Entry("Whatever", 0, imdb="tt0114002"), loaded).row == 1


def test_links_of_another_dataset_with_the_same_movies(tmp_path: Path) -> None:
    """ML-1M has no links, but uses the ids of later releases, which have links. An id with two names gets no link."""
    movies = [f"{movie}::Filmé, Number {movie} (1995)::Drama" for movie in range(1, 31)]
    movies[2] = "3::Another (1995)::Drama"
    catalogue.get("ml-1m", write_zip(tmp_path / "b.zip", contents({"movies.dat": movies}, "ml-1m")))
    assert set(links_of(catalogue.load("ml-1m", "none")).imdb) == {""}
    layout = "ml-latest-small"
    catalogue.get(layout, write_zip(tmp_path / "a.zip", contents(layout=layout)))
    links = links_of(catalogue.load("ml-1m", "none"))
    assert links.imdb[:4] == ("tt0114001", "tt0114002", "", "tt0114004")
    assert links.movielens[:2] == (1, 2)


# Names on IMDb

KNOWN_MOVIES = {
    1: ("Payback", "Payback", 1990, 20_000),
    2: ("The Handover", "The Handover", 2011, 90_000),
    3: ("The Castle in the Clouds", "Kumo no shiro", 1986, 5_000),
    4: ("A Loud Name", "A Loud Name", 2001, 40_000),
    5: ("Nightfall", "Nightfall", 2016, 30_000),
}
OTHER_MOVIES = [
    ("Payback", 2005, 25_000),
    ("The Handover", 2010, 50),
    ("A Loud Name", 1950, 100),
    ("Nightfall", 2002, 9),
]
JOINED_LABELS = (
    "Payback (1990)",
    "Handover, The (2011)",
    "Laputo: Castle in the Clouds (1987)",
    "Loud Name, A (2001)",
    "Nightfall",
)


def joined() -> Matcher:
    whole = dataset(JOINED_LABELS, [f"tt{number:07}" for number in KNOWN_MOVIES])
    assert whole.movies.imdb is not None
    votes = np.array([votes for *_, votes in KNOWN_MOVIES.values()], np.int32)
    whole = replace(whole, movies=replace(whole.movies, imdb=replace(whole.movies.imdb, votes=votes)))
    names = NamesBuilder()
    names.add((number, year, name, original) for number, (name, original, year, _) in KNOWN_MOVIES.items())
    names.add((number, year, name, name) for number, (name, year, _) in enumerate(OTHER_MOVIES, 100))
    columns = names.columns()
    votes_of = {number: votes for number, (*_, votes) in KNOWN_MOVIES.items()}
    votes_of |= {number: votes for number, (*_, votes) in enumerate(OTHER_MOVIES, 100)}
    columns["votes"] = np.array([votes_of[number] for number in np.asarray(columns["number"]).tolist()], np.int32)
    titles = {f"tt{number:07}": (name, original, year) for number, (name, original, year, _) in KNOWN_MOVIES.items()}
    return Matcher(whole, Knowledge(titles, Names(columns)))


@pytest.mark.parametrize(
    ("title", "year", "way", "row"),
    [
        ("Payback", 1990, "title", 0),
        ("The Castle in the Clouds", 1986, "title", 2),
        ("Kumo no shiro", 1986, "title", 2),
        ("Castle in the Clouds", 1987, "similar title", 2),
        ("Laputo", 1987, "part of the title", 2),
        ("A Loud Name", 2002, "near year", 3),
        ("Nightfall", 2016, "title", 4),
        ("Nightfall", 2017, "near year", 4),
        ("A Loud Name", 0, "best known", 3),
        ("Kumo no shiro", 0, "title", 2),
    ],
)
def test_names_on_imdb_match_movies(title: str, year: int, way: str, row: int) -> None:
    (result,) = joined().match([Entry(title, year)])
    assert (result.way, result.row) == (way, row)


@pytest.mark.parametrize(
    ("title", "year", "reason", "candidates"),
    [
        ("Payback", 1989, "IMDb has other movies with that name", (0,)),
        ("The Handover", 2010, "IMDb has another movie with that name and year", (1,)),
        ("Payback", 2005, "own has no movie with that name and year", ()),
        ("Payback", 0, "its year is unknown", (0,)),
    ],
)
def test_names_on_imdb_prevent_matches(title: str, year: int, reason: str, candidates: tuple[int, ...]) -> None:
    (result,) = joined().match([Entry(title, year)])
    assert (result.row, result.reason, result.candidates) == (None, reason, candidates)


def test_movies_that_cleaning_removed_are_reported(tmp_path: Path) -> None:
    """For such a movie, not even its namesake of the next year is suggested."""
    labels = {1: "A Movie to Stay Here (1990)", 2: "A Movie Without Genre (1990)", 3: "A Movie Without Genre (1991)"}
    get_linked(tmp_path, labels, {1: 1, 2: 2, 3: 3}, "cleaned", {2: "(no genres listed)"})
    matcher = Matcher(catalogue.load("cleaned"))
    removed, remaining = matcher.match([Entry("A Movie Without Genre", 1990), Entry("A Movie Without Genre", 1991)])
    assert (removed.outcome, removed.reason) == (
        "unmatched",
        "cleaning removed it from cleaned: movies without a genre",
    )
    assert remaining.row is not None
    assert "has no movie" in match(Entry("Another One Altogether", 1990), matcher.dataset).reason


def test_movies_without_a_similar_name_are_counted_and_stay_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first of these movies are compared with titles for a suggestion; no match is stored for the others."""
    monkeypatch.setattr(matching, "MOST_COMPARED", 1)
    entries = [Entry("Fargoo", 1996), Entry("Fargo", 1996), Entry("Fargoo", 1997), Entry("Star Wars", 1985)]
    matches = Matcher(DATASET).match(entries)
    assert [each.outcome for each in matches] == ["ambiguous", "matched", "unmatched", "unmatched"]
    assert [each.entry for each in matches] == [matches[index].entry for index in range(len(matches))] == entries
    assert matches.counts() == {"ambiguous": 1, "matched": 1, "unmatched": 2}
    assert [each.entry.year for each in matches.with_outcome("unmatched")] == [1997, 1985]
    assert [each.entry.year for each in matches.with_outcome("matched")] == [1996]


@pytest.mark.parametrize(("title", "year", "movie", "way"), MATCHED)
def test_the_quick_check_rejects_no_movie_that_matches(title: str, year: int, movie: str, way: str) -> None:
    assert Matcher(DATASET)._has_known_name(Entry(title, year)), (movie, way)


def test_the_quick_check_rejects_unknown_names() -> None:
    assert not any(
        Matcher(DATASET)._has_known_name(Entry(title, 1990)) for title in ("The Unheard of 3", "Un: Heard, The")
    )


@pytest.mark.real
def test_the_movies_of_a_real_dataset_match(datasets_folder: Path) -> None:
    """Titles and years in 1M and latest-small sometimes differ. The ids agree, and are used to check the matches."""
    for name in ("ml-latest-small", "ml-1m"):
        catalogue.get(name, datasets_folder / f"{name}.zip")
    small, large = catalogue.load("ml-latest-small"), catalogue.load("ml-1m")
    rows = [row for row, movie in enumerate(large.movies.ids) if movie in small.movies.row]
    entries = [Entry(large.movies.titles[row].partition(" (")[0], int(large.movies.years[row])) for row in rows]
    matches = Matcher(small).match(entries)
    wrong = [
        each.entry
        for row, each in zip(rows, matches, strict=True)
        if each.row is not None and small.movies.ids[each.row] != large.movies.ids[row]
    ]
    assert len(wrong) <= len(rows) / 300
    assert sum(each.row is not None for each in matches) >= 0.98 * len(rows)
