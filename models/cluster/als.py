"""Alternating least squares with Spark's MLlib. The models are served like models trained on one machine."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from movietui.data.dataset import Floats
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.models.als import SAMPLE, AlsSettings, UserSums, factors_of, parameters_of
from movietui.models.base import Parameters
from movietui.models.cluster.effects import learn_effects
from movietui.models.cluster.partitions import Block, Doubles, Partitions
from movietui.models.cluster.sample import NO_RATINGS, sample_of
from movietui.models.ials import SAMPLE as IALS_SAMPLE
from movietui.models.ials import Ials, IalsSettings, describe_unrated, ials_parameters, sample_scores
from movietui.models.rankers import SWEEPS, calibrate, sample_users

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

RATINGS_PER_BLOCK = 2_000_000
"""About how many ratings a block has. Random numbers depend on the number of blocks, which therefore does not depend on
the number of workers."""
FEWEST_BLOCKS = 10
"""MLlib's own default."""


def fit_als(train: Partitions, settings: AlsSettings, seed: int) -> Parameters:
    """Return the parameters of ``Als``: MLlib learns the factors of the movies, and users are folded in."""
    movies = learn_factors(
        train,
        train.ratings,
        rank=settings.factors,
        maxIter=settings.sweeps,
        regParam=settings.ridge,
        seed=seed,
    )
    ridge = settings.ridge

    def sums_of(block: Block) -> dict[str, Any]:
        counts = np.diff(block.starts)
        factors = np.stack([factors_of(movies[history.movies], history.stars, ridge) for history in block.histories()])
        return vars(UserSums.of(factors, counts))

    sums = train.sum(sums_of)
    size = settings.factors
    return parameters_of(
        movies,
        train.counts,
        _user_sums(sums) if sums else UserSums.of(np.zeros((0, size)), np.zeros(0)),
        train.histories(sample_users(train.dataset.user_count, SAMPLE)),
        settings,
    )


def _user_sums(sums: dict[str, Doubles]) -> UserSums:
    return UserSums(
        float(sums["users"]), float(sums["ratings"]), sums["factors"], sums["squares"], sums["rated_squares"]
    )


def learn_factors(train: Partitions, ratings: "DataFrame", **settings: Any) -> Floats:
    """Return the movies' factors that MLlib's ALS learns, shape (movies, factors); 0 for a movie without ratings.

    ``ratings``: with the columns ``user``, ``movie`` and ``stars``. ``settings``: those of
    ``pyspark.ml.recommendation.ALS``.
    """
    from pyspark.ml.recommendation import ALS

    spark = ratings.sparkSession
    blocks = max(FEWEST_BLOCKS, -(-len(train) // RATINGS_PER_BLOCK))
    columns: dict[str, Any] = {"userCol": "user", "itemCol": "movie", "ratingCol": "stars"}
    with train.dataset.scratch(spark) as scratch:
        # MLlib writes its factors there every ten sweeps. Otherwise, what Spark must repeat after a failure would grow
        # with each sweep, until even the description of that work overflows Java's stack.
        spark.sparkContext.setCheckpointDir(scratch)
        fitted = ALS(**columns, numUserBlocks=blocks, numItemBlocks=blocks, **settings).fit(ratings)
        rows = fitted.itemFactors.toPandas()
    factors = np.zeros((len(train.dataset.movies), fitted.rank), np.float32)
    if len(rows):
        factors[rows["id"].to_numpy()] = np.stack(rows["features"].tolist())
    return factors


def fit_ials(train: Partitions, chosen: IalsSettings, seed: int) -> Parameters:
    """Return the parameters of ``Ials``: MLlib learns the factors of the movies, and users are folded in.

    MLlib minimises, with a confidence ``1 + c v`` that grows with the value ``v`` of a rating,

        sum over ratings (1 + c v) (1 - s_ui)^2 + sum over other pairs s_ui^2
        + regularisation (sum_u n_u |x_u|^2 + sum_i n_i |y_i|^2)

    while ``Ials`` weighs all ratings alike, predicts their values, and lets its ridge grow with another power of ``n``.
    So the factors are not quite those of one machine. The settings mean the same as far as possible: ``c`` is chosen so
    that a rating of mean value weighs the same against unrated pairs, and the regularisation so that its total weight
    is the same. The factors are then scaled from scores around 1 to scores around the mean value.

    Raises ``Problem`` if ``unseen`` is 0.
    """
    from pyspark.sql import functions as f

    settings = chosen.for_ratings(len(train))
    if not settings.unseen:
        raise Problem(
            tr("unseen=0 is out of range on a cluster: MLlib always learns from unrated pairs; use more than 0.")
        )
    stars = f.col("stars").cast("double")
    value = f.when(stars >= settings.least, f.lit(1.0) if settings.ones else stars - settings.zero).otherwise(0.0)
    rated = train.ratings.select("user", "movie", value.alias("stars")).where("stars != 0")
    effects = learn_effects(train, SWEEPS)
    users, movies = max(1, train.dataset.user_count), max(1, len(train.dataset.movies))
    added = train.sum(_value_sums(settings, movies))
    valued, total = (float(each) for each in added["all"]) if added else (0.0, 0.0)
    unseen = settings.unseen * max(1.0, valued) / (users * movies)
    mean_value = total / valued if total > 0 else 1.0
    sampled = sample_users(users, IALS_SAMPLE)
    learned = np.zeros((len(train.dataset.movies), settings.factors), np.float32)
    mean_user = np.zeros(settings.factors)
    if valued:
        weights = train.sum(_ridge_weights(settings, unseen * movies))["users"]
        weights += ((added["by_movie"] + unseen * users) ** settings.scaling).sum()
        learned = learn_factors(
            train,
            rated.where(~f.col("user").isin(sampled.tolist())),
            rank=settings.factors,
            maxIter=settings.sweeps,
            regParam=settings.ridge * float(weights) / (2 * valued * unseen * mean_value),
            implicitPrefs=True,
            alpha=1 / (unseen * mean_value),
            seed=seed,
        ) * np.float32(mean_value**0.5)
    parameters = effects | NO_RATINGS | {"counts": train.counts}
    served = Ials(settings)
    served.restore(parameters | ials_parameters(learned, mean_user, unseen, settings.ridge), train.dataset.scale)
    if valued:
        mean_user = train.sum(_user_sum(served))["users"] / users
        served.restore(parameters | ials_parameters(learned, mean_user, unseen, settings.ridge), train.dataset.scale)
    dataset, with_users = sample_of(train, effects, sampled)
    fitted = served.parameters
    served.restore(fitted | with_users, train.dataset.scale)
    taste, _ = calibrate(sample_scores(dataset, served, np.arange(len(dataset.users))))
    return describe_unrated(fitted | taste, mean_user, train.dataset.movies, train.counts, imdb=settings.imdb)


def _value_sums(settings: IalsSettings, movies: int) -> Callable[[Block], dict[str, Doubles]]:
    """Return a function that counts the ratings whose value is not 0, in total and by movie, and sums the values."""

    def sums(block: Block) -> dict[str, Doubles]:
        values = settings.values(block.stars).astype(np.float64)
        by_movie = np.bincount(block.movie[values != 0], minlength=movies).astype(np.float64)
        return {"all": np.asarray([by_movie.sum(), values.sum()]), "by_movie": by_movie}

    return sums


def _ridge_weights(settings: IalsSettings, unseen: float) -> Callable[[Block], dict[str, Doubles]]:
    """Return a function that sums ``(n + unseen)^scaling`` over users with ``n`` ratings whose value is not 0."""

    def sums(block: Block) -> dict[str, Doubles]:
        counts = np.bincount(block.index, settings.values(block.stars) != 0, minlength=len(block.users))
        return {"users": np.asarray(((counts + unseen) ** settings.scaling).sum())}

    return sums


def _user_sum(served: Ials) -> Callable[[Block], dict[str, Doubles]]:
    """Return a function that sums the factors of users."""

    def sums(block: Block) -> dict[str, Doubles]:
        return {"users": np.sum([served.solve(history) for history in block.histories()], axis=0)}

    return sums
