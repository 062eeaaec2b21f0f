"""The experiments of the source systems."""

from dataclasses import replace

import pytest

from models import reproduce
from models.bias import Bias, BiasSettings
from models.evaluation import evaluate
from models.metrics import rating_metrics
from models.reproduce import EXPERIMENTS, Experiment
from models.table import MODELS
from tests.models.builders import tastes

DATASET = replace(tastes()[0], name="planted")


def test_rows_hold_what_was_reported_beside_both_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    published = BiasSettings(sweeps=1)
    monkeypatch.setattr(Bias, "published", published)
    experiments = (
        Experiment("009", "bias", {"mse": 1.5, "mae": None}, "planted", note="by hand"),
        Experiment("009", "popularity", {"mse": 2.0}, "planted"),
        Experiment("009", "oracle", {"mse": 0.0}, "nowhere"),
    )
    monkeypatch.setattr(reproduce, "EXPERIMENTS", experiments)
    heard = []
    rows = list(reproduce.reproduce({"planted": DATASET}, 3, lambda label, epoch: heard.append(label)))
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
    assert set(heard) == {"bias, published", "bias, tuned", "popularity, tuned"}


def test_models_of_the_sources_are_measured_with_metrics_that_there_are() -> None:
    ratings = set(rating_metrics(DATASET.ratings.stars, DATASET.ratings.stars))
    for experiment in EXPERIMENTS:
        assert set(experiment.reported) <= ratings
        assert experiment.model not in MODELS or MODELS[experiment.model].published is not None
