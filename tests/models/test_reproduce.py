"""The experiments of the earlier systems."""

from dataclasses import asdict, replace

import pytest

from movietui.models import MODELS
from movietui.models.bias import Bias, BiasSettings
from movietui.models.embedding_products import SgdMF, SgdMFSettings
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
    rows = list(reproduce.reproduce({("planted", "none"): DATASET}, 3, lambda label, epoch: labels.append(label)))
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
        "cleaning": "none",
        "split": "random80",
        "seed": 3,
        "metric": "mae",
        "reported": None,
        "published": repeated["mae"],
        "extended": None,
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


def test_the_published_settings_do_only_what_the_author_describes() -> None:
    """Nothing of what we add is on; with it, the settings are ``extended``."""
    for experiment in EXPERIMENTS:
        published = MODELS[experiment.model].published
        assert published is not None
        named = asdict(published)
        added = {name for name in reproduce.ADDED if name in named}
        assert not any(named[name] for name in added)
        more = reproduce.extended(published)
        assert (more is None) == (not added)
        assert more is None or all(getattr(more, name) for name in added)


def test_the_extended_settings_are_measured_too(monkeypatch: pytest.MonkeyPatch) -> None:
    published = SgdMFSettings(epochs=1, members=1, mean=False, folded=False, biases=False)
    monkeypatch.setattr(SgdMF, "published", published)
    monkeypatch.setattr(reproduce, "EXPERIMENTS", (Experiment("009", "sgd-mf", {"mse": None}, "planted"),))
    (row,) = reproduce.reproduce({("planted", "none"): DATASET})
    for label, settings in (("published", published), ("extended", SgdMFSettings(epochs=1, members=1))):
        assert row[label] == evaluate("sgd-mf", DATASET, "random80", settings=settings).metrics["mse"]
    assert row["extended"] != row["published"]
