"""The experiments of the earlier systems."""

from dataclasses import replace

import pytest

from movietui.models import MODELS
from movietui.models.bias import Bias, BiasSettings
from movietui.models.evaluation import reproduce
from movietui.models.evaluation.measure import evaluate
from movietui.models.evaluation.reproduce import EXPERIMENTS, Experiment
from movietui.models.metrics import rating_metrics
from tests.models.builders import tastes

DATASET = replace(tastes()[0], name="planted")


def test_rows_have_the_reported_figure_and_those_with_both_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    published = BiasSettings(sweeps=1)
    monkeypatch.setattr(Bias, "published", published)
    experiments = (
        Experiment("009", "bias", {"mse": 1.5, "mae": None}, "planted", note="by hand"),
        Experiment("009", "popularity", {"mse": 2.0}, "planted"),
        Experiment("009", "oracle", {"mse": 0.0}, "nowhere"),
    )
    monkeypatch.setattr(reproduce, "EXPERIMENTS", experiments)
    labels = []
    rows = list(reproduce.reproduce({"planted": DATASET}, 3, lambda label, epoch: labels.append(label)))
    tuned = evaluate("bias", DATASET, "random80").metrics
    repeated = evaluate("bias", DATASET, "random80", settings=published).metrics
    assert [(row["model"], row["metric"], row["reported"]) for row in rows] == [
        ("bias", "mse", 1.5),
        ("bias", "mae", None),
        ("popularity", "mse", 2.0),
    ]
    assert rows[1] == {
        "source": "009",
        "model": "bias",
        "dataset": "planted",
        "split": "random80",
        "seed": 3,
        "metric": "mae",
        "reported": None,
        "published": repeated["mae"],
        "tuned": tuned["mae"],
        "note": "by hand",
    }
    assert rows[2]["published"] is None
    assert set(labels) == {"bias, published", "bias, tuned", "popularity, tuned"}


def test_the_reported_metrics_exist_and_the_models_have_published_settings() -> None:
    ratings = set(rating_metrics(DATASET.ratings.stars, DATASET.ratings.stars))
    for experiment in EXPERIMENTS:
        assert set(experiment.reported) <= ratings
        assert experiment.model not in MODELS or MODELS[experiment.model].published is not None
