"""Side features of users and movies, encoded once and shared by the models; some are computed from train ratings.

There are three kinds: for each row, a ``Block`` holds numbers, an ``Index`` holds one category, and a ``Bag`` holds any
number of categories. There is one row per user (or movie) of the dataset, and a final row for an unknown user (or
movie): row -1 serves a viewer who is folded in. All arrays are plain, so a checkpoint can store them as they are.

If the dataset lacks a feature, the functions return ``None`` or raise ``Problem``; they never invent values. In a row
that lacks a value, a scaled number is 0, which is the mean; all one-hot columns are 0; the index is one past the last
category; and the bag is empty. Functions that count or average ratings take a dataset reduced to its train part
(``Dataset.with_ratings``), so that no feature depends on test ratings.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.cleaning.rules import UNKNOWN_GENDER, gender_code
from movietui.data.dataset import Dataset, Floats, Ints, Movies, Users
from movietui.data.language import tr
from movietui.data.movielens.release import AGE_GROUPS
from movietui.data.problems import Problem

Doubles = NDArray[np.float64]

GENDERS = ("F", "M")
"""Ordered by ``movietui.data.cleaning.rules.gender_code``: 0 for F and 1 for M, as in system 004."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WITHOUT_GENRE = "unknown"
OTHER_DIRECTORS = "other directors"
TAGS = 1000
"""How many tags are encoded at most: those that the most movies have."""
ROWS_AT_ONCE = 4096
"""How many rows of the table of movies and tags are in memory at once."""
DAMPING = 5.0
"""How many ratings at the overall mean are added to each average, so that a single rating does not decide it."""


# The three kinds


@dataclass(frozen=True, eq=False)
class Block:
    """Columns of scaled numbers: ``values = (raw - mean) / deviation``, or 0 if the raw value is unknown."""

    names: tuple[str, ...]
    """The names of the columns."""
    values: Floats
    """Shape (rows + 1, columns), float32."""
    mean: Floats
    """The means, shape (columns,); 0 for an unscaled column."""
    deviation: Floats
    """The standard deviations, shape (columns,); 1 for an unscaled or constant column."""

    @classmethod
    def as_is(cls, names: Sequence[str], values: NDArray[Any]) -> "Block":
        """Return a block of unscaled columns; ``values`` includes the final row, shape (rows + 1, columns)."""
        columns = len(names)
        return cls(tuple(names), values.astype(np.float32), np.zeros(columns, np.float32), np.ones(columns, np.float32))

    @classmethod
    def scaled(cls, names: Sequence[str], raw: Doubles, counted: NDArray[np.bool_] | None = None) -> "Block":
        """Return a block of columns scaled to mean 0 and, unless constant, standard deviation 1; NaN means unknown.

        ``raw`` includes the final row, shape (rows + 1, columns). The mean and deviation of a column are computed from
        its known values in the rows that ``counted``, shape (rows + 1,), selects; by default from all known values.
        """
        known = ~np.isnan(raw) if counted is None else ~np.isnan(raw) & counted[:, None]
        count = np.maximum(known.sum(0), 1)
        mean = np.where(known, raw, 0.0).sum(0) / count
        deviation = np.sqrt((np.where(known, raw - mean, 0.0) ** 2).sum(0) / count)
        deviation[deviation < 1e-9] = 1.0
        unscaled = cls(tuple(names), raw.astype(np.float32), mean.astype(np.float32), deviation.astype(np.float32))
        return replace(unscaled, values=unscaled.encode(raw))

    def encode(self, raw: NDArray[Any]) -> Floats:
        """Scale raw values, shape (…, columns), with the block's means and deviations; NaN (unknown) becomes 0."""
        scaled: Floats = np.nan_to_num((raw - self.mean) / self.deviation).astype(np.float32)
        return scaled

    def beside(self, *others: "Block") -> "Block":
        """Return a block with the columns of this block, followed by those of the others."""
        blocks = (self, *others)
        return Block(
            tuple(name for block in blocks for name in block.names),
            np.concatenate([block.values for block in blocks], axis=1),
            np.concatenate([block.mean for block in blocks]),
            np.concatenate([block.deviation for block in blocks]),
        )


@dataclass(frozen=True, eq=False)
class Index:
    """One category per row, for an embedding of ``len(categories) + 1`` rows or for one-hot columns."""

    name: str
    categories: tuple[str, ...]
    values: Ints
    """Shape (rows + 1,), int32, from 0; ``len(categories)`` if unknown."""

    def one_hot(self) -> Block:
        """Return one column per category, named like ``gender F``: 1 in the rows of that category, else 0."""
        names = [f"{self.name} {category}" for category in self.categories]
        return Block.as_is(names, self.values[:, None] == np.arange(len(names)))


@dataclass(frozen=True, eq=False)
class Bag:
    """Any number of categories per row, in the form of torch's ``EmbeddingBag``."""

    names: tuple[str, ...]
    """The name of each category; its index is the id of the category."""
    ids: Ints
    """The ids of all rows, concatenated, int32."""
    offsets: Ints
    """The position in ``ids`` at which each row begins, shape (rows + 1,), int32."""

    def take(self, rows: NDArray[Any]) -> tuple[Ints, Ints]:
        """Return the ids and offsets of the given rows, in the given order."""
        counts = np.diff(self.offsets, append=len(self.ids))[rows]
        offsets = np.cumsum(counts) - counts
        positions = np.repeat(self.offsets[rows] - offsets, counts) + np.arange(counts.sum())
        return self.ids[positions], offsets.astype(np.int32)


# Users


@dataclass(frozen=True, eq=False)
class Demographics:
    """Demographics of the users."""

    age: Block
    """One column, scaled over the users whose age is known."""
    age_group: Index
    """One of ``AGE_GROUPS``."""
    gender: Index
    """One of ``GENDERS``."""
    occupation: Index
    """The occupations of the dataset in alphabetical order, which is also the order of ML-100K's list."""


def demographics(users: Users) -> Demographics | None:
    """Encode age, gender and occupation, or return ``None`` if none of them is known for any user."""
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
    index = {category: index for index, category in enumerate(categories)}
    values = [index.get(text, len(index)) for text in (*texts, "")]
    return Index(name, tuple(categories), np.asarray(values, np.int32))


# Movies


def genres(movies: Movies) -> Block:
    """Encode the genres as columns of 0 and 1: first ``unknown``, as in ML-100K's list, then the dataset's genres.

    A movie may have several genres. A movie without a genre is ``unknown``, and so is an unknown movie. ML-100K and
    ML-1M have 19 columns.
    """
    known = np.concatenate([movies.genres, np.zeros((1, len(movies.genre_names)), bool)])
    return Block.as_is([WITHOUT_GENRE, *movies.genre_names], np.column_stack([~known.any(1), known]))


def year(movies: Movies) -> Block | None:
    """Encode the release year as one scaled column, or return ``None`` if no movie's year is known."""
    if not movies.years.any():
        return None
    years = np.append(movies.years, 0)
    return Block.scaled(["year"], np.where(years > 0, years, np.nan)[:, None])


def month(movies: Movies) -> Index | None:
    """Encode the release month, or return ``None`` if no movie's month is known."""
    if not movies.months.any():
        return None
    positions = (np.append(movies.months, 0) - 1) % (len(MONTHS) + 1)
    return Index("month", MONTHS, positions.astype(np.int32))


def directors(movies: Movies, least: int = 2) -> Bag | None:
    """Encode the directors, or return ``None`` if the dataset is not joined with IMDb.

    Each director of at least ``least`` movies in the dataset has a separate id, in alphabetical order; all others share
    the last id, ``OTHER_DIRECTORS``. Two such directors with the same name have different ids. No id occurs twice in a
    movie's bag.
    """
    if movies.imdb is None:
        return None
    facts = movies.imdb
    credited = [
        dict.fromkeys(zip(*both, strict=True)) for both in zip(facts.directors, facts.director_ids, strict=True)
    ]
    counts = Counter(person for credit in credited for person in credit)
    known = sorted(person for person, count in counts.items() if count >= least)
    index = {person: index for index, person in enumerate(known)}
    bags = [list(dict.fromkeys(index.get(person, len(known)) for person in credit)) for credit in credited]
    offsets = np.cumsum([0, *map(len, bags)])
    ids = [id for bag in bags for id in bag]
    names = (*(name for name, _ in known), OTHER_DIRECTORS)
    return Bag(names, np.asarray(ids, np.int32), offsets.astype(np.int32))


def tags(movies: Movies, most: int) -> Block | None:
    """Encode what people say about the movies in ``most`` columns or fewer, or return ``None`` if there are no tags.

    The table of movies and tags, whose cells are weight times ``rarity``, is reduced to its strongest directions
    (latent semantic analysis; Deerwester et al., Indexing by latent semantic analysis, 1990): the columns are the table
    of the ``TAGS`` tags that the most movies have, times its right singular vectors. In each direction, the component
    that is largest in size is positive, so the signs do not depend on chance. Each column is divided by its root mean
    square over the movies with any of these tags; all other movies have zeros.
    """
    if movies.tags is None or not len(movies.tags.tag):
        return None
    known = movies.tags
    chosen = np.argsort(-known.counts, kind="stable")[:TAGS]
    column_of = np.full(len(known.names), -1)
    column_of[chosen] = np.arange(len(chosen))
    column, cells = column_of[known.tag], known.weight * known.rarity[known.tag]
    common = column >= 0
    row, column, cells = known.movie[common], column[common], cells[common]
    blocks = [slice(start, start + ROWS_AT_ONCE) for start in range(0, len(movies), ROWS_AT_ONCE)]

    def table(block: slice) -> Doubles:
        here = slice(*np.searchsorted(row, (block.start, block.stop)))
        dense = np.zeros((min(block.stop, len(movies)) - block.start, len(chosen)))
        dense[row[here] - block.start, column[here]] = cells[here]
        return dense

    squares = sum((part.T @ part for part in map(table, blocks)), np.zeros((len(chosen), len(chosen))))
    directions = np.linalg.eigh(squares)[1][:, ::-1][:, : min(most, len(chosen))]
    directions *= np.sign(np.take_along_axis(directions, np.abs(directions).argmax(0)[None], 0))
    values = np.concatenate([table(block) @ directions for block in blocks] + [np.zeros((1, directions.shape[1]))])
    scale = np.sqrt((values**2).sum(0) / max(1, len(np.unique(row))))
    values = values[:, scale > 1e-6] / scale[scale > 1e-6]
    return Block.as_is([f"tags {number}" for number in range(1, values.shape[1] + 1)], values)


def imdb(movies: Movies) -> Block | None:
    """Encode IMDb's facts, or return ``None`` if the dataset is not joined with IMDb.

    There are four columns: mean rating, ``log(1 + votes)`` and runtime, each scaled over the movies for which it is
    known; and 1 if IMDb has a rating, else 0.
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


# Users and movies


@dataclass(frozen=True, eq=False)
class Inputs:
    """The inputs of a network: the columns of the user, then those of the movie."""

    users: Block
    movies: Block

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns."""
        return self.users.names + self.movies.names

    def of(self, users: Ints, movies: Ints) -> Floats:
        """Return the inputs for pairs of a user and a movie, shape (pairs, columns).

        Row -1 stands for an unknown user or movie.
        """
        return np.concatenate([self.users.values[users], self.movies.values[movies]], axis=1)


def demographic_inputs(dataset: Dataset) -> Inputs:
    """Encode the inputs of system 000: age, 2 genders, the occupations, and the genres with ``unknown`` first.

    ML-100K and ML-1M have 43 inputs: 1 for the age, 2 for the gender (F, M), 21 for the occupation and 19 for the
    genres. For ML-100K, occupations and genres have the order of its files ``u.occupation`` and ``u.genre``. The age is
    scaled to mean 0 and standard deviation 1 over the users (the author does not say how ages are scaled); all other
    inputs are 0 or 1. Raises ``Problem`` if the dataset has no demographics.
    """
    people = demographics(dataset.users)
    if people is None:
        raise Problem(
            tr(
                "{dataset} does not say the age, gender or occupation of its users; choose ml-100k or ml-1m.",
                dataset=dataset.name,
            )
        )
    users = people.age.beside(people.gender.one_hot(), people.occupation.one_hot())
    return Inputs(users, genres(dataset.movies))


# Features of the train ratings


@dataclass(frozen=True, eq=False)
class Averages:
    """The mean stars and the number of train ratings of each user, or of each movie.

    The mean is damped: for n ratings with sum s, overall mean m and damping d, it is ``(s + d m) / (n + d)``.
    """

    sums: Doubles
    """The sum of stars, shape (rows + 1,)."""
    counts: Ints
    """The number of ratings, shape (rows + 1,)."""
    overall: float
    """Mean stars of all train ratings; the middle of the scale if there are none."""
    damping: float = DAMPING

    @classmethod
    def of_users(cls, train: Dataset) -> "Averages":
        """Return the averages of the users."""
        return cls._of(train, train.ratings.user, len(train.users))

    @classmethod
    def of_movies(cls, train: Dataset) -> "Averages":
        """Return the averages of the movies."""
        return cls._of(train, train.ratings.movie, len(train.movies))

    @classmethod
    def _of(cls, train: Dataset, row: Ints, rows: int) -> "Averages":
        sums = np.asarray(np.bincount(row, train.ratings.stars, minlength=rows + 1), np.float64)
        counts = np.bincount(row, minlength=rows + 1).astype(np.int32)
        return cls(sums, counts, _overall(train))

    def stars(self, rows: Ints) -> Floats:
        """Return the damped means of the given rows; a row without ratings has the overall mean."""
        return self._mean(self.sums[rows], self.counts[rows])

    def stars_without(self, rows: Ints, excluded: Floats) -> Floats:
        """Return the damped means of the given rows, each without one of its ratings: what a network should learn from.

        ``excluded`` has the stars of the ratings to leave out, which must be train ratings, shape (rows,). An average
        that includes the rating to predict would leak the answer, most of all for a movie with few ratings.
        """
        return self._mean(self.sums[rows] - excluded, self.counts[rows] - 1)

    def _mean(self, sums: Doubles, counts: Ints) -> Floats:
        return ((sums + self.damping * self.overall) / (counts + self.damping)).astype(np.float32)

    def block(self, of: str) -> Block:
        """Return two columns: ``average of …``, the damped mean, and ``ratings of …``, ``log(1 + count)``.

        Both are scaled over the rows that have train ratings.
        """
        raw = np.column_stack([self._mean(self.sums, self.counts).astype(np.float64), np.log1p(self.counts)])
        return Block.scaled([f"average of {of}", f"ratings of {of}"], raw, self.counts > 0)


@dataclass(frozen=True, eq=False)
class Tastes:
    """How many movies of each genre each user rated in the train part, and how much they liked them.

    These are the user features of system 002. The column ``average`` is the user's mean, damped as in ``Averages``;
    ``ratings`` is ``log(1 + n)``, where n is the number of the user's ratings. For each genre, in the order of
    ``genres``, ``ratings of GENRE`` is ``log(1 + n)``, where n is how many movies of the genre the user rated. Then,
    for each genre, ``liking of GENRE`` is ``sum(r - average) / (n + damping)``, summed over the user's ratings r of
    these movies: how far above their average the user rated them. All columns are scaled over the users with train
    ratings; the final row is a user without ratings.
    """

    block: Block
    """Shape (users + 1, 2 + 2 genres)."""
    genres: Floats
    """The genres of each movie, 1 or 0, shape (movies, genres)."""
    overall: float
    """Mean stars of all train ratings, as in ``Averages``."""
    damping: float = DAMPING

    def encode(self, movies: Ints, stars: Floats) -> Floats:
        """Return the row of a viewer with these ratings, of which there may be none, shape (2 + 2 genres,)."""
        genre_flags = self.genres[movies].astype(np.float64)
        raw = _taste(
            stars.sum(dtype=np.float64), len(stars), stars @ genre_flags, genre_flags.sum(0), self.overall, self.damping
        )
        return self.block.encode(raw)


def tastes(train: Dataset, damping: float = DAMPING) -> Tastes:
    """Count and average each user's train ratings by genre."""
    user, rows = train.ratings.user, len(train.users) + 1
    by_genre = genres(train.movies)
    genre_flags = by_genre.values[:-1]
    sums, counts = np.zeros((2, rows, genre_flags.shape[1]))
    for index, genre in enumerate(genre_flags.T):  # one genre at a time, to save memory
        has = genre[train.ratings.movie]
        sums[:, index] = np.bincount(user, has * train.ratings.stars, minlength=rows)
        counts[:, index] = np.bincount(user, has, minlength=rows)
    total, rated = np.bincount(user, train.ratings.stars, minlength=rows), np.bincount(user, minlength=rows)
    overall = _overall(train)
    raw = _taste(total[:, None], rated[:, None], sums, counts, overall, damping)
    names = [f"{what} of {genre}" for what in ("ratings", "liking") for genre in by_genre.names]
    return Tastes(Block.scaled(["average", "ratings", *names], raw, rated > 0), genre_flags, overall, damping)


def _taste(total: Any, rated: Any, sums: Any, counts: Any, overall: float, damping: float) -> Doubles:
    """Return the unscaled columns of ``Tastes`` for one viewer or several.

    ``total`` and ``rated`` are the sum of the stars and the number of ratings; ``sums`` and ``counts`` are these
    two for each genre.
    """
    average = (total + damping * overall) / (rated + damping)
    liking = (sums - counts * average) / (counts + damping)
    columns = (average, np.log1p(rated), np.log1p(counts), liking)
    return np.concatenate([np.atleast_1d(column) for column in columns], axis=-1)


def _overall(train: Dataset) -> float:
    if not len(train.ratings):
        return (train.scale.low + train.scale.high) / 2
    return float(train.ratings.stars.mean(dtype=np.float64))
