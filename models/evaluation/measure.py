"""Measures a model on a split, and trains a model to serve."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from movietui.data.dataset import Dataset, Floats, Ratings
from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.pairs import Pairs
from movietui.data.problems import Problem
from movietui.data.split_names import protocol
from movietui.data.splits import Rows, hold_out
from movietui.models import plugin_metrics
from movietui.models.base import AnyModel, Epoch, Fitted, Progress, history_of, ignore_epoch
from movietui.models.choices import DEFAULT_ORDER, TASKS, FittedOn, Order, Task, phases, without_stars
from movietui.models.evaluation.comparison import MOST_TRIPLES
from movietui.models.evaluation.parts import Parts, split_dataset
from movietui.models.metrics import (
    DEFAULT_MEASURES,
    RELEVANT,
    STRONG_MEASURES,
    ListMeasures,
    Lists,
    Metrics,
    Ranked,
    mse,
    pair_errors,
    pair_list_metrics,
    pair_metrics,
    rank_users,
    ranking_metrics,
    rating_metrics,
    rmse_margin,
)
from movietui.models.registry import MODELS, check_name
from movietui.models.serving.ranking import Ranker, Viewer
from movietui.models.settings import Settings, parse

UNDATED = "rmse_undated"
"""The name of the metric that ``measure_undated`` returns."""
Phase = Literal["curve", "measure", "serve"]
PhaseProgress = Callable[[Phase, Epoch], None]
"""Called after each epoch of each fit. It may raise ``Cancelled`` to end the training."""


def build(name: str, settings: Settings | None = None, seed: int = 0) -> AnyModel:
    """Return an unfitted model. Raises ``Problem`` for a name that is not in ``MODELS``."""
    check_name(name)
    return MODELS[name](settings, seed=seed)


def choose(name: str, published: bool = False, changes: Mapping[str, str] | None = None) -> Settings:
    """Return a model's tuned or published settings with ``changes``, which are given as text.

    Raises ``Problem`` for an unknown model, for missing published settings, and for an impossible change.
    """
    kind = type(build(name))
    if published and kind.published is None:
        known = MODELS.load_all().items()
        names = ", ".join(other for other, model in known if model.published is not None) or tr("none yet")
        raise Problem(
            tr(
                "None of the five earlier systems has {model}; these models have published settings: {models}.",
                model=name,
                models=names,
            )
        )
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
    relevant: float | None
    """The fewest stars of a relevant movie in test; ``None`` unless the task is ``ranking``."""
    settings: str
    """What ``label`` returns."""
    values: Mapping[str, Any]
    """The value of each setting."""
    cleaning: str
    imdb: str
    """The fingerprint of the dataset's join with IMDb; empty without a join."""
    n_train: int
    n_test: int
    metrics: Metrics
    fit_seconds: float
    fit_cpu_seconds: float
    """The processor time of the fit, over all threads."""
    predict_seconds: float
    """The time for all predictions of the test part and, with the task ``pair``, of the triples; with the task
    ``ranking``, the time for all lists."""
    parts: Parts
    """The parts of the dataset that the model was measured on. With the task ``rating``, the ratings in test are on the
    scale of the published ratings."""
    prediction: Floats | None
    """The predicted rating of each test row, on the same scale; ``None`` with the task ``ranking``."""
    uncertainty: Floats | None
    """The uncertainty of each predicted rating, on the same scale; only if requested."""
    lists: Lists | None
    """The users' lists; only with the task ``ranking``."""
    pair_errors: Floats | None
    """The errors of the triples (``movietui.models.metrics.pair_errors``); only with the task ``pair`` and at most
    ``MOST_TRIPLES`` triples."""

    def __repr__(self) -> str:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in self.metrics.items())
        return f"{self.model} on {self.split} of {self.dataset}: {figures}"

    def as_json(self) -> dict[str, Any]:
        """Return the document that ``evaluate --json`` prints."""
        return {
            "model": self.model,
            "dataset": self.dataset,
            "split": self.split,
            "protocol": protocol(self.split),
            "split_seed": self.split_seed,
            "task": self.task,
            "seed": self.seed,
            "order": self.order,
            "relevant": self.relevant,
            "settings": self.settings,
            "values": self.values,
            "cleaning": self.cleaning,
            "imdb": self.imdb,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "metrics": self.metrics,
            "seconds": {
                "fit": self.fit_seconds,
                "fit_cpu": self.fit_cpu_seconds,
                "predict": self.predict_seconds,
            },
        }


def evaluate(
    model: str | AnyModel,
    dataset: Dataset,
    split_name: str,
    task: Task = "rating",
    settings: Settings | None = None,
    seed: int = 0,
    split_seed: int = 0,
    progress: Progress = ignore_epoch,
    intervals: bool = False,
    order: Order | None = None,
    measures: ListMeasures | None = None,
    uncertainty: bool = False,
) -> Evaluation:
    """Fit a model on a split's train part and measure it on its test part.

    ``model``: a name, for which ``settings`` and ``seed`` apply, or an unfitted model, which has both. ``order``: of
    the lists, by default ``order_for`` the split. ``measures``: the ranking metrics, by default ``measures_for`` the
    split. With the task ``rating``, ``intervals`` adds ``measure_coverage``, and ``uncertainty`` returns the
    uncertainty of each prediction. Both fold in many users, which takes seconds with some models.

    Raises ``Problem`` for an unknown model, split or task, or one that the dataset does not allow, and if the test part
    has nothing to measure lists or pairs by.
    """
    if task not in TASKS:
        known = tr("choose one of {names}.", names=", ".join(TASKS))
        raise no_such(tr("There is no task {task!r}", task=task), task, TASKS, known)
    if isinstance(model, str):
        model = build(model, settings, seed)
    check_ratings([type(model)], dataset, task)
    dataset = dataset.without_unrated()
    parts = split_dataset(dataset, split_name, split_seed)
    if task == "rating":
        parts = parts.to_predict()
    train, test = parts.train, parts.test
    if task == "pair" and parts.users_are_new:
        raise Problem(
            tr(
                "The users in the test part of {split} are new, so there are no pairs; choose another split.",
                split=split_name,
            )
        )
    order, measures = order or order_for(split_name), measures or measures_for(split_name)
    order = without_stars(order) if dataset.implicit else order
    start, cpu_start = time.perf_counter(), time.process_time()
    model.fit(train, progress=progress)
    fitted, cpu_fitted = time.perf_counter(), time.process_time()
    lists = lists_of_users(model, parts.known, test, order, split_seed, measures) if task == "ranking" else None
    errors = None
    prediction = None if lists else parts.predict(model)
    predicted = time.perf_counter()
    if prediction is None:
        assert lists is not None
        metrics = ranking_metrics(lists, train) | plugin_metrics.of_lists(lists, train)
    elif task == "rating":
        coverage = measure_coverage(model, parts.known, test, split_seed) if intervals else {}
        undated = measure_undated(model, parts)
        parts, prediction = as_published(parts, prediction)
        metrics = metrics_of_ratings(parts, prediction) | undated | coverage
    else:
        triples = len(Pairs.of(test))
        if not triples:
            raise Problem(
                tr(
                    "No two users rated the same movie in the test part of {split}; choose another split.",
                    split=split_name,
                )
            )
        blocks = _pair_errors(model, parts, prediction)
        if triples <= MOST_TRIPLES:
            errors = np.concatenate(blocks_in_memory := list(blocks))
            metrics = pair_metrics(blocks_in_memory)
        else:
            metrics = pair_metrics(blocks)
        predicted = time.perf_counter()
        if parts.reads_time(model):
            metrics[UNDATED] = pair_metrics(_pair_errors(model, parts, None))["rmse"]
        metrics = _on_scale(train, metrics) | measure_pair_lists(model, train, test, split_seed, order)
    return Evaluation(
        model=model.name,
        dataset=dataset.name,
        split=parts.rows.name,
        split_seed=split_seed,
        task=task,
        seed=model.seed,
        order=None if task == "rating" else order,
        relevant=measures.relevant if task == "ranking" else None,
        settings=label(model),
        values=asdict(model.settings),
        cleaning=dataset.cleaning,
        imdb=dataset.joined,
        n_train=len(train.ratings),
        n_test=len(test),
        metrics=metrics,
        fit_seconds=fitted - start,
        fit_cpu_seconds=cpu_fitted - cpu_start,
        predict_seconds=predicted - fitted,
        parts=parts,
        prediction=prediction,
        uncertainty=parts.uncertainty(model) * np.float32(train.ratings_scale.unit)
        if uncertainty and prediction is not None
        else None,
        lists=lists,
        pair_errors=errors,
    )


def _pair_errors(model: AnyModel, parts: Parts, dated: Floats | None) -> Iterator[Floats]:
    """Yield the errors of the triples of the test part on the scale of the published ratings; see ``pair_errors``.

    ``dated``: the predicted stars of the test rows. They are used if the model reads time; without them, or otherwise,
    the model predicts pairs.
    """
    test, unit = parts.test, np.float32(parts.train.ratings_scale.unit)

    def predict(first: Rows, second: Rows) -> Floats:
        if dated is not None and parts.reads_time(model):
            return (dated[first] + dated[second]) / np.float32(2)
        return model.predict_pair(test.user[first], test.user[second], test.movie[first])

    for block in pair_errors(predict, test):
        yield block * unit if parts.train.published_scale else block


def check_ratings(models: Iterable[str | type[AnyModel]], dataset: Dataset, task: Task) -> None:
    """Raise ``Problem`` if a model, given by name or class, or a task needs stars and the dataset has none."""
    if dataset.implicit and task != "ranking":
        raise Problem(
            tr(
                "{dataset} only says who watched what, so there are no ratings to predict; measure lists with "
                "--task ranking.",
                dataset=dataset.name,
            )
        )
    for model in models:
        if isinstance(model, str):
            check_name(model)
            model = MODELS[model]
        model.check_ratings(dataset)


def as_published(parts: Parts, prediction: Floats) -> tuple[Parts, Floats]:
    """Return the parts and the predictions for test, which are in stars, on the scale of the published ratings."""
    scale, test = parts.train.ratings_scale, parts.test
    return replace(parts, test=replace(test, stars=scale.ratings_of(test.stars))), scale.from_stars(prediction)


def measure_undated(model: AnyModel, parts: Parts) -> Metrics:
    """Return ``rmse_undated``: the rmse of predictions for new sittings, such as tonight's.

    The result is empty if the moments of the test ratings make no difference. Arguments as for ``Parts.predict``.
    """
    if not parts.reads_time(model):
        return {}
    published, prediction = as_published(parts, parts.predict(model, dated=False))
    return {UNDATED: math.sqrt(mse(prediction, published.test.stars))}


def metrics_of_ratings(parts: Parts, prediction: Floats) -> Metrics:
    """Return the rating metrics of what ``as_published`` returns, also those of plug-ins."""
    stars = parts.test.stars
    of_users = {"rmse_margin": rmse_margin(prediction, stars, parts.test.user)}
    metrics = _on_scale(parts.train, rating_metrics(prediction, stars)) | of_users
    return metrics | plugin_metrics.of_ratings(prediction, stars)


def _on_scale(dataset: Dataset, metrics: Metrics) -> Metrics:
    """Return the metrics, without ``mse_scaled`` if the ratings were not published as stars."""
    return {name: value for name, value in metrics.items() if name != "mse_scaled" or not dataset.published_scale}


def measures_for(split_name: str, cuts: Sequence[int] = (), relevant: float | None = None) -> ListMeasures:
    """Return the usual ranking metrics or, for the split ``strong``, those that are published for it.

    ``cuts``: other lengths of lists. ``relevant``: another threshold, in stars.
    """
    usual = STRONG_MEASURES if split_name == "strong" else DEFAULT_MEASURES
    usual = usual.at(cuts, capped=usual.capped) if cuts else usual
    return usual if relevant is None else replace(usual, relevant=relevant)


def order_for(split_name: str) -> Order:
    """Return the default order of lists or, for the split ``strong``, the order that published figures measure."""
    return "likely" if split_name == "strong" else DEFAULT_ORDER


def lists_of_users(
    model: AnyModel,
    known: Dataset,
    test: Ratings,
    order: Order = DEFAULT_ORDER,
    seed: int = 0,
    measures: ListMeasures = DEFAULT_MEASURES,
) -> Lists:
    """Return the lists of a fitted model as serving would show them.

    Each user is folded in from ``known``, usually the train part. If very many users could have a list, a sample is
    drawn with the seed; see ``movietui.models.metrics.rank_users``. Raises ``Problem`` if no movie in test is relevant
    to anybody.
    """
    ranker = Ranker(known, model, unrated=False)

    def rank(user: int) -> Ranked:
        ranked = ranker.rank([Viewer("user", known.users.ids[user], history_of(known, user))], order=order)
        return Ranked(ranked.order, ranked.stars)

    lists = rank_users(known, test, rank, seed, measures)
    if not len(lists.users):
        raise Problem(
            tr(
                "Nobody gave {stars:g} stars or more in the test part, so lists cannot be measured; choose another "
                "split.",
                stars=measures.relevant,
            )
        )
    return lists


NOMINAL_COVERAGE = 0.8
"""The nominal coverage of an interval."""
COVERAGE_USERS = 1_000
"""The most users whose intervals are checked: all users of ml-100k, and enough of a larger dataset."""


def measure_coverage(model: AnyModel, known: Dataset, test: Ratings, seed: int = 0) -> Metrics:
    """Return ``coverage80``: the share of test ratings that fall into the 80 % interval of a fitted model.

    The interval extends ``1.2816 sqrt(uncertainty^2 + noise)`` to both sides of the predicted stars. Each user is
    folded in from ``known``, as in serving. At most ``COVERAGE_USERS`` users count, drawn with the seed. The result is
    empty for a model that does not estimate its ``noise``.
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
        history = history_of(known, user)
        expected = model.expect(model.fold_in(history))
        noise, movies = model.noise(history.user), test.movie[rows_of_user]
        assert noise is not None
        distance = np.abs(test.stars[rows_of_user] - expected.stars[movies])
        inside += int((distance <= reach * np.sqrt(expected.uncertainty[movies] ** 2 + noise[movies])).sum())
    return {"coverage80": inside / len(rows)}


LISTED_PAIRS = 500
"""The most pairs that get a list. If other pairs of ml-100k are drawn, the mean ndcg@10 of ``mf``, 0.125, changes by
about 0.007."""
LIST_LENGTH = 10


def measure_pair_lists(
    model: AnyModel, train: Dataset, test: Ratings, seed: int = 0, order: Order = DEFAULT_ORDER
) -> Metrics:
    """Return the metrics of the lists that a model makes for pairs of users.

    At most ``LISTED_PAIRS`` pairs of different users are drawn. The draw depends on the split's seed and the ratings,
    but not on the model. Each pair gets the list that serving would show: the movies with ratings in train that no
    member has rated there, by combined score (``Ranker.rank``). A movie is relevant to a member who gave it at least
    ``RELEVANT`` stars in test, unless the other member rated it in train, so that it is not in their list. Pairs in
    which a member has no relevant movie are left out. Raises ``Problem`` if no pair is left.
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
            tr(
                "No two users have movies with {stars:g} stars or more in the test part that the other has not seen, "
                "so lists for pairs cannot be measured; choose another split.",
                stars=RELEVANT,
            )
        )
    return pair_list_metrics(np.asarray(hits), np.asarray(relevant, np.int32))


def _pairs_of(users: int, seed: int) -> Iterator[tuple[int, int]]:
    """Yield pairs of different numbers below ``users``, each once, in random order.

    There are four times ``LISTED_PAIRS``, if possible, so that three of four can be left out.
    """
    total = users * (users - 1) // 2
    # The pair number n is (n - s (s - 1) / 2, s): for s = 1, 2, 3 …, the numbers are 0; 1, 2; 3, 4, 5 …
    for number in np.random.default_rng(seed).choice(total, min(total, 4 * LISTED_PAIRS), replace=False).tolist():
        second = (1 + math.isqrt(1 + 8 * number)) // 2
        yield number - second * (second - 1) // 2, second


@dataclass(frozen=True, eq=False)
class Trained:
    """A model that is ready to serve, and its measurements."""

    model: AnyModel
    fitted: Fitted
    """The result of the first fit, with its curve."""
    metrics: Metrics
    """The rating and ranking metrics on test, of the model fitted on train."""
    parts: Parts
    """The parts of the dataset that the model was measured on, with the ratings in test on the published scale."""
    prediction: Floats | None
    """The measured model's prediction for each row in test, on the same scale; ``None`` if there are no stars."""
    lists: Lists | None
    """The users' lists; ``None`` if no movie in test is relevant to anybody."""
    dataset: str
    split: str
    fitted_on: FittedOn
    seconds: dict[Phase, float]
    cpu_seconds: dict[Phase, float]
    """The processor time of each fit, over all threads."""


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
    split_seed: int = 0,
) -> Trained:
    """Train a model to serve, and measure how well it predicts ratings that it has not seen.

    The model is fitted up to three times: on train without a validation part, for the curve (phase ``curve``), unless
    the model is one of ``HOLD_OUT``; on all of train, to measure on test (``measure``); and, with ``refit_all``,
    on all ratings, which the served model should know (``serve``). With more ratings than ``FITTED_ONCE`` in
    ``movietui.data.fetch.estimates``, it is fitted only on train, to measure and to serve, and the curve has no
    validation loss. Raises ``Problem`` for an unknown model or split, or one that the dataset does not allow.
    """
    check_ratings([name], dataset, "ranking")
    if not MODELS[name].predicts_unrated:
        dataset = dataset.without_unrated()
    parts = split_dataset(dataset, split_name, split_seed)
    fits = phases(name, len(dataset.ratings), refit_all=refit_all)
    seconds: dict[Phase, float] = {}
    cpu_seconds: dict[Phase, float] = {}

    def fit(phase: Phase, model: AnyModel, data: Dataset, held_out: Ratings | None = None) -> Fitted:
        start, cpu_start = time.perf_counter(), time.process_time()
        fitted = model.fit(data, held_out, lambda epoch: progress(phase, epoch))
        seconds[phase], cpu_seconds[phase] = time.perf_counter() - start, time.process_time() - cpu_start
        return fitted

    curve: Fitted | None = None
    if "curve" in fits:
        learn, validation = hold_out(parts.rows.train)
        validated = build(name, settings, seed)
        curve = fit("curve", validated, dataset.with_ratings(learn), dataset.ratings.take(validation))
    model = build(name, settings, seed)
    fitted = fit("measure", model, parts.train)
    prediction, lists, metrics = None, None, {}
    if (parts.test.stars >= RELEVANT).any():
        order, measures = order_for(split_name), measures_for(split_name)
        lists = lists_of_users(model, parts.known, parts.test, order, split_seed, measures)
    if not dataset.implicit:
        parts = parts.to_predict()
        undated = measure_undated(model, parts)
        parts, prediction = as_published(parts, parts.predict(model))
        metrics = metrics_of_ratings(parts, prediction) | undated
    if lists is not None:
        metrics |= ranking_metrics(lists, parts.train) | plugin_metrics.of_lists(lists, parts.train)
    if "serve" in fits:
        model = model.for_all_ratings()
        fit("serve", model, dataset)
    return Trained(
        model=model,
        fitted=curve or fitted,
        metrics=metrics,
        parts=parts,
        prediction=prediction,
        lists=lists,
        dataset=dataset.name,
        split=parts.rows.name,
        fitted_on="all ratings" if "serve" in fits else "train",
        seconds=seconds,
        cpu_seconds=cpu_seconds,
    )
