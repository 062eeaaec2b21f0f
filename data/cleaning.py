"""Cleans a dataset by named rules in a fixed order, and tells what each took away.

A rule that is off still tells what it would have taken away at its place. Importing this module does not import
pandas, so that the rules of a preset can be known without it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.movielens import MISSING, NO_GENRE, Raw
from data.problems import Problem
from data.progress import Report, Stage, silent
from data.titles import film_key, parse_label, plain

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1
"""Raised whenever a rule changes what it does, so that tables cleaned before are made again."""

EXAMPLES = 5
OLD = 1930
MIN_MOVIE_RATINGS = 5
MIN_USER_RATINGS = 20
"""MovieLens only publishes users with at least so many."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RuleResult:
    """What one rule took away, or would have taken away where it is off."""

    rule: str
    title: str
    on: bool
    before: int
    """Ratings before the rule (lines, for malformed ones)."""
    removed: int
    """Ratings taken away."""
    removed_movies: int
    removed_users: int
    examples: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON-able values."""
        return {**self.__dict__, "examples": list(self.examples)}


@dataclass(frozen=True)
class CleaningReport:
    """What cleaning did to a dataset, and what was left."""

    dataset: str
    preset: str
    rules: tuple[RuleResult, ...]
    ratings: int
    users: int
    movies: int

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``movietui data clean --json`` prints it."""
        return {**self.__dict__, "rules": [rule.to_json() for rule in self.rules]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "CleaningReport":
        """Return the report that ``to_json`` wrote. Raises ``KeyError`` or ``TypeError`` for another document."""
        rules = tuple(RuleResult(**{**rule, "examples": tuple(rule["examples"])}) for rule in document["rules"])
        return cls(**{**document, "rules": rules})


@dataclass(frozen=True, eq=False)
class Tables:
    """A dataset while it is cleaned: the published tables, and what is derived from the titles."""

    ratings: "pd.DataFrame"
    movies: "pd.DataFrame"
    """As in ``Raw``, and name (in reading order), year (0 where unknown) and key."""
    users: "pd.DataFrame"
    raw: Raw


Outcome = tuple[Tables, Iterable[str]]


@dataclass(frozen=True)
class Rule:
    """A rule: takes tables, returns what it leaves and examples of what it took away."""

    id: str
    title: str
    apply: Callable[[Tables], Outcome]


def tables_of(raw: Raw) -> Tables:
    """Derive title in reading order, year and film key of each movie.

    The year is that of the title; of the release where the title has none.
    """
    labels = [parse_label(title) for title in raw.movies["title"]]
    released = [int(text[:4]) if text else 0 for text in raw.movies["release_date"]]
    years = [year or release for (_, year), release in zip(labels, released, strict=True)]
    names = [name for name, _ in labels]
    keys = [film_key(name, year) for name, year in zip(names, years, strict=True)]
    return Tables(raw.ratings, raw.movies.assign(name=names, year=years, key=keys), raw.users, raw)


def _label(movie: Any) -> str:
    return f"{movie.name} ({movie.year})" if movie.year else str(movie.name)


def _times(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _without(tables: Tables, bad: Mask, say: Callable[[Any], str]) -> Outcome:
    """Take ratings away."""
    examples = (say(row) for row in tables.ratings[bad].head(EXAMPLES).itertuples(index=False))
    return replace(tables, ratings=tables.ratings[~bad]), examples


def _say(row: Any) -> str:
    def shown(number: int) -> str:
        return "?" if number == MISSING else str(number)

    return f"user {shown(row.user_id)}, movie {shown(row.movie_id)}, {row.stars:g} stars"


def _malformed(tables: Tables) -> Outcome:
    return tables, (str(line) for line in tables.raw.malformed[:EXAMPLES])


def _missing(tables: Tables) -> Outcome:
    ratings = tables.ratings
    whole = ratings[["user_id", "movie_id", "time"]].to_numpy()
    return _without(tables, (whole == MISSING).any(axis=1) | np.isnan(ratings["stars"].to_numpy()), _say)


def _outside_scale(tables: Tables) -> Outcome:
    scale = tables.raw.scale
    stars = tables.ratings["stars"].to_numpy()
    steps = (stars - scale.low) / scale.step
    bad = (stars < scale.low) | (stars > scale.high) | (np.abs(steps - np.round(steps)) > 1e-6)
    return _without(tables, bad & ~np.isnan(stars), _say)


def _unknown_ids(tables: Tables) -> Outcome:
    ratings = tables.ratings
    known = ratings["user_id"].isin(tables.users["user_id"]) & ratings["movie_id"].isin(tables.movies["movie_id"])
    return _without(tables, ~known.to_numpy(), _say)


def _older_of_two(ratings: "pd.DataFrame") -> Mask:
    """Mark all but the newest rating of each user and movie; at the same second the later row is the newer."""
    newest_last = ratings["time"].to_numpy().argsort(kind="stable")
    older = ratings.iloc[newest_last].duplicated(["user_id", "movie_id"], keep="last").to_numpy()
    marked = np.empty(len(ratings), bool)
    marked[newest_last] = older
    return marked


def _duplicates(tables: Tables) -> Outcome:
    return _without(tables, _older_of_two(tables.ratings), _say)


def _merge_titles(tables: Tables) -> Outcome:
    import pandas as pd

    movies, ratings = tables.movies, tables.ratings
    counts = ratings["movie_id"].value_counts()
    twice = movies[movies.duplicated("key", keep=False) & (movies["year"] > 0)]
    kept_id: dict[int, int] = {}
    groups = []
    for _, group in twice.groupby("key", sort=False):
        rated = sorted(group["movie_id"], key=lambda movie: (-counts.get(movie, 0), movie))
        kept_id.update(dict.fromkeys(rated[1:], rated[0]))
        label = _label(next(group.itertuples(index=False)))
        names = " and ".join(str(movie) for movie in sorted(rated))
        groups.append((label, names, rated))
    if not kept_id:
        return tables, ()
    merged = ratings.assign(movie_id=ratings["movie_id"].map(lambda movie: kept_id.get(movie, movie)))
    merged = merged.astype({"movie_id": "int64"})
    # Only those that become double by merging: double ratings of one movie are another rule's, which may be off.
    doubled = _older_of_two(merged) & merged["movie_id"].isin(set(kept_id.values())).to_numpy()
    merged = merged[~doubled]
    left = merged["movie_id"].value_counts()
    groups.sort(key=lambda group: -int(left.get(group[2][0], 0)))
    examples = [
        f"{label}: {names} merged, {_times(int(left.get(rated[0], 0)), 'rating')}"
        for label, names, rated in groups[:EXAMPLES]
    ]
    stays = ~pd.Series(movies["movie_id"]).isin(kept_id.keys()).to_numpy()
    return replace(tables, ratings=merged, movies=movies[stays]), examples


def _without_movies(tables: Tables, bad: Mask) -> Outcome:
    """Take movies away, and their ratings."""
    gone = tables.movies[bad]
    counts = tables.ratings["movie_id"].value_counts()
    rated = np.array([counts.get(movie, 0) for movie in gone["movie_id"]], int)
    most_first = gone.iloc[np.argsort(-rated, kind="stable")].head(EXAMPLES)
    examples = [
        f"{_label(movie)}, {_times(int(counts.get(movie.movie_id, 0)), 'rating')}"
        for movie in most_first.itertuples(index=False)
    ]
    lost = tables.ratings["movie_id"].isin(gone["movie_id"]).to_numpy()
    return replace(tables, movies=tables.movies[~bad], ratings=tables.ratings[~lost]), examples


def _no_genre(tables: Tables) -> Outcome:
    return _without_movies(tables, tables.movies["genres"].isin(NO_GENRE).to_numpy())


def _no_year(tables: Tables) -> Outcome:
    return _without_movies(tables, (tables.movies["year"] == 0).to_numpy())


def _old(tables: Tables) -> Outcome:
    return _without_movies(tables, tables.movies["year"].between(1, OLD - 1).to_numpy())


def _few_for_movie(tables: Tables) -> Outcome:
    counts = tables.ratings["movie_id"].value_counts()
    rated = tables.movies["movie_id"].map(counts).fillna(0).to_numpy()
    return _without_movies(tables, rated < MIN_MOVIE_RATINGS)


def _few_for_user(tables: Tables) -> Outcome:
    users, ratings = tables.users, tables.ratings
    rated = users["user_id"].map(ratings["user_id"].value_counts()).fillna(0).to_numpy()
    bad = rated < MIN_USER_RATINGS
    gone = users["user_id"][bad]
    pairs = zip(gone.head(EXAMPLES), rated[bad], strict=False)
    examples = [f"user {user}, {_times(int(count), 'rating')}" for user, count in pairs]
    lost = ratings["user_id"].isin(gone).to_numpy()
    return replace(tables, users=users[~bad], ratings=ratings[~lost]), examples


RULES = (
    Rule("malformed-lines", "malformed lines", _malformed),
    Rule("missing-values", "missing values", _missing),
    Rule("outside-scale", "stars off the scale", _outside_scale),
    Rule("unknown-ids", "unknown user or movie", _unknown_ids),
    Rule("duplicate-ratings", "rated twice, newest stays", _duplicates),
    Rule("same-title-twice", "same title, year: merged", _merge_titles),
    Rule("no-genre", "movies without genre", _no_genre),
    Rule("no-year", "movies without a year", _no_year),
    Rule("old-movies", f"movies from before {OLD}", _old),
    Rule("few-ratings-movies", f"movies, under {MIN_MOVIE_RATINGS} ratings", _few_for_movie),
    Rule("few-ratings-users", f"users, under {MIN_USER_RATINGS} ratings", _few_for_user),
)

# A rating without user, movie or stars cannot be one of a dataset, whatever the preset.
PRESETS: Mapping[str, frozenset[str]] = {
    "none": frozenset({"malformed-lines", "missing-values"}),
    "standard": frozenset(rule.id for rule in RULES[:7]),
}


def rules_of(preset: str) -> frozenset[str]:
    """Return the ids of the rules that a preset has on. Raises ``Problem`` for an unknown preset."""
    if preset not in PRESETS:
        raise Problem(f"There is no cleaning {plain(preset)!r}; choose one of {', '.join(PRESETS)}.")
    return PRESETS[preset]


def clean(name: str, raw: Raw, preset: str, report: Report = silent) -> tuple[Tables, CleaningReport]:
    """Apply the rules of a preset. What is left keeps its order. Raises ``Problem`` where no rating is left."""
    on = rules_of(preset)
    tables = tables_of(raw)
    results = []
    for done, rule in enumerate(RULES):
        report(Stage("Cleaning", done, len(RULES), "rules", rule.title))
        after, examples = rule.apply(tables)
        removed = len(tables.ratings) - len(after.ratings)
        before = len(tables.ratings)
        if rule.id == "malformed-lines":
            removed = sum(line.file == raw.ratings_file for line in raw.malformed)
            before += removed
        results.append(
            RuleResult(
                rule.id,
                rule.title,
                rule.id in on,
                before,
                removed,
                len(tables.movies) - len(after.movies),
                len(tables.users) - len(after.users),
                tuple(plain(example) for example in examples),
            )
        )
        if rule.id in on:
            tables = after
    if tables.ratings.empty:
        raise Problem(f"Nothing is left of {name} after cleaning; check the files it was read from.")
    report(Stage("Cleaning", len(RULES), len(RULES), "rules", finished=True))
    counts = len(tables.ratings), len(tables.users), len(tables.movies)
    return tables, CleaningReport(name, preset, tuple(results), *counts)
