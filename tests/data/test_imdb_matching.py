"""Matching movies with IMDb titles, without guessing."""

from dataclasses import replace

import pytest

from movietui.data.imdb.renames import OWNERS, RENAMED
from movietui.data.imdb.title_matching import CANDIDATES, LabelledMovie, Title, loose_keys, match


def title(number: int, name: str, year: int = 1995, **fields: object) -> Title:
    known = {"kind": "movie", "original": name, "minutes": 100, "genres": ("Drama",), **fields}
    return Title(id=f"tt{number:07}", name=name, year=year, **known)  # type: ignore[arg-type]


def outcome(label: str, *titles: Title, **fields: object) -> str:
    """Return the number in the id of the matched title, or ``ambiguous`` or ``unmatched``."""
    (one,) = match([LabelledMovie("1", label, **fields)], titles)  # type: ignore[arg-type]
    return one.title.lstrip("t0") or one.way


@pytest.mark.parametrize(
    ("label", "name", "original"),
    [
        ("Fargo (1995)", "Fargo", ""),
        ("FARGO! (1995)", "Fargo", ""),
        ("Usual Suspects, The (1995)", "The Usual Suspects", ""),
        ("Usual Suspects, The (1995)", "Usual Suspects", ""),
        ("Usual Suspects (1995)", "The Usual Suspects", ""),
        ("The Usual Suspects (1995)", "Usual Suspects, The", ""),
        ("City of Lost Children, The (Cité des enfants perdus, La) (1995)", "La cité des enfants perdus", ""),
        ("City of Lost Children, The (Cité des enfants perdus, La) (1995)", "Stadt", "La Cite des enfants perdus"),
        ("Amants du Pont-Neuf, Les (1995)", "Les amants du Pont-Neuf", ""),
        ("Avventura, L' (1995)", "L'avventura", ""),
        ("Seven (a.k.a. Se7en) (1995)", "Se7en", ""),
        ("Hard 8 (a.k.a. Sydney, a.k.a. Hard Eight) (1995)", "Sydney", ""),
        ("Hard 8 (a.k.a. Sydney, a.k.a. Hard Eight) (1995)", "Hard Eight", ""),
        ("Hidden (Caché) (1995)", "Caché (Hidden)", ""),
        ("Supercop (1995)", "Supercop (Police Story 3: Supercop)", ""),
        ("Spider-Man (1995)", "Spiderman", ""),
        ("8 1/2 (1995)", "8½", ""),
        ("Karate Kid, Part III, The (1995)", "The Karate Kid, Part 3", ""),
        ("Chapter Two (1995)", "Chapter 2", ""),
        ("Crime and Punishment (1995)", "Crime + Punishment", ""),
        ("Crime & Punishment (1995)", "Crime and Punishment", ""),
        ("National Lampoon's Bag Boy (1995)", "Bag Boy", ""),
        ("Évita (1995)", "Evita", ""),
        ("$ (1995)", "$", ""),
        ("Fargo (1995)", "Quite Other", "Fargo"),
        ("[REC]² (1995)", "[Rec]²", ""),
        ("七人の侍 (1995)", "七人の侍", ""),
    ],
)
def test_names_that_count_as_equal(label: str, name: str, original: str) -> None:
    assert outcome(label, title(7, name, original=original or name), title(8, "Something Else")) == "7"


@pytest.mark.parametrize(
    ("label", "name", "year", "way"),
    [
        ("Fargo (1995)", "Fargo", 1994, "7"),
        ("Fargo (1995)", "Fargo", 1996, "7"),
        ("Fargo (1995)", "Fargo", 1993, "ambiguous"),
        ("Fargo (1995)", "Fargo", 1998, "ambiguous"),
        ("Fargo (1995)", "Fargo", 1999, "unmatched"),
        ("Fargo (1995)", "Fargo", 0, "unmatched"),
        ("Fargo", "Fargo", 1995, "ambiguous"),
        ("Fargo", "Brazil", 1995, "unmatched"),
        ("Fargo (1995)", "Cargo", 1995, "unmatched"),
        ("The (1995)", "A", 1995, "unmatched"),
    ],
)
def test_years(label: str, name: str, year: int, way: str) -> None:
    assert outcome(label, title(7, name, year)) == way


def test_the_release_year_is_used_if_the_label_has_none() -> None:
    assert outcome("Fargo", title(7, "Fargo"), released=1996) == "7"
    assert outcome("Fargo (1990)", title(7, "Fargo"), released=1995) == "unmatched"


@pytest.mark.parametrize(
    ("label", "name", "year"),
    [
        ("Star Wars (1977)", "Star Wars: Episode IV - A New Hope", 1977),
        ("Empire Strikes Back, The (1980)", "Star Wars: Episode V - The Empire Strikes Back", 1980),
        ("Pirate Radio (2009)", "The Boat That Rocked", 2009),
        ("Steamboat Willie (1940)", "Steamboat Willie", 1928),
        ("Professional, The (1994)", "Léon: The Professional (a.k.a. The Professional)", 1994),
    ],
)
def test_renamed_movies_are_matched(label: str, name: str, year: int) -> None:
    assert outcome(label, title(7, name, year)) == "7"
    assert outcome(label, title(7, name, year + 1)) != "7"


def test_renamed_movies_are_written_in_reading_order() -> None:
    for (key, year), names in RENAMED.items():
        assert all((name, year) != (key, when) for name, when in names)
        assert LabelledMovie("1", f"{key} ({year})").renamed
    assert sorted(OWNERS) == list(OWNERS)


OTHER_KINDS = ("tvMovie", "video", "short", "tvSeries", "tvMiniSeries", "tvSpecial", "tvShort")


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_movies_are_preferred(kind: str) -> None:
    other = title(8, "Fargo", kind=kind)
    assert outcome("Fargo (1995)", other, title(7, "Fargo")) == "7"
    assert outcome("Fargo (1995)", other) == "8"


@pytest.mark.parametrize("kind", ["tvEpisode", "videoGame", "unheard of"])
def test_kinds_that_only_a_link_matches(kind: str) -> None:
    other = title(8, "Fargo", kind=kind)
    assert outcome("Fargo (1995)", other) == "unmatched"
    assert outcome("Fargo (1995)", other, link="tt0000008") == "8"


def test_titles_for_adults_come_last() -> None:
    assert outcome("Fargo (1995)", title(8, "Fargo", adult=True), title(7, "Fargo", kind="video")) == "7"


def test_no_guess_is_made_between_equal_candidates() -> None:
    (one,) = match([LabelledMovie("1", "Fargo (1995)")], [title(8, "Fargo", votes=5), title(7, "Fargo", votes=90)])
    assert (one.way, one.title, one.candidates) == ("ambiguous", "", ("tt0000007", "tt0000008"))
    assert one.reason == "2 titles fit, none clearly better"
    many = [title(number, "Fargo", votes=number) for number in range(1, 30)]
    (one,) = match([LabelledMovie("1", "Fargo (1995)")], many)
    assert one.candidates == tuple(f"tt{number:07}" for number in range(29, 29 - CANDIDATES, -1))


@pytest.mark.parametrize(
    ("votes", "others", "way"),
    [(1000, 50, "7"), (1000, 51, "ambiguous"), (999, 0, "ambiguous"), (20_000, 1000, "7"), (0, 0, "ambiguous")],
)
def test_votes_break_a_tie_only_if_one_title_is_far_better_known(votes: int, others: int, way: str) -> None:
    rivals = title(7, "Fargo", votes=votes), title(8, "Fargo", votes=others)
    assert outcome("Fargo (1995)", *rivals) == outcome("Fargo (1995)", *reversed(rivals)) == way


def test_the_better_fit_wins_unless_the_other_is_far_better_known() -> None:
    exact, near = title(7, "Fargo", votes=100), title(8, "Fargo", 1996, votes=1999)
    assert outcome("Fargo (1995)", exact, near) == "7"
    assert outcome("Fargo (1995)", exact, replace(near, votes=2000)) == "ambiguous"


def test_better_in_one_field_and_worse_in_another_is_not_better() -> None:
    short, near = title(7, "Fargo", kind="short"), title(8, "Fargo", 1996)
    assert outcome("Fargo (1995)", short, near) == "ambiguous"
    assert outcome("Fargo (1995)", short, replace(near, votes=5000)) == "8"


def test_two_equal_names_are_better_than_one() -> None:
    both = title(7, "The Postman", original="Il postino", votes=10)
    assert outcome("Postman, The (Postino, Il) (1995)", title(8, "The Postman", votes=150), both) == "7"


def test_short_names_of_the_next_year_need_a_genre_in_common() -> None:
    crew = title(7, "The Crew", 1996, genres=("Crime",))
    assert outcome("Crew, The (1995)", crew, genres=frozenset({"Sci-Fi"})) == "ambiguous"
    assert outcome("Crew, The (1995)", crew, genres=frozenset({"Sci-Fi", "Crime"})) == "7"
    assert outcome("Crew, The (1995)", replace(crew, year=1995), genres=frozenset({"Sci-Fi"})) == "7"
    assert outcome("Crew, The (1995)", replace(crew, genres=("Family",)), genres=frozenset({"Children's"})) == "7"
    assert outcome("Crew, The (1995)", crew) == "7"
    long = title(7, "The Crew of the Ship", 1996, genres=("Crime",))
    assert outcome("Crew of the Ship, The (1995)", long, genres=frozenset({"Sci-Fi"})) == "7"


def test_a_link_decides_the_match() -> None:
    titles = title(7, "Quite Another Name", 1950), title(8, "Fargo")
    assert outcome("Fargo (1995)", *titles, link="tt0000007") == "7"


def test_a_broken_link_is_not_replaced_by_a_guess() -> None:
    (one,) = match([LabelledMovie("1", "Fargo (1995)", link="tt0000009")], [title(8, "Fargo")])
    assert (one.way, one.candidates) == ("ambiguous", ("tt0000008",))
    (one,) = match([LabelledMovie("1", "Brazil (1995)", link="tt0000009")], [title(8, "Fargo")])
    assert (one.way, one.reason) == ("unmatched", "its link tt0000009 is not in title.basics")


def test_two_movies_of_one_name_and_year() -> None:
    twins = [LabelledMovie("1", "Emma (1995)"), LabelledMovie("2", "Emma (1995)")]
    known, other = title(7, "Emma", votes=90_000), title(8, "Emma", votes=4)
    assert [one.way for one in match(twins, [known, other])] == ["ambiguous", "ambiguous"]
    assert [one.title for one in match(twins, [known])] == ["tt0000007"] * 2  # as for Chasing Amy in ML-100K


def test_two_movies_do_not_match_one_title() -> None:
    movies = [LabelledMovie("1", "Hamlet (1995)"), LabelledMovie("2", "Hamlet (1996)")]
    both = match(movies, [title(7, "Hamlet", 1996)])
    assert [one.way for one in both] == ["ambiguous", "ambiguous"]
    assert "the same movie as Hamlet (1996)" in both[0].reason
    linked = [replace(movies[0], link="tt0000007"), movies[1]]
    assert [one.way for one in match(linked, [title(7, "Hamlet", 1996)])] == ["id", "ambiguous"]


@pytest.mark.parametrize(
    ("label", "other", "same"),
    [
        ("Seven (Se7en) (1995)", "Seven (a.k.a. Se7en) (1995)", True),
        ("Sabrina (1995)", "Sabrina (1996)", True),
        ("Sabrina (1995)", "Sabrina (1997)", False),
        ("Sabrina", "Sabrina (1997)", True),
        ("Sabrina (1995)", "Heat (1995)", False),
    ],
)
def test_the_same_id_in_two_datasets(label: str, other: str, same: bool) -> None:
    assert LabelledMovie("1", label).agrees(LabelledMovie("1", other)) is same


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("The Spider-Man", ("spiderman",)),
        ("The", ("the",)),
        ("A...", ("a",)),
        ("L'avventura", ("lavventura",)),
        ("", ("",)),
        ("Crow, The (Corbeau, Le)", ("crowthecorbeaule", "crowlecorbeau", "crow")),
    ],
)
def test_loose_keys(name: str, keys: tuple[str, ...]) -> None:
    assert loose_keys(name) == keys
