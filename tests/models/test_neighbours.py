"""The neighbour models."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movietui.data.dataset import Dataset
from movietui.models import item_knn, neighbours
from movietui.models.base import AnyModel, History, history_of
from movietui.models.bias import Bias, expected
from movietui.models.checkpoints import save
from movietui.models.item_knn import ItemKNN, ItemKNNSettings
from movietui.models.user_knn import UserKNN, UserKNNSettings
from tests.models.builders import checkerboard, dataset, rmse, tastes
from tests.models.contract import EMPTY, ModelContract


class NeighboursContract(ModelContract):
    """The contract of both neighbour models, in addition to that of all models."""

    def test_is_better_than_biases_where_there_is_taste(self, model: AnyModel) -> None:
        train, held_out = tastes()
        bias = Bias()
        bias.fit(train)
        errors = [rmse(each.predict(held_out.user, held_out.movie), held_out.stars) for each in (bias, model)]
        assert errors[1] < errors[0] - 0.1

    def test_more_ratings_reduce_the_uncertainty(self, model: AnyModel) -> None:
        history = history_of(tastes()[0], 4)
        few = History(history.movies[:4], history.stars[:4])
        stranger = History(history.movies, history.stars)
        uncertainties = [float(model.expect(model.fold_in(each)).uncertainty.mean()) for each in (EMPTY, few, stranger)]
        assert uncertainties[0] > uncertainties[1] > uncertainties[2]

    @pytest.mark.parametrize("opposites", [False, True])
    @pytest.mark.parametrize("both", [False, True])
    def test_explanations_are_exact_with_all_settings(self, opposites: bool, both: bool) -> None:
        train = tastes()[0]
        model = self.kind(self.kind.settings_type(neighbours=20, opposites=opposites, both=both))
        model.fit(train)
        known = history_of(train, 8)
        for history in (known, History(known.movies, known.stars)):
            movies = np.append(known.movies[:2], np.int32(30))
            slow = super(neighbours.Neighbours, model).explain_list(history, movies)
            np.testing.assert_allclose(model.explain_list(history, movies), slow, atol=2e-3)

    def test_published_settings_fit_the_effects_of_one_side(self) -> None:
        model = self.kind(self.kind.published)
        model.fit(tastes()[0])
        sides = {side for side in ("user", "movie") if np.abs(model.parameters[side]).max() > 1e-6}
        assert sides == {"user" if self.kind is UserKNN else "movie"}

    def test_blocks_do_not_change_the_result(self, model: AnyModel, monkeypatch: pytest.MonkeyPatch) -> None:
        train, held_out = tastes()
        monkeypatch.setattr(neighbours, "BLOCK", 400)
        monkeypatch.setattr(item_knn, "MOVIES_AT_ONCE", 7)
        again = self.kind(model.settings)
        again.fit(train)
        pairs = held_out.user, held_out.movie
        np.testing.assert_allclose(again.predict(*pairs), model.predict(*pairs), atol=1e-4)
        history, movies = history_of(train, 8), np.arange(20, dtype=np.int32)
        shares = model.explain_list(history, movies)
        np.testing.assert_allclose(again.explain_list(history, movies), shares, atol=1e-3)

    def test_serves_without_torch(self, model: AnyModel, train: Dataset, tmp_path: Path) -> None:
        save(tmp_path / "run", model, train)
        program = (
            "import sys; from pathlib import Path; from movietui.models.checkpoints import load\n"
            "from movietui.models.base import history_of; from tests.models.builders import tastes\n"
            "train = tastes()[0]; model = load(Path(sys.argv[1]), train)[0]; history = history_of(train, 3)\n"
            "model.expect(model.fold_in(history)); model.explain(history, 5); assert 'torch' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", program, tmp_path / "run"], check=True)


class TestUserKNN(NeighboursContract):
    kind = UserKNN
    checkerboard_bound = 0.2
    tastes_bound = 0.8

    def test_only_the_most_similar_users_count_and_nobody_is_their_own_neighbour(self) -> None:
        train = tastes()[0]
        model = UserKNN(UserKNNSettings(neighbours=5))
        model.fit(train)
        weights = model.fold_in(history_of(train, 3)).weights
        whole = UserKNN(UserKNNSettings(neighbours=5000))
        whole.fit(train)
        largest = np.argsort(-np.abs(whole.fold_in(history_of(train, 3)).weights))[:5]
        assert set(np.flatnonzero(weights)) == set(largest)
        assert 3 not in largest
        twin = History(history_of(train, 3).movies, history_of(train, 3).stars)
        assert np.argmax(whole.fold_in(twin).weights) == 3


class TestItemKNN(NeighboursContract):
    kind = ItemKNN
    checkerboard_bound = 0.2
    tastes_bound = 0.7

    def test_only_the_most_similar_movies_count(self) -> None:
        model = ItemKNN(ItemKNNSettings(neighbours=5, opposites=True))
        model.fit(tastes()[0])
        assert model.parameters["neighbour"].shape == (91, 6)
        np.testing.assert_array_equal(model.parameters["neighbour"][:-1, 0], np.arange(90))
        whole = ItemKNN(ItemKNNSettings(neighbours=5000, opposites=True))
        whole.fit(tastes()[0])
        for movie in (0, 40):
            nearest, all_of = (each.parameters["neighbour"][movie, 1:] for each in (model, whole))
            strongest = np.argsort(-np.abs(whole.parameters["weight"][movie, 1:]))[:5]
            assert set(nearest) == set(all_of[strongest])

    def test_dense_and_movie_by_movie_neighbours_are_equal(
        self, model: ItemKNN, train: Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(item_knn, "MAX_DENSE_ENTRIES", 0)
        monkeypatch.setattr(neighbours, "BLOCK", 1000)
        again = ItemKNN(model.settings)
        again.fit(train)
        np.testing.assert_allclose(again.parameters["weight"], model.parameters["weight"], atol=1e-5)
        users, movies = train.ratings.user, train.ratings.movie
        np.testing.assert_allclose(again.predict(users, movies), model.predict(users, movies), atol=1e-4)


def small() -> Dataset:
    """Return a dataset with about half of all possible ratings, at random."""
    random = np.random.RandomState(2)
    user, movie = np.nonzero(random.random_sample((14, 11)) < 0.5)
    return dataset(user, movie, random.randint(1, 6, len(user)).astype(np.float32))


def sums_by_definition(
    residual_of: dict[tuple[int, int], float], one: int, movie: int, settings: Any, by_user: bool, without: bool = False
) -> tuple[float, float]:
    """Return ``sum w e`` and ``sum |w|`` as the docstring of ``movietui.models.neighbours`` defines them, naively.

    ``without``: leave out the rating of ``movie`` by ``one``.
    """
    residual_of = dict(residual_of)
    own_residual = residual_of.get((one, movie))
    if without:
        del residual_of[one, movie]
    size = 1 + max(pair[0 if by_user else 1] for pair in residual_of)
    vectors: list[dict[int, float]] = [{} for _ in range(size)]
    for (user, rated), value in residual_of.items():
        vectors[user if by_user else rated][rated if by_user else user] = value
    here = one if by_user else movie
    top = bottom = 0.0
    for other, other_residuals in enumerate(vectors):
        value = residual_of.get((other, movie) if by_user else (one, other))
        if value is None:
            continue
        common = set(other_residuals) & set(vectors[here])
        if other == here:
            similarity = len(other_residuals) / (len(other_residuals) + settings.shrinkage)
        else:
            # A rating that is left out is also removed from the other's vector, because it is no longer common to both.
            other_vector = {
                key: v for key, v in other_residuals.items() if not (without and key == (movie if by_user else one))
            }
            vector = vectors[here]
            dot = sum(vector[key] * other_residuals[key] for key in common)
            norm = np.sqrt(sum(v * v for v in vector.values()) * sum(v * v for v in other_vector.values()))
            similarity = dot / norm * len(common) / (len(common) + settings.shrinkage) if norm else 0.0
        if similarity < 0 and not settings.opposites:
            continue
        weight = np.sign(similarity) * abs(similarity) ** settings.contrast
        top, bottom = top + weight * value, bottom + abs(weight)
    assert without or own_residual is None or bottom > 0
    return top, bottom


@pytest.mark.parametrize("kind", [UserKNN, ItemKNN])
@pytest.mark.parametrize("opposites", [False, True])
def test_expectations_follow_the_formula(kind: type[AnyModel], opposites: bool) -> None:
    train = small()
    settings = kind.settings_type(opposites=opposites, shrinkage=3, doubt=0.1)
    model = kind(settings)
    model.fit(train)
    ratings, parameters = train.ratings, model.parameters
    residuals = ratings.stars - expected(parameters, ratings.user, ratings.movie)
    residual_of = {(int(u), int(m)): float(e) for u, m, e in zip(ratings.user, ratings.movie, residuals, strict=True)}
    for user in (0, 5, 13):
        taste = model.fold_in(history_of(train, user))
        expectation = model.expect(taste)
        for movie in range(11):
            top, bottom = sums_by_definition(residual_of, user, movie, settings, kind is UserKNN)
            effects = float(expected(parameters, np.asarray([user]), np.asarray([movie]))[0])
            stars = np.clip(effects + top / (0.1 + bottom), 1, 5)
            assert expectation.stars[movie] == pytest.approx(stars, abs=1e-4)
            variance = float(parameters["movie_variance"][movie]) + taste.generosity.variance
            variance += float(parameters["taste"]) * 0.1 / (0.1 + bottom)
            assert expectation.uncertainty[movie] == pytest.approx(np.sqrt(variance), abs=1e-4)


@pytest.mark.parametrize("kind", [UserKNN, ItemKNN])
def test_the_loss_on_train_and_taste_leave_each_rating_out(
    kind: type[AnyModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[kind.__module__], "SAMPLE", 5000)
    train = small()
    settings = kind.settings_type(opposites=True, shrinkage=3, doubt=0.1)
    model = kind(settings)
    fitted = model.fit(train)
    ratings, parameters = train.ratings, model.parameters
    residuals = ratings.stars - expected(parameters, ratings.user, ratings.movie)
    residual_of = {(int(u), int(m)): float(e) for u, m, e in zip(ratings.user, ratings.movie, residuals, strict=True)}
    pairs = {
        pair: sums_by_definition(residual_of, *pair, settings, kind is UserKNN, without=True) for pair in residual_of
    }
    errors = {pair: residual_of[pair] - top / (0.1 + bottom) for pair, (top, bottom) in pairs.items()}
    assert fitted.curve[0].train_loss == pytest.approx(np.mean(np.square(list(errors.values()))), rel=1e-3)
    reduction = sum(residual_of[pair] ** 2 - errors[pair] ** 2 for pair in residual_of)
    known = sum(bottom / (0.1 + bottom) for _, bottom in pairs.values())
    assert parameters["taste"] == pytest.approx(max(reduction / known, 0), abs=1e-3)


def test_recovers_the_variance_of_taste() -> None:
    """Neighbours predict the checkerboard completely, and every residual is two stars."""
    for kind in (UserKNN, ItemKNN):
        model = kind()
        model.fit(checkerboard()[0])
        assert model.parameters["taste"] == pytest.approx(4, abs=0.5)


def test_long_lists_are_thinned_evenly() -> None:
    lists = neighbours.ResidualLists(np.asarray([0, 3, 3, 13]), np.arange(13, dtype=np.int32), np.ones(13, np.float32))
    thin = lists.thinned(5)
    assert thin.starts.tolist() == [0, 3, 3, 8]
    assert thin.other.tolist() == [0, 1, 2, 4, 6, 8, 10, 12]
