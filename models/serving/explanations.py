"""Why a movie is recommended: the ratings that count most for it and against it, and what the movies have in common."""

from dataclasses import dataclass

import numpy as np

from movietui.data.dataset import Bools, Dataset, Floats, Ints
from movietui.models.base import AnyModel, Expectation, History
from movietui.models.choices import Basis
from movietui.models.metrics import RELEVANT
from movietui.models.serving.kinship import Shared, are_kin, shared
from movietui.models.serving.similar import Similarities
from movietui.models.serving.taste import crowd_means, shrunk_mean

REASONS = 3
"""The maximum number of reasons for a movie."""
OBJECTIONS = 2
"""The maximum number of reasons against a movie."""
ALIKE = 2
"""The maximum number of liked movies by which people with the same taste are described."""
COMMON_RATERS = 10
"""At least this many people rated such a movie and the explained one."""
ALIKE_SIMILARITY = 0.12
"""The smallest similarity of such a movie and the explained one. In people's eyes, movies that are less similar have
nothing to do with each other."""
SMALLEST_WEIGHT = 0.01
"""The smallest weight of a reason. For a viewer with more than 100 ratings, it is the average weight of a rating; for
one with fewer than 50, half of it: a rating that hardly changes the score is no reason, however similar its movie."""
NEAREST = 12
"""At least this many of the movies most similar to a movie can be reasons for it."""
NEAREST_SHARE = 0.007
"""In a larger dataset, this share of all movies can be reasons. People who judged reasons on ml-100k found hardly any
convincing whose movies were less similar."""
SIMILARITY_POWER = 2
"""The power of similarity in the value of a reason, where weight has a power of 1. Weight says what the model uses, and
similarity what a person sees."""
MIN_SHARE_OF_BEST = 0.3
"""A further reason must have at least this share of the best reason's value."""
LIKED_ABOVE_MEAN = 3.5
"""A viewer likes a movie if their rating is at least this and above their mean, or at least ``RELEVANT``. They dislike
a movie if their rating is more than half a star below this."""
ABOVE_AVERAGE = 0.15
"""People with the same taste are named as the reason only if a prediction is this many stars above everyone's mean,
after the viewer's generosity (see ``movietui.models.serving.taste.Taste``) is subtracted from it."""
INTERVAL_80 = 1.2816
"""Standard deviations on either side that cover 80 % of a normal distribution."""


@dataclass(frozen=True)
class Reason:
    """A rating that counts for a movie or against it."""

    movie: int
    """The row of the rated movie."""
    stars: float
    """The viewer's rating of the rated movie."""
    share: float
    """The rating's contribution: without the rating, the model's score would be lower by exactly this much (higher if
    the contribution is negative)."""
    weight: float
    """The size of the rating's contribution as a share of the sizes of all the viewer's ratings, from 0 to 1."""
    shared: Shared


@dataclass(frozen=True)
class Reasons:
    """The ratings that explain a movie best. Each tuple begins with the most similarity and weight."""

    basis: Basis
    liked: tuple[Reason, ...]
    """Ratings of movies that the viewer liked and that count for the movie."""
    against: tuple[Reason, ...] = ()
    """Ratings of movies that the viewer disliked and that count against the movie."""
    alike: tuple[Reason, ...] = ()
    """If the basis is ``alike``: ratings of liked movies that count most for the movie. They need not be like it, but
    people who liked them too like it more than others do."""


@dataclass(frozen=True)
class Explanation:
    """Why a viewer is predicted to rate a movie this way. All stars are 0 if the dataset has none."""

    stars: float
    low: float
    """The lower end of the 80 % interval of the predicted rating, within the scale."""
    high: float
    uncertainty: float
    score: float
    rated: float | None
    """The viewer's own rating of the movie; ``None`` if they have not rated it."""
    reasons: Reasons
    shared: Shared
    """What the movie has in common with the reasons for it."""


def explain(
    model: AnyModel,
    similarities: Similarities,
    history: History,
    expected: Expectation,
    row: int,
    most: int = REASONS,
) -> Explanation:
    """Explain a movie to a viewer by at most ``most`` reasons. ``expected``: the model's predictions for the viewer."""
    dataset = similarities.dataset
    (reasons,) = reasons_for(model, similarities, history, expected, np.asarray([row], np.int32), most)
    stars, uncertainty = float(expected.stars[row]), float(expected.uncertainty[row])
    reach = INTERVAL_80 * uncertainty
    low, high = max(model.scale.low, stars - reach), min(model.scale.high, stars + reach)
    if dataset.implicit:
        stars = uncertainty = low = high = 0.0
    given = history.stars[history.movies == row]
    return Explanation(
        stars=stars,
        low=low,
        high=high,
        uncertainty=uncertainty,
        score=float(expected.score[row]),
        rated=float(given[0]) if len(given) else None,
        reasons=reasons,
        shared=shared(dataset.movies, row, [reason.movie for reason in reasons.liked]),
    )


def reasons_for(
    model: AnyModel,
    similarities: Similarities,
    history: History,
    expected: Expectation,
    rows: Ints,
    most: int = REASONS,
) -> list[Reasons]:
    """Return at most ``most`` reasons for each of some movies, chosen by weight and, above all, similarity.

    ``expected``: the model's predictions for the viewer.

    A reason carries some weight, and its movie is kin of the explained movie (see
    ``movietui.models.serving.kinship.are_kin``) and among the movies most similar to it. A comedy is no convincing
    reason for a war movie, even if its rating changes the model's score. Reasons far behind the best one are left out,
    and so are objections that weigh more than every reason.

    If there is no reason for a movie, and the prediction is ``ABOVE_AVERAGE``, at most ``ALIKE`` of the liked movies
    with at least the average weight describe the people who like it.
    """
    liked = (history.stars >= RELEVANT) | (
        (history.stars >= LIKED_ABOVE_MEAN) & (history.stars > history.stars.mean() if len(history) else False)
    )
    disliked = history.stars < LIKED_ABOVE_MEAN - 0.5  # 2.5 stars or fewer, or 2 on a scale of whole stars
    above_average = _above_average(similarities.dataset, history, expected.stars, rows)
    return [
        _reasons(similarities, history, int(row), shares, liked, disliked, most, likes_more=likes_more)
        for row, shares, likes_more in zip(rows, model.explain_list(history, rows), above_average, strict=True)
    ]


def _above_average(dataset: Dataset, history: History, stars: Floats, rows: Ints) -> list[bool]:
    """Return whether a viewer would like each of some movies more than others do; see ``ABOVE_AVERAGE``.

    ``stars``: the predicted ratings, shape (movies,).
    """
    if dataset.implicit or not len(history):
        return [False] * len(rows)
    generosity = shrunk_mean(history.stars - crowd_means(dataset)[history.movies])
    means = [dataset.mean_of(int(row)) for row in rows]
    return [
        mean is not None and bool(stars[row] - mean - generosity >= ABOVE_AVERAGE)
        for row, mean in zip(rows, means, strict=True)
    ]


def _reasons(
    similarities: Similarities,
    history: History,
    row: int,
    shares: Floats,
    liked: Bools,
    disliked: Bools,
    most: int,
    *,
    likes_more: bool,
) -> Reasons:
    weights = np.abs(shares) / max(float(np.abs(shares).sum()), 1e-9)
    basis: Basis = "alike" if likes_more else "everyone"
    if not weights.any():
        return Reasons(basis, ())  # computing similarities would take milliseconds for each movie
    similarity, common = similarities.of(row)
    nearest = min(max(NEAREST, round(NEAREST_SHARE * len(similarity))), len(similarity) - 1)
    similar = np.maximum(similarity[history.movies], 0)
    average = 1 / max(len(history), 1)
    smallest = min(max(SMALLEST_WEIGHT, average / 2), average)
    usable = (
        (weights >= smallest)
        & (similar >= np.partition(similarity, -nearest - 1)[-nearest - 1])
        & (history.movies != row)
        & are_kin(similarities.dataset.movies, similarities.specific_genres, row, history.movies)
    )

    def best(chosen: Bools, most: int) -> tuple[Reason, ...]:
        values = np.where(chosen, weights * similar**SIMILARITY_POWER, 0)
        order = np.argsort(-values, kind="stable")[:most]
        return tuple(
            Reason(
                int(history.movies[index]),
                float(history.stars[index]),
                float(shares[index]),
                float(weights[index]),
                shared(similarities.dataset.movies, row, history.movies[index : index + 1]),
            )
            for index in order[(values[order] > 0) & (values[order] >= MIN_SHARE_OF_BEST * values.max(initial=0))]
        )

    raising = liked & (shares > 0)
    reasons = best(usable & raising, most)
    if not reasons and likes_more:
        related = (common[history.movies] >= COMMON_RATERS) & (similar >= ALIKE_SIMILARITY) & (history.movies != row)
        return Reasons(basis, (), alike=best(raising & related & (weights >= average), ALIKE))
    if not reasons:
        return Reasons(basis, ())
    heaviest = max(reason.weight for reason in reasons)
    return Reasons("ratings", reasons, best(usable & disliked & (shares < 0) & (weights <= heaviest), OBJECTIONS))
