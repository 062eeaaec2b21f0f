"""The cleaning rules, in the order in which they apply.

A rule gets the rows that the rules before it left, as masks on columns (``movietui.data.cleaning.working_tables``). It
returns the rows that remain, and can describe on demand the rows that it removed or changed.
Entries of the same movie are merged before ratings are counted, so that a movie that was entered twice does not seem
rarely rated.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, Protocol

import numpy as np

from movietui.data.cleaning.working_tables import AnyTables, MovieTables, Numbers, Published, Tables, marked
from movietui.data.dataset import Bools, Ints, Scale
from movietui.data.language import tr, tr_noun
from movietui.data.movielens.release import MISSING, NO_GENRE, Malformed
from movietui.data.titles import LAST_YEAR, with_year

EXAMPLES = 5
"""How many removed or changed rows a report describes for each rule."""
RATING_COLUMNS = (tr("user"), tr("movie"), tr("title"), tr("stars"), tr("rated on"))
OFF_STEP = 1e-3
"""How far from the nearest step of its scale a rating may be, in steps."""
GENDERS = {"f": 0, "female": 0, "m": 1, "male": 1}
UNKNOWN_GENDER = -1

Row = tuple[str | int | float, ...]


@dataclass(frozen=True, eq=False)
class AffectedRows:
    """The rows that a rule removed or changed, with named columns, in the order in which they are shown."""

    columns: tuple[str, ...]
    total: int
    rows: Callable[[int, int], list[Row]]
    """Returns the rows from one index up to, but not including, another."""
    describe: Callable[[Row], str]
    """Describes a row in words."""

    def examples(self) -> tuple[str, ...]:
        """Return descriptions of the first rows."""
        return tuple(self.describe(row) for row in self.rows(0, EXAMPLES))


@dataclass(frozen=True, eq=False)
class Outcome(Generic[AnyTables]):
    """The tables after a rule, and the rows that the rule removed or changed."""

    after: AnyTables
    affected: AffectedRows
    changed: int = 0
    """The number of values changed or left out; only for rules that remove no rows."""
    note: str = ""


@dataclass(frozen=True)
class Rule:
    """A named cleaning rule; some rules have a number from ``low`` to ``high``."""

    id: str
    title: str
    """``{}`` stands for the rule's number."""
    apply: Callable[[Tables, int], Outcome[Tables]]
    number: int = 0
    """The default number; 0 if the rule has no number."""
    low: int = 1
    high: int = 1_000_000
    always: bool = False
    """Whether the rule is on in every cleaning, because the rows that it removes cannot be used."""


def _plural(count: int | str | float, thing: str) -> str:
    return f"{count} {tr_noun(int(count), thing)}"


def label(title: str | int | float, year: str | int | float) -> str:
    """Return a title with its year, if known."""
    return with_year(str(title), int(year or 0))


# Ratings


def _id_text(published_id: int | str) -> int | str:
    return "?" if published_id == MISSING else published_id


def day(seconds: Any) -> str:
    """Return the date of a timestamp, such as ``1997-11-20``, or a question mark if the timestamp is missing."""
    return "?" if seconds == MISSING else datetime.fromtimestamp(int(seconds), UTC).date().isoformat()


def _without_ratings(tables: Tables, bad: Bools) -> Outcome[Tables]:
    """Return the outcome of removing these ratings."""
    published, movie = tables.published, tables.movie
    removed = np.flatnonzero(bad & tables.remaining)

    def rows(start: int, end: int) -> list[Row]:
        return [
            rating_row(
                published,
                published.ids_of_users[published.user[row]],
                movie[row],
                published.stars[row],
                published.time[row],
            )
            for row in removed[start:end]
        ]

    return Outcome(tables.without_ratings(bad), AffectedRows(RATING_COLUMNS, len(removed), rows, describe_rating))


def rating_row(published: Published, user: int | str, movie: int, stars: float, time: int) -> Row:
    """Return the readable form of a rating, with ``RATING_COLUMNS``.

    ``user`` is the published id of its user, and ``movie`` the row of its movie. ``stars`` are as published.
    """
    return (
        _id_text(user),
        _id_text(published.ids_of_movies[movie]),
        label(published.names[movie], int(published.years[movie])),
        "?" if np.isnan(stars) else float(stars),
        day(time),
    )


def describe_rating(row: Row) -> str:
    """Describe a row of ``rating_row`` in words."""
    stars = f"{row[3]:g}" if isinstance(row[3], float) else row[3]
    return tr("user {user}, movie {movie}, {stars} stars", user=row[0], movie=row[1], stars=stars)


def _malformed(tables: AnyTables, _: int) -> Outcome[AnyTables]:
    lines = tables.published.raw.malformed

    def rows(start: int, end: int) -> list[Row]:
        return [(line.file, line.line, line.reason) for line in lines[start:end]]

    affected = AffectedRows(
        (tr("file"), tr("line"), tr("what is wrong")),
        len(lines),
        rows,
        lambda row: str(Malformed(str(row[0]), int(row[1]), str(row[2]))),
    )
    return Outcome(tables, affected)


def _missing(tables: Tables, _: int) -> Outcome[Tables]:
    published = tables.published
    no_user, no_movie = published.user_ids == MISSING, published.movie_ids == MISSING

    def test(user: Ints, movie: Ints, stars: Numbers, time: Numbers) -> Bools:
        gaps: Bools = no_user[user] | no_movie[movie] | np.isnan(stars) | (time == MISSING)
        return gaps

    return _without_ratings(tables, marked(test, published.user, tables.movie, published.stars, published.time))


def _outside_scale(tables: Tables, _: int) -> Outcome[Tables]:
    scale = tables.published.raw.scale
    return _without_ratings(tables, marked(lambda stars: outside(scale, stars), tables.published.stars))


def outside(scale: Scale, ratings: Numbers) -> Bools:
    """Return which ratings are not on a scale."""
    low, high = np.float32(scale.low), np.float32(scale.high)  # the ratings may have been rounded to float32, too
    off: Bools = (ratings < low) | (ratings > high)
    if scale.step:
        steps = (ratings.astype(np.float64) - scale.low) / scale.step
        off |= np.abs(steps - np.round(steps)) > OFF_STEP
    return off


def _superseded(tables: Tables, movie: Ints, among: Bools) -> Bools:
    """Mark the ratings in ``among`` that are not the user's newest rating of the movie.

    ``movie`` has the movie of each rating. Of two ratings in the same second, the later row counts as newer.
    """
    marks = np.zeros(len(movie), bool)
    rows = np.flatnonzero(among)
    keys = tables.published.user[rows].astype(np.int64) * len(tables.movies) + movie[rows]
    if (keys[1:] > keys[:-1]).all():  # already sorted by user and movie, as in the later releases
        return marks
    ordered = np.sort(keys)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return marks
    del ordered
    position = np.minimum(np.searchsorted(twice, keys), len(twice) - 1)
    repeated = twice[position] == keys
    rows, keys = rows[repeated], keys[repeated]
    order = np.lexsort((rows, tables.published.time[rows], keys))
    newer_follows = keys[order][1:] == keys[order][:-1]
    marks[rows[order[:-1][newer_follows]]] = True
    return marks


def _duplicates(tables: Tables, _: int) -> Outcome[Tables]:
    return _without_ratings(tables, _superseded(tables, tables.movie, tables.remaining))


def _unknown_ids(tables: Tables, _: int) -> Outcome[Tables]:
    published = tables.published
    users = np.arange(len(tables.users)) >= published.known_users
    movies = np.arange(len(tables.movies)) >= published.known_movies
    bad = marked(lambda user, movie: users[user] | movies[movie], published.user, tables.movie)
    outcome = _without_ratings(tables, bad)
    return replace(outcome, after=outcome.after.without_users(users).without_movies(movies))


# Movies


def _grouped_by(rows: Iterable[int], key: Callable[[int], Any]) -> list[list[int]]:
    """Group the rows by key, and return the groups of two or more."""
    groups: dict[Any, list[int]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return [group for group in groups.values() if len(group) > 1]


def _rows_with_year(tables: MovieTables) -> list[int]:
    """Return the rows of the movies that are not removed and whose year is known."""
    dated: list[int] = np.flatnonzero(tables.movies & (tables.published.years > 0)).tolist()
    return dated


def same_movies(tables: MovieTables) -> list[list[int]]:
    """Return the rows of the entries of each movie that was entered more than once.

    The others merge into the first entry: the one with the most ratings or, of several such, with the lowest id.
    """
    published = tables.published
    groups = _grouped_by(_rows_with_year(tables), published.keys.__getitem__)
    for group in groups:
        group.sort(key=lambda row: (-tables.ratings_per_movie[row], published.movie_ids[row]))
    return groups


def merge_into(groups: Sequence[Sequence[int]], movies: int) -> Ints:
    """Return the row of each of the movies after merging these groups, shape (movies,)."""
    into = np.arange(movies, dtype=np.int32)
    for group in groups:
        into[group] = group[0]
    return into


def merged(published: Published, groups: Sequence[Sequence[int]]) -> Published:
    """Return ``published`` with merged groups: the first entry of each gets the genres and the first date of all."""
    genres, released = list(published.genres), list(published.released)
    for group in groups:
        named = [genre for row in group for genre in genres[row].split("|")]
        known = dict.fromkeys(genre for genre in named if genre not in NO_GENRE)
        genres[group[0]] = "|".join(known) or genres[group[0]]
        released[group[0]] = next((released[row] for row in group if released[row]), "")
    return replace(published, genres=tuple(genres), released=tuple(released))


def merged_rows(published: Published, groups: Sequence[Sequence[int]], counts: Numbers, twice: Numbers) -> AffectedRows:
    """Return a readable form of merged groups.

    ``counts`` has the number of ratings of each movie after merging, and ``twice`` how many were removed because the
    same user had rated the movie more than once, both of shape (movies,).
    """
    ordered = sorted(groups, key=lambda group: -counts[group[0]])

    def rows(start: int, end: int) -> list[Row]:
        return [
            (
                published.names[group[0]],
                int(published.years[group[0]]),
                " and ".join(map(str, sorted(published.ids_of_movies[movie] for movie in group))),
                int(counts[group[0]]),
                int(twice[group[0]]),
            )
            for group in ordered[start:end]
        ]

    def describe(row: Row) -> str:
        title, ratings = label(row[0], row[1]), _plural(row[3], "rating")
        return tr("{title}: {movies} merged, {ratings}", title=title, movies=row[2], ratings=ratings)

    return AffectedRows(
        (tr("title"), tr("year"), tr("movies"), tr("ratings"), tr("rated twice")), len(groups), rows, describe
    )


def _merge_titles(tables: Tables, _: int) -> Outcome[Tables]:
    published = tables.published
    groups = same_movies(tables)
    into = merge_into(groups, len(tables.movies))
    movie = into[tables.movie]
    # Here, only ratings of merged movies count as duplicates. The rule duplicate-ratings, which may be off, removes the
    # others.
    joined = np.zeros(len(tables.movies), bool)
    joined[[group[0] for group in groups]] = True
    doubled = _superseded(tables, movie, tables.remaining & joined[movie])
    after = tables
    if groups:
        after = replace(
            tables,
            published=merged(published, groups),
            movie=movie,
            remaining=tables.remaining & ~doubled,
            movies=tables.movies & (into == np.arange(len(into))),
            merged=tuple(map(tuple, groups)),
        )
    twice = np.bincount(movie[doubled], minlength=len(into))
    return Outcome(after, merged_rows(published, groups, after.ratings_per_movie, twice))


def _without_movies(tables: AnyTables, bad: Bools, note: str = "") -> Outcome[AnyTables]:
    """Return the outcome of removing these movies and their ratings."""
    published, counts = tables.published, tables.ratings_per_movie
    removed = np.flatnonzero(bad & tables.remaining_movies)
    removed = removed[np.argsort(-counts[removed], kind="stable")]

    def rows(start: int, end: int) -> list[Row]:
        return [
            (
                published.ids_of_movies[row],
                published.names[row],
                int(published.years[row]) or "",
                published.genres[row].replace("|", ", "),
                int(counts[row]),
            )
            for row in removed[start:end].tolist()
        ]

    def describe(row: Row) -> str:
        return f"{label(row[1], row[2])}, {_plural(row[4], 'rating')}"

    affected = AffectedRows(
        (tr("movie"), tr("title"), tr("year"), tr("genres"), tr("ratings")), len(removed), rows, describe
    )
    return Outcome(tables.without_movies(bad), affected, note=note)


def _newest_of_title(tables: AnyTables, _: int) -> Outcome[AnyTables]:
    published, years = tables.published, tables.published.years
    bad = np.zeros(len(tables.movies), bool)
    for title in _grouped_by(_rows_with_year(tables), lambda row: published.keys[row].rpartition(" ")[0]):
        for group in _grouped_by(title, lambda row: frozenset(published.genres[row].split("|"))):
            bad[group] = years[group] < years[group].max()
    return _without_movies(tables, bad)


def _no_genre(tables: AnyTables, _: int) -> Outcome[AnyTables]:
    return _without_fact(
        tables, np.array([genres in NO_GENRE for genres in tables.published.genres], bool), tr("genres")
    )


def _no_year(tables: AnyTables, _: int) -> Outcome[AnyTables]:
    return _without_fact(tables, tables.published.years == 0, tr("years"))


def _without_fact(tables: AnyTables, lacking: Bools, fact: str) -> Outcome[AnyTables]:
    """Return the outcome of removing the movies that lack a fact; if all of them lack it, none is removed."""
    if lacking.all():
        return _without_movies(tables, np.zeros_like(lacking), tr("the dataset has no {fact}", fact=fact))
    return _without_movies(tables, lacking)


def _old_movies(tables: AnyTables, year: int) -> Outcome[AnyTables]:
    years = tables.published.years
    return _without_movies(tables, (years > 0) & (years < year))


def _few_ratings_movies(tables: AnyTables, fewest: int) -> Outcome[AnyTables]:
    never = int(np.count_nonzero(tables.remaining_movies & (tables.ratings_per_movie == 0)))
    note = tr("{count:,} never rated", count=never) if never else ""
    return _without_movies(tables, tables.ratings_per_movie < fewest, note)


# Users


def _few_ratings_users(tables: Tables, fewest: int) -> Outcome[Tables]:
    published, counts = tables.published, tables.ratings_per_user
    bad = counts < fewest
    removed = np.flatnonzero(bad & tables.remaining_users)
    removed = removed[np.argsort(-counts[removed], kind="stable")]

    def rows(start: int, end: int) -> list[Row]:
        return [(published.ids_of_users[row], int(counts[row])) for row in removed[start:end].tolist()]

    return Outcome(
        tables.without_users(bad), AffectedRows((tr("user"), tr("ratings")), len(removed), rows, describe_user)
    )


def describe_user(row: Row) -> str:
    """Describe a user and the number of their ratings in words."""
    return tr("user {user}, {ratings}", user=row[0], ratings=_plural(row[1], "rating"))


# Rules that remove no rows, but change how values are written or leave columns out


def _titles(tables: AnyTables, _: int) -> Outcome[AnyTables]:
    published = tables.published
    remaining = np.flatnonzero(tables.remaining_movies).tolist()
    changed = [row for row in remaining if published.titles[row] != published.names[row]]
    reordered = [row for row in changed if published.trimmed[row] != published.names[row]]
    trimmed = sum(published.titles[row] != published.titles[row].strip() for row in changed)
    years = sum(" ".join(published.titles[row].split()) != published.trimmed[row] for row in changed)
    first = set(reordered)
    ordered = reordered + [row for row in changed if row not in first]

    def rows(start: int, end: int) -> list[Row]:
        return [
            (
                published.ids_of_movies[row],
                published.titles[row],
                published.names[row],
                int(published.years[row]) or "",
            )
            for row in ordered[start:end]
        ]

    note = tr(
        "{years:,} years split off, article put first in {count:,} {titles}, {trimmed:,} trimmed",
        years=years,
        count=len(reordered),
        titles=tr_noun(len(reordered), "title"),
        trimmed=trimmed,
    )
    affected = AffectedRows(
        (tr("movie"), tr("published"), tr("title"), tr("year")),
        len(changed),
        rows,
        lambda row: tr("{title} becomes {new_title}", title=row[1], new_title=row[2]),
    )
    return Outcome(replace(tables, reading_order=True), affected, len(changed), note)


def gender_code(text: str) -> int:
    """Return 0 for F or female, 1 for M or male (in any case), and ``UNKNOWN_GENDER`` for anything else."""
    return GENDERS.get(text.strip().casefold(), UNKNOWN_GENDER)


def _gender(tables: AnyTables, _: int) -> Outcome[AnyTables]:
    published = tables.published
    texts = published.column("gender")
    codes = [gender_code(text) for text in texts]
    coded = [row for row in np.flatnonzero(tables.users[: len(texts)]).tolist() if codes[row] != UNKNOWN_GENDER]

    def rows(start: int, end: int) -> list[Row]:
        return [(published.ids_of_users[row], texts[row], codes[row]) for row in coded[start:end]]

    affected = AffectedRows(
        (tr("user"), tr("published"), tr("code")),
        len(coded),
        rows,
        lambda row: tr("user {user}: {gender} becomes {code}", user=row[0], gender=row[1], code=row[2]),
    )
    men = sum(codes[row] for row in coded)
    counted = tr("{women:,} F, {men:,} M", women=len(coded) - men, men=men)
    note = counted if texts else tr("the dataset has no genders")
    return Outcome(replace(tables, coded_gender=True), affected, len(coded), note)


def _columns(tables: AnyTables, _: int) -> Outcome[AnyTables]:
    published = tables.published
    texts = published.column("zip_code")
    with_code = [row for row in np.flatnonzero(tables.users[: len(texts)]).tolist() if texts[row]]

    def rows(start: int, end: int) -> list[Row]:
        return [(published.ids_of_users[row], texts[row]) for row in with_code[start:end]]

    affected = AffectedRows(
        (tr("user"), tr("zip code")),
        len(with_code),
        rows,
        lambda row: tr("user {user}: zip code {zip_code}", user=row[0], zip_code=row[1]),
    )
    never_read = tr("zip codes; video dates and page links are never read")
    note = never_read if with_code else tr("the dataset has no zip codes")
    return Outcome(replace(tables, keep_zip_codes=False), affected, len(with_code), note)


RULES = (
    Rule("malformed-lines", tr("malformed lines"), _malformed, always=True),
    Rule("missing-values", tr("missing values"), _missing, always=True),
    Rule("outside-scale", tr("ratings out of range"), _outside_scale),
    Rule("duplicate-ratings", tr("rated twice: newest kept"), _duplicates),
    Rule("unknown-ids", tr("unknown user or movie"), _unknown_ids),
    Rule("same-title-twice", tr("same title, year: merged"), _merge_titles),
    Rule("newest-of-title", tr("same title, genres: newest"), _newest_of_title),
    Rule("no-genre", tr("movies without a genre"), _no_genre),
    Rule("no-year", tr("movies without a year"), _no_year),
    Rule("old-movies", tr("movies from before {}"), _old_movies, 1930, 1871, LAST_YEAR),
    Rule("few-ratings-movies", tr("movies, under {} ratings"), _few_ratings_movies, 5),
    # In most releases, nobody has fewer.
    Rule("few-ratings-users", tr("users, under {} ratings"), _few_ratings_users, 20),
    Rule("titles", tr("titles, article first"), _titles),
    Rule("gender", tr("gender as F = 0, M = 1"), _gender),
    Rule("unused-columns", tr("unused columns"), _columns),
)
BY_ID = {rule.id: rule for rule in RULES}


class MovieRule(Protocol):
    """A rule for one machine and for a cluster. Of the ratings, it needs only how many each movie has."""

    def __call__(self, tables: AnyTables, number: int, /) -> Outcome[AnyTables]:
        """Return the outcome of the rule."""


MOVIE_RULES: Mapping[str, MovieRule] = {
    "malformed-lines": _malformed,
    "newest-of-title": _newest_of_title,
    "no-genre": _no_genre,
    "no-year": _no_year,
    "old-movies": _old_movies,
    "few-ratings-movies": _few_ratings_movies,
    "titles": _titles,
    "gender": _gender,
    "unused-columns": _columns,
}
"""The rules that need only the number of ratings of each movie, by id."""
