"""Why a movie is recommended: the ratings that count most for it and against it, and what the movies have in common."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Bools, Floats, Ints
from movietui.models.base import AnyModel, Expectation, History
from movietui.models.choices import WELL_LIKED, Basis
from movietui.models.metrics import RELEVANT
from movietui.models.serving.crowds import Crowd, agreeing, crowd, fans
from movietui.models.serving.kinship import (
    KIN_COINCIDENCE,
    LOWER_KIN_COINCIDENCE,
    NEAR_COINCIDENCE,
    RELATED_COINCIDENCE,
    SPECIFIC,
    Shared,
    kinship,
    shared,
)
from movietui.models.serving.similar import Raters, Similarities
from movietui.models.serving.standing import Standing, best_of, record
from movietui.models.serving.taste import crowd_means, shrunk_mean

REASONS = 3
"""The maximum number of reasons for a movie."""
OBJECTIONS = 2
"""The maximum number of reasons against a movie."""
ALIKE = 2
"""The maximum number of liked movies by which people with the same taste are described."""
OF_CLOSEST = 8
"""How many of the closest liked movies are tried in pairs."""
MOST_SIMILAR = 2
"""The maximum number of liked movies that are named because they are similar."""
SMALLEST_WEIGHT = 0.5
"""The smallest weight of a reason, as a part of the average weight of the viewer's ratings. A rating that hardly
changes the score is no reason, however similar its movie."""
CLOSENESS_POWER = 8
"""The power of ``coincidence`` in the value of a reason, where weight has a power of 1. Weight says what the model
uses, and closeness what a person sees."""
LIKED_ABOVE_MEAN = 3.5
"""A viewer likes a movie if their rating is at least this and above their mean, or at least ``RELEVANT``. They dislike
a movie if their rating is more than half a star below this."""
LOVED = 2.0
"""When similar movies are named, one that the viewer gave more than ``RELEVANT`` counts as closer by this much
coincidence."""
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
    """The ratings that explain a movie best. ``liked``, ``alike`` and ``against`` begin with the heaviest, ``similar``
    and ``examples`` with the closest."""

    basis: Basis
    liked: tuple[Reason, ...]
    """Ratings of movies that the viewer liked and that count for the movie."""
    against: tuple[Reason, ...] = ()
    """Ratings of movies that the viewer disliked and that count against the movie."""
    alike: tuple[Reason, ...] = ()
    """If the basis is ``alike``: ratings of liked movies that count for the movie, which people who liked all of them
    like more than others do. Empty if these people are described only by their agreement."""
    crowd: Crowd | None = None
    """If the basis is ``alike``: how many of these people like the movie."""
    standing: Standing | None = None
    """If the basis is ``everyone``: how well it is liked, compared with others; ``None`` if not very well."""
    similar: tuple[Reason, ...] = ()
    """If the basis names no movies: ratings of the liked movies closest to the movie, although they are no reasons."""
    examples: tuple[Reason, ...] = ()
    """If nothing else names movies and the standing has a record: ratings of movies that it counts as liked. Empty if
    no rating changes the score."""

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
    """What the movie has in common with the reasons for it or, without these, with the similar movies."""


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
    (reasons,) = reasons_for(model, similarities, history, np.asarray([row], np.int32), most)
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
        shared=shared(dataset.movies, row, [reason.movie for reason in reasons.liked or reasons.similar]),
    )


def reasons_for(
    model: AnyModel, similarities: Similarities, history: History, rows: Ints, most: int = REASONS
) -> list[Reasons]:
    """Return at most ``most`` reasons for each of some movies, chosen by weight and, above all, closeness.

    A reason carries some weight, and its movie is kin of the explained movie: it has ``KIN_COINCIDENCE`` with it, or
    ``LOWER_KIN_COINCIDENCE`` if everyone's ratings would not convince the viewer. A comedy is no convincing reason for
    a war movie, even if its rating changes the model's score. A single reason has ``SPECIFIC`` in common with the
    movie: another drama is not enough. Objections that weigh more than every reason are left out.

    If there is no reason for a movie, the first of these that is true is named:

    - People who liked the same two near movies as the viewer, whose ratings count for it, clearly like it more than
      others do. If everyone's ratings would not convince the viewer, a single movie also describes such people.
      They are not named if the viewer liked a movie that would do as a single reason, whatever its weight.
    - Everyone's ratings would not convince the viewer, but people whose ratings agree with theirs clearly like it more
      than others do, or nearly all like it.
    - Everyone's ratings, and similar movies that the viewer liked.
    - Everyone's ratings, with examples of the other very well liked movies that the viewer liked.
    - Everyone's ratings, and the nearest movie that the viewer liked.

    Similar movies are also named beside people whose ratings agree.
    """
    viewer = _Viewer(similarities, history, crowd_means(similarities.dataset))
    return [
        _reasons(viewer, int(row), shares, most)
        for row, shares in zip(rows, model.explain_list(history, rows), strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _Viewer:
    """What is the same for all movies that are explained to a viewer."""

    similarities: Similarities
    history: History
    means: Floats
    """Each movie's mean rating, shrunk, shape (movies,)."""

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

    @cached_property
    def well_liked(self) -> Bools:
        """Which of the ratings are of very well liked movies, shape (ratings,)."""
        return np.asarray(np.round(self.means[self.history.movies], 1) >= WELL_LIKED, bool)

    def standing(self, row: int) -> Standing | None:
        """Return how well a movie is liked, compared with others; ``None`` if not very well."""
        dataset = self.similarities.dataset
        mean = dataset.mean_of(row)
        if mean is None or round(mean, 1) < WELL_LIKED:
            return None
        others = self.well_liked & (self.history.movies != row)
        theirs = record(dataset.movies, row, self.history.movies[others], self.liked[others])
        return Standing(best_of(dataset, self.means, row), theirs)

    def crowd(self, raters: Raters, which: Bools) -> Crowd:
        """Return how many of some of a movie's raters like it; the viewer is not one of them."""
        return crowd(raters, which & (raters.user != self.history.user))

    def agreeing(self, raters: Raters, row: int) -> Crowd:
        """Return how many of the people whose ratings of other movies agree with the viewer's like a movie."""
        others = self.history.movies != row
        residuals = self.residuals[others] - np.float32(self.generosity)
        return self.crowd(raters, agreeing(raters, self.history.movies[others], residuals, len(self.means)))


def _reasons(viewer: _Viewer, row: int, shares: Floats, most: int) -> Reasons:
    standing = viewer.standing(row)
    if not shares.any():  # computing similarities would take milliseconds for each movie
        return Reasons("everyone", (), standing=standing)
    links = _Links(viewer, row, shares, convincing=standing is not None and standing.record is not None)
    supporting = links.kin & links.raising
    if supporting.sum() > 1 or (supporting & links.telling).any():
        best = links.reasons(supporting, max(REASONS, most))[:most]
        against = links.kin & viewer.disliked & links.counting & (shares < 0) & (links.weights <= best[0].weight)
        return Reasons("ratings", best, links.reasons(against, OBJECTIONS))
    is_obvious = (viewer.liked & links.kin & links.telling).any()
    if not is_obvious and (alike := links.people_who_liked_the_same()):
        return alike
    similar = links.closest_liked(links.related & (links.kin | links.telling), MOST_SIMILAR)
    if not links.convincing:
        people = viewer.agreeing(links.raters, row)
        if people.likes_clearly_more or people.nearly_all_like:
            return Reasons("alike", (), crowd=people, similar=similar)
    if similar or standing is None or standing.record is None:
        return Reasons("everyone", (), standing=standing, similar=similar or links.closest_liked(links.near, 1))
    return Reasons("everyone", (), standing=standing, examples=links.examples(standing.record.of))


class _Links:
    """What links a movie to the viewer's ratings. Each array has the shape (ratings,)."""

    def __init__(self, viewer: _Viewer, row: int, shares: Floats, *, convincing: bool) -> None:
        """``shares``: of the ratings, not all 0. ``convincing``: whether everyone's ratings convince the viewer."""
        similarities, self._rated = viewer.similarities, viewer.history.movies
        self._viewer, self._row, self._shares, self.convincing = viewer, row, shares, convincing
        self._movies = similarities.dataset.movies
        relations = similarities.of(row)
        closer = similarities.closer_shares(row, relations, self._rated)
        self._kinship = kinship(self._movies, row, self._rated, closer)
        self._coincidence = np.where(self._rated == row, 0, self._kinship.coincidence)
        self.raters = relations.raters
        self.weights = np.abs(shares) / np.abs(shares).sum()
        self.kin = self._coincidence >= (KIN_COINCIDENCE if convincing else LOWER_KIN_COINCIDENCE)
        self.telling = self._kinship.common >= SPECIFIC
        """Of which movies a person sees at a glance that they are alike."""
        self.counting = self.weights >= SMALLEST_WEIGHT / len(self._rated)
        self.raising = viewer.liked & self.counting & (shares > 0)

    @property
    def related(self) -> Bools:
        """Whose movies are related to the movie."""
        return np.asarray(self.near & (self._coincidence >= RELATED_COINCIDENCE), bool)

    @property
    def near(self) -> Bools:
        """Whose movies are near the movie, and share something with it."""
        return np.asarray((self._coincidence >= NEAR_COINCIDENCE) & (self._kinship.common > 0), bool)

    def reasons(self, chosen: Bools | NDArray[np.intp], most: int) -> tuple[Reason, ...]:
        """Return the chosen ratings with the most weight and, above all, closeness as reasons, the heaviest first."""
        indices = np.arange(len(self._rated))[chosen]
        values = self.weights[indices] * self._coincidence[indices] ** CLOSENESS_POWER
        best = indices[np.argsort(-values, kind="stable")[:most]]
        return self._named(best[np.argsort(-self.weights[best], kind="stable")])

    def examples(self, group: str) -> tuple[Reason, ...]:
        """Return the ratings of the closest liked movies of a group that are very well liked."""
        of_group = self._movies.of_group(group)[self._rated] if group else np.True_
        return self.closest_liked(self._viewer.well_liked & of_group & (self._rated != self._row), MOST_SIMILAR)

    def closest_liked(self, among: Bools, most: int) -> tuple[Reason, ...]:
        """Return the ratings of the closest liked movies, first of kin and of those that a person sees are alike. A
        loved movie counts as closer by ``LOVED``."""
        chosen = np.flatnonzero(self._viewer.liked & among)
        is_evident = (self.kin | self.telling)[chosen]
        is_loved = self._viewer.history.stars[chosen] > RELEVANT
        closeness = self._coincidence[chosen] + LOVED * is_loved
        return self._named(chosen[np.lexsort((-closeness, ~is_evident))[:most]])

    def people_who_liked_the_same(self) -> Reasons | None:
        """Return the closest pair of liked movies such that people who like both clearly like the movie more than
        others do, and how many of these people like it. ``None`` if there are no such people.

        If everyone's ratings do not convince the viewer, the fans of a single movie are named if there are no others.
        """
        closest = self._closest(self.near & self.raising)[:OF_CLOSEST]
        likes = {index: fans(self.raters, int(self._rated[index])) for index in closest.tolist()}
        sizes = (ALIKE,) if self.convincing else (ALIKE, 1)
        for chosen in (each for size in sizes for each in self._closest_first(combinations(likes, size))):
            people = self._viewer.crowd(self.raters, np.logical_and.reduce([likes[index] for index in chosen]))
            if people.likes_clearly_more:
                return Reasons("alike", (), alike=self.reasons(np.asarray(chosen, np.intp), ALIKE), crowd=people)
        return None

    def _closest_first(self, groups: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
        return sorted(groups, key=lambda group: -self._coincidence[[*group]].sum())

    def _named(self, indices: NDArray[np.intp]) -> tuple[Reason, ...]:
        return tuple(
            Reason(
                int(self._rated[index]),
                float(self._viewer.history.stars[index]),
                float(self._shares[index]),
                float(self.weights[index]),
                shared(self._movies, self._row, self._rated[index : index + 1]),
            )
            for index in indices.tolist()
        )

    def _closest(self, chosen: Bools) -> NDArray[np.intp]:
        """Return the indices of the chosen ratings, those of the closest movies first."""
        indices = np.flatnonzero(chosen)
        return indices[np.argsort(-self._coincidence[indices], kind="stable")]
