"""What keeps the models within time and memory on a large dataset, tried with small limits."""

from pathlib import Path

import numpy as np
import pytest
import torch

from movietui.data.fetch import estimates
from movietui.data.samples import evenly_spread, ratings_of, some_users
from movietui.models import blend, ease, item_knn
from movietui.models.base import history_of
from movietui.models.blend import Blend, BlendSettings, affordable
from movietui.models.checkpoints import load, save
from movietui.models.ease import Ease, EaseSettings, solve
from movietui.models.evaluation import parts as evaluation_parts
from movietui.models.evaluation.measure import evaluate, train
from movietui.models.ials import Ials, IalsSettings
from movietui.models.item_knn import ItemKNN
from movietui.models.training import bayes, ials
from movietui.models.training.mf import Lists
from tests.models.builders import rmse, tastes

TRAIN, HELD_OUT = tastes()


def random_lists(rows: int = 30, others: int = 20, ratings: int = 200) -> Lists:
    random = torch.Generator().manual_seed(4)
    row = torch.randint(0, rows - 3, (ratings,), generator=random, dtype=torch.int32)  # the last rows are empty
    other = torch.randint(0, others, (ratings,), generator=random, dtype=torch.int32)
    return Lists.of(row, other, torch.randn(ratings, generator=random), rows)


def test_some_users_have_about_as_many_ratings_as_asked_for() -> None:
    total = len(TRAIN.ratings)
    assert some_users(TRAIN, total).tolist() == [*range(150)]
    drawn = some_users(TRAIN, total // 2, 1)
    rows = ratings_of(TRAIN, drawn)
    assert 0.3 * total < len(rows) < 0.7 * total
    assert set(TRAIN.ratings.user[rows].tolist()) == set(drawn.tolist())
    assert (np.diff(rows) > 0).all()
    assert len(rows) == np.isin(TRAIN.ratings.user, drawn).sum()
    assert some_users(TRAIN, total // 2, 1).tolist() == drawn.tolist()
    assert some_users(TRAIN, total // 2, 2).tolist() != drawn.tolist()


def test_a_blend_of_many_ratings_has_no_vae(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(blend, "RATINGS_FOR_VAE", len(TRAIN.ratings) - 1)
    model = Blend(BlendSettings(sweeps=2, factors=2, learned=False))
    model.fit(TRAIN)
    assert not any(name.startswith("vae/") for name in model.parameters)
    assert model.parameters["order"].tolist() == [0.5, 2.0, 3.0, 0.0]
    save(tmp_path / "run", model, TRAIN)
    loaded, history = load(tmp_path / "run", TRAIN)[0], history_of(TRAIN, 3)
    before, after = model.expect(model.fold_in(history)), loaded.expect(loaded.fold_in(history))
    np.testing.assert_array_equal(after.score, before.score)


def test_a_dataset_with_some_of_its_users() -> None:
    users = some_users(TRAIN, len(TRAIN.ratings) // 2, 1)
    part = TRAIN.only_users(users)
    assert part.users.ids == tuple(TRAIN.users.ids[user] for user in users.tolist())
    assert part.users.age.tolist() == (TRAIN.users.age[users].tolist() if len(TRAIN.users.age) else [])
    assert len(part.ratings) == len(ratings_of(TRAIN, users))
    for row, user in enumerate(users.tolist()):
        for column in ("movies", "stars"):
            before, after = getattr(history_of(TRAIN, user), column), getattr(history_of(part, row), column)
            assert after.tolist() == before.tolist()
    assert part.movies is TRAIN.movies
    assert TRAIN.only_users(np.arange(len(TRAIN.users))) is TRAIN


def test_evenly_spread_numbers() -> None:
    assert evenly_spread(9, 3).tolist() == [0, 4, 8]
    assert evenly_spread(3, 9).tolist() == [0, 1, 2]
    assert evenly_spread(0, 9).tolist() == []


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_both_ways_to_sum_products_agree(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(bayes, "RATINGS_AT_ONCE", at_once)
    lists, table = random_lists(), torch.randn(21, 5, generator=torch.Generator().manual_seed(1))
    table[-1] = 0
    starts = lists.starts[5:28]
    results = torch.zeros(2, 22, 5, 5)
    bayes._sum_rows(lists, starts, table, results[0])
    bayes._multiply_lists(lists, starts, table, results[1])
    torch.testing.assert_close(results[0], results[1], atol=1e-5, rtol=1e-4)
    for row in range(22):
        inside = slice(int(starts[row]), int(starts[row + 1]))
        z = table[lists.others[inside].long()].clone()
        z[:, -1] *= lists.stars[inside]
        torch.testing.assert_close(results[1][row], z.T @ z, atol=1e-5, rtol=1e-4)


def test_directions_come_from_a_sample_of_a_large_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    lists = random_lists()
    other = torch.repeat_interleave(torch.arange(30, dtype=torch.int32), lists.starts.diff())
    others = Lists.of(lists.others, other, lists.stars, 20)
    assert bayes._sampled(lists, others, torch.Generator())[0] is lists
    monkeypatch.setattr(bayes, "DIRECTION_RATINGS", 100)
    some, of_some = bayes._sampled(lists, others, torch.Generator().manual_seed(3))
    assert 40 < len(some.others) < 160
    assert len(some.others) == len(of_some.others)
    assert len(of_some.starts) == 21
    whole = {tuple(lists.others[lists.starts[row] : lists.starts[row + 1]].tolist()) for row in range(30)}
    assert {
        tuple(some.others[some.starts[row] : some.starts[row + 1]].tolist()) for row in range(len(some.starts) - 1)
    } <= whole
    assert torch.bincount(some.others, minlength=20).tolist() == of_some.starts.diff().tolist()


def test_rows_without_a_blocks_movies_add_nothing_to_the_products(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    popularity = np.linspace(0.01, 0.8, 30)[random.permutation(30)]
    table = (random.random((60, 30)) < popularity).astype(np.float32) * random.integers(1, 5, (60, 30))
    table = table.astype(np.float32)
    whole = solve([table], 30, 3.0, 0.5)
    monkeypatch.setattr(ease, "BLOCK", 4)
    for most in (0.0, 0.7, 1.1):
        monkeypatch.setattr(ease, "MOST_ROWS", most)
        for solved, expected in zip(solve([table[:20], table[20:]], 30, 3.0, 0.5), whole, strict=True):
            np.testing.assert_allclose(solved, expected, atol=1e-5)


@pytest.mark.parametrize("model", [Ials(IalsSettings(factors=3)), ItemKNN(), Ease(EaseSettings(ridge=300))])
def test_rankers_and_neighbours_of_some_users_serve_everybody(
    monkeypatch: pytest.MonkeyPatch, model: Ials | ItemKNN | Ease
) -> None:
    monkeypatch.setattr(ials, "LEARNED_RATINGS", len(TRAIN.ratings) // 2)
    monkeypatch.setattr(item_knn, "SIMILARITY_RATINGS", len(TRAIN.ratings) // 2)
    model.fit(TRAIN)
    mean = np.full(len(HELD_OUT), TRAIN.ratings.stars.mean())
    predicted = model.predict(HELD_OUT.user, HELD_OUT.movie)
    assert rmse(predicted, HELD_OUT.stars) < rmse(mean, HELD_OUT.stars) - 0.05
    for user in (0, 149):
        expected = model.expect(model.fold_in(history_of(TRAIN, user))).stars
        rows = np.flatnonzero(HELD_OUT.user == user)
        np.testing.assert_allclose(expected[HELD_OUT.movie[rows]], predicted[rows], atol=0.01)


def test_a_blend_makes_fewer_sweeps_before_it_leaves_out_users() -> None:
    assert affordable(BlendSettings(), 100_000) == (200, 100_000)
    assert affordable(BlendSettings(minutes=3), 1_000_000) == (100, 1_000_000)
    sweeps, ratings = affordable(BlendSettings(minutes=1), 32_000_000)
    assert sweeps == 40
    assert ratings == pytest.approx(833_000, rel=0.01)
    assert affordable(BlendSettings(sweeps=10, minutes=0.1), 32_000_000)[0] == 10
    assert affordable(BlendSettings(), 0) == (200, 0)


def test_a_blend_of_some_users_serves_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blend, "WEIGHT_RATINGS", 1500)
    monkeypatch.setattr(blend, "ORDER_MOVIES", 40)
    monkeypatch.setattr(blend, "FEWEST_SWEEPS", 30)
    monkeypatch.setattr(blend, "SWEEP_SECONDS", 0.1 * 60 * blend.BASE_SHARE / (30 * 2000))
    model = Blend(BlendSettings(factors=3, minutes=0.1, vae=False))
    model.fit(TRAIN)
    left_out = np.setdiff1d(np.arange(150), some_users(TRAIN, 2000, 0))
    assert len(left_out)
    errors, means = [], []
    for user in left_out.tolist():
        rows = np.flatnonzero(HELD_OUT.user == user)
        expected = model.expect(model.fold_in(history_of(TRAIN, user)))
        errors.append(expected.stars[HELD_OUT.movie[rows]] - HELD_OUT.stars[rows])
        means.append(TRAIN.ratings.stars.mean() - HELD_OUT.stars[rows])
    assert np.square(np.concatenate(errors)).mean() < np.square(np.concatenate(means)).mean() * 0.8
    assert not any(name.startswith("ease/rated") for name in model.parameters)


def test_stars_are_measured_on_some_of_many_test_ratings(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train("bias", TRAIN, "random80", refit_all=False)
    monkeypatch.setattr(evaluation_parts, "PREDICTED_RATINGS", 40)
    some = train("bias", TRAIN, "random80", refit_all=False)
    rows = evenly_spread(len(whole.parts.test), 40)
    assert some.parts.rows.test.tolist() == whole.parts.rows.test[rows].tolist()
    np.testing.assert_array_equal(some.prediction, whole.prediction[rows])
    assert some.metrics["ndcg@10"] == whole.metrics["ndcg@10"]  # of all test ratings
    assert some.metrics["rmse_margin"] > whole.metrics["rmse_margin"]
    assert evaluate("bias", TRAIN, "random80").metrics["rmse"] == some.metrics["rmse"]


def test_a_large_dataset_is_fitted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "FITTED_ONCE", len(TRAIN.ratings) - 1)
    phases = []
    trained = train("bias", TRAIN, "random80", progress=lambda phase, epoch: phases.append(phase))
    assert set(phases) == {"measure"}
    assert trained.fitted_on == "train"
    assert trained.fitted.curve[-1].validation_loss is None
    assert trained.model.counts.sum() == len(trained.parts.train.ratings)
    monkeypatch.setattr(estimates, "FITTED_ONCE", len(TRAIN.ratings))
    assert train("bias", TRAIN, "random80").fitted_on == "all ratings"
