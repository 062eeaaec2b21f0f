"""Why a movie: the rated movies that brought most to its score, and what they have in common with it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.dataset import Ints, Movies
from models.model import AnyModel, Expectation, History

REASONS = 5
SMALLEST_SHARE = 0.005
"""Of a score; what would be shown as .00 is no reason."""
INTERVAL_80 = 1.2816
"""Standard deviations on either side that hold 80 % of a normal distribution."""


@dataclass(frozen=True)
class Shared:
    """What a movie has in common with others: in the order of its own genres and directors."""

    genres: tuple[str, ...]
    directors: tuple[str, ...]


@dataclass(frozen=True)
class Reason:
    """A rated movie that speaks for or against another."""

    movie: int
    """The row of the rated movie."""
    stars: float
    """The stars that it was given."""
    share: float
    """What it brings to the score: without it, the score were lower by just this (higher, where it is negative)."""
    shared: Shared


@dataclass(frozen=True)
class Explanation:
    """Why a viewer is expected to like a movie so much."""

    stars: float
    low: float
    """The lower end of where the expected rating lies with a probability of 80 %, within the scale."""
    high: float
    uncertainty: float
    score: float
    reasons: tuple[Reason, ...]
    """Those that bring most, for or against, most first."""
    shared: Shared
    """What the movie has in common with any of the reasons that speak for it."""


def shared(movies: Movies, row: int, others: Sequence[int] | Ints) -> Shared:
    """Return what a movie has in common with any of several others."""
    columns = movies.genres[row] & movies.genres[np.asarray(others, np.intp)].any(axis=0)
    directors: tuple[str, ...] = ()
    if movies.imdb is not None:
        theirs = {name for other in others for name in movies.imdb.directors[other]}
        directors = tuple(name for name in movies.imdb.directors[row] if name in theirs)
    return Shared(tuple(movies.genre_names[column] for column in np.flatnonzero(columns)), directors)


def explain(
    model: AnyModel, movies: Movies, history: History, expected: Expectation, row: int, most: int = REASONS
) -> Explanation:
    """Explain a movie to a viewer; ``expected`` is what the model expects of the history."""
    shares = model.explain(history, row)
    strongest = np.argsort(-np.abs(shares), kind="stable")[:most]
    reasons = tuple(
        Reason(
            int(history.movies[place]),
            float(history.stars[place]),
            float(shares[place]),
            shared(movies, row, history.movies[place : place + 1]),
        )
        for place in strongest
        if abs(shares[place]) >= SMALLEST_SHARE
    )
    stars, uncertainty = float(expected.stars[row]), float(expected.uncertainty[row])
    reach = INTERVAL_80 * uncertainty
    return Explanation(
        stars,
        max(model.scale.low, stars - reach),
        min(model.scale.high, stars + reach),
        uncertainty,
        float(expected.score[row]),
        reasons,
        shared(movies, row, [reason.movie for reason in reasons if reason.share > 0 and reason.movie != row]),
    )
