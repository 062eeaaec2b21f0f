"""Why a movie is recommended: the ratings that count most for it and against it, and what the movies have in common."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Bools, Floats, Ints
from movietui.models.base import AnyModel, Expectation, History
from movietui.models.choices import WELL_LIKED, Basis
from movietui.models.metrics import RELEVANT
from movietui.models.serving.crowds import Crowd, agreeing, crowd, fans, watchers
from movietui.models.serving.kinship import Shared, are_kin, coincidence, shared
from movietui.models.serving.similar import Raters, Relations, Similarities
from movietui.models.serving.standing import Standing, standings
from movietui.models.serving.taste import Taste, crowd_means, shrunk_mean, taste

REASONS = 3
"""The maximum number of reasons for a movie."""
OBJECTIONS = 2
"""The maximum number of reasons against a movie."""
ALIKE = 2
"""The maximum number of liked movies by which people with the same taste are described."""
ALIKE_COINCIDENCE = 4.5
"""The smallest ``coincidence`` of such a movie and the explained one: 1 in 90 movies has so much in common with it. In
people's eyes, movies with less have nothing to do with each other."""
SMALLEST_WEIGHT = 0.01
"""The smallest weight of a reason. For a viewer with more than 100 ratings, it is the average weight of a rating; for
one with fewer than 50, half of it: a rating that hardly changes the score is no reason, however similar its movie."""
NEAREST = 12
"""At least this many of the movies most similar to a movie can be reasons for it."""
NEAREST_SHARE = 0.007
"""In a larger dataset, this share of all movies can be reasons. People who judged reasons on ml-100k found hardly any
convincing whose movies were less similar."""
CLOSENESS_POWER = 2
"""The power of similarity or coincidence in the value of a reason, where weight has a power of 1. Weight says what the
model uses, and closeness what a person sees."""
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
    """If the basis is ``alike`` or ``watched``: ratings of liked movies that count for the movie. They need not be like
    it, but people who liked (watched) them too like (watch) it more than others do. Empty if these people are described
    only by their agreement."""
    crowd: Crowd | None = None
    """If the basis is ``alike`` or ``watched``: how many of these people like (watched) the movie; ``None`` if too few
    are known."""
    standing: Standing | None = None
    """If the basis is ``taste`` or ``everyone``: of which movies it is one of the best liked; ``None`` if of none."""

    @property
    def evidence(self) -> dict[str, Any]:
        """The basis, the crowd and the standing as JSON-able values."""
        return {
            "basis": self.basis,
            "crowd": self.crowd and asdict(self.crowd),
            "standing": self.standing and asdict(self.standing),
        }


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

    If there is no reason for a movie, the first of these that is true is named:

    - People who liked the same movies as the viewer clearly like it more than others do. They are described by at most
      ``ALIKE`` movies whose ratings count for it.
    - It is one of the best liked movies of a genre or decade that the viewer likes, and their ratings of this group
      count for it.
    - People whose ratings agree with the viewer's clearly like it more than others do, and so does the model think the
      viewer will: the prediction is ``ABOVE_AVERAGE``.
    - Everyone's ratings, if the movie is one of the best liked of some movies, or very well liked.
    - People who watched the same movie as the viewer, whose rating counts for it, watched it more often than others.
    - Everyone's ratings; or people whose ratings agree with the viewer's, without figures, if the model thinks that the
      viewer will like the movie more than others do.
    """
    explaining = _Viewer.of(similarities, history, expected)
    return [
        _reasons(explaining, int(row), shares, most)
        for row, shares in zip(rows, model.explain_list(history, rows), strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _Viewer:
    """What is the same for all movies that are explained to a viewer."""

    similarities: Similarities
    history: History
    predicted: Floats
    """The predicted stars, shape (movies,)."""
    means: Floats
    """Each movie's mean rating, shrunk, shape (movies,)."""
    taste: Taste

    @classmethod
    def of(cls, similarities: Similarities, history: History, expected: Expectation) -> "_Viewer":
        dataset = similarities.dataset
        return cls(similarities, history, expected.stars, crowd_means(dataset), taste(dataset, history))

    @cached_property
    def liked(self) -> Bools:
        """Which of the ratings say that the viewer likes the movie, shape (ratings,)."""
        stars = self.history.stars
        above_mean = stars > (stars.mean() if len(stars) else 0)
        return np.asarray((stars >= RELEVANT) | ((stars >= LIKED_ABOVE_MEAN) & above_mean), bool)

    @property
    def disliked(self) -> Bools:
        """Which of the ratings say that the viewer dislikes the movie, shape (ratings,): 2.5 stars or fewer, or 2 on a
        scale of whole stars."""
        return np.asarray(self.history.stars < LIKED_ABOVE_MEAN - 0.5, bool)

    @cached_property
    def residuals(self) -> Floats:
        """The ratings minus the means of the movies, shape (ratings,)."""
        return np.asarray(self.history.stars - self.means[self.history.movies], np.float32)

    @property
    def generosity(self) -> float:
        """How many more stars the viewer gives than others do."""
        return shrunk_mean(self.residuals)

    def likes_more(self, row: int) -> bool:
        """Return whether the viewer is predicted to like a movie more than others do; see ``ABOVE_AVERAGE``."""
        mean = self.similarities.dataset.mean_of(row)
        return mean is not None and bool(self.predicted[row] - mean - self.generosity >= ABOVE_AVERAGE)

    def well_liked(self, row: int) -> bool:
        """Return whether everyone's mean rating of a movie is reason enough to watch it."""
        mean = self.similarities.dataset.mean_of(row)
        return mean is not None and round(mean, 1) >= WELL_LIKED

    def watchers(self, relations: Relations, row: int, rated: int) -> Crowd | None:
        """Return how many of the people who watched a rated movie watched a movie too; ``None`` if few did."""
        counts = self.similarities.dataset.counts
        return watchers(int(relations.common[rated]), int(counts[rated]), int(counts[row]), relations.users)

    def share_of(self, group: str, shares: Floats) -> float:
        """Return how much the ratings of a genre or a decade contribute to a score.

        ``shares``: of each rating, shape (ratings,).
        """
        movies = self.similarities.dataset.movies
        return float(shares[movies.of_group(group)[self.history.movies]].sum())

    def crowd(self, raters: Raters, which: Bools) -> Crowd:
        """Return how many of some of a movie's raters like it; the viewer is not one of them."""
        return crowd(raters, which & (raters.user != self.history.user))

    def agreeing(self, raters: Raters, row: int) -> Crowd:
        """Return how many of the people whose ratings of other movies agree with the viewer's like a movie."""
        others = self.history.movies != row
        residuals = self.residuals[others] - np.float32(self.generosity)
        return self.crowd(raters, agreeing(raters, self.history.movies[others], residuals, len(self.means)))


def _reasons(viewer: _Viewer, row: int, shares: Floats, most: int) -> Reasons:
    similarities, history = viewer.similarities, viewer.history
    movies, rated = similarities.dataset.movies, history.movies
    weights = np.abs(shares) / max(float(np.abs(shares).sum()), 1e-9)
    if not weights.any():  # computing similarities would take milliseconds for each movie
        return _without_ratings(viewer, row, shares, None)
    relations = similarities.of(row)
    similar = np.maximum(relations.similarity[rated], 0)
    nearest = min(max(NEAREST, round(NEAREST_SHARE * len(relations.similarity))), len(relations.similarity) - 1)
    average = 1 / max(len(history), 1)
    smallest = min(max(SMALLEST_WEIGHT, average / 2), average)
    specific = similarities.specific_genres
    together = coincidence(movies, specific, row, rated, similarities.closer_shares(row, relations, rated))
    usable = (
        (weights >= smallest)
        & (similar >= np.partition(relations.similarity, -nearest - 1)[-nearest - 1])
        & (rated != row)
        & are_kin(movies, specific, row, rated, together)
    )

    def ranked(chosen: Bools, closeness: NDArray[np.float64]) -> list[int]:
        """Return the indices of the chosen ratings, those of the most weight and, above all, closeness first."""
        values = np.where(chosen, weights * closeness**CLOSENESS_POWER, 0)
        order = np.argsort(-values, kind="stable")
        indices: list[int] = order[(values[order] > 0) & (values[order] >= MIN_SHARE_OF_BEST * values.max())].tolist()
        return indices

    def reasons(indices: Sequence[int]) -> tuple[Reason, ...]:
        return tuple(
            Reason(
                int(rated[index]),
                float(history.stars[index]),
                float(shares[index]),
                float(weights[index]),
                shared(movies, row, rated[index : index + 1]),
            )
            for index in indices
        )

    raising = viewer.liked & (shares > 0)
    if best := reasons(ranked(usable & raising, similar)[:most]):
        heaviest = max(reason.weight for reason in best)
        objections = usable & viewer.disliked & (shares < 0) & (weights <= heaviest)
        return Reasons("ratings", best, reasons(ranked(objections, similar)[:OBJECTIONS]))
    related = raising & (weights >= average) & (together >= ALIKE_COINCIDENCE) & (rated != row)
    candidates = ranked(related, np.maximum(together, 0))
    if described := _fans(viewer, relations.raters, candidates):
        indices, people = described
        return Reasons("alike", (), alike=reasons(indices), crowd=people)
    rest = _without_ratings(viewer, row, shares, relations.raters)
    if rest.crowd is None and rest.standing is None and not viewer.well_liked(row):
        for index in candidates:
            if watching := viewer.watchers(relations, row, int(rated[index])):
                return Reasons("watched", (), alike=reasons([index]), crowd=watching)
    return rest


def _fans(viewer: _Viewer, raters: Raters, candidates: Sequence[int]) -> tuple[list[int], Crowd] | None:
    """Return at most ``ALIKE`` of the viewer's ratings, by index, such that the people who like these movies clearly
    like the explained one more than others do, and how many of these people like it; ``None`` if there are no such."""

    def people(indices: Sequence[int]) -> Crowd:
        return viewer.crowd(raters, fans(raters, viewer.history.movies[list(indices)].tolist()))

    describing = list(islice((index for index in candidates if people([index]).likes_clearly_more), ALIKE))
    for indices in (describing, describing[:1]):
        if indices and (of_all := people(indices)).likes_clearly_more:
            return indices, of_all
    return None


def _without_ratings(viewer: _Viewer, row: int, shares: Floats, raters: Raters | None) -> Reasons:
    """Return what the prediction of a movie rests on if none of the viewer's ratings can be named."""
    dataset = viewer.similarities.dataset
    if dataset.implicit:
        return Reasons("everyone", ())
    best = standings(dataset, viewer.means, row, viewer.taste)
    for standing in best:
        if standing.liking is not None and viewer.share_of(standing.group, shares) > 0:
            return Reasons("taste", (), standing=standing)
    if len(viewer.history) and viewer.likes_more(row):
        people = viewer.agreeing(raters, row) if raters is not None else None
        if people is not None and (people.likes_clearly_more or (people.likes_more and not best)):
            return Reasons("alike", (), crowd=people)
        if not viewer.well_liked(row):
            return Reasons("alike", ())
    return Reasons("everyone", (), standing=replace(best[0], liking=None) if best else None)
