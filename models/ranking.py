"""Lists for one viewer, for a pair and for a group."""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data.dataset import Bools, Dataset, Floats
from data.problems import Problem
from models.daring import dare
from models.model import AnyModel, Expectation, History

MISERY = 0.6
"""How much the least pleased member of a group counts, unless somebody says otherwise."""
REMEMBERED = 16
"""How many viewers' expectations a ranker keeps: a group and some of what was undone and redone."""
REASONS = 3
SURPRISING = 0.05
"""The share of all candidates that a surprise may be: good ones, most of which nobody scrolls down to."""
FEWEST_SURPRISES = 10
COMMON = 10
"""How many movies two viewers must both have rated before anything is said about how alike they are."""


@dataclass(frozen=True, eq=False)
class Viewer:
    """Whoever a list is made for."""

    kind: Literal["user", "profile"]
    id: str
    history: History


@dataclass(frozen=True, eq=False)
class RankedList:
    """Movies in the order in which they are recommended.

    All but ``order`` have an entry for each movie of the dataset, candidate or not.
    """

    order: NDArray[np.intp]
    """Rows of the candidates, best first."""
    score: Floats
    """What they are ordered by, unless the list is a daring one."""
    stars: Floats
    """The expected rating; of a group, together."""
    uncertainty: Floats
    """The standard deviation of the expected rating; of a group, of the mean of its members' ratings."""
    stars_by_viewer: Floats
    """Shape (viewers, movies)."""
    agreement: Floats
    """From 0 to 1, see ``agreement``; 1 for one viewer."""


def together(values: Floats, misery: float = MISERY, mean: Floats | None = None) -> Floats:
    """Return what a group makes of its members' scores or stars, shape (movies,).

    ``values``: shape (viewers, movies). ``mean - misery (mean - minimum)``: with a misery of 0 the average, of 1 the
    least pleased member's (Masthoff 2004). For two it is the mean minus misery times half their distance. ``mean``,
    shape (movies,), is what a model that learns from pairs expects of both, in the place of the average.
    """
    average = values.mean(0)
    loss = np.float32(misery) * (average - values.min(0))
    return np.asarray((average if mean is None else mean) - loss, np.float32)


def borda(values: Floats) -> Floats:
    """Return the mean of the points that the members give: 0 for their last movie, 1 for the next, and so on.

    ``values``: shape (viewers, movies). Equal values share their points evenly (de Borda 1781).

    >>> borda(np.float32([[1, 3, 2], [1, 1, 5]]))
    array([0.25, 1.25, 1.5 ], dtype=float32)
    """
    points = [
        (np.searchsorted(ordered, row, "left") + np.searchsorted(ordered, row, "right") - 1) / 2
        for row, ordered in zip(values, np.sort(values, axis=1), strict=True)
    ]
    return np.asarray(np.mean(points, axis=0), np.float32)


def multiplicative(values: Floats) -> Floats:
    """Return the geometric mean of the members' values, each counted from the member's own lowest.

    ``values``: shape (viewers, movies). A product needs numbers above 0, and scores may lie below.

    >>> multiplicative(np.float32([[1, 3, 2], [1, 2, 5]]))
    array([0.       , 1.4142135, 2.       ], dtype=float32)
    """
    above = values - values.min(1, keepdims=True)
    return np.asarray(above.prod(0) ** np.float32(1 / len(values)), np.float32)


def standardised(values: Floats) -> Floats:
    """Return each member's values with a mean of 0 and a deviation of 1, shape (viewers, movies).

    So that somebody who uses the whole scale weighs no more than somebody who gives threes and fours.
    """
    deviation = values.std(1, keepdims=True)
    return np.asarray((values - values.mean(1, keepdims=True)) / np.maximum(deviation, 1e-6), np.float32)


Way = Literal["weighted", "average", "without misery", "least misery", "most pleasure", "multiplicative", "borda"]
WAYS: Mapping[Way, str] = {
    "weighted": "between the average and the least pleased member, as far as the dial says",
    "average": "the mean of all members",
    "without misery": "the mean, without movies that a member is expected to give too few stars",
    "least misery": "what the least pleased member thinks",
    "most pleasure": "what the most pleased member thinks",
    "multiplicative": "the product of what all think",
    "borda": "the mean of the places in the members' own lists",
}


@dataclass(frozen=True)
class Aggregation:
    """How a group's list is made from its members' (Masthoff, Group modeling, 2004)."""

    way: Way = "weighted"
    misery: float = MISERY
    """Of ``weighted``: from 0, the average, to 1, the least pleased member."""
    enough: float = 3.0
    """Of ``without misery``: how many stars each member must be expected to give."""
    standardise: bool = False
    """Whether scores are ``standardised`` for each member first."""

    def __post_init__(self) -> None:
        if self.way not in WAYS:
            raise Problem(
                f"There is no way {self.way!r} to make one list for several; choose one of {', '.join(WAYS)}."
            )

    def score(self, scores: Floats, stars: Floats, mean: Floats | None = None) -> Floats:
        """Return the group's score, shape (movies,); minus infinity for a movie that is not for them at all.

        ``scores`` and ``stars``: of the members, shape (viewers, movies), of known movies; ``mean`` as in ``together``,
        without meaning for scores that are standardised.
        """
        if len(scores) == 1:
            return np.asarray(scores[0])
        if self.standardise:
            scores, mean = standardised(scores), None
        if self.way == "borda":
            return borda(scores)
        if self.way == "multiplicative":
            return multiplicative(scores)
        found = self._simple(scores, mean)
        if self.way == "without misery":
            found = np.where(stars.min(0) < self.enough, np.float32(-np.inf), found)
        return found

    def stars(self, stars: Floats, mean: Floats | None = None) -> Floats:
        """Return the stars that are shown for the group, shape (movies,): never points or products."""
        return self._simple(stars, mean)

    def _simple(self, values: Floats, mean: Floats | None) -> Floats:
        if self.way == "most pleasure":
            return np.asarray(values.max(0))
        if self.way == "least misery":
            return np.asarray(values.min(0))
        return together(values, self.misery if self.way == "weighted" else 0.0, mean)


WEIGHTED = Aggregation()
UnseenBy = Literal["all", "any", "none"]
"""Which of the viewers must not have seen a movie."""


class Ranker:
    """Makes lists from a fitted model. Keeps what it worked out for viewers whose ratings have not changed."""

    def __init__(self, dataset: Dataset, model: AnyModel) -> None:
        self.dataset = dataset
        self.model = model
        self._by_count = np.lexsort((np.arange(len(model.counts)), -model.counts))
        self._remembered: OrderedDict[tuple[bytes, bytes, int | None], tuple[Any, Expectation]] = OrderedDict()

    @cached_property
    def _vectors(self) -> Floats | None:
        return self.model.movie_vectors()

    def expect(self, history: History) -> Expectation:
        """Return what a viewer is expected to give; folds in only a history that was not met lately."""
        return self._meet(history)[1]

    def _meet(self, history: History) -> tuple[Any, Expectation]:
        """The viewer's representation, and what they are expected to give."""
        key = (history.movies.tobytes(), history.stars.tobytes(), history.user)
        if key in self._remembered:
            self._remembered.move_to_end(key)
        else:
            taste = self.model.fold_in(history)
            self._remembered[key] = taste, self.model.expect(taste)
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return self._remembered[key]

    def rank(
        self,
        viewers: Sequence[Viewer],
        hidden: Collection[int] = frozenset(),
        how: Aggregation = WEIGHTED,
        passing: Bools | None = None,
        unseen_by: UnseenBy = "all",
        daring: float = 0.0,
    ) -> RankedList:
        """Rank all candidates, see ``candidates``. At least one viewer.

        Equal scores are ordered by the number of ratings, then by row. ``daring``: from 0, best first, to 1; see
        ``models.daring``.
        """
        met = [self._meet(viewer.history) for viewer in viewers]
        found = [expectation for _, expectation in met]
        stars, scores = (np.stack([getattr(each, what) for each in found]) for what in ("stars", "score"))
        if len(met) == 2:
            both = self.model.expect_pair(met[0][0], met[1][0])
            mean_stars, mean_score, uncertainty = both.stars, both.score, both.uncertainty
        else:
            mean_stars, mean_score = stars.mean(0), scores.mean(0)
            uncertainty = np.sqrt(np.sum([each.uncertainty**2 for each in found], axis=0)) / np.float32(len(found))
        score = self._score(how, scores, stars, mean_score)
        open_rows = (self.candidates(viewers, hidden, passing, unseen_by) & (score > -np.inf))[self._by_count]
        rows = self._by_count[open_rows]
        order = rows[np.argsort(-score[rows], kind="stable")]
        return RankedList(
            order=dare(order, score, self.model.counts, self.dataset, daring, self._vectors) if daring else order,
            score=score,
            stars=self.model.scale.clip(how.stars(stars, mean_stars)),
            uncertainty=uncertainty,
            stars_by_viewer=stars,
            agreement=self.agreement(stars),
        )

    def _score(self, how: Aggregation, scores: Floats, stars: Floats, mean: Floats) -> Floats:
        """Aggregate among the known movies: what has no ratings takes no place in anybody's list."""
        known = self.model.counts > 0
        score = np.full(scores.shape[1], -np.inf, np.float32)
        score[known] = how.score(scores[:, known], stars[:, known], mean[known])
        return score

    def candidates(
        self,
        viewers: Sequence[Viewer],
        hidden: Collection[int] = frozenset(),
        passing: Bools | None = None,
        unseen_by: UnseenBy = "all",
    ) -> Bools:
        """Return which movies may be in the viewers' list, shape (movies,).

        Movies with ratings, not among the hidden rows, that pass the filter (``passing``, shape (movies,); without it
        all do), and that ``all`` of the viewers have not rated, or ``any`` of them; with ``none`` whoever rated it.
        """
        allowed: Bools = self.model.counts > 0
        if passing is not None:
            allowed &= passing
        rated_by = np.zeros(len(allowed), np.int32)
        for viewer in viewers:
            rated_by[viewer.history.movies] += 1
        allowed &= rated_by < {"all": 1, "any": len(viewers), "none": len(viewers) + 1}[unseen_by]
        allowed[np.fromiter(hidden, np.intp, len(hidden))] = False
        return allowed

    def agreement(self, stars: Floats) -> Floats:
        """Return how near the viewers are to each other on each movie, shape (movies,).

        ``stars``: shape (viewers, movies). 1 minus the distance between the highest and the lowest expected rating as
        a share of the scale.
        """
        scale = self.model.scale
        return np.asarray(1 - np.ptp(stars, axis=0) / (scale.high - scale.low), np.float32)

    def why(self, viewers: Sequence[Viewer], movies: Sequence[int], most: int = REASONS) -> list[list[dict[str, Any]]]:
        """Return, for each movie, the rated movies that count most in it, most first, as ``recommend`` prints them.

        A share is what the rating brings to the score of the viewer who gave it; for more than one viewer each entry
        says whose it is. Ratings that bring nothing are left out.
        """
        rows = np.asarray(movies, np.int32)
        shares = [self.model.explain_list(viewer.history, rows) for viewer in viewers]
        owner = np.repeat(np.arange(len(viewers)), [len(viewer.history) for viewer in viewers])
        rated = np.concatenate([viewer.history.movies for viewer in viewers])
        stars = np.concatenate([viewer.history.stars for viewer in viewers])
        reasons: list[list[dict[str, Any]]] = []
        for share in np.concatenate(shares, axis=1):
            places = np.argsort(-np.abs(share), kind="stable")[:most]
            reasons.append(
                [
                    {
                        "id": self.dataset.movies.ids[rated[place]],
                        "title": self.dataset.movies.titles[rated[place]],
                        "stars": float(stars[place]),
                        "share": float(share[place]),
                        **({"viewer": viewers[owner[place]].id} if len(viewers) > 1 else {}),
                    }
                    for place in places
                    if share[place]
                ]
            )
        return reasons

    def recommend(
        self,
        viewers: Sequence[Viewer],
        k: int = 10,
        hidden: Collection[int] = frozenset(),
        how: Aggregation = WEIGHTED,
        passing: Bools | None = None,
        unseen_by: UnseenBy = "all",
        daring: float = 0.0,
        draw: int | None = None,
    ) -> dict[str, Any]:
        """Return the object that ``recommend --json`` prints.

        With ``draw``, the seed of a surprise, that is one movie, see ``surprise``.
        """
        ranked = self.rank(viewers, hidden, how, passing, unseen_by, daring)
        rows = (ranked.order[:k] if draw is None else surprise(ranked.order, draw)).tolist()
        movies = self.dataset.movies
        return {
            "dataset": self.dataset.name,
            "model": self.model.name,
            "viewers": [{"kind": viewer.kind, "id": viewer.id, "ratings": len(viewer.history)} for viewer in viewers],
            "movies": [
                {
                    "rank": rank,
                    "id": movies.ids[row],
                    "title": movies.titles[row],
                    "year": int(movies.years[row]) or None,
                    "genres": movies.genres_of(row),
                    **({"imdb": facts} if movies.imdb and (facts := movies.imdb.of(row)) else {}),
                    "stars": float(ranked.stars[row]),
                    "uncertainty": float(ranked.uncertainty[row]),
                    "score": float(ranked.score[row]),
                    "stars_by_viewer": ranked.stars_by_viewer[:, row].tolist(),
                    "agreement": float(ranked.agreement[row]),
                    "count": int(self.dataset.counts[row]),
                    "why": why,
                }
                for rank, (row, why) in enumerate(zip(rows, self.why(viewers, rows), strict=True), start=1)
            ],
        }


def surprise(order: NDArray[np.intp], draw: int) -> NDArray[np.intp]:
    """Return one movie of a list, or none of an empty one: any of the best ``SURPRISING``, ten at least.

    The same ``draw``, a seed, gives the same movie.
    """
    among = max(FEWEST_SURPRISES, round(len(order) * SURPRISING))
    return np.random.RandomState(draw).permutation(order[:among])[:1]


@dataclass(frozen=True)
class Alikeness:
    """How alike two viewers rate."""

    correlation: float
    """From -1 to 1, drawn towards 0 where they share few movies."""
    common: int
    """How many movies both rated."""


def alikeness(first: History, second: History) -> Alikeness | None:
    """Compare two viewers on the movies that both rated, or return ``None`` where these are fewer than ``COMMON``.

    Pearson's correlation of their stars times ``n / (n + COMMON)``; 0 where one of them gave all the same stars.
    """
    _, a, b = np.intersect1d(first.movies, second.movies, assume_unique=True, return_indices=True)
    common = len(a)
    if common < COMMON:
        return None
    x, y = first.stars[a].astype(np.float64), second.stars[b].astype(np.float64)
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    correlation = float(x @ y) / size if size else 0.0
    return Alikeness(correlation * common / (common + COMMON), common)
