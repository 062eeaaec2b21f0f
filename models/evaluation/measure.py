"""Measure a model on a split, compare two, and train one to serve."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Literal, get_args

import numpy as np

from data.dataset import Dataset, Floats, Ratings
from data.pairs import Pairs
from data.problems import Problem
from data.splits import hold_out, split
from models.metrics import (
    RELEVANT,
    Doubles,
    Lists,
    Metrics,
    pair_errors,
    pair_list_metrics,
    pair_metrics,
    rank_users,
    ranking_metrics,
    rating_metrics,
)
from models.model import AnyModel, Epoch, Fitted, Progress, history_of, unwatched
from models.ranking import Ranker, Viewer
from models.settings import Settings, parse
from models.table import MODELS

Task = Literal["rating", "ranking", "pair"]
Phase = Literal["curve", "measure", "serve"]
Watch = Callable[[Phase, Epoch], None]
"""Called after each epoch of each fit. An exception raised here (``Cancelled``) ends the training cleanly."""
HELD = 50_000_000
"""Triples whose errors are kept to compare models on pairs: 200 MB of each model. Of more there is no interval."""


def build(name: str, settings: Settings | None = None, seed: int = 0) -> AnyModel:
    """Make an unfitted model. Raises ``Problem`` for a name that is not in ``MODELS``."""
    if name not in MODELS:
        raise Problem(f"There is no model {name!r}; choose one of {', '.join(MODELS)}.")
    return MODELS[name](settings, seed=seed)


def choose(name: str, published: bool = False, changes: Mapping[str, str] | None = None) -> Settings:
    """Return a model's settings: the tuned ones, or the published, with what a person changed in them.

    Raises ``Problem`` for a model that is not known or has no published settings, and for a change that cannot be.
    """
    kind = type(build(name))
    if published and kind.published is None:
        those = ", ".join(own for own, model in MODELS.items() if model.published is not None) or "none yet"
        raise Problem(f"None of the source systems has {name}; published settings have: {those}.")
    return parse(kind.settings_type, changes or {}, kind.published if published else None)


def label(model: AnyModel) -> str:
    """Return which settings a model has: ``tuned``, ``published``, or ``own`` where a person set something."""
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
    settings: str
    """``tuned`` or ``published``; ``own`` where a person set something."""
    cleaning: str
    n_train: int
    n_test: int
    metrics: Metrics
    fit_seconds: float
    predict_seconds: float
    """For the whole test part; with the task ``ranking``, for all lists."""
    test: Ratings
    """The test rows, to compare models row by row."""
    train: Dataset
    """What was learnt from: to tell where a model fails, see ``models.subgroups``."""
    prediction: Floats | None
    """The predicted stars of each test row; ``None`` with the task ``ranking``."""
    lists: Lists | None
    """The users' lists; ``None`` but with the task ``ranking``."""
    pair_errors: Floats | None
    """Of each triple, see ``metrics``; ``None`` but with the task ``pair``, and where there are more than ``HELD``."""

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``evaluate --json`` prints."""
        return {
            "model": self.model,
            "dataset": self.dataset,
            "split": self.split,
            "split_seed": self.split_seed,
            "task": self.task,
            "seed": self.seed,
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
    progress: Progress = unwatched,
    intervals: bool = False,
) -> Evaluation:
    """Fit a model on a split's train part and measure it on its test part.

    ``seed`` is the model's, ``split_seed`` the split's. ``intervals`` asks for ``measure_coverage`` too, with the task
    rating: it folds in every user, which takes seconds with some models. Raises ``Problem`` for a model, split or task
    that is not known or does not fit the dataset.
    """
    if task not in get_args(Task):
        raise Problem(f"There is no task {task!r}; choose one of {', '.join(get_args(Task))}.")
    model = build(name, settings, seed)
    parts = split(dataset, split_name, split_seed)
    train, test = dataset.with_ratings(parts.train), dataset.ratings.take(parts.test)
    start = time.perf_counter()
    model.fit(train, progress=progress)
    fitted = time.perf_counter()
    lists = ranked(model, train, test) if task == "ranking" else None
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
            raise Problem(f"No two users rated the same movie in the test part of {parts.name}; choose another.")
        blocks = pair_errors(lambda a, b: model.predict_pair(test.user[a], test.user[b], test.movie[a]), test)
        if triples <= HELD:
            errors = np.concatenate(held := list(blocks))
            metrics = pair_metrics(held)
        else:
            metrics = pair_metrics(blocks)
        predicted = time.perf_counter()
        metrics |= measure_pair_lists(model, train, test, split_seed)
    return Evaluation(
        model=name,
        dataset=dataset.name,
        split=parts.name,
        split_seed=split_seed,
        task=task,
        seed=seed,
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


def ranked(model: AnyModel, train: Dataset, test: Ratings) -> Lists:
    """Return the lists of a model fitted on ``train``; each user is folded in, as when serving.

    Raises ``Problem`` where nothing in test is relevant to anybody.
    """
    lists = rank_users(train, test, lambda user: model.expect(model.fold_in(history_of(train, user))).score)
    if not len(lists.users):
        raise Problem("Nobody gave four stars or more in the test part, so lists cannot be measured; choose another.")
    return lists


INSIDE = 0.8
"""The share of ratings that an interval should hold."""
ASKED = 1_000
"""Of how many users the intervals are looked at: all of ml-100k, enough of a larger dataset."""


def measure_coverage(model: AnyModel, train: Dataset, test: Ratings, seed: int = 0) -> Metrics:
    """Return ``coverage80``: the share of test ratings that lie where a model fitted on ``train`` said 80 % would.

    Which is within ``1.2816 sqrt(uncertainty^2 + noise)`` of the expected stars, with the uncertainty and the expected
    stars of serving: each user is folded in. Of ``ASKED`` users, drawn by the seed, or all there are. Empty for a model
    that does not tell its ``noise``.
    """
    if model.noise(None) is None:
        return {}
    users = np.unique(test.user)
    if len(users) > ASKED:
        users = np.sort(np.random.default_rng(seed).choice(users, ASKED, replace=False))
    rows = np.flatnonzero(np.isin(test.user, users))
    rows = rows[np.argsort(test.user[rows], kind="stable")]
    inside = 0
    reach = NormalDist().inv_cdf((1 + INSIDE) / 2)
    for user, own in zip(users.tolist(), np.split(rows, np.searchsorted(test.user[rows], users[1:])), strict=True):
        found = model.expect(model.fold_in(history_of(train, user)))
        noise, movies = model.noise(user), test.movie[own]
        assert noise is not None
        away = np.abs(test.stars[own] - found.stars[movies])
        inside += int((away <= reach * np.sqrt(found.uncertainty[movies] ** 2 + noise[movies])).sum())
    return {"coverage80": inside / len(rows)}


LISTED_PAIRS = 500
"""How many pairs get a list. Other pairs of ml-100k move the mean ndcg@10 of ``mf``, 0.125, by 0.007 or so."""
LIST = 10


def measure_pair_lists(model: AnyModel, train: Dataset, test: Ratings, seed: int = 0) -> Metrics:
    """Return how good the lists of a model fitted on ``train`` are for both members of a pair.

    ``LISTED_PAIRS`` pairs of different users are drawn, or as many as there are; which ones follows from the split's
    seed and the ratings, never from the model. Each gets the list that serving would show: all movies of train that
    neither has rated in train, by the score of both together (``Ranker.rank``). Relevant to a member is their test
    rating of at least ``RELEVANT`` stars of a movie that the other has not rated in train, because a movie that one
    of them has seen is for neither; pairs with a member without one are left out. Raises ``Problem`` without pairs.
    """
    liked = replace(train, ratings=test.take(np.flatnonzero(test.stars >= RELEVANT)))
    users = np.unique(liked.ratings.user).tolist()
    ranker = Ranker(train, model)
    hits, relevant = [], []
    for places in _pairs_of(len(users), seed):
        pair = [users[place] for place in places]
        seen = np.concatenate([train.ratings.movie[train.rows_of(user)] for user in pair])
        wanted = [np.setdiff1d(liked.ratings.movie[liked.rows_of(user)], seen) for user in pair]
        if not all(map(len, wanted)):
            continue
        viewers = [Viewer("user", train.users.ids[user], history_of(train, user)) for user in pair]
        first = ranker.rank(viewers).order[:LIST]
        hits.append([np.isin(np.pad(first, (0, LIST - len(first)), constant_values=-1), own) for own in wanted])
        relevant.append([len(own) for own in wanted])
        if len(hits) == LISTED_PAIRS:
            break
    if not hits:
        raise Problem(
            f"No two users have movies of {RELEVANT:g} stars or more in the test part that the other has not seen, so "
            "lists for pairs cannot be measured; choose another split."
        )
    return pair_list_metrics(np.asarray(hits), np.asarray(relevant, np.int32))


def _pairs_of(many: int, seed: int) -> Iterator[tuple[int, int]]:
    """Pairs of different numbers below ``many``, none twice, in random order; enough to leave out three of four."""
    total = many * (many - 1) // 2
    # The pair number n is (n - s (s - 1) / 2, s): with s = 1, 2, 3 … these count 0; 1, 2; 3, 4, 5 …
    for number in np.random.default_rng(seed).choice(total, min(total, 4 * LISTED_PAIRS), replace=False).tolist():
        second = (1 + math.isqrt(1 + 8 * number)) // 2
        yield number - second * (second - 1) // 2, second


@dataclass(frozen=True)
class Difference:
    """By how much a metric of one model is above that of another, on the same test rows."""

    metric: str
    """``rmse``, of which less is better, or ``ndcg@10``, of which more is."""
    value: float
    """First minus second."""
    low: float
    high: float
    """The ends of the confidence interval."""
    confidence: float


def compare(first: Evaluation, second: Evaluation, confidence: float = 0.95) -> Difference:
    """Compare two models user by user: by the rmse of predicted stars, alone or for pairs, or by the ndcg@10 of lists.

    Rows of one user are not independent, so squared errors are summed by user and users are what is drawn: with
    ``d_u`` the sum of a user's differences of squared errors and ``n_u`` rows, the difference of mse is
    ``D = sum d / sum n`` with variance ``sum (d_u - D n_u)^2 / (sum n)^2`` (ratio estimator; Cochran, Sampling
    Techniques, section 6.4), and the difference of rmse is ``D / (rmse_1 + rmse_2)``. Lists count once for each user:
    ``d_u`` is the difference of their ndcg and ``n_u`` is 1. For pairs of users see ``_over_pairs``. Raises ``Problem``
    where the test rows or the tasks are not the same.
    """
    if first.task != second.task:
        raise Problem("Only evaluations of the same task can be compared user by user.")
    if first.task == "pair" and (first.pair_errors is None or second.pair_errors is None):
        raise Problem(f"Pairs are compared up to {HELD:,} triples; take a smaller dataset or test part.")
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
        return _over_pairs(first.pair_errors, second.pair_errors, first.test, confidence)
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
    """Return ``sum differences / sum rows / scale`` with its interval, users being what is drawn; see ``compare``.

    ``differences`` and ``rows``: shape (users,).
    """
    total = rows.sum()
    mean = differences.sum() / total
    deviation = np.sqrt(((differences - mean * rows) ** 2).sum()) / total
    return _around(metric, mean / scale, deviation / scale, confidence)


def _over_pairs(first: Floats, second: Floats, test: Ratings, confidence: float) -> Difference:
    """The difference of rmse over triples, of which any two that share a user are not independent.

    With ``e`` of each triple the difference of squared errors less its mean ``D``, the variance of ``D`` is the sum of
    ``e e'`` over all such two, by the square of the number of triples (Aronow, Samii and Assenova, Cluster-robust
    variance estimation for dyadic data, 2015): what each user has in them, squared, less what each pair has, which is
    counted for both of its users.
    """
    a, b = np.square(first, dtype=np.float64), np.square(second, dtype=np.float64)
    scale = max(float(np.sqrt(a.mean()) + np.sqrt(b.mean())), 1e-12)
    mean = float((a - b).mean())
    one, other = (np.concatenate(rows) for rows in zip(*Pairs.of(test).blocks(), strict=True))
    users, rest = np.stack([test.user[one], test.user[other]]).astype(np.int64), a - b - mean
    of_users = sum(np.bincount(side, rest, minlength=int(users.max()) + 1) for side in users)
    of_pairs = np.bincount(np.unique(users.min(0) * (users.max() + 1) + users.max(0), return_inverse=True)[1], rest)
    variance = max(0.0, float(np.square(of_users).sum() - np.square(of_pairs).sum()))
    return _around("rmse", mean / scale, variance**0.5 / len(a) / scale, confidence)


def _around(metric: str, value: float, deviation: float, confidence: float) -> Difference:
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * deviation
    return Difference(metric, float(value), float(value - reach), float(value + reach), confidence)


@dataclass(frozen=True, eq=False)
class Trained:
    """A model that is ready to serve, and what was measured on the way."""

    model: AnyModel
    fitted: Fitted
    """The curve of the fit that left validation ratings out."""
    metrics: Metrics
    """On test: the rating metrics and the ranking metrics of the model fitted on train."""
    known: Dataset
    """The train part, which the measured model learnt from."""
    test: Ratings
    prediction: Floats
    """What the measured model predicted for each row of ``test``."""
    lists: Lists | None
    """The users' lists; ``None`` where nothing in test is relevant to anybody."""
    dataset: str
    split: str
    fitted_on: Literal["train", "all ratings"]
    seconds: dict[Phase, float]


def unwatched_phases(phase: Phase, epoch: Epoch) -> None:
    """Watch no progress."""


def train(
    name: str,
    dataset: Dataset,
    split_name: str = "random90",
    refit_all: bool = True,
    settings: Settings | None = None,
    seed: int = 0,
    progress: Watch = unwatched_phases,
) -> Trained:
    """Train a model to serve, with an honest figure beside it.

    Fits up to three times: on train without a validation part, for the curve (phase ``curve``); on the whole of train,
    to measure on test (``measure``); and, with ``refit_all``, on all ratings (``serve``), because somebody who wants
    a list wants one that knows everything. Raises ``Problem`` as ``evaluate`` does.
    """
    parts = split(dataset, split_name)
    learn, validation = hold_out(parts.train)
    seconds: dict[Phase, float] = {}

    def fit(phase: Phase, data: Dataset, held_out: Ratings | None = None) -> tuple[AnyModel, Fitted]:
        start = time.perf_counter()
        model = build(name, settings, seed)
        fitted = model.fit(data, held_out, lambda epoch: progress(phase, epoch))
        seconds[phase] = time.perf_counter() - start
        return model, fitted

    fitted = fit("curve", dataset.with_ratings(learn), dataset.ratings.take(validation))[1]
    known, test = dataset.with_ratings(parts.train), dataset.ratings.take(parts.test)
    model = fit("measure", known)[0]
    prediction = model.predict(test.user, test.movie)
    metrics = rating_metrics(prediction, test.stars)
    lists = ranked(model, known, test) if (test.stars >= RELEVANT).any() else None
    if lists is not None:
        metrics |= ranking_metrics(lists, known)
    if refit_all:
        model = fit("serve", dataset)[0]
    return Trained(
        model=model,
        fitted=fitted,
        metrics=metrics,
        known=known,
        test=test,
        prediction=prediction,
        lists=lists,
        dataset=dataset.name,
        split=parts.name,
        fitted_on="all ratings" if refit_all else "train",
        seconds=seconds,
    )
