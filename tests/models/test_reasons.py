"""Why a movie: true to every model, and what it has in common."""

from dataclasses import fields, replace

import numpy as np
import pytest

from data.dataset import ImdbFacts
from models.evaluation import history_of
from models.model import History
from models.reasons import Shared, explain, shared
from models.table import MODELS
from tests.models.builders import dataset, tastes

TRAIN = tastes(users=40, movies=30)[0]
SMALL = {"members": 1, "epochs": 1, "sweeps": 2, "samples": 2, "burn_in": 1, "hidden": 8, "second": 0, "factors": 4}
"""What keeps a fit short, of models that have such settings."""


@pytest.mark.parametrize("name", MODELS)
def test_removing_the_named_film_changes_the_score_by_what_was_said(name: str) -> None:
    kind = MODELS[name]
    tuned = kind.settings_type()
    small = {field.name: SMALL[field.name] for field in fields(tuned) if field.name in SMALL}
    model = kind(replace(tuned, **small))
    model.fit(TRAIN)
    history = history_of(TRAIN, 4)
    history = History(history.movies, history.stars)
    movie = int(np.setdiff1d(np.arange(30), history.movies)[0])
    expected = model.expect(model.fold_in(history))
    found = explain(model, TRAIN.movies, history, expected, movie, most=3)
    assert found.score == pytest.approx(float(expected.score[movie]))
    assert found.low <= found.stars <= found.high
    shares = [abs(reason.share) for reason in found.reasons]
    assert shares == sorted(shares, reverse=True)
    for reason in found.reasons:
        place = history.movies.tolist().index(reason.movie)
        left = model.expect(model.fold_in(history.without(place)))
        assert found.score - float(left.score[movie]) == pytest.approx(reason.share, abs=2e-4)
        assert reason.stars == history.stars[place]


def test_mf_has_reasons() -> None:
    model = MODELS["mf"]()
    model.fit(TRAIN)
    history = history_of(TRAIN, 4)
    found = explain(model, TRAIN.movies, history, model.expect(model.fold_in(history)), 0, most=4)
    assert len(found.reasons) == 4


def test_what_is_shared() -> None:
    few = dataset([0], [0], [3], movies=4)
    facts = ImdbFacts(
        np.full(4, 7, np.float32),
        np.ones(4, np.int32),
        np.full(4, 90, np.int32),
        (("Ann", "Bo"), ("Bo",), ("Cy",), ("Ann",)),
        ((),) * 4,
    )
    genres = np.asarray([[1, 1], [0, 1], [0, 0], [1, 0]], bool)
    movies = replace(few.movies, genres=genres)
    assert shared(movies, 0, [1]) == Shared(("Drama",), ())
    movies = replace(movies, imdb=facts)
    assert shared(movies, 0, [1]) == Shared(("Drama",), ("Bo",))
    assert shared(movies, 0, [1, 3]) == Shared(("Comedy", "Drama"), ("Ann", "Bo"))
    assert shared(movies, 0, [2]) == shared(movies, 0, []) == Shared((), ())
