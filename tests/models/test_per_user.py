"""Sums by user give the same figures as the evaluation that they come from."""

from itertools import pairwise

import numpy as np
import pytest

from movietui.models.evaluation.comparison import compare
from movietui.models.evaluation.measure import Trained, evaluate, measures_for, train
from movietui.models.evaluation.per_user import UserSums, differences, sum_by_user
from movietui.models.metrics import accuracy, confusion
from tests.models.builders import tastes

DATASET = tastes()[0]
LIST_METRICS = {"ndcg@10", "precision@10", "map@10", "mrr", "recall@10", "recall@20", "hit@10"}


@pytest.fixture(scope="module")
def trained() -> dict[str, Trained]:
    return {name: train(name, DATASET, "random80", refit_all=False) for name in ("mf", "popularity")}


def sums_of(trained: Trained) -> UserSums:
    return sum_by_user(trained.parts, trained.prediction, trained.lists)


def test_differences_are_those_of_the_metrics(trained: dict[str, Trained]) -> None:
    mf, popularity = trained.values()
    result = {one.metric: one for one in differences(sums_of(mf), sums_of(popularity))}
    assert LIST_METRICS | {"rmse", "mse", "mae", "accuracy", "mse_scaled"} == set(result)
    for metric, difference in result.items():
        assert difference.value == pytest.approx(mf.metrics[metric] - popularity.metrics[metric], abs=1e-6)
        assert difference.low <= difference.value <= difference.high
    assert result["rmse"].high < 0 < result["ndcg@10"].low


def test_intervals_are_those_of_compare(trained: dict[str, Trained]) -> None:
    result = {one.metric: one for one in differences(*map(sums_of, trained.values()))}
    for task, metric in (("rating", "rmse"), ("ranking", "ndcg@10")):
        expected = compare(*(evaluate(name, DATASET, "random80", task) for name in ("mf", "popularity")))
        ends = result[metric].low, result[metric].high
        assert ends == pytest.approx((expected.low, expected.high), rel=1e-4)


def test_lists_alone_are_compared_at_any_length_but_not_with_another_threshold(trained: dict[str, Trained]) -> None:
    def lists_of(name: str, **wanted: float) -> UserSums:
        measures = measures_for("random80", [5], **wanted)
        measured = evaluate(name, DATASET, "random80", "ranking", measures=measures)
        return sum_by_user(measured.parts, measured.prediction, measured.lists)

    result = {one.metric: one for one in differences(lists_of("mf"), lists_of("popularity"))}
    assert {"ndcg@5", "mrr"} <= {*result}
    assert "rmse" not in result
    assert result["ndcg@5"].low > 0
    assert {one.metric for one in differences(lists_of("mf"), sums_of(trained["mf"]))} == {"mrr"}
    with pytest.raises(ValueError, match="different rows"):
        differences(lists_of("mf"), lists_of("mf", relevant=3.0))


def test_sums_are_restored_from_bytes(trained: dict[str, Trained]) -> None:
    sums = sums_of(trained["mf"])
    restored = UserSums.of_bytes(sums.fingerprint, sums.to_bytes())
    assert restored.values.keys() == sums.values.keys()
    for name, values in sums.values.items():
        np.testing.assert_array_equal(restored.values[name], values)


def test_only_the_same_rows_are_compared(trained: dict[str, Trained]) -> None:
    parts = [train("popularity", DATASET, f"kfold5-{fold}", refit_all=False) for fold in range(2)]
    for first, second in pairwise(map(sums_of, [*parts, trained["mf"]])):
        with pytest.raises(ValueError, match="different rows"):
            differences(first, second)


def test_the_confusion_matrix_contains_the_accuracy(trained: dict[str, Trained]) -> None:
    stars, prediction = trained["mf"].parts.test.stars, trained["mf"].prediction
    table = confusion(prediction, stars)
    right = sum(
        count
        for rated, row in zip(table.rated, table.counts, strict=True)
        for predicted, count in zip(table.predicted, row, strict=True)
        if rated == predicted
    )
    assert right / len(stars) == pytest.approx(accuracy(prediction, stars))
    assert [sum(row) for row in table.counts] == [int((stars == rated).sum()) for rated in table.rated]
