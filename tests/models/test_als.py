"""Matrix factorisation by alternating least squares."""

import numpy as np
import pytest
from numpy.typing import NDArray

from movietui.data.dataset import Dataset
from movietui.models.als import SAMPLE, Als, AlsSettings, UserSums, parameters_of
from movietui.models.base import History, history_of
from movietui.models.bias import Bias
from movietui.models.evaluation.measure import measure_coverage
from movietui.models.rankers import sample_users
from tests.models.builders import dataset, rmse, tastes
from tests.models.contract import EMPTY, ModelContract

Doubles = NDArray[np.float64]


def by_hand(train: Dataset, factors: int, ridge: float, sweeps: int) -> tuple[Doubles, Doubles]:
    """Return the factors of the users and of the movies, computed one at a time."""
    random = np.random.RandomState(4)
    user, movie, stars = train.ratings.user, train.ratings.movie, train.ratings.stars.astype(np.float64)
    x, y = random.normal(size=(len(train.users), factors)), random.normal(size=(len(train.movies), factors))
    for _ in range(sweeps):
        for one, other, row, column in ((y, x, movie, user), (x, y, user, movie)):
            for index in np.unique(row):
                rated = other[column[row == index]]
                normal = rated.T @ rated + ridge * len(rated) * np.eye(factors)
                one[index] = np.linalg.solve(normal, rated.T @ stars[row == index])
    return x, y


class TestAls(ModelContract):
    kind = Als
    hurried = AlsSettings(sweeps=1)
    checkerboard_bound = 0.2
    tastes_bound = 0.78

    def test_minimises_the_objective(self) -> None:
        """The product of the factors is the same as that of a fit by hand from another start."""
        train, _ = tastes()
        model = Als(AlsSettings(factors=3, ridge=0.05, sweeps=200))
        model.fit(train)
        x, y = by_hand(train, 3, 0.05, 100)
        fitted = model.parameters["user"][:-1] @ model.parameters["factors"][:-1].T
        np.testing.assert_allclose(fitted, x @ y.T, atol=0.01)

    def test_is_better_than_biases_where_there_is_taste(self, model: Als) -> None:
        train, held_out = tastes()
        bias = Bias()
        bias.fit(train)
        errors = [rmse(each.predict(held_out.user, held_out.movie), held_out.stars) for each in (bias, model)]
        assert errors[1] < errors[0] - 0.1

    def test_a_user_is_solved_for_like_a_viewer(self, model: Als) -> None:
        for user in (0, 6, 7, 149):
            factors = model.fold_in(history_of(tastes()[0], user)).factors
            np.testing.assert_allclose(model.parameters["user"][user], factors, atol=1e-4)

    def test_unknown_users_and_movies_have_the_mean_factors(self) -> None:
        model = Als(AlsSettings(factors=2, sweeps=3))
        model.fit(dataset([0, 0, 2, 2], [0, 1, 0, 3], [5, 3, 4, 1], users=4, movies=5))
        for name, known in (("user", [0, 2]), ("factors", [0, 1, 3])):
            vectors = model.parameters[name]
            mean = vectors[known].mean(0)
            for row in {*range(len(vectors))} - {*known}:
                np.testing.assert_allclose(vectors[row], mean, atol=1e-6)
        np.testing.assert_allclose(model.fold_in(EMPTY).factors, model.parameters["user"][-1], atol=1e-6)

    def test_more_ratings_reduce_the_uncertainty(self, model: Als) -> None:
        history = history_of(tastes()[0], 4)
        few = History(history.movies[:4], history.stars[:4])
        uncertainties = [float(model.expect(model.fold_in(each)).uncertainty.mean()) for each in (EMPTY, few, history)]
        assert uncertainties[0] > uncertainties[1] > uncertainties[2]

    def test_uncertainty_is_that_of_samples(self, model: Als) -> None:
        """A viewer and a movie are drawn from the normal distributions that the docstring of the model describes."""
        train, parameters, movie = tastes()[0], model.parameters, 11
        random, noise = np.random.RandomState(0), float(parameters["noise"])
        taste = model.fold_in(history_of(train, 4))
        users, movies = parameters["user"][:-1].astype(np.float64), parameters["factors"][:-1].astype(np.float64)
        counts = np.bincount(train.ratings.user)
        gram = (users * counts[:, None]).T @ users / counts.sum()
        size = users.shape[1]
        away = movies - movies.mean(0)
        spread = (away.T @ away + np.eye(size)) / (len(movies) + size)
        covariance = np.linalg.inv(np.linalg.inv(spread) + train.counts[movie] * gram / noise)
        x = random.multivariate_normal(taste.factors, taste.covariance, 200_000)
        y = random.multivariate_normal(movies[movie], covariance, 200_000)
        assert model.expect(taste).uncertainty[movie] == pytest.approx((x * y).sum(1).std(), rel=0.01)

    @pytest.mark.parametrize("user", [None, 4])
    def test_a_viewer_is_uncertain_like_a_draw_from_the_users(self, model: Als, user: int | None) -> None:
        train, parameters = tastes()[0], model.parameters
        history = EMPTY if user is None else history_of(train, user)
        users, rated = parameters["user"][:-1].astype(np.float64), parameters["factors"][history.movies]
        away = users - users.mean(0)
        spread = (away.T @ away + np.eye(users.shape[1])) / (len(users) + users.shape[1])
        expected = np.linalg.inv(np.linalg.inv(spread) + rated.T @ rated / float(parameters["noise"]))
        np.testing.assert_allclose(model.fold_in(history).covariance, expected, atol=1e-4)

    def test_intervals_have_their_nominal_coverage(self) -> None:
        train, held_out = tastes()
        model = Als(AlsSettings(factors=4))
        model.fit(train)
        assert 0.72 < measure_coverage(model, train, held_out)["coverage80"] < 0.88

    def test_caution_and_popularity_only_change_the_order(self, model: Als) -> None:
        train = tastes()[0]
        taste, expectations = model.fold_in(history_of(train, 2)), []
        for caution, popularity in ((0, 0), (2, 0), (0, 1)):
            other = Als(AlsSettings(caution=caution, popularity=popularity))
            other.restore(model.parameters, model.scale)
            expectations.append(other.expect(taste))
        plain, careful, common = expectations
        np.testing.assert_allclose(careful.score, plain.score - 2 * plain.uncertainty, atol=1e-5)
        np.testing.assert_allclose(common.score, plain.score + np.log1p(train.counts), atol=1e-5)
        np.testing.assert_array_equal(careful.stars, common.stars)

    def test_vectors_do_not_say_how_much_a_movie_is_liked(self, model: Als) -> None:
        vectors = model.movie_vectors()
        mean = model.parameters["user"][-1]
        assert np.abs(vectors @ mean).max() < 1e-3 * np.abs(model.parameters["factors"] @ mean).max()

    def test_sums_over_parts_of_the_users_give_the_same_parameters(self, model: Als) -> None:
        """A cluster adds up sums over its partitions, and has no row for each user."""
        train, whole = tastes()[0], model.parameters
        counts = np.bincount(train.ratings.user, minlength=len(train.users))
        parts = [UserSums.of(whole["user"][rows], counts[rows]) for rows in (slice(50), slice(50, 51), slice(51, 150))]
        sample = [history_of(train, user) for user in sample_users(len(train.users), SAMPLE).tolist()]
        sums = parts[0] + parts[1] + parts[2]
        parameters = parameters_of(whole["factors"][:-1], train.counts, sums, sample, model.settings)
        np.testing.assert_allclose(parameters["mean_user"], whole["user"][-1], atol=1e-6)
        for name in ("factors", "user_precision", "gains", "noise"):
            np.testing.assert_allclose(parameters[name], whole[name], rtol=1e-4, atol=1e-6)

    def test_the_noise_is_that_of_the_ratings(self) -> None:
        """The factors fit part of the noise too; the estimate makes up for that by the leverage of each rating."""
        random = np.random.RandomState(2)
        x, y = random.normal(0, 0.3, (300, 3)) + 1, random.normal(0, 0.3, (200, 3)) + 1
        user, movie = np.nonzero(random.random_sample((300, 200)) < 0.25)
        stars = (x[user] * y[movie]).sum(1) + random.normal(0, 0.5, len(user))
        model = Als(AlsSettings(factors=5, ridge=0.003, sweeps=50))
        fitted = model.fit(dataset(user, movie, stars))
        assert fitted.curve[-1].train_loss < 0.8 * 0.25
        assert float(model.parameters["noise"]) == pytest.approx(0.25, rel=0.1)
