"""Measures a model on a split, compares two models, and trains a model to serve."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from movietui.data.dataset import Dataset, Floats, Ratings
from movietui.data.fetch.estimates import FITTED_ONCE
from movietui.data.near_names import no_such
from movietui.data.pairs import Pairs
from movietui.data.problems import Problem
from movietui.data.splits import hold_out, split
from movietui.models.base import AnyModel, Epoch, Fitted, Progress, history_of, ignore_epoch
from movietui.models.choices import DEFAULT_ORDER, TASKS, Order, Task
from movietui.models.metrics import (
    RELEVANT,
    Doubles,
    Lists,
    Metrics,
    Ranked,
    pair_errors,
    pair_list_metrics,
    pair_metrics,
    rank_users,
    ranking_metrics,
    rating_metrics,
)
from movietui.models.registry import MODELS, check_name
from movietui.models.serving.ranking import Ranker, Viewer
from movietui.models.settings import Settings, parse

Phase = Literal["curve", "measure", "serve"]
PhaseProgress = Callable[[Phase, Epoch], None]
"""Called after each epoch of each fit. If it raises (``Cancelled``), the training ends cleanly."""
MOST_TRIPLES = 50_000_000
"""The maximum number of triples whose errors are stored to compare models on pairs: 200 MB per model. With more
triples, models cannot be compared."""


def build(name: str, settings: Settings | None = None, seed: int = 0) -> AnyModel:
    """Return an unfitted model. Raises ``Problem`` for a name that is not in ``MODELS``."""
    check_name(name)
    return MODELS[name](settings, seed=seed)


def choose(name: str, published: bool = False, changes: Mapping[str, str] | None = None) -> Settings:
    """Return a model's settings: the tuned or the published ones, with ``changes``, which are given as text.

    Raises ``Problem`` for an unknown model, for missing published settings, and for an impossible change.
    """
    kind = type(build(name))
    if published and kind.published is None:
        names = ", ".join(other for other, model in MODELS.items() if model.published is not None) or "none yet"
        raise Problem(f"None of the source systems has {name}; these models have published settings: {names}.")
    return parse(kind.settings_type, changes or {}, kind.published if published else None)


def label(model: AnyModel) -> str:
    """Return which settings a model has: ``tuned``, ``published``, or ``own`` if some were changed."""
    if model.settings == model.settings_type():
        return "tuned"
    return "published" if model.settings == model.published else "own"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model measured on one split."""

    model: str
    dataset: str
    split: str
    split_seed: int
    task: Task
    seed: int
    order: Order | None
    """The order of the lists; ``None`` with the task ``rating``."""
    settings: str
    """``tuned`` or ``published``; ``own`` if some were changed."""
    cleaning: str
    n_train: int
    n_test: int
    metrics: Metrics
    fit_seconds: float
    predict_seconds: float
    """The time for predicting the whole test part, with the task ``pair`` also for all triples; with the task
    ``ranking``, the time for all lists."""
    test: Ratings
    """The test rows, by which models are compared."""
    train: Dataset
    """The train part, which ``movietui.models.evaluation.subgroups`` needs."""
    prediction: Floats | None
    """The predicted stars of each test row; ``None`` with the task ``ranking``."""
    lists: Lists | None
    """The users' lists; only with the task ``ranking``."""
    pair_errors: Floats | None
    """The errors of the triples (``movietui.models.metrics.pair_errors``); only with the task ``pair`` and at most
    ``MOST_TRIPLES`` triples."""

    def as_json(self) -> dict[str, Any]:
        """Return the document that ``evaluate --json`` prints."""
        return {
            "model": self.model,
            "dataset": self.dataset,
            "split": self.split,
            "split_seed": self.split_seed,
            "task": self.task,
            "seed": self.seed,
            "order": self.order,
            "settings": self.settings,
            "cleaning": self.cleaning,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "metrics": self.metrics,
            "seconds": {"fit": self.fit_seconds, "predict": self.predict_seconds},
        }


def evaluate(
    name: str,
    dataset: Dataset,
    split_name: str,
    task: Task = "rating",
    settings: Settings | None = None,
    seed: int = 0,
    split_seed: int = 0,
    progress: Progress = ignore_epoch,
    intervals: bool = False,
    order: Order = DEFAULT_ORDER,
) -> Evaluation:
    """Fit a model on a split's train part and measure it on its test part.

    ``seed`` is the model's, ``split_seed`` the split's, ``order`` that of the lists. With the task ``rating``,
    ``intervals`` adds ``measure_coverage``, which folds in many users and takes seconds with some models. Raises
    ``Problem`` for an unknown model, split or task, or one that the dataset does not allow, and if the test part does
    not suffice to measure lists or pairs.
    """
    if task not in TASKS:
        raise no_such(f"There is no task {task!r}", task, TASKS, f"choose one of {', '.join(TASKS)}.")
    dataset = dataset.without_unrated()
    model = build(name, settings, seed)
    parts = split(dataset, split_name, split_seed)
    train, test = dataset.with_ratings(parts.train), dataset.ratings.take(parts.test)
    start = time.perf_counter()
    model.fit(train, progress=progress)
    fitted = time.perf_counter()
    lists = lists_of_users(model, train, test, order, split_seed) if task == "ranking" else None
    errors = None
    prediction = None if lists else model.predict(test.user, test.movie)
    predicted = time.perf_counter()
    if prediction is None:
        assert lists is not None
        metrics = ranking_metrics(lists, train)
    elif task == "rating":
        metrics = rating_metrics(prediction, test.stars)
        if intervals:
            metrics |= measure_coverage(model, train, test, split_seed)
    else:
        triples = len(Pairs.of(test))
        if not triples:
            raise Problem(f"No two users rated the same movie in the test part of {parts.name}; choose another split.")
        blocks = pair_errors(lambda a, b: model.predict_pair(test.user[a], test.user[b], test.movie[a]), test)
        if triples <= MOST_TRIPLES:
            errors = np.concatenate(blocks_in_memory := list(blocks))
            metrics = pair_metrics(blocks_in_memory)
        else:
            metrics = pair_metrics(blocks)
        predicted = time.perf_counter()
        metrics |= measure_pair_lists(model, train, test, split_seed, order)
    return Evaluation(
        model=name,
        dataset=dataset.name,
        split=parts.name,
        split_seed=split_seed,
        task=task,
        seed=seed,
        order=None if task == "rating" else order,
        settings=label(model),
        cleaning=dataset.cleaning,
        n_train=len(train.ratings),
        n_test=len(test),
        metrics=metrics,
        fit_seconds=fitted - start,
        predict_seconds=predicted - fitted,
        test=test,
        train=train,
        prediction=prediction,
        lists=lists,
        pair_errors=errors,
    )


def lists_of_users(
    model: AnyModel, train: Dataset, test: Ratings, order: Order = DEFAULT_ORDER, seed: int = 0
) -> Lists:
    """Return the lists of a model fitted on ``train``, as serving would show them: each user is folded in.

    If very many users could have a list, a sample is drawn with the seed; see ``movietui.models.metrics.rank_users``.

    Raises ``Problem`` if no movie in test is relevant to anybody.
    """
    ranker = Ranker(train, model, unrated=False)

    def rank(user: int) -> Ranked:
        ranked = ranker.rank([Viewer("user", train.users.ids[user], history_of(train, user))], order=order)
        return Ranked(ranked.order, ranked.stars)

    lists = rank_users(train, test, rank, seed)
    if not len(lists.users):
        raise Problem(
            "Nobody gave four stars or more in the test part, so lists cannot be measured; choose another split."
        )
    return lists


NOMINAL_COVERAGE = 0.8
"""The nominal coverage of an interval."""
COVERAGE_USERS = 1_000
"""The maximum number of users whose intervals are checked: all users of ml-100k, and enough of a larger dataset."""


def measure_coverage(model: AnyModel, train: Dataset, test: Ratings, seed: int = 0) -> Metrics:
    """Return ``coverage80``: the share of test ratings that fall into the 80 % interval of a model fitted on ``train``.

    The interval extends ``1.2816 sqrt(uncertainty^2 + noise)`` to both sides of the predicted stars. Each user is
    folded in, as in serving. ``COVERAGE_USERS`` users are drawn with the seed; if there are fewer, all are used. The
    result is empty for a model that does not estimate its ``noise``.
    """
    if model.noise(None) is None:
        return {}
    users = np.unique(test.user)
    if len(users) > COVERAGE_USERS:
        users = np.sort(np.random.default_rng(seed).choice(users, COVERAGE_USERS, replace=False))
    rows = np.flatnonzero(np.isin(test.user, users))
    rows = rows[np.argsort(test.user[rows], kind="stable")]
    inside = 0
    reach = NormalDist().inv_cdf((1 + NOMINAL_COVERAGE) / 2)
    for user, rows_of_user in zip(
        users.tolist(), np.split(rows, np.searchsorted(test.user[rows], users[1:])), strict=True
    ):
        expected = model.expect(model.fold_in(history_of(train, user)))
        noise, movies = model.noise(user), test.movie[rows_of_user]
        assert noise is not None
        distance = np.abs(test.stars[rows_of_user] - expected.stars[movies])
        inside += int((distance <= reach * np.sqrt(expected.uncertainty[movies] ** 2 + noise[movies])).sum())
    return {"coverage80": inside / len(rows)}


LISTED_PAIRS = 500
"""The maximum number of pairs that are given a list. If other pairs of ml-100k are drawn, the mean ndcg@10 of ``mf``,
0.125, changes by about 0.007."""
LIST_LENGTH = 10


def measure_pair_lists(
    model: AnyModel, train: Dataset, test: Ratings, seed: int = 0, order: Order = DEFAULT_ORDER
) -> Metrics:
    """Return the metrics of the lists that a model makes for pairs of users.

    ``LISTED_PAIRS`` pairs of different users are drawn, or as many as there are; the draw depends on the split's seed
    and the ratings, never on the model. Each gets the list that serving would show: all movies with ratings in train
    that neither has rated there, by their combined score (``Ranker.rank``). A movie is relevant to a member who gave it
    at least ``RELEVANT`` stars in test, unless the other member rated it in train: a movie that one of them has seen is
    not in their list. Pairs in which a member has no relevant movie are left out. Raises ``Problem`` if no pair is
    left.
    """
    liked = replace(train, ratings=test.take(np.flatnonzero(test.stars >= RELEVANT)))
    users = np.unique(liked.ratings.user).tolist()
    ranker = Ranker(train, model, unrated=False)
    hits, relevant = [], []
    for indices in _pairs_of(len(users), seed):
        pair = [users[index] for index in indices]
        seen = np.concatenate([train.ratings.movie[train.rows_of(user)] for user in pair])
        movies_of_members = [np.setdiff1d(liked.ratings.movie[liked.rows_of(user)], seen) for user in pair]
        if not all(map(len, movies_of_members)):
            continue
        viewers = [Viewer("user", train.users.ids[user], history_of(train, user)) for user in pair]
        first = ranker.rank(viewers, order=order).order[:LIST_LENGTH]
        hits.append(
            [
                np.isin(np.pad(first, (0, LIST_LENGTH - len(first)), constant_values=-1), movies)
                for movies in movies_of_members
            ]
        )
        relevant.append([len(movies) for movies in movies_of_members])
        if len(hits) == LISTED_PAIRS:
            break
    if not hits:
        raise Problem(
            f"No two users have movies with {RELEVANT:g} stars or more in the test part that the other has not seen, "
            "so lists for pairs cannot be measured; choose another split."
        )
    return pair_list_metrics(np.asarray(hits), np.asarray(relevant, np.int32))


def _pairs_of(users: int, seed: int) -> Iterator[tuple[int, int]]:
    """Yield pairs of different numbers below ``users``, each once, in random order: enough that three of four can be
    left out."""
    total = users * (users - 1) // 2
    # The pair number n is (n - s (s - 1) / 2, s): for s = 1, 2, 3 …, the numbers are 0; 1, 2; 3, 4, 5 …
    for number in np.random.default_rng(seed).choice(total, min(total, 4 * LISTED_PAIRS), replace=False).tolist():
        second = (1 + math.isqrt(1 + 8 * number)) // 2
        yield number - second * (second - 1) // 2, second


@dataclass(frozen=True)
class Difference:
    """How far a metric of one model is above the same metric of another, on the same test rows."""

    metric: str
    """The name of the metric."""
    value: float
    """First minus second."""
    low: float
    high: float
    """The ends of the confidence interval."""
    confidence: float


def compare(first: Evaluation, second: Evaluation, confidence: float = 0.95) -> Difference:
    """Compare two models user by user: by the rmse of stars predicted for users or for pairs, or by the ndcg@10 of
    lists.

    Rows of one user are not independent, so squared errors are summed by user and users are the sampling unit: with
    ``d_u`` the sum of a user's differences of squared errors and ``n_u`` rows, the difference of mse is ``D = sum d /
    sum n`` with variance ``sum (d_u - D n_u)^2 / (sum n)^2`` (ratio estimator; Cochran, Sampling Techniques, section
    6.4), and the difference of rmse is ``D / (rmse_1 + rmse_2)``. Lists count once per user: ``d_u`` is the difference
    of their ndcg and ``n_u`` is 1. For pairs of users see ``_compare_pairs``. Raises ``Problem`` if the test rows or
    the tasks differ, or if there are more than ``MOST_TRIPLES`` triples.
    """
    if first.task != second.task:
        raise Problem("Only evaluations of the same task can be compared; evaluate both models with the same task.")
    if first.task == "pair" and (first.pair_errors is None or second.pair_errors is None):
        raise Problem(
            f"Pairs can be compared only with up to {MOST_TRIPLES:,} triples; use a smaller dataset or test part."
        )
    same = len(first.test) == len(second.test) and all(
        np.array_equal(getattr(first.test, column), getattr(second.test, column))
        for column in ("user", "movie", "stars")
    )
    if not same:
        raise Problem(
            f"{first.model} was measured on {first.split} of {first.dataset}, {second.model} on other rows; "
            "evaluate both on the same split."
        )
    if first.lists is not None and second.lists is not None:
        metric, scale = "ndcg@10", 1.0
        differences = first.lists.ndcg - second.lists.ndcg
        rows = np.ones_like(differences)
    elif first.pair_errors is not None and second.pair_errors is not None:
        return _compare_pairs(first.pair_errors, second.pair_errors, first.test, confidence)
    else:
        assert first.prediction is not None
        assert second.prediction is not None
        metric, user, stars = "rmse", first.test.user, first.test.stars.astype(np.float64)
        a, b = (first.prediction - stars) ** 2, (second.prediction - stars) ** 2
        scale = max(float(np.sqrt(a.mean()) + np.sqrt(b.mean())), 1e-12)
        differences = np.asarray(np.bincount(user, a - b), np.float64)
        rows = np.asarray(np.bincount(user), np.float64)
    return difference_of(metric, differences, rows, scale, confidence)


def difference_of(
    metric: str, differences: Doubles, rows: Doubles, scale: float = 1.0, confidence: float = 0.95
) -> Difference:
    """Return ``sum differences / sum rows / scale`` with its interval over users; see ``compare``.

    ``differences`` and ``rows``: shape (users,).
    """
    total = rows.sum()
    mean = differences.sum() / total
    deviation = np.sqrt(((differences - mean * rows) ** 2).sum()) / total
    return _interval(metric, mean / scale, deviation / scale, confidence)


def _compare_pairs(first: Floats, second: Floats, test: Ratings, confidence: float) -> Difference:
    """Return the difference of rmse over triples; any two triples that share a user are dependent.

    With ``e`` the difference of a triple's squared errors minus the mean ``D``, the variance of ``D`` is the sum of
    ``e e'`` over all pairs of dependent triples, divided by the squared number of triples (Aronow, Samii and Assenova,
    Cluster-robust variance estimation for dyadic data, 2015): the squared sums over each user's triples, minus the
    squared sums over each pair's triples, which were counted for both users.
    """
    a, b = np.square(first, dtype=np.float64), np.square(second, dtype=np.float64)
    scale = max(float(np.sqrt(a.mean()) + np.sqrt(b.mean())), 1e-12)
    mean = float((a - b).mean())
    first_rows, second_rows = (np.concatenate(rows) for rows in zip(*Pairs.of(test).blocks(), strict=True))
    users, centred = np.stack([test.user[first_rows], test.user[second_rows]]).astype(np.int64), a - b - mean
    by_user = sum(np.bincount(side, centred, minlength=int(users.max()) + 1) for side in users)
    by_pair = np.bincount(np.unique(users.min(0) * (users.max() + 1) + users.max(0), return_inverse=True)[1], centred)
    variance = max(0.0, float(np.square(by_user).sum() - np.square(by_pair).sum()))
    return _interval("rmse", mean / scale, variance**0.5 / len(a) / scale, confidence)


def _interval(metric: str, value: float, deviation: float, confidence: float) -> Difference:
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * deviation
    return Difference(metric, float(value), float(value - reach), float(value + reach), confidence)


@dataclass(frozen=True, eq=False)
class Trained:
    """A model that is ready to serve, and the measurements that were made on the way."""

    model: AnyModel
    fitted: Fitted
    """The curve of the first fit."""
    metrics: Metrics
    """The rating and ranking metrics on test of the model fitted on train."""
    train: Dataset
    """The train part, which the measured model was fitted on."""
    test: Ratings
    prediction: Floats
    """The measured model's prediction for each row of ``test``."""
    lists: Lists | None
    """The users' lists; ``None`` if no movie in test is relevant to anybody."""
    dataset: str
    split: str
    fitted_on: Literal["train", "all ratings"]
    seconds: dict[Phase, float]


def phases(dataset: Dataset, refit_all: bool = True) -> tuple[Phase, ...]:
    """Return the fits that ``train`` makes, in order."""
    if len(dataset.ratings) > FITTED_ONCE:
        return ("measure",)
    return ("curve", "measure", "serve") if refit_all else ("curve", "measure")


def ignore_phase(phase: Phase, epoch: Epoch) -> None:
    """Ignore progress."""


def train(
    name: str,
    dataset: Dataset,
    split_name: str = "random90",
    refit_all: bool = True,
    settings: Settings | None = None,
    seed: int = 0,
    progress: PhaseProgress = ignore_phase,
) -> Trained:
    """Train a model to serve, and measure how well it predicts when it has not seen the ratings in test.

    Fits up to three times: on train without a validation part, for the curve (phase ``curve``); on all of train, to
    measure on test (``measure``); and, with ``refit_all``, on all ratings (``serve``), because the served model should
    know all of them. With more than ``FITTED_ONCE`` ratings, the model that is measured is also the one to serve, and
    its curve has no validation loss. Raises ``Problem`` for an unknown model or split, or one that the dataset does not
    allow.
    """
    check_name(name)
    if not MODELS[name].predicts_unrated:
        dataset = dataset.without_unrated()
    parts = split(dataset, split_name)
    fits = phases(dataset, refit_all)
    seconds: dict[Phase, float] = {}

    def fit(phase: Phase, data: Dataset, held_out: Ratings | None = None) -> tuple[AnyModel, Fitted]:
        start = time.perf_counter()
        model = build(name, settings, seed)
        fitted = model.fit(data, held_out, lambda epoch: progress(phase, epoch))
        seconds[phase] = time.perf_counter() - start
        return model, fitted

    curve: Fitted | None = None
    if "curve" in fits:
        learn, validation = hold_out(parts.train)
        curve = fit("curve", dataset.with_ratings(learn), dataset.ratings.take(validation))[1]
    train_part, test = dataset.with_ratings(parts.train), dataset.ratings.take(parts.test)
    model, fitted = fit("measure", train_part)
    prediction = model.predict(test.user, test.movie)
    metrics = rating_metrics(prediction, test.stars)
    lists = lists_of_users(model, train_part, test) if (test.stars >= RELEVANT).any() else None
    if lists is not None:
        metrics |= ranking_metrics(lists, train_part)
    if "serve" in fits:
        model = fit("serve", dataset)[0]
    return Trained(
        model=model,
        fitted=curve or fitted,
        metrics=metrics,
        train=train_part,
        test=test,
        prediction=prediction,
        lists=lists,
        dataset=dataset.name,
        split=parts.name,
        fitted_on="all ratings" if "serve" in fits else "train",
        seconds=seconds,
    )
