"""The rules of cleaning, in the order in which they are applied: what each takes, and what that looks like.

A rule sees what the rules before it left, as marks on columns (``data.tables``). It says what it leaves, and what it
took or changed as rows that a person can read; rows are only made when somebody looks. Two entries of one film are
joined before ratings are counted, so that a film is not thought rare because it was entered twice.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from data.dataset import Bools, Ints
from data.movielens import MISSING, NO_GENRE
from data.tables import Numbers, Tables, marked
from data.titles import LAST_YEAR

EXAMPLES = 5
GENDERS = {"f": 0, "female": 0, "m": 1, "male": 1}
UNKNOWN_GENDER = -1

Row = tuple[str | int | float, ...]


@dataclass(frozen=True, eq=False)
class Taken:
    """What a rule took or changed, as rows with named columns; the most telling first."""

    columns: tuple[str, ...]
    total: int
    rows: Callable[[int, int], list[Row]]
    """The rows from one place to another."""
    say: Callable[[Row], str]
    """A row in words."""

    def examples(self) -> tuple[str, ...]:
        """Return the first rows in words."""
        return tuple(self.say(row) for row in self.rows(0, EXAMPLES))


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a rule leaves, and what it took."""

    after: Tables
    taken: Taken
    changed: int = 0
    """Values that it changed, for rules that take nothing."""
    note: str = ""


@dataclass(frozen=True)
class Rule:
    """A named rule."""

    id: str
    title: str
    """``{}`` stands for the rule's number."""
    apply: Callable[[Tables, int], Outcome]
    number: int = 0
    """What the rule is applied with unless another number is given; 0 where it takes none."""
    low: int = 1
    high: int = 1_000_000
    always: bool = False
    """On whatever the preset: what it takes is no rating."""


def _times(count: int | str | float, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def label(title: str | int | float, year: str | int | float) -> str:
    """Return a title with its year, where it is known."""
    return f"{title} ({year})" if year else str(title)


# Ratings


def _shown(number: Any) -> int | str:
    return "?" if number == MISSING else int(number)


def day(seconds: Any) -> str:
    """Return the day of a moment, ``1997-11-20``; a question mark where it is missing."""
    return "?" if seconds == MISSING else datetime.fromtimestamp(int(seconds), UTC).date().isoformat()


def _without_ratings(tables: Tables, bad: Bools) -> Outcome:
    """Take ratings away."""
    published, movie = tables.published, tables.movie
    gone = np.flatnonzero(bad & tables.left)

    def rows(start: int, end: int) -> list[Row]:
        return [
            (
                _shown(published.user_ids[published.user[row]]),
                _shown(published.movie_ids[movie[row]]),
                label(published.names[movie[row]], int(published.years[movie[row]])),
                "?" if np.isnan(published.stars[row]) else float(published.stars[row]),
                day(published.time[row]),
            )
            for row in gone[start:end]
        ]

    def say(row: Row) -> str:
        stars = f"{row[3]:g}" if isinstance(row[3], float) else row[3]
        return f"user {row[0]}, movie {row[1]}, {stars} stars"

    taken = Taken(("user", "movie", "title", "stars", "rated on"), len(gone), rows, say)
    return Outcome(tables.without_ratings(bad), taken)


def _malformed(tables: Tables, _: int) -> Outcome:
    lines = tables.published.raw.malformed

    def rows(start: int, end: int) -> list[Row]:
        return [(line.file, line.line, line.wrong) for line in lines[start:end]]

    taken = Taken(("file", "line", "what is wrong"), len(lines), rows, lambda row: f"{row[0]} line {row[1]}: {row[2]}")
    return Outcome(tables, taken)


def _missing(tables: Tables, _: int) -> Outcome:
    published = tables.published
    no_user, no_movie = published.user_ids == MISSING, published.movie_ids == MISSING

    def test(user: Ints, movie: Ints, stars: Numbers, time: Numbers) -> Bools:
        gaps: Bools = no_user[user] | no_movie[movie] | np.isnan(stars) | (time == MISSING)
        return gaps

    return _without_ratings(tables, marked(test, published.user, tables.movie, published.stars, published.time))


def _outside_scale(tables: Tables, _: int) -> Outcome:
    scale = tables.published.raw.scale

    def test(stars: Numbers) -> Bools:
        steps = (stars - scale.low) / scale.step
        outside: Bools = (stars < scale.low) | (stars > scale.high) | (np.abs(steps - np.round(steps)) > 1e-6)
        return outside

    return _without_ratings(tables, marked(test, tables.published.stars))


def _older_of_two(tables: Tables, movie: Ints, among: Bools) -> Bools:
    """Mark all but the newest rating of each user and movie; at the same second the later row is the newer."""
    marks = np.zeros(len(movie), bool)
    rows = np.flatnonzero(among)
    keys = tables.published.user[rows].astype(np.int64) * len(tables.movies) + movie[rows]
    if (keys[1:] > keys[:-1]).all():  # in order, as the later releases publish them
        return marks
    ordered = np.sort(keys)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return marks
    del ordered
    place = np.minimum(np.searchsorted(twice, keys), len(twice) - 1)
    several = twice[place] == keys
    rows, keys = rows[several], keys[several]
    order = np.lexsort((rows, tables.published.time[rows], keys))
    newer_follows = keys[order][1:] == keys[order][:-1]
    marks[rows[order[:-1][newer_follows]]] = True
    return marks


def _duplicates(tables: Tables, _: int) -> Outcome:
    return _without_ratings(tables, _older_of_two(tables, tables.movie, tables.left))


def _unknown_ids(tables: Tables, _: int) -> Outcome:
    published = tables.published
    users = np.arange(len(tables.users)) >= published.known_users
    movies = np.arange(len(tables.movies)) >= published.known_movies
    bad = marked(lambda user, movie: users[user] | movies[movie], published.user, tables.movie)
    outcome = _without_ratings(tables, bad)
    return replace(outcome, after=outcome.after.without_users(users).without_movies(movies))


# Movies


def _alike(rows: Iterable[int], key: Callable[[int], Any]) -> list[list[int]]:
    """Return the rows in groups that have the same key; groups of one are left out."""
    groups: dict[Any, list[int]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return [group for group in groups.values() if len(group) > 1]


def _dated(tables: Tables) -> list[int]:
    """The movies left whose year is known."""
    dated: list[int] = np.flatnonzero(tables.movies & (tables.published.years > 0)).tolist()
    return dated


def _merge_titles(tables: Tables, _: int) -> Outcome:
    published = tables.published
    groups = _alike(_dated(tables), published.keys.__getitem__)
    into = np.arange(len(tables.movies), dtype=np.int32)
    for group in groups:
        group.sort(key=lambda row: (-tables.of_movie[row], published.movie_ids[row]))
        into[group] = group[0]
    movie = into[tables.movie]
    # Only those that become double by merging: double ratings of one movie are another rule's, which may be off.
    joined = np.zeros(len(tables.movies), bool)
    joined[[group[0] for group in groups]] = True
    doubled = _older_of_two(tables, movie, tables.left & joined[movie])
    gone = into != np.arange(len(into))
    after = tables
    if groups:
        genres, released = list(published.genres), list(published.released)
        for group in groups:
            named = [genre for row in group for genre in genres[row].split("|")]
            known = dict.fromkeys(genre for genre in named if genre not in NO_GENRE)
            genres[group[0]] = "|".join(known) or genres[group[0]]
            released[group[0]] = next((released[row] for row in group if released[row]), "")
        whole = replace(published, genres=tuple(genres), released=tuple(released))
        after = replace(
            tables,
            published=whole,
            movie=movie,
            left=tables.left & ~doubled,
            movies=tables.movies & ~gone,
            merged=tuple(map(tuple, groups)),
        )
    twice = np.bincount(movie[doubled], minlength=len(into))
    groups.sort(key=lambda group: -after.of_movie[group[0]])

    def rows(start: int, end: int) -> list[Row]:
        return [
            (
                published.names[group[0]],
                int(published.years[group[0]]),
                " and ".join(str(movie) for movie in sorted(published.movie_ids[group])),
                int(after.of_movie[group[0]]),
                int(twice[group[0]]),
            )
            for group in groups[start:end]
        ]

    def say(row: Row) -> str:
        return f"{label(row[0], row[1])}: {row[2]} merged, {_times(row[3], 'rating')}"

    return Outcome(after, Taken(("title", "year", "movies", "ratings", "twice"), len(groups), rows, say))


def _without_movies(tables: Tables, bad: Bools, note: str = "") -> Outcome:
    """Take movies away, and their ratings."""
    published, counts = tables.published, tables.of_movie
    gone = np.flatnonzero(bad & tables.kept_movies)
    gone = gone[np.argsort(-counts[gone], kind="stable")]

    def rows(start: int, end: int) -> list[Row]:
        return [
            (
                int(published.movie_ids[row]),
                published.names[row],
                int(published.years[row]) or "",
                published.genres[row].replace("|", ", "),
                int(counts[row]),
            )
            for row in gone[start:end].tolist()
        ]

    def say(row: Row) -> str:
        return f"{label(row[1], row[2])}, {_times(row[4], 'rating')}"

    taken = Taken(("movie", "title", "year", "genres", "ratings"), len(gone), rows, say)
    return Outcome(tables.without_movies(bad), taken, note=note)


def _newest_of_title(tables: Tables, _: int) -> Outcome:
    published, years = tables.published, tables.published.years
    bad = np.zeros(len(tables.movies), bool)
    for title in _alike(_dated(tables), lambda row: published.keys[row].rpartition(" ")[0]):
        for group in _alike(title, lambda row: frozenset(published.genres[row].split("|"))):
            bad[group] = years[group] < years[group].max()
    return _without_movies(tables, bad)


def _no_genre(tables: Tables, _: int) -> Outcome:
    return _without_movies(tables, np.array([genres in NO_GENRE for genres in tables.published.genres], bool))


def _no_year(tables: Tables, _: int) -> Outcome:
    return _without_movies(tables, tables.published.years == 0)


def _old(tables: Tables, year: int) -> Outcome:
    years = tables.published.years
    return _without_movies(tables, (years > 0) & (years < year))


def _few_of_movie(tables: Tables, fewest: int) -> Outcome:
    never = int(np.count_nonzero(tables.kept_movies & (tables.of_movie == 0)))
    return _without_movies(tables, tables.of_movie < fewest, f"{never:,} never rated" if never else "")


# Users


def _few_of_user(tables: Tables, fewest: int) -> Outcome:
    published, counts = tables.published, tables.of_user
    bad = counts < fewest
    gone = np.flatnonzero(bad & tables.kept_users)
    gone = gone[np.argsort(-counts[gone], kind="stable")]

    def rows(start: int, end: int) -> list[Row]:
        return [(int(published.user_ids[row]), int(counts[row])) for row in gone[start:end]]

    taken = Taken(("user", "ratings"), len(gone), rows, lambda row: f"user {row[0]}, {_times(row[1], 'rating')}")
    return Outcome(tables.without_users(bad), taken)


# What takes nothing, and changes how it is written


def _titles(tables: Tables, _: int) -> Outcome:
    published = tables.published
    kept = np.flatnonzero(tables.kept_movies).tolist()
    changed = [row for row in kept if published.titles[row] != published.names[row]]
    turned = [row for row in changed if published.trimmed[row] != published.names[row]]
    spaced = sum(published.titles[row] != published.titles[row].strip() for row in changed)
    years = sum(" ".join(published.titles[row].split()) != published.trimmed[row] for row in changed)
    first = set(turned)
    telling = turned + [row for row in changed if row not in first]

    def rows(start: int, end: int) -> list[Row]:
        return [
            (
                int(published.movie_ids[row]),
                published.titles[row],
                published.names[row],
                int(published.years[row]) or "",
            )
            for row in telling[start:end]
        ]

    note = f"{years:,} years split off, {len(turned):,} titles put in reading order, {spaced:,} trimmed"
    taken = Taken(("movie", "published", "title", "year"), len(changed), rows, lambda row: f"{row[1]} is {row[2]}")
    return Outcome(replace(tables, reading_order=True), taken, len(changed), note)


def gender_code(text: str) -> int:
    """Return 0 for F, 1 for M, and ``UNKNOWN_GENDER`` for anything else."""
    return GENDERS.get(text.strip().casefold(), UNKNOWN_GENDER)


def _gender(tables: Tables, _: int) -> Outcome:
    published = tables.published
    texts = published.column("gender")
    codes = [gender_code(text) for text in texts]
    coded = [row for row in np.flatnonzero(tables.users[: len(texts)]).tolist() if codes[row] != UNKNOWN_GENDER]

    def rows(start: int, end: int) -> list[Row]:
        return [(int(published.user_ids[row]), texts[row], codes[row]) for row in coded[start:end]]

    taken = Taken(("user", "published", "code"), len(coded), rows, lambda row: f"user {row[0]}: {row[1]} is {row[2]}")
    men = sum(codes[row] for row in coded)
    note = f"{len(coded) - men:,} F, {men:,} M" if texts else "the dataset tells nobody's gender"
    return Outcome(replace(tables, coded_gender=True), taken, len(coded), note)


def _columns(tables: Tables, _: int) -> Outcome:
    published = tables.published
    texts = published.column("zip_code")
    told = [row for row in np.flatnonzero(tables.users[: len(texts)]).tolist() if texts[row]]

    def rows(start: int, end: int) -> list[Row]:
        return [(int(published.user_ids[row]), texts[row]) for row in told[start:end]]

    taken = Taken(("user", "zip code"), len(told), rows, lambda row: f"user {row[0]}: zip code {row[1]}")
    note = "zip codes; dates of videos and addresses of pages are not even read" if told else "the dataset has none"
    return Outcome(replace(tables, all_columns=False), taken, len(told), note)


RULES = (
    Rule("malformed-lines", "malformed lines", _malformed, always=True),
    Rule("missing-values", "missing values", _missing, always=True),
    Rule("outside-scale", "stars off the scale", _outside_scale),
    Rule("duplicate-ratings", "rated twice, newest stays", _duplicates),
    Rule("unknown-ids", "unknown user or movie", _unknown_ids),
    Rule("same-title-twice", "same title, year: merged", _merge_titles),
    Rule("newest-of-title", "same title, genres: newest", _newest_of_title),
    Rule("no-genre", "movies without genre", _no_genre),
    Rule("no-year", "movies without a year", _no_year),
    Rule("old-movies", "movies from before {}", _old, 1930, 1871, LAST_YEAR),
    Rule("few-ratings-movies", "movies, under {} ratings", _few_of_movie, 5),
    Rule("few-ratings-users", "users, under {} ratings", _few_of_user, 20),  # MovieLens publishes none with fewer
    Rule("titles", "titles in reading order", _titles),
    Rule("gender", "gender as F = 0, M = 1", _gender),
    Rule("unused-columns", "columns nobody learns from", _columns),
)
BY_ID = {rule.id: rule for rule in RULES}
