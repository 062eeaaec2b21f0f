"""The contract of every model; the test class of each model inherits these tests."""

from copy import copy
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from movietui.data.dataset import Dataset
from movietui.data.problems import Cancelled, Problem
from movietui.models import MODELS
from movietui.models.base import AnyModel, Epoch, Fitted, History, Model, history_of
from movietui.models.checkpoints import load, save
from movietui.models.settings import Settings
from tests.models.builders import checkerboard, dataset, rmse, tastes

EMPTY = History(np.empty(0, np.int32), np.empty(0, np.float32))


class ModelContract:
    """Inherit, and set ``kind``, ``checkerboard_bound`` and ``tastes_bound``.

    The tests that use ``model`` also run with the model's published settings, if it has any.
    """

    kind: ClassVar[type[AnyModel]]
    checkerboard_bound: ClassVar[float]
    """The upper bound of the rmse on held-out ratings of ``checkerboard``; a model that ignores taste has an rmse of
    about 2."""
    tastes_bound: ClassVar[float]
    """The upper bound of the rmse on held-out ratings of ``tastes``."""
    published_bound: ClassVar[float] = 1.2
    """The upper bound of the rmse on held-out ratings of ``tastes`` with published settings; predicting three stars for
    every movie gives 1.06."""
    settings: ClassVar[Settings | None] = None
    """Settings that replace the tuned ones if a fit with the tuned ones takes seconds."""
    published: ClassVar[Settings | None] = None
    """Settings that replace the published ones, with fewer epochs."""
    hurried: ClassVar[Settings | None] = None
    """Settings that stop the fit long before it converges, if the model has any."""
    personal: ClassVar[bool] = True
    """Whether a viewer's ratings change how the model orders the movies for this viewer."""
    reads_stars: ClassVar[bool] = True
    """Whether the stars of a viewer's ratings change the order, rather than only which movies they rated and when."""
    stored_users: ClassVar[bool] = True
    """Whether ``predict`` for a user gives the same as folding in their ratings."""
    rounding: ClassVar[float] = 1e-4
    """How far the stars of a stored user may be from those of the same user folded in."""

    @pytest.fixture(scope="class")
    @classmethod
    def train(cls) -> Dataset:
        return tastes()[0]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "model" in metafunc.fixturenames and self.kind.published is not None:
            inherited = metafunc.function.__qualname__.startswith(f"{ModelContract.__name__}.")
            models = ["tuned", "published"] if inherited else ["tuned"]
            metafunc.parametrize("model", models, indirect=True, scope="class")

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, train: Dataset, request: pytest.FixtureRequest) -> AnyModel:
        published = getattr(request, "param", "tuned") == "published"
        settings = cls.published or cls.kind.published if published else cls.settings
        model = cls.kind(settings, seed=1)
        model.fit(train)
        return model

    @pytest.fixture(scope="class")
    @classmethod
    def of_checkerboard(cls) -> AnyModel:
        """A model fitted to the checkerboard."""
        model = cls.kind(cls.settings)
        model.fit(checkerboard()[0])
        return model

    @pytest.fixture(scope="class")
    @classmethod
    def quick(cls) -> tuple[AnyModel, Fitted, Dataset]:
        """A model fitted with ``hurried`` settings and without validation, the result of the fit, and the train
        part."""
        model, train = cls.kind(cls.hurried or cls.settings, seed=1), checkerboard()[0]
        return model, model.fit(train), train

    @pytest.fixture(scope="class")
    @classmethod
    def validated(cls) -> tuple[AnyModel, Fitted, list[Epoch]]:
        """A model fitted with validation ratings, the result of the fit, and the epochs that it reported."""
        seen: list[Epoch] = []
        model = cls.kind(cls.settings)
        return model, model.fit(*tastes(), seen.append), seen

    def test_is_registered_under_its_name(self) -> None:
        assert MODELS[self.kind.name] is self.kind
        assert self.kind.summary

    def test_progress_reports_every_epoch(self, validated: tuple[AnyModel, Fitted, list[Epoch]]) -> None:
        _, fitted, seen = validated
        assert tuple(seen) == fitted.curve
        assert [epoch.number for epoch in seen] == list(range(1, seen[0].of + 1))
        assert all(np.isfinite(epoch.train_loss) and np.isfinite(epoch.validation_loss) for epoch in seen)
        assert fitted.best_epoch == (None if seen[-1].stage else seen[-1].number)

    def test_without_validation_there_is_no_validation_loss(self, quick: tuple[AnyModel, Fitted, Dataset]) -> None:
        _, fitted, _ = quick
        assert fitted.best_epoch == (None if fitted.curve[-1].stage else len(fitted.curve))
        assert all(epoch.validation_loss is None for epoch in fitted.curve)

    def test_validation_loss_is_that_of_predict(self, validated: tuple[AnyModel, Fitted, list[Epoch]]) -> None:
        model, fitted, _ = validated
        held_out = tastes()[1]
        error = rmse(model.predict_at(held_out.user, held_out.movie, held_out.time), held_out.stars)
        assert np.sqrt(fitted.curve[-1].validation_loss) == pytest.approx(error, rel=0.02)

    def test_cancelling_leaves_the_model_unchanged(
        self, quick: tuple[AnyModel, Fitted, Dataset], train: Dataset
    ) -> None:
        model = copy(quick[0])
        before = model.parameters
        copies = {name: array.copy() for name, array in before.items()}

        def stop(epoch: Epoch) -> None:
            raise Cancelled

        with pytest.raises(Cancelled):
            model.fit(train, progress=stop)
        assert model.parameters is before
        assert all(np.array_equal(before[name], copies[name]) for name in copies)

    def test_learns_the_checkerboard(self, of_checkerboard: AnyModel) -> None:
        held_out = checkerboard()[1]
        assert rmse(of_checkerboard.predict(held_out.user, held_out.movie), held_out.stars) < self.checkerboard_bound

    def test_learns_tastes(self, model: AnyModel) -> None:
        held_out = tastes()[1]
        bound = (
            self.tastes_bound
            if model.settings == (self.settings or self.kind.settings_type())
            else self.published_bound
        )
        assert rmse(model.predict(held_out.user, held_out.movie), held_out.stars) < bound

    def test_stars_are_within_the_scale(self, model: AnyModel, train: Dataset) -> None:
        extreme = History(np.arange(90, dtype=np.int32), np.full(90, 5, np.float32))
        for history in (EMPTY, extreme, history_of(train, 3)):
            expectation = model.expect(model.fold_in(history))
            assert expectation.stars.min() >= 1
            assert expectation.stars.max() <= 5
            assert expectation.uncertainty.min() >= 0
            assert np.isfinite(expectation.score).all()

    def test_a_viewer_paired_with_themselves_is_the_viewer(self, model: AnyModel, train: Dataset) -> None:
        taste = model.fold_in(history_of(train, 3))
        alone, pair = model.expect(taste), model.expect_pair(taste, taste)
        for name in ("stars", "uncertainty", "score"):
            np.testing.assert_array_equal(getattr(pair, name), getattr(alone, name))

    def test_expectations_have_an_entry_for_each_movie(self, model: AnyModel, train: Dataset) -> None:
        expectation = model.expect(model.fold_in(history_of(train, 0)))
        for values in (expectation.stars, expectation.uncertainty, expectation.score):
            assert values.shape == (len(train.movies),)
            assert values.dtype == np.float32
        assert model.predict(train.ratings.user[:7], train.ratings.movie[:7]).dtype == np.float32

    def test_unknown_users_and_movies_have_predictions(self, of_checkerboard: AnyModel) -> None:
        train = checkerboard()[0]
        empty_user, empty_movie = len(train.users) - 1, len(train.movies) - 1
        users = np.asarray([-1, -1, 0, empty_user, 0, empty_user], np.int32)
        movies = np.asarray([-1, 0, -1, 0, empty_movie, empty_movie], np.int32)
        stars = of_checkerboard.predict(users, movies)
        assert np.isfinite(stars).all()
        assert stars.min() >= 1
        assert stars.max() <= 5
        assert stars[3] == pytest.approx(stars[1], abs=1e-5)
        assert stars[4] == pytest.approx(stars[2], abs=1e-5)

    def test_an_empty_history_is_predicted_like_an_unknown_user(self, model: AnyModel, train: Dataset) -> None:
        stars = model.expect(model.fold_in(EMPTY)).stars
        movies = np.arange(len(train.movies), dtype=np.int32)
        np.testing.assert_allclose(stars, model.predict(np.full(len(movies), -1, np.int32), movies), atol=1e-5)

    def test_batch_equals_single(self, model: AnyModel, train: Dataset) -> None:
        users, movies = train.ratings.user[:40], train.ratings.movie[:40]
        single = [model.predict(users[i : i + 1], movies[i : i + 1])[0] for i in range(40)]
        np.testing.assert_allclose(model.predict(users, movies), single, atol=1e-5)

    def test_only_a_model_that_reads_time_predicts_otherwise_at_a_known_moment(
        self, model: AnyModel, train: Dataset
    ) -> None:
        users, movies, time = train.ratings.user[:40], train.ratings.movie[:40], train.ratings.time[:40]
        undated, dated = model.predict(users, movies), model.predict_at(users, movies, time)
        assert (np.abs(dated - undated).max() > 1e-3) == model.reads_time
        unknown = model.predict_at(users, movies, np.zeros_like(time))
        np.testing.assert_array_equal(unknown, undated)
        single = [model.predict_at(users[i : i + 1], movies[i : i + 1], time[i : i + 1])[0] for i in range(40)]
        np.testing.assert_allclose(dated, single, atol=1e-5)

    def test_predicting_nothing_is_empty(self, model: AnyModel) -> None:
        assert model.predict(np.empty(0, np.int32), np.empty(0, np.int32)).shape == (0,)

    def test_folding_in_a_user_gives_the_predictions_for_the_user(self, model: AnyModel, train: Dataset) -> None:
        if not self.stored_users or not getattr(model.settings, "folded", True):
            pytest.skip("this model stores no users, or does not fold them in")
        movies = np.arange(len(train.movies), dtype=np.int32)
        for user in (0, 17, 149):
            stars = model.expect(model.fold_in(history_of(train, user))).stars
            np.testing.assert_allclose(stars, model.predict(np.full(len(movies), user, np.int32), movies), atol=1e-3)

    def test_stored_users_are_consistent_before_the_fit_converges(
        self, quick: tuple[AnyModel, Fitted, Dataset]
    ) -> None:
        """After any number of epochs, stored users and users without ratings are served as if they were folded in."""
        model, _, train = quick
        movies = np.arange(len(train.movies), dtype=np.int32)
        stranger = np.full(len(movies), -1, np.int32)
        empty_user = np.full(len(movies), len(train.users) - 1, np.int32)
        np.testing.assert_allclose(model.predict(empty_user, movies), model.predict(stranger, movies), atol=1e-5)
        users = np.arange(len(train.users), dtype=np.int32)
        empty_movies = np.full(len(users), len(train.movies) - 1, np.int32)
        np.testing.assert_allclose(
            model.predict(users, empty_movies), model.predict(users, empty_movies * 0 - 1), atol=1e-5
        )
        if self.stored_users:
            stars = model.expect(model.fold_in(history_of(train, 3))).stars
            np.testing.assert_allclose(stars, model.predict(stranger * 0 + 3, movies), atol=self.rounding)

    def test_a_loaded_model_predicts_as_the_saved_one(self, model: AnyModel, train: Dataset, tmp_path: Path) -> None:
        save(tmp_path / "run", model, train)
        loaded = load(tmp_path / "run", train)[0]
        assert loaded.settings == model.settings
        assert loaded.seed == model.seed
        movies = np.arange(len(train.movies), dtype=np.int32)
        if model.only_for_predict():
            assert set(loaded.parameters) == set(model.parameters) - model.only_for_predict()
            with pytest.raises(Problem, match=r"comes from a checkpoint, which leaves out the users;"):
                loaded.predict(np.full_like(movies, 5), movies)
        else:
            np.testing.assert_array_equal(
                loaded.predict(np.full_like(movies, 5), movies), model.predict(np.full_like(movies, 5), movies)
            )
        history = history_of(train, 5)
        before, after = model.expect(model.fold_in(history)), loaded.expect(loaded.fold_in(history))
        np.testing.assert_array_equal(after.stars, before.stars)
        np.testing.assert_array_equal(after.uncertainty, before.uncertainty)
        np.testing.assert_array_equal(after.score, before.score)

    @pytest.mark.parametrize("ratings", [0, 1])
    def test_can_be_fitted_on_no_rating_or_one(self, ratings: int) -> None:
        model = self.kind(self.settings)
        model.fit(dataset([2] * ratings, [3] * ratings, [4.0] * ratings, users=4, movies=5))
        expectation = model.expect(model.fold_in(History(np.asarray([1], np.int32), np.asarray([5], np.float32))))
        assert np.isfinite(expectation.stars).all()
        assert np.isfinite(expectation.score).all()
        assert np.isfinite(expectation.uncertainty).all()
        assert np.isfinite(model.predict(np.asarray([0, -1], np.int32), np.asarray([0, 4], np.int32))).all()

    def test_the_same_seed_gives_the_same_model(self, quick: tuple[AnyModel, Fitted, Dataset]) -> None:
        first, again = quick[0], self.kind(self.hurried or self.settings, seed=1)
        again.fit(checkerboard()[0])
        assert set(again.parameters) == set(first.parameters)
        for name, array in first.parameters.items():
            np.testing.assert_array_equal(again.parameters[name], array)

    def test_fitting_does_not_change_the_dataset(self, quick: tuple[AnyModel, Fitted, Dataset]) -> None:
        train, untouched = quick[2], checkerboard()[0]
        for column in ("user", "movie", "stars", "time"):
            np.testing.assert_array_equal(getattr(train.ratings, column), getattr(untouched.ratings, column))

    def test_the_order_of_a_history_does_not_matter(self, model: AnyModel, train: Dataset) -> None:
        history = history_of(train, 8)
        reversed_history = history.take(slice(None, None, -1))
        a, b = model.expect(model.fold_in(history)), model.expect(model.fold_in(reversed_history))
        np.testing.assert_allclose(a.score, b.score, atol=1e-4)

    def test_a_taste_that_is_extended_by_each_rating_is_that_of_all_ratings(
        self, model: AnyModel, train: Dataset
    ) -> None:
        history = history_of(train, 8)
        taste = model.fold_in(history.take(slice(0)))
        for count in range(1, len(history) + 1):
            taste = model.extend(taste, history.take(slice(count)))
        extended, folded_in = model.expect(taste), model.expect(model.fold_in(history))
        for name in ("stars", "uncertainty", "score"):
            np.testing.assert_allclose(getattr(extended, name), getattr(folded_in, name), atol=1e-4)

    def test_the_score_and_the_stars_alone_are_those_expected(self, model: AnyModel, train: Dataset) -> None:
        taste, some = model.fold_in(history_of(train, 8)), np.asarray([5, 0], np.int32)
        expected = model.expect(taste)
        np.testing.assert_array_equal(model.score(taste), expected.score)
        np.testing.assert_allclose(model.stars(taste, some), expected.stars[some], rtol=1e-5)

    def test_one_more_rating_moves_the_movie_towards_it(self, model: AnyModel, train: Dataset) -> None:
        if not (self.personal and self.reads_stars):
            pytest.skip("stars do not change how this model orders the movies")
        if not getattr(model.settings, "residuals", True):
            pytest.skip("in rows of ratings, one star is more than no rating")
        history = history_of(train, 8).without(0)
        movie = int(history_of(train, 8).movies[0])
        before = float(model.expect(model.fold_in(history)).score[movie])
        for stars, sign in ((5.0, 1), (1.0, -1)):
            more = History(np.append(history.movies, np.int32(movie)), np.append(history.stars, np.float32(stars)))
            after = float(model.expect(model.fold_in(more)).score[movie])
            assert (after - before) * sign > 0

    def test_an_explanation_is_how_much_removing_a_rating_changes_the_score(
        self, model: AnyModel, train: Dataset
    ) -> None:
        history = history_of(train, 8)
        movies = np.asarray([0, 30, 89], np.int32)
        shares = model.explain_list(history, movies)
        assert shares.shape == (3, len(history))
        np.testing.assert_allclose(shares, Model.explain_list(model, history, movies), atol=1e-4)
        np.testing.assert_allclose(model.explain(history, 30), shares[1], atol=1e-6)
        assert model.explain(EMPTY, 30).shape == (0,)
        if self.personal:
            assert np.abs(shares).max() > 1e-3

    def test_counts_are_those_of_the_training_ratings(self, model: AnyModel, train: Dataset) -> None:
        np.testing.assert_array_equal(model.counts, train.counts)
