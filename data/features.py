"""Side features, encoded once and shared by the models: who the users are, what the movies are, what train says.

They come in three kinds: a ``Block`` of numbers, an ``Index`` of one category, a ``Bag`` of any number of them. Each
has a row for each user (or movie) of the dataset and one more, the last, for somebody of whom nothing is known, so
that row -1 serves a viewer who is folded in. All arrays are plain and may go into a checkpoint as they are.

A part that a dataset does not have is ``None`` or a ``Problem``, never invented. Where only some rows lack a value,
a scaled number there is 0, which is the mean; all of its one-hot columns are 0; its index is one past the last
category; its bag is empty. What is counted or averaged over ratings takes a dataset cut down to its train part
(``Dataset.with_ratings``); no function here sees anything else.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Movies, Ratings, Users
from data.movielens import AGE_GROUPS
from data.problems import Problem
from data.rules import UNKNOWN_GENDER, gender_code

Doubles = NDArray[np.float64]
Times = NDArray[np.int64]

GENDERS = ("F", "M")
"""By ``data.rules.gender_code``: 0 for F and 1 for M, as in source 004."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WITHOUT_GENRE = "unknown"
OTHER_DIRECTORS = "other directors"
DAMPING = 5.0
"""With how many ratings at the overall mean an average starts, so that a single rating does not make it."""
DAY = 86_400
THURSDAY = 3
"""The weekday of the day 0, 1970-01-01, counted from Monday."""


# The three kinds


@dataclass(frozen=True, eq=False)
class Block:
    """Columns of numbers, scaled: ``values = (raw - mean) / deviation``, and 0 where the raw value is unknown."""

    names: tuple[str, ...]
    """Of the columns, in their order."""
    values: Floats
    """Shape (rows + 1, columns), float32."""
    mean: Floats
    """Shape (columns,); 0 for a column that is not scaled."""
    deviation: Floats
    """Shape (columns,); 1 for a column that is not scaled or has the same value everywhere."""

    @classmethod
    def as_is(cls, names: Sequence[str], values: NDArray[Any]) -> "Block":
        """Make a block of columns that need no scaling; ``values`` with the last row, shape (rows + 1, columns)."""
        columns = len(names)
        return cls(tuple(names), values.astype(np.float32), np.zeros(columns, np.float32), np.ones(columns, np.float32))

    @classmethod
    def scaled(cls, names: Sequence[str], raw: Doubles, counted: NDArray[np.bool_] | None = None) -> "Block":
        """Scale each column to a mean of 0 and a deviation of 1 over the rows where it is not NaN.

        ``raw`` with the last row, shape (rows + 1, columns). ``counted`` are the rows that the mean and the deviation
        are taken from, shape (rows + 1,); without it all.
        """
        known = ~np.isnan(raw) if counted is None else ~np.isnan(raw) & counted[:, None]
        many = np.maximum(known.sum(0), 1)
        mean = np.where(known, raw, 0.0).sum(0) / many
        deviation = np.sqrt((np.where(known, raw - mean, 0.0) ** 2).sum(0) / many)
        deviation[deviation < 1e-9] = 1.0
        unscaled = cls(tuple(names), raw.astype(np.float32), mean.astype(np.float32), deviation.astype(np.float32))
        return replace(unscaled, values=unscaled.encode(raw))

    def encode(self, raw: NDArray[Any]) -> Floats:
        """Scale raw values as those of the block, shape (…, columns); NaN, which is unknown, becomes 0."""
        scaled: Floats = np.nan_to_num((raw - self.mean) / self.deviation).astype(np.float32)
        return scaled

    def beside(self, *others: "Block") -> "Block":
        """Return one block with the columns of this one, then those of the others."""
        blocks = (self, *others)
        return Block(
            tuple(name for block in blocks for name in block.names),
            np.concatenate([block.values for block in blocks], axis=1),
            np.concatenate([block.mean for block in blocks]),
            np.concatenate([block.deviation for block in blocks]),
        )


@dataclass(frozen=True, eq=False)
class Index:
    """One category for each row, to look up in an embedding of ``len(categories) + 1`` rows or to make columns of."""

    name: str
    categories: tuple[str, ...]
    values: Ints
    """Shape (rows + 1,), int32, from 0; ``len(categories)`` where unknown."""

    def one_hot(self) -> Block:
        """Return a column for each category, named ``gender F``: 1 where it is the row's, else 0."""
        names = [f"{self.name} {category}" for category in self.categories]
        return Block.as_is(names, self.values[:, None] == np.arange(len(names)))


@dataclass(frozen=True, eq=False)
class Bag:
    """Any number of categories for each row, as torch's ``EmbeddingBag`` takes them."""

    names: tuple[str, ...]
    """Of the categories: id 0 is the first."""
    ids: Ints
    """Of all rows, one after the other, int32."""
    offsets: Ints
    """Where the ids of each row begin, shape (rows + 1,), int32."""

    def take(self, rows: NDArray[Any]) -> tuple[Ints, Ints]:
        """Return the ids and offsets of some rows, in the order given."""
        counts = np.diff(self.offsets, append=len(self.ids))[rows]
        offsets = np.cumsum(counts) - counts
        places = np.repeat(self.offsets[rows] - offsets, counts) + np.arange(counts.sum())
        return self.ids[places], offsets.astype(np.int32)


# Users


@dataclass(frozen=True, eq=False)
class Demographics:
    """Who the users say they are."""

    age: Block
    """One column, scaled over the users of known age."""
    age_group: Index
    """One of ``AGE_GROUPS``."""
    gender: Index
    """One of ``GENDERS``."""
    occupation: Index
    """The occupations of the dataset in alphabetical order, which is that of ML-100K's own list."""


def demographics(users: Users) -> Demographics | None:
    """Encode age, gender and occupation, or return ``None`` where none of the three is known of anybody."""
    age = np.append(users.age if len(users.age) else np.zeros(len(users), np.int32), 0)
    nobody = ("",) * len(users)
    codes = np.array([gender_code(text) for text in (*(users.gender or nobody), "")], np.int32)
    gender = Index("gender", GENDERS, np.where(codes == UNKNOWN_GENDER, np.int32(len(GENDERS)), codes))
    occupation = _index("occupation", sorted({*users.occupation} - {""}), users.occupation or nobody)
    if not age.any() and not occupation.categories and (gender.values == len(GENDERS)).all():
        return None
    groups = np.searchsorted(list(AGE_GROUPS), age, side="right") - 1
    return Demographics(
        age=Block.scaled(["age"], np.where(age > 0, age, np.nan)[:, None]),
        age_group=Index("age", tuple(AGE_GROUPS.values()), np.where(age > 0, groups, len(AGE_GROUPS)).astype(np.int32)),
        gender=gender,
        occupation=occupation,
    )


def _index(name: str, categories: Sequence[str], texts: Sequence[str]) -> Index:
    place = {category: place for place, category in enumerate(categories)}
    values = [place.get(text, len(place)) for text in (*texts, "")]
    return Index(name, tuple(categories), np.asarray(values, np.int32))


# Movies


def genres(movies: Movies) -> Block:
    """Encode the genres: ``unknown`` first, as in ML-100K's own list, then the dataset's; 1 or 0, several to a movie.

    A movie without genre, and one of which nothing is known, is ``unknown``. 19 columns for ML-100K and ML-1M.
    """
    known = np.concatenate([movies.genres, np.zeros((1, len(movies.genre_names)), bool)])
    return Block.as_is([WITHOUT_GENRE, *movies.genre_names], np.column_stack([~known.any(1), known]))


def year(movies: Movies) -> Block | None:
    """Encode the year of release: one column, scaled over the movies of known year; ``None`` where none is known."""
    if not movies.years.any():
        return None
    years = np.append(movies.years, 0)
    return Block.scaled(["year"], np.where(years > 0, years, np.nan)[:, None])


def month(movies: Movies) -> Index | None:
    """Encode the month of release, or return ``None`` where none is known."""
    if not movies.months.any():
        return None
    places = (np.append(movies.months, 0) - 1) % (len(MONTHS) + 1)
    return Index("month", MONTHS, places.astype(np.int32))


def directors(movies: Movies, least: int = 2) -> Bag | None:
    """Encode the directors, or return ``None`` where the dataset was not joined with IMDb.

    Those with at least ``least`` movies in the dataset have an id of their own, in alphabetical order; all others
    share the last one, ``OTHER_DIRECTORS``. Two people of one name are two. Nobody is in the bag of a movie twice.
    """
    if movies.imdb is None:
        return None
    facts = movies.imdb
    credited = [dict.fromkeys(zip(*both, strict=True)) for both in zip(facts.directors, facts.people, strict=True)]
    counts = Counter(person for credit in credited for person in credit)
    known = sorted(person for person, count in counts.items() if count >= least)
    place = {person: place for place, person in enumerate(known)}
    bags = [list(dict.fromkeys(place.get(person, len(known)) for person in credit)) for credit in credited]
    offsets = np.cumsum([0, *map(len, bags)])
    ids = [id for bag in bags for id in bag]
    names = (*(name for name, _ in known), OTHER_DIRECTORS)
    return Bag(names, np.asarray(ids, np.int32), offsets.astype(np.int32))


def imdb(movies: Movies) -> Block | None:
    """Encode what IMDb says, or return ``None`` where the dataset was not joined with it.

    Four columns: mean rating, logarithm of one more than its votes and runtime, each scaled over the movies of which
    it is known, and whether IMDb has a rating of the movie at all, 1 or 0.
    """
    if movies.imdb is None:
        return None
    facts = movies.imdb
    rated = np.append(~np.isnan(facts.rating), False)
    columns = [
        np.where(rated, np.append(facts.rating, np.nan), np.nan),
        np.where(rated, np.log1p(np.append(facts.votes, 0)), np.nan),
        np.where(np.append(facts.minutes, 0) > 0, np.append(facts.minutes, 0), np.nan),
    ]
    scaled = Block.scaled(["rating on IMDb", "votes on IMDb", "minutes"], np.column_stack(columns))
    return scaled.beside(Block.as_is(["rated on IMDb"], rated[:, None]))


# Users and movies together


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a network is given of a user and a movie: the columns of the user, then those of the movie."""

    users: Block
    movies: Block

    @property
    def names(self) -> tuple[str, ...]:
        """Of all columns, in their order."""
        return self.users.names + self.movies.names

    def of(self, users: Ints, movies: Ints) -> Floats:
        """Return the inputs of pairs of a user and a movie, shape (pairs, columns); row -1 is unknown."""
        return np.concatenate([self.users.values[users], self.movies.values[movies]], axis=1)


def demographic_inputs(dataset: Dataset) -> Inputs:
    """Encode the inputs of source 000: age, 2 genders, the occupations, the genres with ``unknown`` first.

    43 of them for ML-100K and ML-1M: age 1, gender 2 (F, M), occupation 21, genres 19; of ML-100K in the order of its
    files ``u.occupation`` and ``u.genre``. The age is scaled to a mean of 0 and a deviation of 1 over the users, all
    others are 0 or 1. The source does not say how it scales. Raises ``Problem`` for a dataset without demographics.
    """
    people = demographics(dataset.users)
    if people is None:
        raise Problem(
            f"{dataset.name} publishes no age, gender or occupation of its users; choose a dataset that does, "
            "ml-100k or ml-1m."
        )
    users = people.age.beside(people.gender.one_hot(), people.occupation.one_hot())
    return Inputs(users, genres(dataset.movies))


# What the train part says


@dataclass(frozen=True, eq=False)
class Averages:
    """Mean stars and number of ratings of each user, or of each movie, in train.

    The mean is damped: with n ratings that sum to s, overall mean m and damping d it is ``(s + d m) / (n + d)``.
    """

    sums: Doubles
    """Of the stars, shape (rows + 1,)."""
    counts: Ints
    """Of the ratings, shape (rows + 1,)."""
    overall: float
    """Mean stars of all ratings."""
    damping: float = DAMPING

    @classmethod
    def of_users(cls, train: Dataset) -> "Averages":
        """Average by user."""
        return cls._of(train, train.ratings.user, len(train.users))

    @classmethod
    def of_movies(cls, train: Dataset) -> "Averages":
        """Average by movie."""
        return cls._of(train, train.ratings.movie, len(train.movies))

    @classmethod
    def _of(cls, train: Dataset, row: Ints, rows: int) -> "Averages":
        sums = np.asarray(np.bincount(row, train.ratings.stars, minlength=rows + 1), np.float64)
        counts = np.bincount(row, minlength=rows + 1).astype(np.int32)
        return cls(sums, counts, _overall(train))

    def stars(self, rows: Ints) -> Floats:
        """Return the damped means of some rows; without any rating it is the overall mean."""
        return self._mean(self.sums[rows], self.counts[rows])

    def stars_without(self, rows: Ints, own: Floats) -> Floats:
        """Return the means that train has without one rating of each row: what a network should learn from.

        ``own``: the stars of the rating that is left out, shape (rows,), which must be one of train. With its own
        rating in it an average would give away the answer, most of all that of a movie with few ratings.
        """
        return self._mean(self.sums[rows] - own, self.counts[rows] - 1)

    def _mean(self, sums: Doubles, counts: Ints) -> Floats:
        return ((sums + self.damping * self.overall) / (counts + self.damping)).astype(np.float32)

    def block(self, of: str) -> Block:
        """Return two columns, ``average of …`` and ``ratings of …``: damped mean and logarithm of one more than count.

        Scaled over the rows that have ratings in train.
        """
        raw = np.column_stack([self._mean(self.sums, self.counts).astype(np.float64), np.log1p(self.counts)])
        return Block.scaled([f"average of {of}", f"ratings of {of}"], raw, self.counts > 0)


@dataclass(frozen=True, eq=False)
class Tastes:
    """What each user rated and how, by genre, in train: the user features of source 002.

    Columns: ``average`` (damped, as in ``Averages``); ``ratings`` (logarithm of one more than their number); for each
    genre, in the order of ``genres``, ``ratings of GENRE`` (logarithm likewise); and for each genre ``liking of
    GENRE``: how far above the own average its movies were rated, ``sum (r - average) / (n + damping)``. Scaled over
    the users with ratings in train; the last row is somebody without ratings.
    """

    block: Block
    """Shape (users + 1, 2 + 2 genres)."""
    genres: Floats
    """The genres of each movie, 1 or 0, shape (movies, genres)."""
    overall: float
    """Mean stars of all ratings in train."""
    damping: float = DAMPING

    def encode(self, movies: Ints, stars: Floats) -> Floats:
        """Return the row of a viewer who gave these stars to these movies, shape (2 + 2 genres,); may be none."""
        own = self.genres[movies].astype(np.float64)
        raw = _taste(stars.sum(dtype=np.float64), len(stars), stars @ own, own.sum(0), self.overall, self.damping)
        return self.block.encode(raw)


def tastes(train: Dataset, damping: float = DAMPING) -> Tastes:
    """Count and average what each user rated by genre."""
    user, rows = train.ratings.user, len(train.users) + 1
    by_genre = genres(train.movies)
    own = by_genre.values[:-1]
    sums, counts = np.zeros((2, rows, own.shape[1]))
    for place, genre in enumerate(own.T):  # one column of all ratings at a time
        has = genre[train.ratings.movie]
        sums[:, place] = np.bincount(user, has * train.ratings.stars, minlength=rows)
        counts[:, place] = np.bincount(user, has, minlength=rows)
    total, rated = np.bincount(user, train.ratings.stars, minlength=rows), np.bincount(user, minlength=rows)
    overall = _overall(train)
    raw = _taste(total[:, None], rated[:, None], sums, counts, overall, damping)
    names = [f"{what} of {genre}" for what in ("ratings", "liking") for genre in by_genre.names]
    return Tastes(Block.scaled(["average", "ratings", *names], raw, rated > 0), own, overall, damping)


def _taste(total: Any, rated: Any, sums: Any, counts: Any, overall: float, damping: float) -> Doubles:
    """The columns of ``Tastes`` before scaling, of one viewer or of several; ``sums`` and ``counts`` by genre."""
    average = (total + damping * overall) / (rated + damping)
    liking = (sums - counts * average) / (counts + damping)
    columns = (average, np.log1p(rated), np.log1p(counts), liking)
    return np.concatenate([np.atleast_1d(column) for column in columns], axis=-1)


def _overall(train: Dataset) -> float:
    if not len(train.ratings):
        return (train.scale.low + train.scale.high) / 2
    return float(train.ratings.stars.mean(dtype=np.float64))


# When a rating was given


@dataclass(frozen=True)
class Clock:
    """When ratings were given, as categories; for the embedding of time that source 001 asks for. All in UTC."""

    first: int
    """The first day of train, in days since 1970."""
    days: int
    """From the first to the last day of train."""

    @classmethod
    def of(cls, train: Ratings) -> "Clock":
        """Take the first and the last day from the ratings of train; one day where there are none."""
        if not len(train):
            return cls(0, 1)
        first, last = int(train.time.min()) // DAY, int(train.time.max()) // DAY
        return cls(first, last - first + 1)

    @property
    def sizes(self) -> dict[str, int]:
        """How many categories each column of ``encode`` has, in the order of the columns."""
        return {"day": self.days, "season": 4, "weekday": 7, "hour": 24}

    def encode(self, time: Times) -> Ints:
        """Return four columns of categories, shape (ratings, 4), int32.

        ``day`` of train from 0, where a rating from before it has the first and one from after it the last; ``season``
        from 0 for December to February; ``weekday`` from 0 for Monday; ``hour`` from 0.
        """
        day = time // DAY
        months = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
        columns = [
            np.clip(day - self.first, 0, self.days - 1),
            (months + 1) % 12 // 3,
            (day + THURSDAY) % 7,
            time % DAY // 3600,
        ]
        return np.column_stack(columns).astype(np.int32)
