"""Names and descriptions of what can be chosen and measured, for code that must start fast.

Imports nothing that needs more than the standard library, so that screens, the store and the command line can import
it; almost everything else in ``movietui.models`` needs numpy.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from movietui.data.fetch.estimates import fits
from movietui.data.language import tr

QUICK = "mf"
"""The model that is trained first, within seconds."""
QUICK_WITHOUT_STARS = "ease"
"""The same for a dataset that only says who watched what."""
QUICK_WITHOUT_TORCH = "user-knn"
"""The same where torch is missing or broken."""
LARGE_WITHOUT_TORCH = "bias"
"""The same for a dataset with more than ``MOST_COMPARED`` users, with whom ``QUICK_WITHOUT_TORCH`` is too slow."""
MOST_COMPARED = 2_000
NEITHER_TORCH_NOR_STARS = "popularity"
"""The same where torch is missing or broken, and the dataset only says who watched what."""
STAND_INS = (QUICK, QUICK_WITHOUT_TORCH, LARGE_WITHOUT_TORCH)
"""The models that ``RECOMMENDED`` replaces."""
CLUSTER_MODELS = (
    *("als", "popularity", "bias", "mf", "bayes", "item-knn", "ease", "ials"),
    *("sgd-mf", "deep-mf", "residual-mf", "dot", "ncf", "hybrid"),
)
"""The models that can be trained on a cluster; the app suggests the first one."""
LEARN_FROM_WATCHING = ("ease", "ials", "vae", "sasrec", "popularity")
"""The models that also learn from a dataset that only says who watched what."""
RECOMMENDED = "blend"
"""The model that predicts stars and makes lists best."""
HOLD_OUT = ("blend",)
"""The models of which every fit holds out ratings and reports its losses on them, so that the curve needs no fit of its
own. The fit on all ratings keeps what was learned from these ratings, and takes half as long."""
CLOSED_FORM = "closed form"
"""The only stage of a fit without epochs."""
WHILE_LEARNING = tr("the mean over the epoch, while the network learns")
LEFT_OUT = tr("on ratings of some users, each predicted without itself")
TRAIN_LOSSES: Mapping[str, str] = {
    **dict.fromkeys(
        ("sgd-mf", "deep-mf", "residual-mf", "dot", "ncf", "hybrid", "autorec", "demographic"), WHILE_LEARNING
    ),
    "pair": tr("{mean}, of the mean ratings of pairs", mean=WHILE_LEARNING),
    **dict.fromkeys(("user-knn", "item-knn", "ease", "ials", "vae"), LEFT_OUT),
    "sasrec": tr("on ratings of some users, each predicted from their earlier ones"),
    "blend": tr("on the tenth that the weights are learned from, which the part has not seen"),
}
"""What the train loss of an epoch is measured on, in words. For other models, and for every validation loss, it is
measured after the epoch, on the ratings of that part."""
Preset = Literal["tuned", "published"]
PRESETS: tuple[Preset, ...] = get_args(Preset)
"""The sets of settings: ``tuned``, the default, is ours; ``published`` is what the author of an earlier system
describes."""
FittedOn = Literal["train", "all ratings"]
"""What a stored model was fitted on: the train part of its split, or the whole dataset."""
Task = Literal["rating", "ranking", "pair"]
TASKS: tuple[Task, ...] = get_args(Task)
"""What an evaluation measures: predicted ratings, lists, or predicted mean ratings and lists of two viewers."""


Order = Literal["liked", "likely", "stars", "year", "title", "ratings"]
ORDERS: Mapping[Order, str] = {
    "liked": tr("how much you would like it"),
    "likely": tr("how likely you are to watch it and like it"),
    "stars": tr("predicted stars"),
    "year": tr("year, newest first"),
    "title": tr("title"),
    "ratings": tr("number of ratings"),
}
"""What a list can be ordered by, in words for the viewer; the first is the default."""
DEFAULT_ORDER: Order = "liked"


DIALLED: tuple[Order, ...] = ("liked", "likely")
"""The orders in which a list can be made more daring or more recent."""


def quick_model(*, implicit: bool, users: int, torch: bool) -> str:
    """Return the model that makes the first list of a dataset.

    ``implicit``: whether it only says who watched what; ``users``: how many it has; ``torch``: whether torch works.
    """
    if implicit:
        return QUICK_WITHOUT_STARS if torch else NEITHER_TORCH_NOR_STARS
    if torch:
        return QUICK
    return QUICK_WITHOUT_TORCH if users <= MOST_COMPARED else LARGE_WITHOUT_TORCH


def phases(model: str, ratings: int, *, refit_all: bool = True) -> Mapping[str, float]:
    """Return the fits of a training (see ``movietui.models.evaluation.measure.train``), in order, each with how long it
    takes as a share of the first one. ``ratings``: how many the dataset has."""
    if fits(ratings) == 1:
        return {"measure": 1.0}
    holds_out = model in HOLD_OUT
    first = {"measure": 1.0} if holds_out else {"curve": 1.0, "measure": 1.0}
    return {**first, "serve": 0.5 if holds_out else 1.0} if refit_all else first


def order_by_taste(order: Order) -> Order:
    """Return an order that puts good movies first: ``order``, or the default if ``order`` sorts by year, title or
    number of ratings.

    Code that picks good movies from the top of a list, or compares the tops of two models' lists, needs such an order.
    """
    return order if order in ("liked", "likely", "stars") else DEFAULT_ORDER


@dataclass(frozen=True)
class Metric:
    """A figure that an evaluation returns; most such figures are computed by ``movietui.models.metrics``."""

    name: str
    """The metric's key in JSON, its heading on the command line, and the value that ``--metric`` takes."""
    tasks: tuple[Task, ...]
    """The tasks that measure the metric."""
    higher_is_better: bool | None
    """``None`` for a count, and for a figure whose best value is neither the highest nor the lowest."""
    measures: str
    """What the metric measures, in a few words."""
    formula: str = ""
    """How it is computed; ``SYMBOLS`` explains the letters."""
    reference: str = ""
    """Where the metric is described: authors and year. Empty if nowhere, or if everybody knows it."""
    title: str = ""
    """What a sentence calls the metric, if not by its name."""
    headline: bool = False
    """Whether a short table of runs has a column for the metric."""

    @property
    def label(self) -> str:
        """What a sentence or a heading calls the metric."""
        return self.title or self.name


RATING: tuple[Task, ...] = ("rating",)
RANKING: tuple[Task, ...] = ("ranking",)
PAIR: tuple[Task, ...] = ("pair",)
SYMBOLS: Mapping[str, str] = {
    "p": tr("a predicted rating"),
    "r": tr("the rating that the user gave"),
    "j": tr("a rank, from 1 to k"),
    "k": tr("the length of the list, 10 in ndcg@10"),
    "h_j": tr("1 if the movie at rank j is relevant (4 stars or more in test), else 0"),
    "t_j": tr("1 if the user rated the movie at rank j in test, else 0"),
    "R": tr("the number of the user's relevant movies"),
    "P_j": tr("the precision of the first j movies"),
    "x_i": tr("the number of lists that movie i is in, ascending"),
    "n": tr("the number of rated movies"),
    "e_u": tr("the sum of a user's squared errors"),
    "n_u": tr("the number of a user's test ratings"),
    "users": tr("the number of users"),
    "s": tr("the standard deviation of ndcg@10 over the users"),
    "a": tr("ndcg@10 for one member"),
    "b": tr("ndcg@10 for the other member"),
}
"""What the letters in the formulas of metrics mean."""
METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            *("rmse", RATING + PAIR, False, tr("root mean squared error, on the scale of the ratings")),
            "sqrt(mean((p − r)²))",
            reference="Herlocker et al. 2004",
            title="RMSE",
            headline=True,
        ),
        Metric(
            *(
                "rmse_undated",
                RATING + PAIR,
                False,
                tr("rmse without telling the model when the test ratings were given"),
            ),
            "sqrt(mean((p − r)²))",
            headline=True,
        ),
        Metric(
            *("mae", RATING + PAIR, False, tr("mean absolute error, on the scale of the ratings"), "mean(abs(p − r))"),
            reference="Herlocker et al. 2004",
            title="MAE",
            headline=True,
        ),
        Metric(
            *("accuracy", RATING, True, tr("share of predictions that, rounded to whole numbers, are the rating")),
            "mean(round(p) = r)",
            headline=True,
        ),
        Metric(
            *("ndcg@10", RANKING, True, tr("discounted gain of the first ten, relative to an ideal list")),
            *("Σ h_j / log2(j + 1), divided by that of an ideal list", "Järvelin and Kekäläinen 2002"),
            headline=True,
        ),
        Metric(
            *("mse", RATING, False, tr("mean squared error, on the scale of the ratings"), "mean((p − r)²)"),
            title="MSE",
            headline=True,
        ),
        Metric(
            *(
                "mse_scaled",
                RATING + PAIR,
                False,
                tr("mse of ratings divided by 5: inferred from 002 and 004"),
                "mse / 25",
            ),
            headline=True,
        ),
        Metric(
            *("liked@10", RANKING, True, tr("share of 4 stars or more among the test ratings of listed movies")),
            "Σ h_j / Σ t_j, over all lists",
        ),
        Metric(
            *("disliked@10", RANKING, False, tr("movies in a list that the user gave at most 2 stars in test")),
            "Σ (r ≤ 2) / users, over all lists",
        ),
        Metric(
            *("believed@10", RANKING, True, tr("share of listed movies predicted at or above the user's mean rating")),
            "mean(p ≥ the user's mean of r in train)",
        ),
        Metric(
            *(
                "inverted@10",
                RANKING,
                False,
                tr("share of pairs in a list whose lower movie is predicted > 0.3 ★ higher"),
            ),
            "mean(p of the lower − p of the upper > 0.3)",
        ),
        Metric(
            *("recall@10", RANKING, True, tr("share of a user's relevant movies that are among the first ten")),
            *("Σ h_j / R; on strong, Σ h_j / min(k, R)", "Herlocker et al. 2004"),
        ),
        Metric(
            *("recall@20", RANKING, True, tr("share of a user's relevant movies that are among the first twenty")),
            *("Σ h_j / R; on strong, Σ h_j / min(k, R)", "Herlocker et al. 2004"),
        ),
        Metric(
            *("hit@10", RANKING, True, tr("share of users with a relevant movie among the first ten")),
            *("1 if any h_j is 1, else 0", "Deshpande and Karypis 2004"),
        ),
        Metric(
            *("precision@10", RANKING, True, tr("share of the first ten that are relevant"), "Σ h_j / k"),
            "Herlocker et al. 2004",
        ),
        Metric(
            *(
                "map@10",
                RANKING,
                True,
                tr("mean over users of the average precision of the first ten"),
                "Σ h_j P_j / R",
            ),
            "map_cut of trec_eval; Voorhees and Harman 2005",
        ),
        Metric(
            *(
                "mrr",
                RANKING,
                True,
                tr("mean over users of the reciprocal rank of the first relevant movie in the whole list"),
            ),
            *("1 / j of the first h_j that is 1", "Voorhees 1999"),
        ),
        Metric(
            *("coverage@10", RANKING, True, tr("share of all rated movies that are in anybody's first ten")),
            *("movies in any list / n", "Ge et al. 2010"),
        ),
        Metric(
            *("gini@10", RANKING, False, tr("how unequally the rated movies are in the first ten, 0 (equally) to 1")),
            *("Σ (2 i − n − 1) x_i / (n Σ x_i)", "Shani and Gunawardana 2011"),
        ),
        Metric(
            *("novelty@10", RANKING, True, tr("how little known the first ten are, in bits")),
            *("mean(−log2(raters / users))", "Zhou et al. 2010"),
        ),
        Metric(
            *("diversity@10", RANKING, True, tr("mean Jaccard distance between the genres of two of the first ten")),
            *("mean(1 − genres in common / genres of either)", "Ziegler et al. 2005"),
        ),
        Metric(
            *("rmse_margin", RATING, None, tr("half the width of the 95 % interval of rmse over the users")),
            *("1.96 sqrt(Σ (e_u − mse n_u)²) / (2 rmse Σ n_u)", "Cochran 1977"),
        ),
        Metric(
            *("ndcg@10_margin", RANKING, None),
            *(tr("half the width of the 95 % interval of ndcg@10 over the users measured"), "1.96 s / sqrt(users)"),
        ),
        Metric("users", RANKING, None, tr("number of users whose lists were measured: a sample if there are many")),
        Metric(
            *("coverage80", RATING, None, tr("share of ratings within their 80 % interval; ideally 0.8 (`--detail`)")),
            "mean(low ≤ r ≤ high)",
        ),
        Metric("triples", PAIR, None, tr("number of triples: two users and a movie that both rated")),
        Metric("ndcg@10_mean", PAIR, True, tr("ndcg@10 of a shared list, mean of its two members"), "(a + b) / 2"),
        Metric(
            "ndcg@10_min", PAIR, True, tr("ndcg@10 of a shared list, for the member for whom it is lower"), "min(a, b)"
        ),
        Metric(
            "ndcg@10_gap", PAIR, False, tr("ndcg@10 of a shared list, difference between its two members"), "abs(a − b)"
        ),
        Metric("pairs", PAIR, None, tr("number of pairs of users that were given a shared list")),
    )
}
"""Every metric of movietui, in the order of the columns in a table of runs: if the table is too wide, the last are left
out. The metrics of the first ten movies of a list exist for any other number too; see ``metric_named``.
"""
_of_plugins: dict[str, Metric] = {}
_AT = re.compile(r"(?<=@)[1-9][0-9]{0,4}(?=$|_margin$)")


def add_metrics(metrics: Iterable[Metric]) -> None:
    """Make metrics of plug-ins known to this process. A process that does not import plug-ins learns from the engine
    which metrics they have."""
    _of_plugins.update((metric.name, metric) for metric in metrics)


def _table_name(name: str) -> str:
    """Return the name in ``METRICS`` of the metric that ``name`` is, perhaps of another number of movies."""
    return name if name in METRICS else _AT.sub("10", name)


def metric_named(name: str) -> Metric | None:
    """Return a metric of movietui, or one of a plug-in that is known to this process; ``None`` for any other name.

    ``ndcg@5`` is the ``ndcg@10`` of the first five movies.

    >>> metric_named("recall@50").higher_is_better, metric_named("recall@0")
    (True, None)
    """
    metric, k = METRICS.get(_table_name(name)), _AT.search(name)
    if metric is None or name in METRICS:
        return metric or _of_plugins.get(name)
    measures = metric.measures.replace(tr("first ten"), tr("first {number}", number=k and k[0]))
    return replace(metric, name=name, measures=measures)


def has_another_length(name: str) -> bool:
    """Return whether a metric is one of ``METRICS``, but of another number of movies.

    >>> has_another_length("ndcg@20"), has_another_length("ndcg@10")
    (True, False)
    """
    return name not in METRICS and _table_name(name) in METRICS


def symbols_in(formula: str) -> dict[str, str]:
    """Return the letters of a metric's formula that ``SYMBOLS`` explains, with what they mean.

    >>> list(symbols_in("Σ h_j / R"))
    ['h_j', 'R']
    """
    words = set(re.findall(r"(?<!['\w])[A-Za-z]+(?:_[a-z])?", formula))
    return {symbol: meaning for symbol, meaning in SYMBOLS.items() if symbol in words}


def by_importance(names: Iterable[str]) -> list[str]:
    """Return each known metric once: first those that a short table shows, then the others, in the order of
    ``METRICS``, those of plug-ins last; metrics of different numbers of movies keep their order."""
    order = [*METRICS, *_of_plugins]
    known = [(metric, _table_name(name)) for name in dict.fromkeys(names) if (metric := metric_named(name))]
    known.sort(key=lambda each: (not each[0].headline, order.index(each[1] if each[1] in METRICS else each[0].name)))
    return [metric.name for metric, _ in known]


RUN_METRICS = tuple(metric.name for metric in METRICS.values() if {"rating", "ranking"} & {*metric.tasks})
"""The metrics of the tasks ``rating`` and ``ranking``, by which runs are measured."""
Sampler = Literal["grid", "random", "tpe"]
SAMPLERS: Mapping[Sampler, str] = {
    "grid": tr("all combinations"),
    "random": tr("drawn at random"),
    "tpe": tr("drawn where earlier ones were good"),
}
"""How a sweep chooses the settings that it tries."""
SEARCHES: tuple[Sampler, ...] = tuple(name for name in SAMPLERS if name != "grid")
"""The samplers of a search; the first is the default."""
NEEDS_OPTUNA = tr("TPE needs optuna; run pip install 'movietui[tune]', or use random.")
"""Said where somebody asks for ``tpe`` without optuna."""
RANKERS = ("ease", "ials", "vae", "sasrec", "popularity")
"""The models for lists: their settings are chosen by a metric of lists."""
MOST_COMBINATIONS = 10_000
"""The maximum number of combinations in a sweep; more are probably a mistake."""


def label_of(name: str) -> str:
    """Return what a sentence calls a metric.

    >>> label_of("rmse"), label_of("recall@50")
    ('RMSE', 'recall@50')
    """
    metric = metric_named(name)
    return metric.label if metric else name


def sweep_task(name: str) -> Task | None:
    """Return the task that measures a metric by which settings can be chosen; ``None`` for any other name.

    >>> sweep_task("rmse"), sweep_task("ndcg@5"), sweep_task("pairs")
    ('rating', 'ranking', None)
    """
    metric = metric_named(name)
    if metric is None or metric.higher_is_better is None or metric.tasks == PAIR:
        return None
    return metric.tasks[0]


def sweep_metrics() -> list[str]:
    """Return the names of the metrics by which settings can be chosen; those of lists also exist at other lengths."""
    return [name for name in (*METRICS, *_of_plugins) if sweep_task(name)]


def metric_for(model: str) -> str:
    """Return the metric by which a sweep chooses the settings of a model unless it is told another."""
    return "ndcg@10" if model in RANKERS else "rmse"


def higher_is_better(name: str) -> bool:
    """Return whether a larger value of a metric is better; ``False`` for an unknown metric and one without a
    direction."""
    metric = metric_named(name)
    return metric is not None and bool(metric.higher_is_better)


ORDERS_WITHOUT_STARS: Mapping[Order, str] = {
    "likely": tr("how likely you are to watch it"),
    **{order: words for order, words in ORDERS.items() if order not in ("liked", "likely", "stars")},
}
"""What a list can be ordered by if the dataset has no stars, in words for the viewer."""


def without_stars(order: Order) -> Order:
    """Return the order of a list that is asked for in ``order``, if the dataset has no stars."""
    return order if order in ORDERS_WITHOUT_STARS else "likely"


def orders(*, has_stars: bool) -> Mapping[Order, str]:
    """Return the orders for a list, each in words for the viewer; the first is the default."""
    return ORDERS if has_stars else ORDERS_WITHOUT_STARS


Way = Literal["weighted", "average", "without misery", "least misery", "most pleasure", "multiplicative", "borda"]
WAYS: Mapping[Way, str] = {
    "weighted": tr("the mean, moved by the dial towards the least happy of you"),
    "average": tr("the mean of everybody's scores"),
    "without misery": tr("the mean, without movies that one of you would give less than 3 stars"),
    "least misery": tr("the score of whoever would like it least"),
    "most pleasure": tr("the score of whoever would like it most"),
    "multiplicative": tr("the product of all scores, so one low score counts a lot"),
    "borda": tr("the mean of a movie's ranks in your lists"),
}
"""The ways to combine the members' lists into one, each described in words for the group."""
Basis = Literal["ratings", "alike", "everyone"]
"""What a prediction rests on: ``ratings`` of the viewer that can be named; otherwise ``alike``, people who liked the
same movies or whose ratings agree, and who like the movie more than others do; otherwise ``everyone``, all ratings of
the movie."""
WELL_LIKED = 4.0
"""A movie with at least this mean rating, rounded to a tenth of a star, counts as very well liked."""
UnseenBy = Literal["all", "any", "none"]
"""How many of the viewers must not have seen a movie of their list: ``all`` of them, ``any`` (at least one) or
``none`` (then everyone may have seen it)."""
