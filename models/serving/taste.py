"""What a viewer likes, compared with others' ratings of the same movies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, decade_name
from movietui.models.base import Expectation, History

DAMPING = 5.0
"""The weight, in ratings, that shrinks a difference, or a movie's mean, towards the overall value."""
UNUSUAL = 1.0
"""A rating, minus the viewer's generosity, is unusual if it is at least this many stars above or below the crowd's."""


@dataclass(frozen=True)
class TasteGroup:
    """A viewer's ratings of a genre or a decade."""

    name: str
    ratings: int
    mean: float
    crowd: float
    """The mean of others' mean ratings of the same movies, each shrunk towards the overall mean."""
    difference: float
    """How many stars more than the crowd the viewer gives, shrunk towards their generosity: halfway with ``DAMPING``
    ratings."""
    beyond: float
    """``difference`` minus the viewer's generosity. If positive, the viewer likes these movies better than others,
    compared with the crowd."""


@dataclass(frozen=True)
class Rating:
    """A viewer's rating of a movie, and the crowd's."""

    movie: int
    """The row of the movie."""
    stars: float
    crowd: float
    """The mean of others' ratings, shrunk towards the overall mean."""


@dataclass(frozen=True)
class Taste:
    """A viewer's taste."""

    ratings: int
    mean: float
    crowd: float
    generosity: float
    """How many stars more than the crowd the viewer gives the same movies, shrunk towards 0."""
    genres: tuple[TasteGroup, ...]
    """The genres with a rating, sorted by ``beyond``, highest first."""
    decades: tuple[TasteGroup, ...]
    """The decades with a rating, in chronological order."""
    likes: tuple[Rating, ...]
    """Unusually high ratings, the most unusual first."""
    dislikes: tuple[Rating, ...]
    """Unusually low ratings, the most unusual first."""


def taste(dataset: Dataset, history: History, most: int = 5) -> Taste:
    """Return a viewer's taste, which is empty without ratings.

    For a user of the dataset, the crowd is everybody else.
    """
    movies = dataset.movies
    crowd = crowd_means(dataset, history.user)[history.movies]
    differences = history.stars - crowd
    generosity = shrunk_mean(differences)
    beyond = differences - generosity

    def group(name: str, selected: NDArray[np.bool_]) -> TasteGroup:
        shrunk = shrunk_mean(beyond[selected])
        means = float(history.stars[selected].mean()), float(crowd[selected].mean())
        return TasteGroup(name, int(selected.sum()), *means, generosity + shrunk, shrunk)

    of_genre = movies.genres[history.movies]
    decade = movies.years[history.movies] // 10 * 10
    genres = [
        group(name, of_genre[:, column]) for column, name in enumerate(movies.genre_names) if of_genre[:, column].any()
    ]
    order = np.argsort(-beyond, kind="stable").tolist()
    unusual = [Rating(int(history.movies[index]), float(history.stars[index]), float(crowd[index])) for index in order]
    return Taste(
        len(history),
        float(history.stars.mean()) if len(history) else 0.0,
        float(crowd.mean()) if len(history) else 0.0,
        generosity,
        tuple(sorted(genres, key=lambda each: -each.beyond)),
        tuple(group(decade_name(year), decade == year) for year in np.unique(decade[decade > 0]).tolist()),
        tuple(each for each, index in zip(unusual, order, strict=True) if beyond[index] >= UNUSUAL)[:most],
        tuple(each for each, index in zip(unusual[::-1], order[::-1], strict=True) if beyond[index] <= -UNUSUAL)[:most],
    )


def shrunk_mean(differences: Floats) -> float:
    """Return the mean of differences, shrunk towards 0: halfway with ``DAMPING`` of them."""
    return float(differences.sum() / (len(differences) + DAMPING))


def crowd_means(dataset: Dataset, without: int | None = None) -> Floats:
    """Return each movie's mean rating, shrunk towards the overall mean, shape (movies,).

    ``without``: the row of a user to leave out.
    """
    sums, counts = dataset.totals.copy(), dataset.counts.astype(np.float64)
    overall = sums.sum() / counts.sum() if counts.any() else (dataset.scale.low + dataset.scale.high) / 2
    if without is not None:
        ratings = dataset.ratings_of(without)
        np.subtract.at(sums, ratings.movie, ratings.stars)
        np.subtract.at(counts, ratings.movie, 1)
    return np.asarray((sums + DAMPING * overall) / (counts + DAMPING), np.float32)


@dataclass(frozen=True)
class Divided:
    """A movie that divides two viewers."""

    movie: int
    """The row of the movie."""
    stars: tuple[float, float]
    """Each viewer's rating, or predicted rating."""


def divided(first: History, second: History, most: int = 5) -> list[Divided]:
    """Return the movies on which two viewers' ratings differ most, by at least two stars."""
    movies, a, b = np.intersect1d(first.movies, second.movies, assume_unique=True, return_indices=True)
    return _largest_gaps(
        movies.astype(np.int32), first.stars[a], second.stars[b], 2.0, np.zeros(len(movies), np.float32), most
    )


def dividing(candidates: NDArray[np.bool_], first: Expectation, second: Expectation, most: int = 5) -> list[Divided]:
    """Return the candidates on which two viewers' predicted ratings differ by more than one standard deviation of the
    difference, beginning with the largest excess."""
    rows = np.flatnonzero(candidates).astype(np.int32)
    margin = np.sqrt(first.uncertainty[rows] ** 2 + second.uncertainty[rows] ** 2)
    return _largest_gaps(rows, first.stars[rows], second.stars[rows], 0.0, margin, most)


def _largest_gaps(
    rows: Ints, first: Floats, second: Floats, min_gap: float, margin: Floats, most: int
) -> list[Divided]:
    gap = np.abs(first - second) - margin
    order = np.argsort(-gap, kind="stable")[:most]
    return [
        Divided(int(rows[index]), (float(first[index]), float(second[index])))
        for index in order
        if gap[index] > 0 and gap[index] >= min_gap
    ]
