"""Why a movie is recommended: the ratings that count most for it and against it, and what the movies have in common."""

from dataclasses import dataclass

import numpy as np

from movietui.data.dataset import Bools, Dataset, Floats, Ints, Movies
from movietui.models.base import AnyModel, Expectation, History
from movietui.models.choices import Basis
from movietui.models.metrics import RELEVANT
from movietui.models.serving.kinship import Shared, are_kin, differ_in_tone, shared
from movietui.models.serving.raters import LikeMinded, Likers
from movietui.models.serving.similar import Similarities

REASONS = 3
"""The maximum number of reasons for a movie."""
OBJECTIONS = 2
"""The maximum number of reasons against a movie."""
SMALLEST_WEIGHT = 0.01
"""The smallest weight of a reason; for a viewer with more than 100 ratings, the average weight of a rating instead."""
CLOSE = 0.3
"""The similarity from which people see by themselves why a movie is a reason for another."""
RELATED = 0.25
"""The smallest similarity of a movie and a reason for it."""
CLOSE = 0.3
"""The similarity from which two movies count as close."""
LIFT = 0.1
"""How many stars above the average people who like a movie must rate another one for the first to be a reason for it;
see ``LikeMinded.lift``."""
FEWEST_FANS = 10
"""What fewer people think of two movies says nothing about a reason."""
SAME = 0.6
"""The similarity of content from which it alone makes a movie a reason for one with fewer than ``ENOUGH_FANS`` raters:
in most cases, the same genres in the same years."""
ENOUGH_FANS = 30
"""The smallest number of people who may explain a movie because they liked the same movie as the viewer."""
MENTIONED = 0.15
"""The smallest similarity of a movie and one that is named because other people like it too."""
SIMILARITY_POWER = 2
"""The power of similarity when reasons are chosen; weight has a power of 1. Weight says what the model uses, similarity
what a person sees."""
MIN_SHARE_OF_BEST = 0.4
"""A further reason must have at least this share of the best reason's value."""
LIKED_ABOVE_MEAN = 3.5
"""A rating of at least this many stars says that the viewer liked the movie, if it is above their mean rating. A rating
more than half a star below this number says that they disliked it."""
AGREED_ON = 2
"""The maximum number of movies that are named as those on which other people agree with the viewer."""
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
    """The size of the rating's contribution, divided by the sum of these sizes over all ratings of the viewer: from 0
    to 1."""
    shared: Shared
    fans: Likers | None
    """The people who gave the rated movie at least as many stars, and how many of them liked the explained movie;
    ``None`` without such people."""


@dataclass(frozen=True)
class Reasons:
    """The ratings that explain a movie best; in both tuples, those with the most similarity and weight come first."""

    liked: tuple[Reason, ...]
    """Ratings of movies that the viewer liked and that count for the movie."""
    against: tuple[Reason, ...]
    """Ratings of movies that the viewer disliked and that count against the movie."""
    basis: Basis
    likers: Likers | None = None
    """The people whom ``basis`` names; ``None`` if it names ratings, or if nobody has rated the movie."""
    agreed_on: tuple[int, ...] = ()
    """The rows of the rated movies that these people like, too: at most ``AGREED_ON``, or one for ``fans``."""


@dataclass(frozen=True)
class Explanation:
    """Why a viewer is predicted to rate a movie this way."""

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
    """Explain a movie to a viewer by at most ``most`` reasons; ``expected``: the model's prediction for the history."""
    (reasons,) = reasons_for(model, similarities, history, np.asarray([row], np.int32), most)
    stars, uncertainty = float(expected.stars[row]), float(expected.uncertainty[row])
    reach = INTERVAL_80 * uncertainty
    given = history.stars[history.movies == row]
    return Explanation(
        stars=stars,
        low=max(model.scale.low, stars - reach),
        high=min(model.scale.high, stars + reach),
        uncertainty=uncertainty,
        score=float(expected.score[row]),
        rated=float(given[0]) if len(given) else None,
        reasons=reasons,
        shared=shared(similarities.dataset.movies, row, [reason.movie for reason in reasons.liked]),
    )


def reasons_for(
    model: AnyModel, similarities: Similarities, history: History, rows: Ints, most: int = REASONS
) -> list[Reasons]:
    """Return at most ``most`` reasons for each of some movies, chosen by weight and, above all, similarity.

    A reason carries some weight, and a person sees why its movie is a reason (``_evident``): that somebody likes a
    comedy convinces nobody of a war movie, even if it changes the model's score. Reasons far behind the best one are
    left out, and so are objections that weigh more than every reason.

    Without a reason, ``basis`` names people who like the movie: those whose ratings agree most with the viewer's, if
    more of them like it than of all its raters; otherwise those who like a movie that the viewer likes, if they like
    this one more than usual; otherwise, all raters.
    If the model does not look at the viewer's ratings, it is always all raters.
    """
    return [
        _reasons(similarities, history, int(row), shares, most)
        for row, shares in zip(rows, model.explain_list(history, rows), strict=True)
    ]


def _reasons(similarities: Similarities, history: History, row: int, shares: Floats, most: int) -> Reasons:
    weights = np.abs(shares) / max(float(np.abs(shares).sum()), 1e-9)
    everyone = _everyone(similarities.dataset, row)
    if not weights.any():  # the model does not look at the ratings, and computing similarities would take milliseconds
        return Reasons((), (), "everyone", everyone)
    stars = history.stars
    liked = (stars >= RELEVANT) | ((stars >= LIKED_ABOVE_MEAN) & (stars > stars.mean()))
    disliked = stars < LIKED_ABOVE_MEAN - 0.5  # 2.5 stars or fewer, or 2 on a scale of whole stars
    similar = np.maximum(similarities.of(row)[0][history.movies], 0)
    compared = similarities.audiences.compared(row, history)
    like_minded = compared.like_minded(stars, disliked)
    usable = (weights >= min(SMALLEST_WEIGHT, 1 / len(history))) & (history.movies != row)
    least = SAME if len(compared.stars) < ENOUGH_FANS else np.inf
    evident = usable & _evident(similarities.dataset.movies, row, history.movies, similar, like_minded, least)

    def best(chosen: Bools, most: int) -> tuple[Reason, ...]:
        values = np.where(evident & chosen, weights * similar**SIMILARITY_POWER, 0)
        order = np.argsort(-values, kind="stable")[:most]
        return tuple(
            Reason(
                int(history.movies[index]),
                float(stars[index]),
                float(shares[index]),
                float(weights[index]),
                shared(similarities.dataset.movies, row, history.movies[index : index + 1]),
                like_minded.of(int(index)),
            )
            for index in order[(values[order] > 0) & (values[order] >= MIN_SHARE_OF_BEST * values.max(initial=0))]
        )

    reasons = best(liked & (shares > 0), most)
    heaviest = max((reason.weight for reason in reasons), default=0.0)
    against = best(disliked & (shares < 0) & (weights <= heaviest), OBJECTIONS)
    if reasons:
        return Reasons(reasons, against, "ratings")
    named = usable & liked & (shares > 0) & (similar >= MENTIONED)
    agreeing = compared.agreeing(np.where(named, similar, 0), AGREED_ON)
    if agreeing and everyone and agreeing.likers.share >= everyone.share:
        return Reasons((), against, "alike", agreeing.likers, tuple(history.movies[agreeing.movies].tolist()))
    named &= (like_minded.people >= ENOUGH_FANS) & (like_minded.lift >= LIFT)
    if named.any():
        best_index = int(np.argmax(np.where(named, similar**SIMILARITY_POWER * like_minded.lift, 0)))
        return Reasons((), against, "fans", like_minded.of(best_index), (int(history.movies[best_index]),))
    return Reasons((), against, "everyone", everyone)


def _everyone(dataset: Dataset, row: int) -> Likers | None:
    """Return all who rated a movie; ``None`` if nobody has."""
    given = dataset.histogram.of(row)
    people = sum(given.values())
    return Likers(people, sum(count for stars, count in given.items() if stars >= RELEVANT)) if people else None


def _evident(movies: Movies, row: int, rated: Ints, similar: Floats, like_minded: LikeMinded, least: float) -> Bools:
    """Return for which rated movies a person sees why they are a reason for a movie, shape (rated,).

    The two movies are ``RELATED``, and at least two of three are true: they are ``CLOSE``; they are kin
    (``movietui.models.serving.kinship.are_kin``); those who feel the same as the viewer about the rated movie also do
    about the other one (``LIFT``). If these are fewer than ``FEWEST_FANS``, it is enough that the movies share a person
    or a tag, or that the similarity of their content is at least ``least``; otherwise, either both are comedies or
    neither is.
    """
    signs = (similar >= CLOSE).astype(int) + are_kin(movies, row, rated) + (like_minded.lift >= LIFT)
    told = (similar >= RELATED) & (signs >= 2) & ~differ_in_tone(movies, row, rated)
    too_few = like_minded.people < FEWEST_FANS
    return np.asarray(told | too_few & are_kin(movies, row, rated, least), bool)
