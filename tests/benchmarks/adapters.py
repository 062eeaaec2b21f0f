"""Models of other libraries behind one interface: prepare a model for a dataset, fit it, then predict with it.

Each function imports its library when it is called, so that a missing library does not matter to the others. Converting
the ratings to a library's format does not count as part of the fit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from movietui.data.dataset import Dataset, Floats, Ints
from movietui.models.metrics import RELEVANT

Predict = Callable[[Ints, Ints], Floats]
"""Predicts stars, given an array of users' rows and an array of movies' rows."""
Score = Callable[[int], Floats]
"""Returns a score for every movie of the dataset, given a user's row."""
Fit = Callable[[], Any]
"""Does the timed work and returns a ``Predict`` or, for a ranker, a ``Score``."""

LARGE = 500_000
"""With at least this many ratings in train, a peer uses its settings for ml-1m, if it has separate ones."""


@dataclass(frozen=True)
class Peer:
    """A model of another library, with the settings that gave its best figures."""

    package: str
    """The name under which pip installs the library."""
    module: str
    """The name under which Python imports the library."""
    settings: str
    """The settings in words, for the table."""
    prepare: Callable[[Dataset], Fit]
    """Does everything before the timed work."""


def liked(train: Dataset) -> Dataset:
    """Return the dataset with only the ratings of four stars or more, from which other libraries' rankers learn."""
    return train.with_ratings(np.flatnonzero(train.ratings.stars >= RELEVANT))


# myFM


def myfm(train: Dataset) -> Fit:
    """Prepare a Bayesian factorisation machine: "SVD++ flipped" with the side features of ``_myfm_blocks``."""
    from myfm import MyFMRegressor, RelationBlock

    blocks = _myfm_blocks(train)
    machine = MyFMRegressor(rank=20 if len(train.ratings) >= LARGE else 10, random_seed=0)
    groups = [part.shape[1] for block in blocks for part in block]

    def related(users: Ints, movies: Ints) -> list[Any]:
        from scipy.sparse import hstack

        return [RelationBlock(rows, hstack(block).tocsr()) for rows, block in zip((users, movies), blocks, strict=True)]

    stars, train_blocks = train.ratings.stars.astype(np.float64), related(train.ratings.user, train.ratings.movie)

    def fit() -> Predict:
        # The callback neither stops the fit nor changes the progress bar.
        machine.fit(None, stars, X_rel=train_blocks, n_iter=200, group_shapes=groups, callback=lambda *_: (False, None))
        return lambda users, movies: machine.predict(None, related(users, movies)).astype(np.float32)

    return fit


def _myfm_blocks(train: Dataset) -> tuple[list[Any], list[Any]]:
    """Return the features of users and those of movies, each as a list of matrices to concatenate.

    A user's features: the user, occupation, first character of the zip code, age in steps of five years, gender, and
    the movies rated in train. A movie's features: the movie, genres, year in steps of five, and the users who rated it.
    A row with n genres, n movies or n users is divided by the square root of n.
    """
    from scipy.sparse import csr_matrix, diags, eye

    def spread(table: Any) -> Any:
        counts = np.asarray(table.sum(1)).ravel()
        return diags(1 / np.sqrt(np.maximum(counts, 1))) @ table

    def one_hot(values: Any) -> Any:
        codes = np.unique(np.asarray(values), return_inverse=True)[1]
        return csr_matrix((np.ones(len(codes)), (np.arange(len(codes)), codes)))

    users, movies, ratings = train.users, train.movies, train.ratings
    shape = (len(users), len(movies))
    rated = csr_matrix((np.ones(len(ratings)), (ratings.user, ratings.movie)), shape)
    attributes = (users.occupation, [code[:1] for code in users.zip_code], users.age // 5, users.gender)
    user_features = [eye(shape[0]), *(one_hot(column) for column in attributes if len(column)), spread(rated)]
    movie_features = [spread(csr_matrix(movies.genres.astype(np.float64))), one_hot(movies.years // 5)]
    return user_features, [eye(shape[1]), *movie_features, spread(rated.T.tocsr())]


# LensKit


def _lenskit(scorer: Any, train: Dataset, stars: bool, with_history: bool) -> Fit:
    """Prepare a LensKit scorer. Movies that it cannot score get the mean of train, and come last in lists."""
    from lenskit.data import ItemList, RecQuery, from_interactions_df

    _keep_lenskit_to_one_thread()
    ratings = train.ratings
    columns = {"user_id": ratings.user, "item_id": ratings.movie}
    data = from_interactions_df(pd.DataFrame(columns | ({"rating": ratings.stars} if stars else {})))
    all_movies = np.arange(len(train.movies), dtype=np.int32)

    def ask(user: int, movies: Ints) -> Floats:
        query = RecQuery(user_id=user, user_items=data.user_row(user) if with_history else None)
        return np.asarray(scorer(query, ItemList(item_ids=movies)).scores(), np.float32)

    def score(user: int) -> Floats:
        scores = ask(user, all_movies)
        return np.where(np.isnan(scores), np.float32(-1e9), scores)

    def predict(users: Ints, movies: Ints) -> Floats:
        predicted = np.full(len(users), ratings.stars.mean(), np.float32)
        for user in np.unique(users):
            rows = np.flatnonzero(users == user)
            scores = ask(int(user), movies[rows])
            predicted[rows] = np.where(np.isnan(scores), predicted[rows], scores)
        return predicted

    def fit() -> Predict | Score:
        scorer.train(data)
        return predict if stars else score

    return fit


@cache
def _keep_lenskit_to_one_thread() -> None:
    from lenskit.parallel import initialize

    initialize(processes=1, threads=1, backend_threads=1, child_threads=1)


def lenskit_als(train: Dataset) -> Fit:
    """Prepare alternating least squares with biases."""
    from lenskit.als import BiasedMFScorer

    return _lenskit(BiasedMFScorer(embedding_size=50, epochs=20), train, stars=True, with_history=False)


def lenskit_user_knn(train: Dataset) -> Fit:
    """Prepare user neighbours, which LensKit finds only while predicting."""
    from lenskit.knn import UserKNNScorer

    return _lenskit(UserKNNScorer(max_nbrs=30), train, stars=True, with_history=False)


def lenskit_item_knn(train: Dataset) -> Fit:
    """Prepare item neighbours."""
    from lenskit.knn import ItemKNNScorer

    return _lenskit(ItemKNNScorer(max_nbrs=20), train, stars=True, with_history=True)


def lenskit_ease(train: Dataset) -> Fit:
    """Prepare EASE on the ratings of four stars or more."""
    from lenskit.knn import EASEScorer

    ridge = 600 if len(train.ratings) >= LARGE else 400
    return _lenskit(EASEScorer(regularization=ridge), liked(train), stars=False, with_history=True)


# implicit


def implicit_als(train: Dataset) -> Fit:
    """Prepare implicit alternating least squares on the ratings of four stars or more.

    Minimises ``(1 + unseen) sum over ratings (1 - s)^2 + unseen sum over other pairs s^2`` plus a ridge, where ``s`` is
    the score of a pair. The library gives each pair without a rating the weight 1, so everything is divided by
    ``unseen``. The values of the settings were chosen on validation tenths of the train parts of ``random80``.
    """
    from implicit.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    ratings = liked(train).ratings
    shape = (len(train.users), len(train.movies))
    factors, ridge, unseen = (64, 15.0, 0.2) if len(train.ratings) >= LARGE else (32, 10.0, 0.3)
    counts = np.full(len(ratings), 1 + 1 / unseen, np.float32)
    table = csr_matrix((counts, (ratings.user, ratings.movie)), shape)
    model = AlternatingLeastSquares(
        factors=factors,
        regularization=ridge / unseen,
        alpha=1.0,
        iterations=15,
        num_threads=1,
        random_state=0,
        use_gpu=False,
    )

    def fit() -> Score:
        model.fit(table, show_progress=False)
        return lambda user: model.item_factors @ model.user_factors[user]

    return fit


# Surprise and Cornac


def _surprise(algorithm: Any, train: Dataset) -> Fit:
    from surprise import Dataset as Table
    from surprise import Reader

    ratings = train.ratings
    frame = pd.DataFrame({"user": ratings.user, "movie": ratings.movie, "stars": ratings.stars})
    reader = Reader(rating_scale=(train.scale.low, train.scale.high))
    known = Table.load_from_df(frame, reader).build_full_trainset()

    def fit() -> Predict:
        algorithm.fit(known)
        return lambda users, movies: np.asarray(
            [algorithm.predict(*pair).est for pair in zip(users.tolist(), movies.tolist(), strict=True)], np.float32
        )

    return fit


def surprise_svd(train: Dataset) -> Fit:
    """Prepare Surprise's SVD."""
    from surprise import SVD

    return _surprise(SVD(n_factors=100, n_epochs=60, reg_all=0.1, random_state=0), train)


def surprise_knn(train: Dataset) -> Fit:
    """Prepare Surprise's item neighbours with baselines."""
    from surprise import KNNBaseline

    similarity = {"name": "pearson_baseline", "user_based": False}
    return _surprise(KNNBaseline(sim_options=similarity, verbose=False), train)


def cornac_mf(train: Dataset) -> Fit:
    """Prepare Cornac's matrix factorisation with biases."""
    from cornac.data import Dataset as Table
    from cornac.models import MF

    ratings = train.ratings
    rows = zip(ratings.user.tolist(), ratings.movie.tolist(), ratings.stars.tolist(), strict=True)
    table = Table.from_uir(list(rows), seed=0)
    model = MF(k=10, max_iter=25, learning_rate=0.01, lambda_reg=0.02, use_bias=True, num_threads=1, seed=0)
    # Cornac numbers only the users and movies of train; all others get -1, which stands for the extra row of zeros.
    user, movie = (
        np.asarray([numbers.get(row, -1) for row in range(len(side))], np.intp)
        for numbers, side in ((table.uid_map, train.users), (table.iid_map, train.movies))
    )

    def fit() -> Predict:
        model.fit(table)
        p, q = (np.pad(factors, ((0, 1), (0, 0))) for factors in (model.u_factors, model.i_factors))
        b, c = (np.pad(biases, (0, 1)) for biases in (model.u_biases, model.i_biases))

        def predict(users: Ints, movies: Ints) -> Floats:
            u, i = user[users], movie[movies]
            scores = model.global_mean + b[u] + c[i] + (p[u] * q[i]).sum(1)
            return np.asarray(scores, np.float32)

        return predict

    return fit


PEERS: Mapping[str, Peer] = {
    "myFM": Peer("myfm", "myfm", "SVD++ flipped, side features, rank 10 (ml-1m: 20), 200 iterations", myfm),
    "LensKit ALS": Peer("lenskit", "lenskit", "biases, 50 factors, 20 epochs", lenskit_als),
    "LensKit user-kNN": Peer("lenskit", "lenskit", "30 neighbours", lenskit_user_knn),
    "LensKit item-kNN": Peer("lenskit", "lenskit", "20 neighbours", lenskit_item_knn),
    "LensKit EASE": Peer("lenskit", "lenskit", "ratings of at least 4, ridge 400 (ml-1m: 600)", lenskit_ease),
    "implicit ALS": Peer(
        "implicit",
        "implicit",
        "ratings of at least 4, 32 factors, ridge 10, unseen 0.3 (ml-1m: 64, 15, 0.2), 15 sweeps",
        implicit_als,
    ),
    "Surprise SVD": Peer("scikit-surprise", "surprise", "100 factors, 60 epochs, regularisation 0.1", surprise_svd),
    "Surprise KNNBaseline": Peer("scikit-surprise", "surprise", "items, pearson_baseline", surprise_knn),
    "Cornac MF": Peer("cornac", "cornac", "biases, 10 factors, 25 epochs", cornac_mf),
}
