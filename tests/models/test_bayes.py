"""The Bayesian factorisation machine."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, ImdbFacts, Ratings, Scale
from movietui.models import side_features
from movietui.models.base import History, Model, history_of
from movietui.models.bayes import Bayes, BayesSettings, _covariance_samples
from movietui.models.bias import Bias
from movietui.models.training.bayes import first_factors
from movietui.models.training.mf import Lists
from tests.models.builders import dataset, rmse, tags_of, tastes
from tests.models.contract import EMPTY, ModelContract

QUICK = BayesSettings(factors=2, sweeps=40, samples=8, implicit=2)


def covariances(model: Bayes, history: History) -> NDArray[np.float64]:
    """Return the covariance of a viewer in each of the ``_covariance_samples``."""
    precision, _ = model._precision_and_pull(history, model.fold_in(history).sums)
    return np.asarray(np.linalg.inv(precision[_covariance_samples(len(precision))]))


class TestBayes(ModelContract):
    kind = Bayes
    hurried = BayesSettings(sweeps=1)
    checkerboard_bound = 0.3
    tastes_bound = 0.62

    def test_is_better_than_biases_where_there_is_taste(self, model: Bayes) -> None:
        train, held_out = tastes()
        bias = Bias()
        bias.fit(train)
        errors = [rmse(each.predict(held_out.user, held_out.movie), held_out.stars) for each in (bias, model)]
        assert errors[1] < errors[0] - 0.1

    def test_recovers_which_users_and_movies_scatter_more(self) -> None:
        train = tastes()[0]
        random = np.random.RandomState(3)
        is_noisy = (train.ratings.user < 40) | (train.ratings.movie < 20)
        stars = np.where(is_noisy, train.ratings.stars + random.normal(0, 1.5, len(is_noisy)), train.ratings.stars)
        noisy = replace(train, ratings=replace(train.ratings, stars=np.clip(stars, 1, 5).astype(np.float32)))
        model = Bayes(QUICK)
        model.fit(noisy)
        users, movies = (model.parameters[f"{side}_scatter"].mean(0) for side in ("user", "movie"))
        assert users[:40].min() > np.median(users[40:-1])
        assert movies[:20].mean() > 1.2 * movies[20:].mean()
        assert users[-1] == 1
        history = history_of(noisy, 3)
        known, stranger = (
            covariances(model, each).mean(0) for each in (history, History(history.movies, history.stars))
        )
        assert np.trace(known) > np.trace(stranger)

    def test_more_ratings_reduce_the_uncertainty(self, model: Bayes) -> None:
        history = history_of(tastes()[0], 4)
        few = History(history.movies[:4], history.stars[:4])
        uncertainties = [float(model.expect(model.fold_in(each)).uncertainty.mean()) for each in (EMPTY, few, history)]
        assert uncertainties[0] > uncertainties[1] > uncertainties[2]

    def test_uncertainty_is_that_of_samples_from_the_posterior(self, model: Bayes) -> None:
        random = np.random.RandomState(0)
        history, drawn = history_of(tastes()[0], 4), model.parameters["movies"]
        taste = model.fold_in(history)
        uncertainty = model.expect(taste).uncertainty
        sampled, some = [], covariances(model, history)
        for sample, (mean, movies) in enumerate(zip(taste.mean, drawn, strict=True)):
            # Only some of the samples contribute the viewer's covariance.
            covariance = some[sample * len(some) // len(drawn)]
            x = random.multivariate_normal(mean, covariance, 2_000)
            sampled.append(x[:, :-1] @ movies[:-1] + x[:, -1:] + movies[-1])
        np.testing.assert_allclose(uncertainty, np.concatenate(sampled).std(0), rtol=0.1)

    def test_intervals_have_their_nominal_coverage(self, model: Bayes) -> None:
        """About 80 % of the ratings should be in the 80 % interval; rounding to whole stars hardly matters."""
        train, held_out = tastes()
        inside = []
        for user in np.unique(held_out.user):
            expectation = model.expect(model.fold_in(history_of(train, int(user))))
            rows = held_out.user == user
            movies = held_out.movie[rows]
            reach = 1.2816 * np.sqrt(expectation.uncertainty[movies] ** 2 + model.parameters["noise"].mean())
            inside.extend(np.abs(held_out.stars[rows] - expectation.stars[movies]) <= reach)
        assert 0.74 < np.mean(inside) < 0.9

    def test_caution_and_popularity_only_change_the_order(self, model: Bayes) -> None:
        train = tastes()[0]
        taste = model.fold_in(history_of(train, 2))
        expectations = {}
        for caution, popularity in ((0, 0), (2, 0), (0, 1)):
            each = Bayes(BayesSettings(caution=caution, popularity=popularity))
            each.restore(model.parameters, model.scale)
            expectations[caution, popularity] = each.expect(taste)
            np.testing.assert_array_equal(expectations[caution, popularity].stars, model.expect(taste).stars)
        base = expectations[0, 0]
        np.testing.assert_allclose(expectations[2, 0].score, base.score - 2 * base.uncertainty, atol=1e-5)
        np.testing.assert_allclose(expectations[0, 1].score, base.score + np.log1p(train.counts), atol=1e-5)

    def test_a_rating_of_a_movie_that_nobody_else_rated_counts_little(self, model: Bayes) -> None:
        """Such a rating shows how generous the viewer is, not what they like."""
        train = tastes()[0]
        first = history_of(train, 0).movies
        alone = train.with_ratings(np.flatnonzero(train.ratings.movie != first[0]))
        again = Bayes(QUICK)
        again.fit(alone)
        base = History(first[1:], np.full(len(first) - 1, 3, np.float32))
        moved = []
        for movie in (int(first[0]), int(np.setdiff1d(np.arange(90), first)[0])):
            more = History(np.append(base.movies, np.int32(movie)), np.append(base.stars, np.float32(5)))
            before, after = (again.expect(again.fold_in(each)).stars for each in (base, more))
            moved.append(float(np.abs(np.delete(after - before, movie)).mean()))
        assert moved[0] < moved[1] * 1.5


SITTING = 300
"""How many seconds a sitting lasts."""
MOOD = 0.7
"""The standard deviation of the planted moods."""


def planted_moods() -> tuple[Dataset, Ratings]:
    """Return ratings in train and held-out ratings: each user rates in six sittings, each in a mood of its own."""
    random = np.random.RandomState(6)
    user, movie = np.nonzero(random.random_sample((120, 50)) < 0.6)
    sitting = random.randint(1, 7, len(user))
    level = random.normal(0, MOOD, (120, 7))[user, sitting]
    stars = 3 + random.normal(0, 0.4, 120)[user] + random.normal(0, 0.5, 50)[movie] + level
    whole = dataset(user, movie, np.clip(stars + random.normal(0, 0.4, len(user)), 0.5, 5.5))
    whole = replace(
        whole,
        scale=Scale(0.5, 5.5),
        ratings=replace(
            whole.ratings, time=np.asarray(sitting * SITTING + random.randint(0, SITTING, len(sitting)), np.int64)
        ),
    )
    held_out = random.random_sample(len(user)) < 0.2
    return whole.with_ratings(np.flatnonzero(~held_out)), whole.ratings.take(np.flatnonzero(held_out))


@pytest.fixture(scope="module")
def moody() -> Bayes:
    model = Bayes(QUICK)
    model.fit(planted_moods()[0])
    return model


class TestSittings:
    def test_the_mood_of_a_sitting_is_known_from_its_other_ratings(self, moody: Bayes) -> None:
        train, held_out = planted_moods()
        blind = Bayes(replace(QUICK, sitting=0))
        blind.fit(train)
        users, movies, time = held_out.user, held_out.movie, held_out.time
        dated = rmse(moody.predict_at(users, movies, time), held_out.stars)
        undated = rmse(moody.predict(users, movies), held_out.stars)
        assert dated < 0.6
        assert undated > 0.7
        assert rmse(blind.predict(users, movies), held_out.stars) > 0.7
        np.testing.assert_array_equal(blind.predict_at(users, movies, time), blind.predict(users, movies))
        assert moody.parameters["sitting_variance"].mean() == pytest.approx(MOOD**2, rel=0.15)
        assert moody.parameters["noise"].mean() < blind.parameters["noise"].mean() - 0.2

    def test_a_new_sitting_is_like_an_unknown_moment(self, moody: Bayes) -> None:
        users, movies = np.arange(100, dtype=np.int32), np.zeros(100, np.int32)
        undated = moody.predict(users, movies)
        for time in (np.zeros(100, np.int64), np.full(100, 400 * SITTING), np.full(100, -5), np.full(100, 2**62)):
            np.testing.assert_array_equal(moody.predict_at(users, movies, time), undated)
        assert np.abs(moody.predict_at(users, movies, np.full(100, 3 * SITTING)) - undated).max() > 0.5
        nobody = np.full(100, -1, np.int32)
        np.testing.assert_array_equal(
            moody.predict_at(nobody, movies, np.full(100, 3 * SITTING)), moody.predict(nobody, movies)
        )

    def test_folding_in_is_the_posterior_with_levels(self, moody: Bayes, monkeypatch: pytest.MonkeyPatch) -> None:
        """The reference is the textbook form, which inverts a matrix with a row per rating instead of per factor. Two
        ratings of one sitting have a covariance there, the variance of the levels."""
        monkeypatch.setattr("movietui.models.bayes.RATINGS_AT_ONCE", 4)
        known, parameters = history_of(planted_moods()[0], 4), moody.parameters
        assert known.time is not None
        time = known.time.copy()
        time[[2, 9]] = 0  # the sittings of two ratings are not known
        history = History(known.movies, known.stars, time=time)
        taste = moody.fold_in(history)
        sitting = np.where(time > 0, time // SITTING, -1 - np.arange(len(time)))
        directions = parameters["watched"][history.movies].sum(0) / np.sqrt(len(history)) - parameters["watched_mean"]
        of_samples = covariances(moody, history)
        for s, covariance in ((0, of_samples[0]), (len(taste.mean) - 1, of_samples[-1])):
            vectors = parameters["movies"][s][:, history.movies].T.astype(np.float64)
            design = np.append(vectors[:, :-1], np.ones((len(vectors), 1)), 1)
            prior = parameters["user_mean"][s] + directions @ parameters["watched_weights"][s]
            spread = np.linalg.inv(parameters["user_precision"][s].astype(np.float64))
            noise = np.diag(parameters["noise"][s] * parameters["movie_scatter"][s][history.movies])
            noise = noise + parameters["sitting_variance"][s] * (sitting[:, None] == sitting)
            gain = spread @ design.T @ np.linalg.inv(design @ spread @ design.T + noise)
            residuals = history.stars - parameters["overall"] - vectors[:, -1] - design @ prior
            np.testing.assert_allclose(taste.mean[s], prior + gain @ residuals, atol=1e-4)
            np.testing.assert_allclose(covariance, spread - gain @ design @ spread, atol=1e-5)

    def test_a_rating_is_added_to_its_sitting(self, moody: Bayes) -> None:
        known = history_of(planted_moods()[0], 4)
        assert known.time is not None
        for time in (known.time[3], 0, known.time.max() + 100 * SITTING):
            history = replace(known, time=np.append(known.time[:-1], time))
            extended = moody.extend(moody.fold_in(history.take(slice(-1))), history)
            folded_in = moody.fold_in(history)
            np.testing.assert_allclose(extended.mean, folded_in.mean, atol=1e-5)
            np.testing.assert_allclose(extended.variance, folded_in.variance, atol=1e-6)

    def test_a_stored_user_is_the_user_folded_in(self, moody: Bayes) -> None:
        taste = moody.fold_in(history_of(planted_moods()[0], 7))
        np.testing.assert_allclose(taste.mean, moody.parameters["users"][:, 7], atol=1e-3)

    @pytest.mark.parametrize("ordinal", [False, True])
    def test_explanations_are_exact(self, moody: Bayes, ordinal: bool) -> None:
        model = moody
        if ordinal:
            train = planted_moods()[0]
            model = Bayes(replace(QUICK, sweeps=4, samples=2, ordinal=True))
            model.fit(train.with_ratings(np.arange(400)))
        history, movies = history_of(planted_moods()[0], 4), np.asarray([0, 30, 49], np.int32)
        shares = model.explain_list(history, movies)
        np.testing.assert_allclose(shares, Model.explain_list(model, history, movies), atol=1e-4)
        assert np.abs(shares).max() > 1e-3

    def test_ratings_of_one_sitting_say_less_than_those_of_many(self, moody: Bayes) -> None:
        movies, stars = np.arange(20, dtype=np.int32), np.full(20, 5, np.float32)
        one, many = (
            moody.expect(moody.fold_in(History(movies, stars, time=np.asarray(time, np.int64))))
            for time in (np.full(20, 5 * SITTING), np.arange(1, 21) * SITTING)
        )
        nothing = moody.expect(moody.fold_in(EMPTY))
        assert (one.uncertainty > many.uncertainty * 1.3).all()
        assert (one.uncertainty < nothing.uncertainty).all()
        assert (many.stars[20:] > one.stars[20:]).all()
        assert (one.stars[20:] > nothing.stars[20:]).all()

    def test_intervals_for_a_new_sitting_include_its_level(self, moody: Bayes) -> None:
        train, held_out = planted_moods()
        last = held_out.take(np.flatnonzero(held_out.time > 6 * SITTING))
        earlier = train.with_ratings(np.flatnonzero(train.ratings.time < 6 * SITTING))
        inside = []
        for user in np.unique(last.user).tolist():
            expected = moody.expect(moody.fold_in(history_of(earlier, user)))
            rows = last.user == user
            noise = moody.noise(user)
            reach = 1.2816 * np.sqrt(expected.uncertainty**2 + noise)[last.movie[rows]]
            inside.extend(np.abs(last.stars[rows] - expected.stars[last.movie[rows]]) <= reach)
        assert 0.7 < np.mean(inside) < 0.9  # 0.58 without the level

    def test_without_times_there_are_no_levels(self) -> None:
        train = planted_moods()[0]
        undated = replace(train, ratings=replace(train.ratings, time=np.zeros_like(train.ratings.time)))
        both = [Bayes(replace(QUICK, sweeps=3, sitting=sitting)) for sitting in (5, 0)]
        for model in both:
            model.fit(undated)
        for name, values in both[0].parameters.items():
            np.testing.assert_array_equal(both[1].parameters[name], values)
        assert not both[0].parameters["sitting_variance"].any()


def planted_by_gender() -> tuple[Dataset, Dataset]:
    """Return all ratings, and those of half of the users, where women like comedies, men like dramas, and nothing else
    matters."""
    random = np.random.RandomState(2)
    user, movie = np.nonzero(random.random_sample((80, 40)) < 0.3)
    woman, comedy = np.arange(80) // 2 % 2 == 0, np.arange(40) % 2 == 0
    stars = np.where(woman[user] == comedy[movie], 5.0, 2.0)
    whole = dataset(user, movie, stars, 80, 40)
    whole = replace(
        whole,
        users=replace(
            whole.users, gender=tuple("FM"[not one] for one in woman), occupation=(), age=whole.users.age * 0
        ),
        movies=replace(whole.movies, genres=np.stack([comedy, ~comedy], 1)),
    )
    return whole, whole.with_ratings(np.flatnonzero(user < 40))


@pytest.mark.parametrize("features", [True, False])
def test_features_predict_what_users_without_ratings_like(features: bool) -> None:
    train = planted_by_gender()[1]
    model = Bayes(replace(QUICK, features=features))
    model.fit(train)
    users = np.repeat(np.arange(40, 80, dtype=np.int32), 40)
    movies = np.tile(np.arange(40, dtype=np.int32), 40)
    likes = (users // 2 % 2 == 0) == (movies % 2 == 0)
    stars = model.predict(users, movies)
    gap = float(stars[likes].mean() - stars[~likes].mean())
    assert gap > 2 if features else abs(gap) < 0.1


def test_implicit_feedback_predicts_what_is_liked() -> None:
    """Each half of the users likes one half of the movies and watches few others, so it is enough to know which movies
    were watched."""
    random = np.random.RandomState(4)
    user, movie = (grid.ravel() for grid in np.indices((120, 40)))
    matching = user % 2 == movie % 2
    rated = random.random_sample(len(user)) < np.where(matching, 0.4, 0.06)
    stars = np.where(matching, 4.0, 2.0) + random.randint(-1, 2, len(user))
    train = dataset(user[rated], movie[rated], stars[rated])
    gaps = []
    for directions in (2, 0):
        model = Bayes(replace(QUICK, implicit=directions))
        model.fit(train)
        # Both ratings are three stars, so only the choice of movies says what the viewer likes.
        stars_now = model.expect(
            model.fold_in(History(np.asarray([0, 2], np.int32), np.asarray([3, 3], np.float32)))
        ).stars
        gaps.append(float(stars_now[4::2].mean() - stars_now[5::2].mean()))
    assert gaps[0] > gaps[1] + 0.3


def test_fewer_samples_predict_much_the_same() -> None:
    train, held_out = tastes()
    predictions = []
    for samples in (32, 4):
        model = Bayes(replace(QUICK, samples=samples))
        model.fit(train)
        assert len(model.parameters["users"]) == samples
        predictions.append(model.predict(held_out.user, held_out.movie))
    assert 0 < rmse(*predictions) < 0.15


def test_columns_are_centred_and_zero_where_unknown() -> None:
    train = planted_by_gender()[0]
    users = replace(train.users, gender=("", *train.users.gender[1:]), zip_code=("90210", *["1"] * 39, *["2"] * 40))
    table = side_features.of_users(users)
    assert table.shape == (81, 5)  # two genders, three first characters
    np.testing.assert_array_equal(table[-1], 0)
    np.testing.assert_array_equal(table[0, :2], 0)
    assert np.abs(table[0, 2:]).max() > 0.9
    np.testing.assert_allclose(table[:-1].mean(0), 0, atol=1e-6)


def test_directors_with_several_movies_have_columns() -> None:
    train = planted_by_gender()[0]
    names = tuple(("A",) if row < 3 else ("A", "B") if row < 5 else (f"once {row}",) for row in range(40))
    nothing = np.zeros(40, np.int32)
    facts = ImdbFacts(np.full(40, np.nan, np.float32), nothing, nothing, directors=names, director_ids=names)
    movies = replace(train.movies, imdb=facts)
    table = side_features.of_movies(movies)[:, side_features.of_movies(train.movies).shape[1] :]
    assert table.shape == (41, 2)
    np.testing.assert_allclose(table[[0, 3]], [[1, 0], [0.5**0.5, 0.5**0.5]])
    np.testing.assert_array_equal(table[5:], 0)


def test_tags_are_columns_only_if_asked_for() -> None:
    movies = planted_by_gender()[0].movies
    tagged = replace(movies, tags=tags_of([(row, f"tag {row % 2}", 0.9) for row in range(30)], len(movies)))
    plain = side_features.of_movies(movies)
    np.testing.assert_array_equal(side_features.of_movies(tagged), plain)
    np.testing.assert_array_equal(side_features.of_movies(movies, 5), plain)
    more = side_features.of_movies(tagged, 2)
    assert more.shape == (len(movies) + 1, plain.shape[1] + 2)
    np.testing.assert_array_equal(more[30:, -2:], 0)
    assert np.abs(more[:30, -2:]).max(1).min() > 0


def test_a_fit_with_tags_learns_from_them() -> None:
    # The stars of a movie depend only on its tag, and half of the movies have no ratings.
    user, movie = (grid.ravel() for grid in np.indices((40, 20)))
    train = dataset(user, movie, np.where(movie % 2, 5, 1), movies=40)
    train = replace(train, movies=replace(train.movies, genres=np.zeros((40, 2), bool)))
    tagged = replace(
        train,
        movies=replace(train.movies, tags=tags_of([(row, ("dull", "fine")[row % 2], 0.9) for row in range(40)], 40)),
    )
    gaps = []
    for settings in (QUICK, replace(QUICK, tags=2)):
        model = Bayes(settings)
        model.fit(tagged)
        stars = model.predict(np.zeros(20, np.int32), np.arange(20, 40, dtype=np.int32))
        gaps.append(float(stars[1::2].mean() - stars[::2].mean()))
    assert gaps[1] > gaps[0] + 1


def test_serving_imports_no_torch() -> None:
    code = "import sys, movietui.models.bayes, movietui.models.registry; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestFirstFactors:
    """Where the sampler starts."""

    @staticmethod
    def first(
        user: NDArray[np.integer], movie: NDArray[np.integer], stars: NDArray[np.floating], factors: int = 2
    ) -> NDArray[np.float32]:
        """Return the first factors of five users and eight movies with some ratings."""
        rows = [torch.from_numpy(np.asarray(each, np.int32)) for each in (user, movie)]
        values = torch.from_numpy(np.asarray(stars, np.float32))
        by_user, by_movie = (Lists.of(rows[i], rows[1 - i], values, total) for i, total in ((0, 5), (1, 8)))
        return first_factors(by_user, by_movie, factors, torch.Generator().manual_seed(0)).numpy()

    def test_the_first_factor_is_the_strongest_difference_of_taste(self) -> None:
        taste, kind = np.asarray([1, -1, 1, -1, 0.0]), np.tile([1.0, -1.0], 4)
        user, movie = (each.ravel() for each in np.indices((5, 8)))
        popularity = np.linspace(-2, 2, 8)
        factors = self.first(user, movie, popularity[movie] + taste[user] * kind[movie])
        assert np.abs(np.corrcoef(factors[:, 0], taste)[0, 1]) > 0.99
        np.testing.assert_allclose((factors**2).mean(0), 1, rtol=1e-4)

    @pytest.mark.parametrize("ratings", [0, 1, 40])
    def test_any_number_of_ratings_is_enough(self, ratings: int) -> None:
        user, movie = (each.ravel()[:ratings] for each in np.indices((5, 8)))
        factors = self.first(user, movie, np.zeros(ratings), factors=7)
        assert factors.shape == (5, 7)
        assert np.isfinite(factors).all()
