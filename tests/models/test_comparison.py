"""Comparisons over several folds, and the correction for several of them."""

from statistics import NormalDist

import numpy as np
import pytest

from movietui.models.evaluation.comparison import Sums, compare, compare_sums, difference_of, holm, sums_of
from movietui.models.evaluation.measure import Evaluation, evaluate
from tests.models.builders import tastes

DATASET = tastes()[0]


@pytest.fixture(scope="module")
def folds() -> dict[str, list[Evaluation]]:
    return {name: [evaluate(name, DATASET, f"kfold5-{fold}") for fold in range(5)] for name in ("mf", "bias")}


def pooled(evaluations: list[Evaluation]) -> Sums:
    first, *others = map(sums_of, evaluations)
    return sum(others, start=first)


def test_one_fold_is_compared_as_before(folds: dict[str, list[Evaluation]]) -> None:
    mf, bias = folds["mf"][0], folds["bias"][0]
    assert compare_sums(sums_of(mf), sums_of(bias)) == compare(mf, bias)


def test_the_pooled_difference_is_that_over_all_rows(folds: dict[str, list[Evaluation]]) -> None:
    difference = compare_sums(pooled(folds["mf"]), pooled(folds["bias"]))
    roots = []
    for evaluations in folds.values():
        errors = np.concatenate([each.prediction - each.parts.test.stars for each in evaluations]).astype(float)
        assert len(errors) == len(DATASET.ratings)
        roots.append(np.sqrt((errors**2).mean()))
    assert difference.value == pytest.approx(roots[0] - roots[1], abs=1e-6)
    assert difference.high < 0


def test_the_pooled_interval_is_that_of_a_bootstrap_over_users(folds: dict[str, list[Evaluation]]) -> None:
    """A user is drawn with all their rows of all folds."""
    difference = compare_sums(pooled(folds["mf"]), pooled(folds["bias"]))
    a, b, rows = np.zeros((3, 150))
    for mf, bias in zip(*folds.values(), strict=True):
        user, stars = mf.parts.test.user, mf.parts.test.stars
        a += np.bincount(user, (mf.prediction - stars) ** 2, 150)
        b += np.bincount(user, (bias.prediction - stars) ** 2, 150)
        rows += np.bincount(user, minlength=150)
    random = np.random.RandomState(0)
    drawn = np.stack([np.bincount(random.randint(0, 150, 150), minlength=150) for _ in range(4000)])
    low, high = np.percentile(np.sqrt(drawn @ a / (drawn @ rows)) - np.sqrt(drawn @ b / (drawn @ rows)), [2.5, 97.5])
    assert (difference.low, difference.high) == pytest.approx((low, high), abs=0.15 * (high - low))


def test_repeating_the_same_rows_does_not_narrow_the_interval(folds: dict[str, list[Evaluation]]) -> None:
    mf, bias = (sums_of(evaluations[0]) for evaluations in folds.values())
    once, thrice = compare_sums(mf, bias), compare_sums(mf + mf + mf, bias + bias + bias)
    assert (thrice.low, thrice.high, thrice.p) == pytest.approx((once.low, once.high, once.p))


def test_the_p_value_agrees_with_the_interval() -> None:
    random = np.random.RandomState(0)
    differences = random.normal(0.1, 1, 200)
    difference = difference_of("mae", differences, np.ones(200))
    edge = difference_of("mae", differences, np.ones(200), confidence=1 - difference.p)
    assert min(abs(edge.low), abs(edge.high)) == pytest.approx(0, abs=1e-9)
    z = differences.mean() / differences.std() * np.sqrt(200)
    assert difference.p == pytest.approx(2 * (1 - NormalDist().cdf(abs(z))))
    assert difference_of("mae", np.zeros(3), np.ones(3)).p == 1
    assert difference_of("mae", np.ones(3), np.ones(3)).p == 0


def test_equal_models_have_a_small_p_value_as_rarely_as_they_should() -> None:
    random = np.random.RandomState(1)
    p = [difference_of("mae", random.normal(0, 1, 100), np.ones(100)).p for _ in range(2000)]
    assert np.mean(np.asarray(p) < 0.05) == pytest.approx(0.05, abs=0.015)


def test_holm_by_hand() -> None:
    assert holm([]) == []
    assert holm([0.2]) == [0.2]
    assert holm([0.04, 0.001, 0.03, 0.9]) == pytest.approx([0.09, 0.004, 0.09, 0.9])
    assert holm([0.5, 0.6]) == pytest.approx([1, 1])


def test_holm_rejects_as_the_step_down_procedure_does() -> None:
    random = np.random.RandomState(3)
    for _ in range(200):
        p = (random.random_sample(6) ** 3).tolist()
        rejected = set()
        for step, index in enumerate(np.argsort(p).tolist()):
            if p[index] > 0.05 / (6 - step):
                break
            rejected.add(index)
        assert {index for index, corrected in enumerate(holm(p)) if corrected <= 0.05} == rejected
