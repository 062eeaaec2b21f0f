"""Lists for one viewer, for a pair and for a group."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Bools, Dataset, Floats, Ints
from movietui.models.base import AnyModel, Expectation, History
from movietui.models.choices import DEFAULT_ORDER, Order, UnseenBy, order_by_taste, without_stars
from movietui.models.serving.candidates import candidates
from movietui.models.serving.diversify import diversify
from movietui.models.serving.explanations import Reason, reasons_for
from movietui.models.serving.groups import DEFAULT_AGGREGATION, Aggregation
from movietui.models.serving.orders import hold_back, order_by_liking, settle, usual_stars, value, with_unrated
from movietui.models.serving.recency import lean_to_recent, recency
from movietui.models.serving.similar import Similarities
from movietui.models.sorting import best_first

Key = tuple[bytes, bytes, bytes, int | None]

CACHED_VIEWERS = 16
"""The number of histories with cached predictions: those of a group, and some earlier ones for undo and redo."""
SURPRISE_SHARE = 0.05
"""The share of the candidates, the best ones, that a surprise is drawn from. Most are too far down the list to be
seen."""
MIN_SURPRISES = 10
"""The smallest number of movies that a surprise is drawn from, if the list is long enough."""


@dataclass(frozen=True, eq=False)
class Viewer:
    """Somebody a list is for: a user of the dataset or a profile."""

    kind: Literal["user", "profile"]
    id: str
    history: History
    seen: Sequence[int] = ()
    """The rows of movies that the viewer marked as seen, rated or not."""
    hidden: Sequence[int] = ()
    """The rows of movies that the viewer never wants to see in a list."""
    held: Mapping[int, int] = field(default_factory=dict)
    """How many movies were above each movie that got no point on a card of an interview, by the movie's row, not
    counting those on the card. In the viewer's own list in the order ``liked``, the movie does not rise higher."""

    @property
    def all_seen(self) -> Ints:
        """The rows of the movies that the viewer rated or marked as seen, each once."""
        return np.union1d(self.history.movies, np.asarray(self.seen, np.int32))


@dataclass(frozen=True, eq=False)
class RankedList:
    """A ranked list for one or more viewers.

    All fields but ``order`` have an entry for each movie of the dataset, candidate or not.
    """

    order: NDArray[np.intp]
    """Rows of the candidates, best first."""
    score: Floats
    """The value that the list is sorted by, highest first. The order ``liked`` then puts movies predicted below the
    viewers' mean rating last, and moves some movies by a few ranks; see ``movietui.models.serving.orders``. A daring or
    recent list is reordered."""
    stars: Floats
    """The predicted rating; for several viewers, the combined one. 0 if the dataset has no stars."""
    uncertainty: Floats
    """The standard deviation of the predicted rating; for several viewers, that of the mean of their ratings."""
    stars_by_viewer: Floats
    """Shape (viewers, movies)."""
    agreement: Floats
    """From 0 to 1, see ``Ranker.agreement``; 1 for a single viewer."""


class Ranker:
    """Ranks movies with a fitted model. Caches predictions for viewers whose ratings have not changed."""

    def __init__(self, dataset: Dataset, model: AnyModel, unrated: bool = True) -> None:
        """``unrated``: whether movies without ratings may be listed if the model predicts them."""
        self.dataset = dataset
        self.model = model
        self.known = model.counts > 0
        """Which movies have ratings, shape (movies,)."""
        self.predicted = np.ones_like(self.known) if unrated and model.predicts_unrated else self.known
        """Which movies may be listed, shape (movies,)."""
        self._by_count = np.lexsort((np.arange(len(model.counts)), -model.counts))
        self._cache: OrderedDict[Key, tuple[Any, Expectation]] = OrderedDict()

    @cached_property
    def similarities(self) -> Similarities:
        """The similarities of the dataset's movies, computed on demand."""
        return Similarities(self.dataset)

    @cached_property
    def _vectors(self) -> Floats | None:
        return self.model.movie_vectors()

    def expect(self, history: History) -> Expectation:
        """Return the predictions for a viewer, from the cache if possible."""
        return self._folded_in(history)[1]

    def _folded_in(self, history: History) -> tuple[Any, Expectation]:
        """Return the viewer's representation and predictions."""
        key = _key(history)
        if key in self._cache:
            self._cache.move_to_end(key)
        else:
            before = _key(history.take(slice(-1)))
            if len(history) and before in self._cache:
                self._cache.move_to_end(before)
                taste = self.model.extend(self._cache[before][0], history)
            else:
                taste = self.model.fold_in(history)
            expected = self._with_unrated(self.model.expect(taste))
            if self.dataset.implicit:
                nothing = np.zeros_like(expected.stars)
                expected = replace(expected, stars=nothing, uncertainty=nothing)
            self._cache[key] = taste, expected
            if len(self._cache) > CACHED_VIEWERS:
                self._cache.popitem(last=False)
        return self._cache[key]

    def _with_unrated(self, expected: Expectation) -> Expectation:
        return with_unrated(expected, self.known) if self.model.predicts_unrated else expected

    def rank(
        self,
        viewers: Sequence[Viewer],
        how: Aggregation = DEFAULT_AGGREGATION,
        passing: Bools | None = None,
        unseen_by: UnseenBy = "all",
        daring: float = 0.0,
        order: Order = DEFAULT_ORDER,
        recent: float = 0.0,
    ) -> RankedList:
        """Rank all ``candidates`` for one or more viewers.

        Ties are ordered by the number of ratings, then by row. ``daring`` and ``recent`` run from 0, best first, to 1,
        and only matter in the orders of ``DIALLED``; see ``movietui.models.serving.diversify`` and ``recency``. Without
        stars in the dataset, the order is that of ``choices.without_stars``, and no way excludes movies.
        """
        if self.dataset.implicit:
            order = without_stars(order)
            how = replace(how, way="average") if how.way == "without misery" else how
        tastes, predictions = zip(*(self._folded_in(viewer.history) for viewer in viewers), strict=True)
        both = self._with_unrated(self.model.expect_pair(*tastes)) if len(viewers) == 2 else None
        stars = np.stack([each.stars for each in predictions])
        stars_together = self.model.scale.clip(how.stars(stars, stars.mean(0) if both is None else both.stars))
        if self.dataset.implicit:
            stars_together = np.zeros_like(stars_together)
        score = self._score(order, viewers, how, predictions, both, stars_together)
        held = viewers[0].held if len(viewers) == 1 and order == "liked" else {}
        later_filter = passing if held else None  # ``held`` counts movies in the unfiltered list
        is_candidate = self.candidates(viewers, None if held else passing, unseen_by) & ~how.excludes(stars)
        rows = self._by_count[is_candidate[self._by_count]]
        if order == "liked":
            usual = usual_stars([viewer.history for viewer in viewers])
            ranked = order_by_liking(rows, score, stars_together, usual)
            above_usual = int((stars_together[ranked] >= usual).sum())
            best = (
                self._apply_dials(ranked[:above_usual], score, daring, recent)
                if daring or recent
                else settle(ranked[:above_usual], stars_together)
            )
            ranked = np.concatenate([best, ranked[above_usual:]])
            ranked = hold_back(ranked, held) if held else ranked
            ranked = ranked if later_filter is None else ranked[later_filter[ranked]]
        else:
            ranked = rows[best_first(score[rows])]
            if order == "likely":
                ranked = self._apply_dials(ranked, score, daring, recent)
        return RankedList(
            order=ranked,
            score=score,
            stars=stars_together,
            uncertainty=both.uncertainty if both is not None else _uncertainty_of_mean(predictions),
            stars_by_viewer=stars,
            agreement=self.agreement(stars),
        )

    def _score(
        self,
        order: Order,
        viewers: Sequence[Viewer],
        how: Aggregation,
        predictions: Sequence[Expectation],
        both: Expectation | None,
        stars_together: Floats,
    ) -> Floats:
        """Return the values that an order sorts by, highest first, shape (movies,)."""
        if order == "stars":
            return stars_together
        if order == "year":
            return self.dataset.movies.years.astype(np.float32)
        if order == "ratings":
            return self.model.counts.astype(np.float32)
        if order == "title":
            return self._by_title
        of_members = np.stack(
            [self._value(order, each, viewer) for each, viewer in zip(predictions, viewers, strict=True)]
        )
        together = both.score if both is not None and order == "likely" else of_members.mean(0)
        stars = np.stack([each.stars for each in predictions])
        # A way that uses ranks must not count movies that nobody's list has. Usually, there are none.
        predicted = slice(None) if self.predicted.all() else self.predicted
        score = np.full(len(self.predicted), -np.inf, np.float32)
        score[predicted] = how.score(of_members[:, predicted], stars[:, predicted], together[predicted])
        return score

    def _value(self, order: Order, expected: Expectation, viewer: Viewer) -> Floats:
        """Return the values that a list for one viewer alone is sorted by, shape (movies,)."""
        if order == "likely":
            return expected.score
        return value(expected, self.model.noise(viewer.history.user), self.known, self.model.scale)

    def _apply_dials(self, order: NDArray[np.intp], score: Floats, daring: float, recent: float) -> NDArray[np.intp]:
        """Return the rows of a list reordered by ``daring`` and ``recent``."""
        if recent:
            score = lean_to_recent(order, score, self._recency, recent)
            order = order[best_first(score[order])]
        return diversify(order, score, self.model.counts, self.dataset, daring, self._vectors)

    @cached_property
    def _recency(self) -> Floats:
        return recency(self.dataset)

    @cached_property
    def _by_title(self) -> Floats:
        """Minus the rank of each movie by title, then year, shape (movies,)."""
        movies = self.dataset.movies
        titles = np.asarray([title.casefold() for title in movies.titles])
        ranks = np.empty(len(titles), np.float32)
        ranks[np.lexsort((movies.years, titles))] = -np.arange(len(titles))
        return ranks

    def candidates(
        self,
        viewers: Sequence[Viewer],
        passing: Bools | None = None,
        unseen_by: UnseenBy = "all",
    ) -> Bools:
        """Return which movies may be in the viewers' list, shape (movies,).

        See ``movietui.models.serving.candidates``.
        """
        return candidates(
            self.predicted,
            [viewer.all_seen for viewer in viewers],
            [np.asarray(viewer.hidden, np.int32) for viewer in viewers],
            passing,
            unseen_by,
        )

    def movies_above(self, viewer: Viewer, movies: Sequence[int]) -> list[int]:
        """Return how many movies are above each of ``movies`` in the viewer's list, not counting ``movies``.

        For a movie that is not in the list, the whole list counts. ``Viewer.held`` holds such numbers.
        """
        order = self.rank([viewer]).order
        above = {row: rank for rank, row in enumerate(order.tolist())}
        others = len(order) - sum(movie in above for movie in movies)
        return [
            above[movie] - sum(above.get(other, len(order)) < above[movie] for other in movies)
            if movie in above
            else others
            for movie in movies
        ]

    def agreement(self, stars: Floats) -> Floats:
        """Return how closely the viewers agree on each movie, from 0 to 1, shape (movies,).

        ``stars``: shape (viewers, movies). Agreement is ``1 - (highest - lowest) / width``, with the highest and the
        lowest predicted rating and the width of the scale.
        """
        scale = self.model.scale
        return np.asarray(1 - np.ptp(stars, axis=0) / (scale.high - scale.low), np.float32)

    def why(self, viewers: Sequence[Viewer], movies: Sequence[int]) -> list[dict[str, list[dict[str, Any]]]]:
        """Return the reasons for each movie (``why``), the liked movies that describe people with the viewers' taste
        (``alike``), other similar movies that they liked (``similar``), examples of the very well liked ones
        (``examples``) and what each viewer's prediction rests on (``bases``), as ``recommend --json`` prints them; see
        ``Reasons``.

        With several viewers, each reason names its viewer.
        """
        rows = np.asarray(movies, np.int32)
        of_viewers = [reasons_for(self.model, self.similarities, viewer.history, rows) for viewer in viewers]

        def to_json(viewer: Viewer, reason: Reason) -> dict[str, Any]:
            return {
                "id": self.dataset.movies.ids[reason.movie],
                "title": self.dataset.movies.titles[reason.movie],
                "stars": None if self.dataset.implicit else reason.stars,
                "share": reason.share,
                "weight": reason.weight,
                "shared": asdict(reason.shared),
                **({"viewer": viewer.id} if len(viewers) > 1 else {}),
            }

        return [
            {
                "why": [to_json(viewer, each) for viewer, reasons in of_movie for each in reasons.liked],
                "alike": [to_json(viewer, each) for viewer, reasons in of_movie for each in reasons.alike],
                "similar": [to_json(viewer, each) for viewer, reasons in of_movie for each in reasons.similar],
                "examples": [to_json(viewer, each) for viewer, reasons in of_movie for each in reasons.examples],
                "bases": [
                    {**reasons.evidence, **({"viewer": viewer.id} if len(viewers) > 1 else {})}
                    for viewer, reasons in of_movie
                ],
            }
            for of_movie in ([*zip(viewers, each, strict=True)] for each in zip(*of_viewers, strict=True))
        ]

    def recommend(
        self,
        viewers: Sequence[Viewer],
        k: int = 10,
        how: Aggregation = DEFAULT_AGGREGATION,
        passing: Bools | None = None,
        unseen_by: UnseenBy = "all",
        daring: float = 0.0,
        draw: int | None = None,
        order: Order = DEFAULT_ORDER,
        recent: float = 0.0,
    ) -> dict[str, Any]:
        """Return the document that ``recommend --json`` prints.

        With ``draw``, the seed of a surprise, the document has one movie; see ``surprise``. Without stars in the
        dataset, stars are ``None``.
        """
        order = order if draw is None else order_by_taste(order)
        order = without_stars(order) if self.dataset.implicit else order

        def stars(value: float) -> float | None:
            return None if self.dataset.implicit else float(value)

        ranked = self.rank(viewers, how, passing, unseen_by, daring, order, recent)
        rows = (ranked.order[:k] if draw is None else surprise(ranked.order, draw)).tolist()
        movies = self.dataset.movies
        return {
            "dataset": self.dataset.name,
            "model": self.model.name,
            "order": order,
            "viewers": [{"kind": viewer.kind, "id": viewer.id, "ratings": len(viewer.history)} for viewer in viewers],
            "movies": [
                {
                    "rank": rank,
                    **movies.to_json(row),
                    "genres": movies.genres_of(row),
                    **({"tags": movies.tags_of(row)} if movies.tags else {}),
                    **({"imdb": facts} if movies.imdb and (facts := movies.imdb.of(row)) else {}),
                    "stars": stars(ranked.stars[row]),
                    "uncertainty": stars(ranked.uncertainty[row]),
                    "score": float(ranked.score[row]),
                    "stars_by_viewer": [stars(each) for each in ranked.stars_by_viewer[:, row]],
                    "agreement": float(ranked.agreement[row]),
                    "count": int(self.dataset.counts[row]),
                    "mean": None if self.dataset.implicit else self.dataset.mean_of(row),
                    **why,
                }
                for rank, (row, why) in enumerate(zip(rows, self.why(viewers, rows), strict=True), start=1)
            ],
        }


def _key(history: History) -> Key:
    """Return what the predictions for a viewer depend on."""
    moments = b"" if history.time is None else history.time.tobytes()
    return history.movies.tobytes(), history.stars.tobytes(), moments, history.user


def _uncertainty_of_mean(predictions: Sequence[Expectation]) -> Floats:
    """Return the standard deviation of the mean of the viewers' ratings, shape (movies,)."""
    variance = np.sum([each.uncertainty**2 for each in predictions], axis=0)
    return np.asarray(np.sqrt(variance) / np.float32(len(predictions)), np.float32)


def surprise(order: NDArray[np.intp], draw: int) -> NDArray[np.intp]:
    """Return a random movie among the best of a list, shape (1,), or (0,) for an empty list.

    The best are ``SURPRISE_SHARE`` of the list, but at least ``MIN_SURPRISES`` movies. ``draw`` is the seed.
    """
    best = max(MIN_SURPRISES, round(len(order) * SURPRISE_SHARE))
    return np.random.RandomState(draw).permutation(order[:best])[:1]
