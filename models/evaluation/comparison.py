"""Compares models that were measured on the same test rows, with users as the sampling unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from movietui.data.dataset import Floats, Ratings
from movietui.data.language import tr
from movietui.data.pairs import Pairs
from movietui.data.problems import Problem
from movietui.models.metrics import Doubles

if TYPE_CHECKING:
    from movietui.models.evaluation.measure import Evaluation

MOST_TRIPLES = 50_000_000
"""The most triples whose errors are stored to compare models on pairs: 200 MB per model. With more triples, models
cannot be compared."""


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
    p: float
    """The two-sided p-value of the test that the metrics are equal."""


@dataclass(frozen=True, eq=False)
class Sums:
    """What a comparison needs of one model: sums for each user of the dataset."""

    metric: str
    """The metric that is compared: ``rmse``, or a metric that is a mean over lists."""
    rows: Doubles
    """The number of test rows or, for a metric of lists, of lists, shape (users,)."""
    totals: Doubles
    """The sum of the squared errors or of the metric, shape (users,)."""

    def __add__(self, other: "Sums") -> "Sums":
        """Return the sums over the rows of both, such as two folds of the same dataset."""
        return Sums(self.metric, self.rows + other.rows, self.totals + other.totals)


def sums_of(measured: "Evaluation") -> Sums:
    """Return the sums of an evaluation of the task ``rating`` or ``ranking``."""
    users = len(measured.parts.train.users)
    if measured.lists is not None:
        name, of_lists = measured.lists.measures.main, measured.lists.users
        rows, totals = np.zeros(users), np.zeros(users)
        rows[of_lists], totals[of_lists] = 1, measured.lists.by_user(name)
        return Sums(name, rows, totals)
    assert measured.prediction is not None
    test = measured.parts.test
    errors = (measured.prediction - test.stars.astype(np.float64)) ** 2
    rows = np.bincount(test.user, minlength=users).astype(np.float64)
    return Sums("rmse", rows, np.asarray(np.bincount(test.user, errors, users), np.float64))


def compare_sums(first: Sums, second: Sums, confidence: float = 0.95) -> Difference:
    """Return the first model's metric minus the second's, both over the same rows.

    Rows of one user are not independent, so they are summed by user, and users are the sampling unit, even if a user is
    in several folds. With ``d_u`` the sum of a user's differences of squared errors, over ``n_u`` rows, the difference
    of mse is ``D = sum d / sum n`` with the variance ``sum (d_u - D n_u)^2 / (sum n)^2`` (ratio estimator; Cochran,
    Sampling Techniques, section 6.4), and the difference of rmse is ``D / (rmse_1 + rmse_2)``. For lists, ``d_u`` is
    the difference of the sums of a user's metric, and ``n_u`` the number of the user's lists.
    """
    scale = 1.0
    if first.metric == "rmse":
        scale = max(sum(float(np.sqrt(each.totals.sum() / each.rows.sum())) for each in (first, second)), 1e-12)
    return difference_of(first.metric, first.totals - second.totals, first.rows, scale, confidence)


def compare(first: "Evaluation", second: "Evaluation", confidence: float = 0.95) -> Difference:
    """Compare two models by the rmse of stars predicted for users or for pairs, or by the main metric of lists.

    See ``compare_sums`` and, for pairs, ``_compare_pairs``. Raises ``Problem`` if the test rows, the tasks or the
    metrics of lists differ, or with more than ``MOST_TRIPLES`` triples.
    """
    if first.task != second.task:
        raise Problem(tr("Only evaluations of the same task can be compared; evaluate both models with the same task."))
    if first.task == "pair" and (first.pair_errors is None or second.pair_errors is None):
        raise Problem(
            tr(
                "Pairs can be compared only with up to {triples:,} triples; use a smaller dataset or test part.",
                triples=MOST_TRIPLES,
            )
        )
    tests = first.parts.test, second.parts.test
    same = all(np.array_equal(*(getattr(each, column) for each in tests)) for column in ("user", "movie", "stars"))
    if not same:
        raise Problem(
            tr(
                "{model} was measured on {split} of {dataset}, {other} on other rows; evaluate both on the same split.",
                model=first.model,
                split=first.split,
                dataset=first.dataset,
                other=second.model,
            )
        )
    if first.pair_errors is not None and second.pair_errors is not None:
        return _compare_pairs(first.pair_errors, second.pair_errors, tests[0], confidence)
    if first.lists is not None and second.lists is not None and first.lists.measures != second.lists.measures:
        raise Problem(tr("Only lists with the same metrics and the same threshold of relevance can be compared."))
    return compare_sums(sums_of(first), sums_of(second), confidence)


def difference_of(
    metric: str, differences: Doubles, rows: Doubles, scale: float = 1.0, confidence: float = 0.95
) -> Difference:
    """Return ``sum differences / sum rows / scale`` with its interval over users; see ``compare_sums``.

    ``differences`` and ``rows``: shape (users,).
    """
    total = rows.sum()
    mean = differences.sum() / total
    deviation = np.sqrt(((differences - mean * rows) ** 2).sum()) / total
    return _difference(metric, mean / scale, deviation / scale, confidence)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for the number of tests, in the same order (Holm, A simple sequentially rejective
    multiple test procedure, 1979).

    The lowest of ``m`` p-values is multiplied by ``m``, the next by ``m - 1`` and so on. A corrected value is at least
    as high as the one before it, and at most 1. If all models were equal, the chance that any corrected value is below
    0.05 would be at most 5 %, however the tests depend on each other.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected, highest = [0.0] * len(p_values), 0.0
    for before, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - before) * p_values[index]))
        corrected[index] = highest
    return corrected


def _compare_pairs(first: Floats, second: Floats, test: Ratings, confidence: float) -> Difference:
    """Return the difference of rmse over triples. Two triples are dependent if they share a user.

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
    return _difference("rmse", mean / scale, variance**0.5 / len(a) / scale, confidence)


def _difference(metric: str, value: float, deviation: float, confidence: float) -> Difference:
    normal = NormalDist()
    reach = normal.inv_cdf((1 + confidence) / 2) * deviation
    p = 2 * normal.cdf(-abs(value) / deviation) if deviation > 0 else float(value == 0)
    return Difference(metric, float(value), float(value - reach), float(value + reach), confidence, p)
