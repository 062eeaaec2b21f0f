"""What somebody likes, against what everybody gave to the same movies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints
from models.model import Expectation, History

DAMPING = 5.0
"""How many ratings draw a difference, or the mean of a movie, halfway from the common one to its own."""
UNUSUAL = 1.0
"""How many stars away from the crowd, beyond how generous one is, a rating is unusual."""


@dataclass(frozen=True)
class Group:
    """What somebody gave to the movies of a genre or a decade."""

    name: str
    ratings: int
    mean: float
    crowd: float
    """The mean of what others gave the same movies."""
    difference: float
    """How much more than the crowd, drawn to how generous they are in general: by half with ``DAMPING`` ratings."""
    beyond: float
    """The same without how generous they are in general: above 0 they like it more than most other things."""


@dataclass(frozen=True)
class Rating:
    """A rating beside the crowd's."""

    movie: int
    """The row of the movie."""
    stars: float
    crowd: float
    """The mean of what others gave it, drawn to the mean of all ratings."""


@dataclass(frozen=True)
class Taste:
    """What somebody likes."""

    ratings: int
    mean: float
    crowd: float
    generosity: float
    """How much more than the crowd they give the same movies, drawn to 0."""
    genres: tuple[Group, ...]
    """Those with a rating, by how much they like them beyond others, most first."""
    decades: tuple[Group, ...]
    """Those with a rating, in the order of time."""
    likes: tuple[Rating, ...]
    """Unusual ones, the most unusual first."""
    dislikes: tuple[Rating, ...]


def taste(dataset: Dataset, history: History, most: int = 5) -> Taste:
    """Return what somebody likes; without ratings of movies that others rated there is nothing to tell.

    Of a user of the dataset, the crowd is everybody else.
    """
    movies = dataset.movies
    crowd = crowd_means(dataset, history.user)[history.movies]
    away = history.stars - crowd
    generosity = float(away.sum() / (len(history) + DAMPING))
    beyond = away - generosity

    def group(name: str, among: NDArray[np.bool_]) -> Group:
        count = int(among.sum())
        shrunk = float(beyond[among].sum() / (count + DAMPING))
        means = float(history.stars[among].mean()), float(crowd[among].mean())
        return Group(name, count, *means, generosity + shrunk, shrunk)

    of_genre = movies.genres[history.movies]
    decade = movies.years[history.movies] // 10 * 10
    genres = [
        group(name, of_genre[:, column]) for column, name in enumerate(movies.genre_names) if of_genre[:, column].any()
    ]
    order = np.argsort(-beyond, kind="stable").tolist()
    unusual = [Rating(int(history.movies[at]), float(history.stars[at]), float(crowd[at])) for at in order]
    return Taste(
        len(history),
        float(history.stars.mean()) if len(history) else 0.0,
        float(crowd.mean()) if len(history) else 0.0,
        generosity,
        tuple(sorted(genres, key=lambda each: -each.beyond)),
        tuple(group(f"{year}s", decade == year) for year in np.unique(decade[decade > 0]).tolist()),
        tuple(each for each, at in zip(unusual, order, strict=True) if beyond[at] >= UNUSUAL)[:most],
        tuple(each for each, at in zip(unusual[::-1], order[::-1], strict=True) if beyond[at] <= -UNUSUAL)[:most],
    )


def crowd_means(dataset: Dataset, besides: int | None = None) -> Floats:
    """Return what everybody gave to each movie on average, drawn to the mean of all ratings, shape (movies,).

    ``besides``: the row of a user who is left out.
    """
    ratings = dataset.ratings
    overall = float(ratings.stars.mean()) if len(ratings) else (dataset.scale.low + dataset.scale.high) / 2
    sums = np.bincount(ratings.movie, ratings.stars, len(dataset.movies))
    counts = dataset.counts.astype(np.float64)
    if besides is not None:
        own = dataset.rows_of(besides)
        np.subtract.at(sums, ratings.movie[own], ratings.stars[own])
        np.subtract.at(counts, ratings.movie[own], 1)
    return np.asarray((sums + DAMPING * overall) / (counts + DAMPING), np.float32)


@dataclass(frozen=True)
class Divided:
    """A movie that two like differently."""

    movie: int
    """Its row."""
    stars: tuple[float, float]
    """What each gave, or is expected to give."""


def divided(first: History, second: History, most: int = 5) -> list[Divided]:
    """Return the movies that both rated and differ on most, by at least two stars."""
    movies, a, b = np.intersect1d(first.movies, second.movies, assume_unique=True, return_indices=True)
    return _apart(
        movies.astype(np.int32), first.stars[a], second.stars[b], 2.0, np.zeros(len(movies), np.float32), most
    )


def dividing(candidates: NDArray[np.bool_], first: Expectation, second: Expectation, most: int = 5) -> list[Divided]:
    """Return the candidates that two are expected to differ on most, surely so: by one standard deviation at least."""
    rows = np.flatnonzero(candidates).astype(np.int32)
    unsure = np.sqrt(first.uncertainty[rows] ** 2 + second.uncertainty[rows] ** 2)
    return _apart(rows, first.stars[rows], second.stars[rows], 0.0, unsure, most)


def _apart(rows: Ints, one: Floats, other: Floats, least: float, unsure: Floats, most: int) -> list[Divided]:
    gap = np.abs(one - other) - unsure
    order = np.argsort(-gap, kind="stable")[:most]
    return [
        Divided(int(rows[at]), (float(one[at]), float(other[at]))) for at in order if gap[at] > 0 and gap[at] >= least
    ]
