"""What is kept of a measurement says the same as the measurement."""

from itertools import pairwise

import numpy as np
import pytest

from models.evaluation import Trained, compare, evaluate, train
from models.metrics import accuracy, confusion
from models.tally import LISTED, Tally, differences, tally
from tests.models.builders import tastes

DATASET = tastes()[0]


@pytest.fixture(scope="module")
def trained() -> dict[str, Trained]:
    return {name: train(name, DATASET, "random80", refit_all=False) for name in ("mf", "popularity")}


def kept(found: Trained) -> Tally:
    return tally(found.known, found.test, found.prediction, found.lists)


def test_differences_are_those_of_the_metrics(trained: dict[str, Trained]) -> None:
    mf, popularity = trained.values()
    found = {one.metric: one for one in differences(kept(mf), kept(popularity))}
    assert set(LISTED) | {"rmse", "mse", "mae", "accuracy", "mse_scaled"} == set(found)
    for metric, difference in found.items():
        assert difference.value == pytest.approx(mf.metrics[metric] - popularity.metrics[metric], abs=1e-6)
        assert difference.low <= difference.value <= difference.high
    assert found["rmse"].high < 0 < found["ndcg@10"].low


def test_intervals_are_those_of_compare(trained: dict[str, Trained]) -> None:
    found = {one.metric: one for one in differences(*map(kept, trained.values()))}
    for task, metric in (("rating", "rmse"), ("ranking", "ndcg@10")):
        expected = compare(*(evaluate(name, DATASET, "random80", task) for name in ("mf", "popularity")))
        ends = found[metric].low, found[metric].high
        assert ends == pytest.approx((expected.low, expected.high), rel=1e-4)


def test_a_tally_comes_back_from_bytes(trained: dict[str, Trained]) -> None:
    own = kept(trained["mf"])
    back = Tally.of_bytes(own.rows, own.to_bytes())
    assert back.values.keys() == own.values.keys()
    for name, values in own.values.items():
        np.testing.assert_array_equal(back.values[name], values)


def test_only_the_same_rows_are_compared(trained: dict[str, Trained]) -> None:
    parts = [train("popularity", DATASET, f"kfold5-{fold}", refit_all=False) for fold in range(2)]
    for first, second in pairwise(map(kept, [*parts, trained["mf"]])):
        with pytest.raises(ValueError, match="different rows"):
            differences(first, second)


def test_confusion_holds_the_accuracy(trained: dict[str, Trained]) -> None:
    stars, prediction = trained["mf"].test.stars, trained["mf"].prediction
    found = confusion(prediction, stars)
    right = sum(
        count
        for rated, row in zip(found.rated, found.counts, strict=True)
        for predicted, count in zip(found.predicted, row, strict=True)
        if rated == predicted
    )
    assert right / len(stars) == pytest.approx(accuracy(prediction, stars))
    assert [sum(row) for row in found.counts] == [int((stars == rated).sum()) for rated in found.rated]
