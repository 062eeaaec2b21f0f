"""A dataset in memory: ratings as columns, users and movies by index.

After cleaning, all code uses indices: ``ratings.user[i]`` is a row of ``users``, and ``ratings.movie[i]`` is a row of
``movies``. The ids in the original files are kept as strings, and are used only in input and output.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from movietui.data.language import tr
from movietui.data.samples import ratings_of, some_users
from movietui.data.tags import Tags
from movietui.data.titles import title_key, with_year

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
RATING_COLUMNS = ("user", "movie", "stars", "time")
SAMPLE_RATINGS = 4_000_000
"""About how many ratings a sample of a larger dataset has."""
FEW_STEPS = 256
"""If there are at most this many different numbers of stars, a table of movies by stars is small enough."""
FEW_RATINGS = 100_000
"""How many ratings, evenly spread, are searched first for all different numbers of stars."""
COVERED_MOVIES = 10
"""How many movies of a year must have ``COVERED_RATINGS`` ratings for the year to be well covered."""
COVERED_RATINGS = 5
"""How many ratings a movie needs to count in ``newest_year`` and ``covered_year``."""
IMPLICIT_STARS = 5.0
"""The stars of a rating that only says that a user watched a movie."""
LOWEST_STARS, HIGHEST_STARS = 0.5, 5.0
"""The stars that the lowest and the highest rating of a scale from 0, or from a negative number, become."""
HIGHEST_RATING = 1_000_000.0
"""The largest distance from 0 that a rating on any scale may have."""


@dataclass(frozen=True)
class Scale:
    """A scale of ratings: from ``low`` to ``high`` in steps of ``step``.

    Models, lists and profiles know only stars. Ratings on any other scale become stars when a dataset is encoded, by a
    linear map that takes ``high`` to 5 stars. A scale that begins above 0 keeps its proportions: 8 of 10 are 4 stars,
    so 2 to 10 becomes 1 to 5, and 1 to 5 stays as it is. On any other scale, ``low`` becomes half a star, because no
    rating has 0 stars: on a scale from 0 to 100, 50 are 2.75 stars.
    """

    low: float = 1.0
    high: float = 5.0
    step: float = 1.0
    """0 if the ratings are not in steps."""

    def __str__(self) -> str:
        steps = tr(" in steps of {step:g}", step=self.step) if self.step else ""
        return tr("{low:g} to {high:g}{steps}", low=self.low, high=self.high, steps=steps)

    def clip(self, stars: Floats) -> Floats:
        """Clip stars to the scale."""
        return np.clip(stars, np.float32(self.low), np.float32(self.high))

    @property
    def unit(self) -> float:
        """One star, as a difference on this scale."""
        if self.low > 0:
            return self.high / HIGHEST_STARS
        return (self.high - self.low) / (HIGHEST_STARS - LOWEST_STARS)

    @property
    def in_stars(self) -> "Scale":
        """The same scale in stars."""
        low = self.low / self.unit if self.low > 0 else LOWEST_STARS
        return Scale(low, HIGHEST_STARS, self.step / self.unit)

    def to_stars(self, ratings: Floats) -> Floats:
        """Return ratings on this scale in stars."""
        if self == self.in_stars:
            return ratings
        return ((ratings - np.float64(self.high)) / self.unit + HIGHEST_STARS).astype(np.float32)

    def from_stars(self, stars: Floats) -> Floats:
        """Return predicted stars on this scale."""
        if self == self.in_stars:
            return stars
        return ((stars - np.float64(HIGHEST_STARS)) * self.unit + self.high).astype(np.float32)

    def ratings_of(self, stars: Floats) -> Floats:
        """Return the ratings on this scale that became these stars, without rounding errors."""
        ratings = self.from_stars(stars)
        if self == self.in_stars or not self.step:
            return ratings
        steps = np.round((ratings.astype(np.float64) - self.low) / self.step)
        return (self.low + steps * self.step).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often each movie was given each number of stars, as columns, ordered by movie and stars."""

    movie: Ints
    """Row in ``movies``, int32."""
    stars: Floats
    """Ascending for each movie, float32."""
    number: Ints
    """How many ratings of the movie have these stars, at least 1; int32."""

    def of(self, movie: int) -> dict[float, int]:
        """Return how many ratings a movie has for each number of stars."""
        rows = slice(*np.searchsorted(self.movie, (movie, movie + 1)))
        return dict(zip(self.stars[rows].tolist(), self.number[rows].tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings as four columns of equal length, in the order of the original file."""

    user: Ints
    """Row in ``users``, int32."""
    movie: Ints
    """Row in ``movies``, int32."""
    stars: Floats
    """On the dataset's ``scale``, float32."""
    time: NDArray[np.int64]
    """Seconds since 1970 in UTC; 0 if the dataset does not say when its ratings were given."""

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: NDArray[np.intp]) -> "Ratings":
        """Return these rows, in this order."""
        return Ratings(self.user[rows], self.movie[rows], self.stars[rows], self.time[rows])

    @property
    def sample(self) -> "Ratings | None":
        """The sample that was stored with the ratings; ``None`` if ``Dataset.sample`` must draw one."""
        return None

    def histogram(self) -> "Histogram":
        """Return how often each movie was given each number of stars."""
        values, step = _steps(self.stars)
        cell = self.movie.astype(np.int64) * len(values) + step
        if len(values) <= FEW_STEPS:  # much faster than sorting
            number = np.bincount(cell)
            cells = np.flatnonzero(number)
            number = number[cells]
        else:
            cells, number = np.unique(cell, return_counts=True)
        movie, step = np.divmod(cells, max(1, len(values)))
        return Histogram(movie.astype(np.int32), values[step], number.astype(np.int32))

    @property
    def in_memory(self) -> bool:
        """Whether all columns are in memory, so that using one reads nothing from disk."""
        return True

    def of_user(self, user: int) -> "Ratings":
        """Return a user's ratings, in the order of the original file."""
        return self.take(np.flatnonzero(self.user == user))

    def by_user(self, users: int) -> Ints:
        """Return each user's number of ratings, shape (users,). ``users`` is the number of users in the dataset."""
        return np.bincount(self.user, minlength=users).astype(np.int32)

    def by_movie(self, movies: int) -> Ints:
        """Return each movie's number of ratings, shape (movies,). ``movies`` is the number of movies in the dataset."""
        return np.bincount(self.movie, minlength=movies).astype(np.int32)

    def sums_by_movie(self, movies: int) -> NDArray[np.float64]:
        """Return the sum of each movie's stars, shape (movies,). ``movies`` is the number of movies in the dataset."""
        return np.bincount(self.movie, self.stars, movies).astype(np.float64)


def _steps(stars: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Return the different numbers of stars, ascending, and the index of each rating's stars among them."""
    values = np.unique(stars[:: max(1, len(stars) // FEW_RATINGS)])
    index = np.searchsorted(values, stars).clip(0, max(0, len(values) - 1))
    if (values[index] == stars).all():  # as on any usual scale; looking values up is faster than sorting all stars
        return values, index
    return np.unique(stars, return_inverse=True)


@dataclass(frozen=True, eq=False)
class Users:
    """The users of a dataset, as columns. A column that the dataset lacks is empty."""

    ids: tuple[str, ...]
    age: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    """In years; for ML-1M, the lowest age of the user's age group; 0 if unknown."""
    gender: tuple[str, ...] = ()
    """As published; in MovieLens, ``F`` or ``M``."""
    occupation: tuple[str, ...] = ()
    gender_code: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    """0 for F, 1 for M, -1 if unknown; empty if cleaning did not code the gender."""
    zip_code: tuple[str, ...] = ()
    """As published; empty if cleaning left the zip codes out."""

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.intp]) -> "Users":
        """Return the users in these rows, in this order."""
        return Users(*(_taken(getattr(self, each.name), rows) for each in fields(self)))

    @cached_property
    def row(self) -> Mapping[str, int]:
        """The row of each id."""
        return {user: row for row, user in enumerate(self.ids)}


@dataclass(frozen=True, eq=False)
class ImdbFacts:
    """IMDb's facts about each movie, in the order of ``Movies``."""

    rating: Floats
    """Mean rating on IMDb, 1 to 10; NaN if unknown."""
    votes: Ints
    """Number of IMDb ratings; 0 if unknown."""
    minutes: Ints
    """Runtime in minutes; 0 if unknown."""
    directors: tuple[tuple[str, ...], ...]
    """Names, in the order of the credits; an empty tuple if unknown."""
    director_ids: tuple[tuple[str, ...], ...]
    """Such as ``nm0001741``, in the order of ``directors``; two people may share a name."""
    genres: tuple[tuple[str, ...], ...] = ()
    """As IMDb names them; an empty tuple if unknown."""
    ids: tuple[str, ...] = ()
    """The ids of the IMDb titles, such as ``tt0114709``; an empty string for a movie without a match."""
    fingerprint: str = ""
    """Hexadecimal digest that changes if the dataset is joined with other tables, or a match is chosen by hand."""
    cast: tuple[tuple[str, ...], ...] = ()
    """The names of the top-billed actors, in the order of billing; an empty tuple if unknown."""
    languages: tuple[tuple[str, ...], ...] = ()
    """The codes of the original languages, such as ``ko``; see ``movietui.data.imdb.origins``. An empty tuple if
    unknown."""
    countries: tuple[tuple[str, ...], ...] = ()
    """The codes of the countries of origin, such as ``KR``; an empty tuple if unknown."""

    @cached_property
    def directed(self) -> Mapping[str, tuple[int, ...]]:
        """The rows of each director's movies, by the director's name; directors with the same name are merged here."""
        return _rows_by_value(self.directors)

    @cached_property
    def acted(self) -> Mapping[str, tuple[int, ...]]:
        """The rows of each actor's movies, by the actor's name; actors with the same name are merged here."""
        return _rows_by_value(self.cast)

    @cached_property
    def credited(self) -> Mapping[str, tuple[int, ...]]:
        """The rows of the movies that each person directed or acted in, by the person's name, directors first."""
        rows = dict(self.directed)
        for name, movies in self.acted.items():
            rows[name] = tuple(sorted({*rows.get(name, ()), *movies}))
        return rows

    @cached_property
    def name_keys(self) -> Mapping[str, str]:
        """The key by which the name of each director and actor is compared, see ``movietui.data.titles.title_key``."""
        return {name: title_key(name) for name in self.credited}

    @cached_property
    def by_language(self) -> Mapping[str, tuple[int, ...]]:
        """The rows of the movies in each language, by its code."""
        return _rows_by_value(self.languages)

    @cached_property
    def by_country(self) -> Mapping[str, tuple[int, ...]]:
        """The rows of the movies from each country, by its code."""
        return _rows_by_value(self.countries)

    def take(self, rows: NDArray[np.intp]) -> "ImdbFacts":
        """Return the facts about the movies in these rows, in this order."""
        columns = [each.name for each in fields(self) if each.name != "fingerprint"]
        return replace(self, **{name: _taken(getattr(self, name), rows) for name in columns})

    def cast_of(self, row: int) -> tuple[str, ...]:
        """Return the names of a movie's top-billed actors."""
        return self.cast[row] if self.cast else ()

    def people_of(self, row: int) -> tuple[str, ...]:
        """Return the names of a movie's directors and top-billed actors."""
        return (*self.directors[row], *self.cast_of(row))

    def of(self, row: int) -> dict[str, Any] | None:
        """Return a movie's facts as JSON-able values, or None if it has no match."""
        if not self.ids or not self.ids[row]:
            return None
        return {
            "id": self.ids[row],
            "rating": None if np.isnan(self.rating[row]) else round(float(self.rating[row]), 1),
            "votes": int(self.votes[row]),
            "minutes": int(self.minutes[row]) or None,
            "genres": list(self.genres[row]),
            "directors": list(self.directors[row]),
            "cast": list(self.cast_of(row)),
            "languages": list(self.languages[row]) if self.languages else [],
            "countries": list(self.countries[row]) if self.countries else [],
        }


def _taken(column: Any, rows: NDArray[np.intp]) -> Any:
    """Return the rows of a column, a tuple or an array; of an empty one, nothing."""
    if isinstance(column, tuple):
        return tuple(map(column.__getitem__, rows.tolist())) if column else ()
    return column[rows] if len(column) else column


def _rows_by_value(values: Sequence[Sequence[str]]) -> dict[str, tuple[int, ...]]:
    """Return the rows that have each value. ``values`` has the values of each row."""
    rows: dict[str, list[int]] = {}
    for row, each in enumerate(values):
        for value in dict.fromkeys(each):
            rows.setdefault(value, []).append(row)
    return {value: tuple(having) for value, having in rows.items()}


def decade_name(year: int) -> str:
    """Return the name of a year's decade: ``1940s``."""
    return f"{year // 10 * 10}s"


@dataclass(frozen=True, eq=False)
class Movies:
    """The movies of a dataset, as columns."""

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    """Article first and without the year, like ``The Usual Suspects``; as published if the rule ``titles`` is off."""
    years: Ints
    """The year in the title, or else the year of release; 0 if unknown."""
    genres: Bools
    """Which genres each movie has, shape (movies, genre names)."""
    genre_names: tuple[str, ...]
    keys: tuple[str, ...]
    """The key of each movie, the same in every dataset (see ``movietui.data.titles.movie_key``) unless the movie has no
    title (see ``untitled_key``)."""
    months: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    """Month of release, 1 to 12, or 0 if unknown; empty if the dataset has no release dates."""
    merged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each movie that cleaning merged other entries into, the ids of those entries, by the movie's id."""
    imdb: ImdbFacts | None = None
    """None if the dataset is not joined with IMDb."""
    tags: Tags | None = None
    """None if the dataset has no tags."""
    unrated: int = 0
    """How many movies at the end come from IMDb, without ratings in the dataset; see ``movietui.data.imdb.unrated``."""

    def take(self, rows: NDArray[np.intp]) -> "Movies":
        """Return the movies in these rows, which ascend."""
        columns = ("ids", "titles", "years", "genres", "keys", "months")
        return replace(
            self,
            **{name: _taken(getattr(self, name), rows) for name in columns},
            imdb=self.imdb and self.imdb.take(rows),
            tags=self.tags and self.tags.take(rows),
            unrated=int(np.count_nonzero(rows >= len(self) - self.unrated)),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def row(self) -> Mapping[str, int]:
        """The row of each id."""
        return {movie: row for row, movie in enumerate(self.ids)}

    @cached_property
    def rows_by_key(self) -> Mapping[str, tuple[int, ...]]:
        """The rows that have each key; more than one if entries of the same movie were not merged."""
        rows: dict[str, tuple[int, ...]] = {}
        for row, key in enumerate(self.keys):
            rows[key] = (*rows.get(key, ()), row)
        return rows

    def genres_of(self, row: int) -> list[str]:
        """Return the names of a movie's genres."""
        return [self.genre_names[column] for column in np.flatnonzero(self.genres[row])]

    @cached_property
    def genre_information(self) -> NDArray[np.float64]:
        """How much it says that a movie has a genre, ``-log(share of movies)``, shape (genres,).

        Two dramas may have nothing else in common, but two war movies usually do (inverse document frequency; Spärck
        Jones 1972).
        """
        return np.asarray(np.log(max(len(self), 1) / np.maximum(self.genres.sum(0), 1)), np.float64)

    def groups_of(self, row: int) -> list[str]:
        """Return the names of a movie's genres and of its decade, if the year is known: ``War``, ``1940s``."""
        year = int(self.years[row])
        return [*self.genres_of(row), *([decade_name(year)] if year > 0 else [])]

    def of_group(self, name: str) -> Bools:
        """Return which movies are of a genre or a decade, shape (movies,)."""
        if name in self.genre_names:
            return np.asarray(self.genres[:, self.genre_names.index(name)], bool)
        return np.asarray(self.years // 10 * 10 == int(name.removesuffix("s")), bool)

    def tags_of(self, row: int) -> list[str]:
        """Return the tags of a movie, the most telling first; empty if the dataset has no tags.

        Tags that only repeat a genre, a director or an actor of the movie are left out.
        """
        return self.not_repeating_facts(row, self.tags.of(row)) if self.tags else []

    def not_repeating_facts(self, row: int, tags: Sequence[str]) -> list[str]:
        """Return those of a movie's tags that do not repeat one of its genres, directors or actors."""
        facts = [*self.genres_of(row), *(self.imdb.people_of(row) if self.imdb else ())]
        repeated = {title_key(fact) for fact in facts}
        return [tag for tag in tags if title_key(tag) not in repeated]

    def to_json(self, row: int) -> dict[str, Any]:
        """Return the id, title and year of a movie as JSON-able values; an unknown year is ``None``."""
        return {"id": self.ids[row], "title": self.titles[row], "year": int(self.years[row]) or None}

    def label(self, row: int) -> str:
        """Return the title and the year, if known: ``Fargo (1996)``."""
        title, year = self.titles[row], int(self.years[row])
        return title if title.rstrip().endswith(f"({year})") else with_year(title, year)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Ratings, users and movies after reading and cleaning."""

    users_are_in_models: ClassVar[bool] = True
    """Whether a model that was fitted to the dataset knows its users by their rows; if not, they are folded in."""

    name: str
    ratings: Ratings
    users: Users
    movies: Movies
    scale: Scale
    fingerprint: str
    """Hexadecimal digest of the content after cleaning; see ``movietui.data.cleaning.encoding.fingerprint``.

    The dataset that ``with_ratings`` returns has the same fingerprint.
    """
    cleaning: str = "none"
    """The cleaning that was applied, as text; see ``movietui.data.cleaning.cleaner.parse``."""
    published_scale: Scale | None = None
    """The scale of the ratings as published; ``None`` if they were published in stars."""
    implicit: bool = False
    """Whether the dataset only says who watched what. Each rating then has ``IMPLICIT_STARS``, which mean nothing."""

    @property
    def ratings_scale(self) -> Scale:
        """The scale of the ratings as published, on which their errors are measured."""
        return self.published_scale or self.scale

    def __repr__(self) -> str:
        ratings, users, movies = len(self.ratings), len(self.users), len(self.movies) - self.movies.unrated
        others = f", and {self.movies.unrated:,} unrated movies" if self.movies.unrated else ""
        return f"{self.name}: {ratings:,} ratings of {movies:,} movies by {users:,} users{others}"

    @property
    def joined(self) -> str:
        """The fingerprint of the join with IMDb; empty without a join. Some models learn from joined facts."""
        return self.movies.imdb.fingerprint if self.movies.imdb else ""

    @cached_property
    def newest_year(self) -> int:
        """The newest year of release of a movie with at least ``COVERED_RATINGS`` ratings; 0 if there is none."""
        return int(self.movies.years[self.counts >= COVERED_RATINGS].max(initial=0))

    @cached_property
    def covered_year(self) -> int:
        """The newest year of release that has at least ``COVERED_MOVIES`` movies with ``COVERED_RATINGS`` ratings each.

        0 if there is no such year.
        """
        covered = np.bincount(self.movies.years[self.counts >= COVERED_RATINGS].clip(0))
        covered[:1] = 0
        years = np.flatnonzero(covered >= COVERED_MOVIES)
        return int(years[-1]) if len(years) else 0

    @cached_property
    def histogram(self) -> Histogram:
        """How often each movie was given each number of stars."""
        return self.ratings.histogram()

    @cached_property
    def sample(self) -> "Dataset":
        """The dataset with the ratings of some users, about ``SAMPLE_RATINGS``, or the dataset itself if it has fewer.

        Use the sample where more ratings gain nothing, so that nobody waits until all are read.
        """
        if len(self.ratings) <= SAMPLE_RATINGS:
            return self
        if (stored := self.ratings.sample) is not None:
            return replace(self, ratings=stored)
        return self.with_ratings(ratings_of(self, some_users(self, SAMPLE_RATINGS)))

    def with_ratings(self, rows: NDArray[np.intp]) -> "Dataset":
        """Return the dataset with only these ratings. Users and movies keep their rows."""
        return replace(self, ratings=self.ratings.take(rows))

    def only_users(self, users: NDArray[np.intp]) -> "Dataset":
        """Return the dataset with only these users, ascending rows without duplicates, and their ratings.

        Users get new rows; movies keep theirs.
        """
        if len(users) == len(self.users):
            return self
        ratings = self.ratings.take(ratings_of(self, users))
        row = np.searchsorted(users, ratings.user).astype(np.int32)
        return replace(self, users=self.users.take(users), ratings=replace(ratings, user=row))

    def without_unrated(self) -> "Dataset":
        """Return the dataset without IMDb's movies, which nobody in it has rated."""
        movies = self.movies
        if not movies.unrated:
            return self
        return replace(self, movies=movies.take(np.arange(len(movies) - movies.unrated)))

    def only_rated(self) -> "Dataset":
        """Return the dataset without the movies that nobody in it has rated. Movies get new rows; users keep theirs."""
        rows = np.flatnonzero(self.counts)
        movie = np.searchsorted(rows, self.ratings.movie).astype(np.int32)
        return replace(self, movies=self.movies.take(rows), ratings=replace(self.ratings, movie=movie))

    @cached_property
    def counts(self) -> Ints:
        """The number of ratings of each movie, shape (movies,)."""
        return self.ratings.by_movie(len(self.movies))

    @cached_property
    def totals(self) -> NDArray[np.float64]:
        """The sum of the stars of each movie, shape (movies,)."""
        return self.ratings.sums_by_movie(len(self.movies))

    def mean_of(self, movie: int) -> float | None:
        """Return a movie's mean rating, or ``None`` if it has no ratings, or these have no stars."""
        count = int(self.counts[movie])
        return float(self.totals[movie]) / count if count and not self.implicit else None

    @cached_property
    def _by_user(self) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        return grouped(self.ratings.user, len(self.users))

    def rows_of(self, user: int) -> NDArray[np.intp]:
        """Return the rows of ``ratings`` that belong to a user, in file order."""
        order, starts = self._by_user
        return order[starts[user] : starts[user + 1]]

    def ratings_of(self, user: int) -> Ratings:
        """Return a user's ratings, in file order, without reading all ratings from disk."""
        return self.ratings.take(self.rows_of(user)) if self.ratings.in_memory else self.ratings.of_user(user)


def grouped(groups: NDArray[Any], total: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the rows sorted by group, shape (rows,), and where each group starts among them, shape (total + 1,).

    Within a group, the rows keep their order. The last start is the number of rows. ``groups`` has the group of each
    row, from 0 to ``total`` - 1.
    """
    # numpy sorts 16-bit integers several times faster.
    order = np.argsort(groups.astype(np.uint16) if total <= 1 << 16 else groups, kind="stable")
    starts = np.zeros(total + 1, np.int64)
    np.cumsum(np.bincount(groups, minlength=total), out=starts[1:])
    return order, starts
