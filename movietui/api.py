"""What ``import movietui`` offers to Python programs and notebooks; ``docs/api.md`` shows how to use it.

A thin layer over ``movietui.data.catalogue`` and ``movietui.models``, in which users and movies have the ids of the
dataset instead of rows. Every error of use is a ``Problem``, whose text is a sentence that says what to do.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from movietui.data import catalogue, plugins
from movietui.data.catalogue import GetResult
from movietui.data.dataset import Dataset, Floats
from movietui.data.frames import from_frame
from movietui.data.ids import movie_row, user_row
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.split_names import check_seed
from movietui.data.splits import split as split_rows
from movietui.models import MODELS
from movietui.models import compare as compare_evaluations
from movietui.models import evaluate as measure
from movietui.models.base import AnyModel, History, Model, Progress, history_of, ignore_epoch
from movietui.models.choices import DEFAULT_ORDER, ORDERS, Order, Task
from movietui.models.evaluation.comparison import Difference
from movietui.models.evaluation.measure import Evaluation, build, choose, measures_for
from movietui.models.evaluation.outside import Outside, Scorer
from movietui.models.metrics import ListMeasures
from movietui.models.serving.ranking import Ranker, Viewer

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MODELS",
    "Dataset",
    "Evaluation",
    "Problem",
    "Recommender",
    "Split",
    "compare",
    "evaluate",
    "from_frame",
    "get",
    "load",
    "split",
]
Id = str | int
T = TypeVar("T")
NEEDS_DATASET = tr("The dataset must come from load() or from_frame()")
NEEDS_NAME = tr("The name of a dataset must be text")
NEEDS_SPLIT = tr("The name of a split must be text")
OF_STARS = ("believed", "inverted")
"""The metrics of lists that compare predicted stars, by the part of the name before ``@``."""


class Split(NamedTuple):
    """The parts of a dataset; users and movies have the same rows in both."""

    train: Dataset
    test: Dataset


def get(name: str, path: str | Path | None = None, *, columns: Sequence[str] = (), scale: str = "") -> GetResult:
    """Fetch a dataset, or read your own files at ``path``, and store it under the name; ``load`` then returns it.

    ``columns``: the names of the columns for the user, the item, the rating and the time. ``scale``: that of the
    ratings, such as ``0..100``; found by itself if empty. Raises ``Problem`` if the dataset cannot be fetched or read.
    """
    _expect(name, str, NEEDS_NAME)
    if path is not None and not isinstance(path, str | Path):
        raise Problem(tr("The path must be text or a Path; it is of the type {type}.", type=type(path).__name__))
    return catalogue.get(name, None if path is None else Path(path), columns=columns, scale=scale)


def load(name: str, cleaning: str = "none") -> Dataset:
    """Return a dataset that is on disk; ``get`` fetches one, or reads your own files.

    ``cleaning``: the rules to apply, such as ``standard``; figures can be compared with published ones only without
    any. Raises ``Problem`` for an unknown dataset or rule, and for a dataset that is not on disk.
    """
    _expect(name, str, NEEDS_NAME)
    return catalogue.load(name, _expect(cleaning, str, tr("The name of a preset must be text")))


def split(dataset: Dataset, name: str = "random90", seed: int = 0) -> Split:
    """Split a dataset by the name of a split; see ``docs/evaluation.md``.

    Raises ``Problem`` if there is no such split, or if it does not fit the dataset.
    """
    _expect(dataset, Dataset, NEEDS_DATASET)
    parts = split_rows(dataset, _expect(name, str, NEEDS_SPLIT), _seed(seed))
    return Split(dataset.with_ratings(parts.train), dataset.with_ratings(parts.test))


class Recommender:
    """A model and the dataset that it was fitted on.

    >>> Recommender("als", factors=16)
    Recommender('als', factors=16)
    """

    def __init__(self, name: str, *, published: bool = False, seed: int = 0, **settings: float) -> None:
        """``settings``: those that differ from ours or, with ``published``, from those of the source system;
        ``docs/models.md`` lists them. Raises ``Problem`` for an unknown model or setting, and for a value out of
        range."""
        changes = {key: str(value) for key, value in settings.items()}
        self._settings = choose(_expect(name, str, tr("The name of a model must be text")), published, changes)
        self._name, self._seed = name, _seed(seed)
        self._words = [repr(name), *(["published=True"] if published else [])]
        self._words += [f"{key}={value}" for key, value in changes.items()] + ([f"seed={seed}"] if seed else [])
        self._ranker: Ranker | None = None

    def __repr__(self) -> str:
        fitted = f", fitted on {self._ranker.dataset!r}" if self._ranker else ""
        return f"Recommender({', '.join(self._words)}){fitted}"

    def new_model(self) -> AnyModel:
        """Return an unfitted model with these settings and this seed."""
        return build(self._name, self._settings, self._seed)

    def fit(self, train: Dataset, progress: Progress = ignore_epoch) -> Recommender:
        """Fit the model, and return the recommender itself. ``progress`` is called after each epoch."""
        _expect(train, Dataset, NEEDS_DATASET)
        model = self.new_model()
        train = train if model.predicts_unrated else train.without_unrated()
        model.fit(train, progress=progress)
        self._ranker = Ranker(train, model)
        return self

    @property
    def model(self) -> AnyModel:
        """The fitted model. Raises ``Problem`` if there is none yet."""
        return self._fitted.model

    @property
    def _fitted(self) -> Ranker:
        if self._ranker is None:
            raise Problem(tr("{recommender!r} is not fitted yet; call fit(train) first.", recommender=self))
        return self._ranker

    def predict(self, users: Sequence[Id], movies: Sequence[Id]) -> Floats:
        """Return the predicted stars of pairs of a user and a movie, shape (pairs,).

        Raises ``Problem`` for an id that the dataset does not have, and if the lists differ in length.
        """
        train = self._fitted.dataset
        of_users = [user_row(train, user) for user in _ids(users, tr("users"))]
        of_movies = [movie_row(train, movie) for movie in _ids(movies, tr("movies"))]
        if len(of_users) != len(of_movies):
            raise Problem(
                tr(
                    "There are {users:,} users for {movies:,} movies; give as many of both.",
                    users=len(of_users),
                    movies=len(of_movies),
                )
            )
        return self.model.predict(np.asarray(of_users, np.int32), np.asarray(of_movies, np.int32))

    def recommend(
        self,
        users: Id | Sequence[Id] | None = None,
        k: int = 10,
        *,
        ratings: Mapping[Id, float] | None = None,
        order: Order = DEFAULT_ORDER,
    ) -> pd.DataFrame:
        """Return the first ``k`` movies of the list of each user, without those that the user rated in train.

        ``ratings``: instead of users, the ratings of somebody who is not in the dataset, in stars by the id of the
        movie. Columns: ``user`` (only for several users), ``rank``, ``movie``, ``title``, ``year``, ``stars``,
        ``uncertainty`` and ``score``. Raises ``Problem`` for an id that the dataset does not have.
        """
        import pandas as pd

        if (users is None) == (ratings is None):
            raise Problem(tr("recommend needs either the ids of users or ratings={movie: stars}."))
        _check_order(order)
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise Problem(tr("k is the number of movies, 1 or more, not {k!r}.", k=k))
        ranker, train = self._fitted, self._fitted.dataset
        alone = users is None or isinstance(users, str | int | np.integer)
        if ratings is not None:
            viewers = [Viewer("profile", "", self._history(ratings))]
        else:
            ids = _ids([users] if alone else users, tr("users"))
            viewers = [Viewer("user", each, history_of(train, user_row(train, each))) for each in ids]
        lists = []
        for viewer in viewers:
            ranked = ranker.rank([viewer], order=order)
            rows = ranked.order[:k]
            columns = {
                "user": viewer.id,
                "rank": np.arange(1, len(rows) + 1),
                "movie": [train.movies.ids[row] for row in rows],
                "title": [train.movies.titles[row] for row in rows],
                "year": train.movies.years[rows],
                "stars": ranked.stars[rows],
                "uncertainty": ranked.uncertainty[rows],
                "score": ranked.score[rows],
            }
            lists.append(pd.DataFrame(columns))
        together = pd.concat(lists, ignore_index=True)
        return together.drop(columns="user") if alone else together

    def _history(self, ratings: Mapping[Id, float]) -> History:
        """Return the ratings of somebody who is not in the dataset."""
        train = self._fitted.dataset
        _expect(ratings, Mapping, tr("The ratings must be stars by the id of the movie, such as {'50': 5}"))
        movies = [movie_row(train, movie) for movie in _ids([*ratings], tr("movies"))]
        scale = train.scale
        for movie, stars in ratings.items():
            if not (isinstance(stars, int | float | np.number) and scale.low <= stars <= scale.high):
                raise Problem(
                    tr(
                        "The rating of {movie} is {stars!r}; give {low:g} to {high:g} stars.",
                        movie=movie,
                        stars=stars,
                        low=scale.low,
                        high=scale.high,
                    )
                )
        # Several ids may be of one movie, whose entries were merged.
        return History.of_ratings(np.asarray(movies, np.int32), np.asarray([*ratings.values()], np.float32))


def evaluate(
    model: str | Recommender | AnyModel | Scorer,
    dataset: Dataset,
    split: str = "random90",
    task: Task = "rating",
    *,
    split_seed: int = 0,
    order: Order | None = None,
    k: int | Sequence[int] = (),
    relevant: float | None = None,
) -> Evaluation:
    """Fit a model on the train part of a split, and measure it on the test part, as ``movietui evaluate`` does.

    ``model``: a name, a recommender (fitted or not: it stays as it is) or an object of your own with the methods of
    ``movietui.models.evaluation.outside.Scorer``, which is fitted. ``order``: that of the lists; by default ``liked``,
    but ``likely`` on the split ``strong`` and for an object of your own, whose lists are sorted by its scores. For the
    task ``ranking``, ``k``: the lengths of the lists; ``relevant``: the stars that make a movie in test relevant.
    Raises ``Problem`` for an unknown model, split or task, and for an object that lacks a method.
    """
    _expect(dataset, Dataset, NEEDS_DATASET)
    _expect(split, str, NEEDS_SPLIT)
    _seed(split_seed)
    check_seed(split, split_seed)
    if order is not None:
        _check_order(order)
    measures = _measures(split, task, k, relevant)
    if isinstance(model, str):
        unfitted: AnyModel = build(model)
    elif isinstance(model, Recommender):
        unfitted = model.new_model()
    elif isinstance(model, Model):
        unfitted = type(model)(model.settings, seed=model.seed)
    else:
        return _evaluate_outside(model, dataset, split, task, split_seed, order, measures)
    measured = measure(unfitted, dataset, split, task, split_seed=split_seed, order=order, measures=measures)
    _warn_of_plugins()
    return measured


def compare(first: Evaluation, second: Evaluation) -> Difference:
    """Return how far the metric of the first evaluation is above that of the second, with its 95 % interval.

    Raises ``Problem`` unless both are evaluations of the same task on the same test rows.
    """
    for each in (first, second):
        _expect(each, Evaluation, tr("compare needs two evaluations, which evaluate() returns"))
    return compare_evaluations(first, second)


def _measures(split: str, task: Task, k: int | Sequence[int], relevant: float | None) -> ListMeasures:
    """Return the ranking metrics that were asked for."""
    cuts = list(k) if isinstance(k, Sequence) else [k]
    if task != "ranking" and (cuts or relevant is not None):
        raise Problem(tr('k and relevant are for lists; evaluate them with task="ranking".'))
    for cut in cuts:
        if isinstance(cut, bool) or not isinstance(cut, int) or cut < 1:
            raise Problem(
                tr("k is the length of lists, 1 or more, or several such numbers; {length!r} is not.", length=cut)
            )
    if relevant is not None and not (isinstance(relevant, int | float) and relevant > 0):
        raise Problem(
            tr(
                "relevant is the number of stars that make a movie relevant, more than 0, not {relevant!r}.",
                relevant=relevant,
            )
        )
    return measures_for(split, cuts, relevant)


def _evaluate_outside(
    scorer: Scorer,
    dataset: Dataset,
    split: str,
    task: Task,
    split_seed: int,
    order: Order | None,
    measures: ListMeasures,
) -> Evaluation:
    """Measure an object that is not one of our models.

    The metrics that need predicted stars are left out of those of lists, because a score need not be in stars.
    """
    name = type(scorer).__name__
    lacking = [method for method in ("fit", "score") if not callable(getattr(scorer, method, None))]
    if isinstance(scorer, type):
        raise Problem(tr("{name} is a class; pass an object of it, such as {name}().", name=scorer.__name__))
    if lacking:
        raise Problem(
            tr(
                "A model is a name, a Recommender, or an object with fit(train) and score(users, movies); {name} lacks "
                "{methods}.",
                name=name,
                methods=tr(" and ").join(lacking),
            )
        )
    outside = Outside(scorer, name)
    measured = measure(outside, dataset, split, task, split_seed=split_seed, order=order or "likely", measures=measures)
    _warn_of_plugins()
    metrics = {key: value for key, value in measured.metrics.items() if key.partition("@")[0] not in OF_STARS}
    return replace(measured, settings="own", metrics=metrics)


def _warn_of_plugins() -> None:
    """Warn of plug-ins that were left out."""
    for report in plugins.take_reports():
        warnings.warn(report, stacklevel=3)


def _expect(value: T, kind: type[Any], wrong: str) -> T:
    """Return a value. Raise ``Problem`` if it is of another type; ``wrong`` begins the sentence."""
    if not isinstance(value, kind):
        raise Problem(tr("{wrong}; it is of the type {type}.", wrong=wrong, type=type(value).__name__))
    return value


def _seed(seed: int) -> int:
    """Return a seed. Raise ``Problem`` unless it is a whole number of the size that all generators take."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise Problem(tr("A seed is a whole number, 0 to {largest}, not {seed!r}.", largest=2**32 - 1, seed=seed))
    return int(seed)


def _check_order(order: Order) -> None:
    """Raise ``Problem`` unless lists can be in this order."""
    if order not in [*ORDERS]:
        raise Problem(tr("There is no order {order!r}; choose one of {orders}.", order=order, orders=", ".join(ORDERS)))


def _ids(ids: Any, what: str) -> list[str]:
    """Return ids as text. Raise ``Problem`` if one is neither text nor a whole number."""
    if isinstance(ids, str | Mapping) or not hasattr(ids, "__iter__"):
        raise Problem(
            tr("The {what} must be a list of ids; they are of the type {type}.", what=what, type=type(ids).__name__)
        )
    listed = list(ids)
    for each in listed:
        if isinstance(each, bool) or not isinstance(each, str | int | np.integer):
            raise Problem(
                tr("An id is text or a whole number, such as '50'; among the {what} is {id!r:.80}.", what=what, id=each)
            )
    return [str(each) for each in listed]
