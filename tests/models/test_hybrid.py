"""Embeddings with side features."""

from dataclasses import replace

import numpy as np
import pytest

from movietui.data.dataset import Dataset
from movietui.data.splits import hold_out
from movietui.models.base import Epoch, History, history_of
from movietui.models.embedding_networks import DeepMF, DeepMFSettings, Hybrid, HybridSettings
from movietui.models.metrics import mse
from tests.models.builders import dataset, rmse, tastes
from tests.models.contract import EMPTY
from tests.models.test_embeddings import EmbeddedContract

QUICK = HybridSettings(members=2)


class TestHybrid(EmbeddedContract):
    kind = Hybrid
    settings = QUICK
    hurried = replace(QUICK, epochs=1)


def planted(seed: int = 0) -> tuple[Dataset, Dataset]:
    """Men like comedies, women like dramas, everybody likes old movies less, and each user has few ratings.

    Returns the train part, and the ratings of the last ten movies, which the train part lacks.
    """
    random = np.random.RandomState(seed)
    user, movie = random.randint(0, 200, 3000), random.randint(0, 100, 3000)
    whole = dataset(user, movie, np.full(3000, 3.0), 200, 100)
    years = 1950 + 50 * (np.arange(100) // 2 % 2)
    genres = np.arange(100)[:, None] % 2 == [0, 1]
    whole = replace(whole, movies=replace(whole.movies, genres=genres, years=years.astype(np.int32)))
    male = np.asarray(whole.users.gender)[user] == "M"
    likes = np.where(male == (movie % 2 == 0), 1.0, -1.0) + np.where(years[movie] > 1975, 0.5, -0.5)
    stars = 3 + likes + random.normal(0, 0.2, 3000)
    whole = replace(whole, ratings=replace(whole.ratings, stars=np.clip(stars, 1, 5).astype(np.float32)))
    new = movie >= 90
    return whole.with_ratings(np.flatnonzero(~new)), whole.with_ratings(np.flatnonzero(new))


@pytest.fixture(scope="module")
def fitted() -> Hybrid:
    model = Hybrid(QUICK)
    model.fit(planted()[0])
    return model


def test_features_predict_movies_that_nobody_rated(fitted: Hybrid) -> None:
    """Embeddings know nothing about such movies: without features, the error is as large as the scatter of the
    stars."""
    train, rest = planted()
    blind = DeepMF(DeepMFSettings(members=1))
    blind.fit(train)
    errors = [
        rmse(model.predict(rest.ratings.user, rest.ratings.movie), rest.ratings.stars) for model in (fitted, blind)
    ]
    assert errors[0] < 0.5 < 0.9 < errors[1]


def test_a_user_without_ratings_is_predicted_from_features(fitted: Hybrid) -> None:
    train = planted()[0]
    comedies = np.arange(0, 90, 2)
    nothing = np.empty(0, np.int32), np.empty(0, np.float32)
    man, woman = (train.users.gender.index(gender) for gender in "MF")
    by_man, by_woman, by_stranger = (
        fitted.expect(fitted.fold_in(history)).stars[comedies].mean()
        for history in (History(*nothing, man), History(*nothing, woman), EMPTY)
    )
    assert by_woman + 0.5 < by_stranger < by_man - 0.5


def test_a_profile_without_features_is_predicted_from_ratings(fitted: Hybrid) -> None:
    comedies, dramas = np.arange(0, 90, 2, dtype=np.int32), np.arange(1, 90, 2, dtype=np.int32)
    history = History(np.append(comedies[:15], dramas[:15]), np.repeat([4, 2], 15).astype(np.float32))
    stars = fitted.expect(fitted.fold_in(history)).stars
    assert stars[comedies[15:]].mean() > stars[dramas[15:]].mean() + 0.5


def test_columns_are_centred_and_unknown_is_the_mean() -> None:
    train = planted()[0]
    users, movies = Hybrid().side_features(train)
    assert users.shape == (201, 1 + 2 + 3)  # age, two genders, three occupations
    assert movies.shape == (101, 2 + 1)  # two genres, year
    for columns in (users, movies):
        np.testing.assert_allclose(columns[:-1].mean(0), 0, atol=1e-5)
        np.testing.assert_array_equal(columns[-1], 0)
        assert columns[:-1].any(0).all()


def test_without_demographics_there_are_fewer_inputs() -> None:
    train, held_out = tastes()
    anonymous = replace(train, users=replace(train.users, age=np.empty(0, np.int32), gender=(), occupation=()))
    model = Hybrid(QUICK)
    assert model.side_features(anonymous)[0].shape == (len(train.users) + 1, 0)
    model.fit(anonymous)
    assert rmse(model.predict(held_out.user, held_out.movie), held_out.stars) < 0.9


def test_held_out_ratings_choose_the_best_epoch() -> None:
    """Only the mean of pure noise can be learned, so the best epoch is an early one, and later epochs are undone."""
    random = np.random.RandomState(4)
    train = dataset(np.arange(2000) % 100, random.randint(0, 50, 2000), random.randint(1, 6, 2000))
    held_out = train.ratings.take(hold_out(np.arange(2000), 0, 0.2)[1])
    wild = replace(QUICK, members=1, epochs=6, decay=0.0, bias_decay=0.0, dropout=0.0, falling=False, kept_back=0.2)
    longer = Hybrid(wild)
    reported: list[Epoch] = []
    fitted = longer.fit(train, held_out, reported.append)
    losses = [epoch.validation_loss for epoch in reported]
    best = 1 + losses.index(min(losses))
    assert best < 5
    assert fitted.best_epoch == best
    # The loss of the best epoch is that of the model, which folding in follows; the others are those of the network.
    assert fitted.curve[best - 1].validation_loss == mse(longer.predict(held_out.user, held_out.movie), held_out.stars)
    assert [epoch for epoch in fitted.curve if epoch not in reported] == [fitted.curve[best - 1]]
    shorter = Hybrid(replace(wild, epochs=best))
    shorter.fit(train)
    for name, array in shorter.parameters.items():
        np.testing.assert_array_equal(longer.parameters[name], array)


def test_stored_users_have_their_features(fitted: Hybrid) -> None:
    train = planted()[0]
    history = history_of(train, 3)
    movies = np.arange(100, dtype=np.int32)
    as_user = fitted.expect(fitted.fold_in(history)).stars
    as_profile = fitted.expect(fitted.fold_in(History(history.movies, history.stars))).stars
    np.testing.assert_allclose(as_user, fitted.predict(np.full(100, 3, np.int32), movies), atol=1e-3)
    assert np.abs(as_user - as_profile).max() > 0.05
