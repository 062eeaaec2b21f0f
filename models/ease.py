"""A linear model that predicts each movie from all others, fitted in closed form."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings
from movietui.data.language import tr
from movietui.models.base import Fitted, History, Parameters, Progress
from movietui.models.bias import expected, learn_effects
from movietui.models.metrics import mse
from movietui.models.rankers import (
    SWEEPS,
    PreferenceSettings,
    RankingModel,
    Rows,
    Sample,
    Scores,
    calibrate,
    ratings_by_user,
    sample_users,
    unit_mean_of,
)
from movietui.models.settings import setting
from movietui.models.training import stages

if TYPE_CHECKING:
    from torch import Tensor

BLOCK = 256
"""How many movies' products with all others are computed at once."""
MOST_ROWS = 0.7
"""Rows without ratings of a block's movies are left out if less than this share remains, because copying takes time."""
USUAL_SUM = 300.0
"""The sum of the values of a user with the weight 1: about that of an average user of MovieLens."""
ROOT_STEPS = 16
"""The roots of the weights of users are rounded to 1/16, 1/32, ... of a power of two. With values in half stars, their
products then have at most eight significant bits, so that they are exact in bfloat16 (see ``gram_of``)."""
USERS_AT_ONCE = 8192
"""The most users in a table from which ``solve`` sums products."""
MOVIES_AT_ONCE = 32
"""The number of rated movies' rows that are summed at once: as many as fit in the processor's cache."""
SAMPLE = 256
"""The most users from whose scores the slope and the uncertainty of taste are estimated."""


@dataclass(frozen=True)
class EaseSettings(PreferenceSettings):
    """Settings of ``Ease``.

    The defaults were chosen on held-out tenths (``hold_out``) of the train parts of ``random80``, seeds 0 to 2, of
    ml-100k, and on some train users of ``strong`` of ml-1m. On ml-100k, ndcg@10 is 0.214 with the defaults, and 0.212
    if all users weigh the same; on ml-1m, ndcg@100 is 0.425 and 0.420.
    """

    ridge: float = setting(2000.0, 0.01, 1_000_000.0)
    """The weight of the sum of squared weights against the sum of squared errors: ``|X − X B|² + ridge |B|²``."""
    drop: float = setting(1.0, 0.0, 100.0)
    """How much of each movie's sum of squares is added to its ridge, which acts like dropping inputs at random (Steck
    2020)."""
    balance: float = setting(0.5, 0.0, 1.0)
    """How much less the errors of users with many ratings count: a user's weight is ``(300 / sum)^balance``, where
    ``sum`` is that of the user's values."""
    movies: int = setting(8000, 1, 50_000)
    """How many movies are learned, the most rated ones. The table of weights has this many rows and columns."""

    def roots(self, sums: NDArray[Any]) -> Floats:
        """Return the square roots of users' weights, given the sums of the absolute values of their ratings."""
        mantissa, exponent = np.frexp((USUAL_SUM / np.maximum(sums, 1)) ** (self.balance / 2))
        return np.asarray(np.ldexp(np.round(mantissa * ROOT_STEPS) / ROOT_STEPS, exponent), np.float32)


class Ease(RankingModel[EaseSettings]):
    """Predicts each movie from the viewer's ratings of all others: ``s = x B`` with ``B_ii = 0``.

    Steck, Embarrassingly shallow autoencoders for sparse data (2019): ``X`` has a row for each user, with 0 where there
    is no rating, and ``B`` minimises ``|X - X B|^2 + sum_i (ridge + drop |X_i|^2) |B_i|^2``, where ``X_i`` is a column
    and ``B_i`` a row. With ``P = (X'X + D)^-1``, where ``D`` is the diagonal matrix of the ridges,
    ``B_ij = -P_ij / P_jj``. The second part of the ridge is equivalent to dropping inputs at random in training (Steck,
    Autoencoders that don't overfit towards the identity, 2020): it limits the influence of movies with many ratings.

    A row of ``X`` is the user's values times the square root of the user's weight. Without weights, a user with ten
    times as many ratings would count a hundred times as much for how movies go together.

    Stars are calibrated on at most ``SAMPLE`` users. Each is scored with the ``B`` of all other users, for which the
    user's row ``x`` is subtracted from ``X'X``. With ``z = x P`` and ``h = z . x``, these scores are
    ``x_i - z_i / (P_ii (1 - h) + z_i^2)`` (Sherman and Morrison).

    Only the most rated movies are scored, as many as the setting ``movies`` says. All others score 0.
    """

    name = "ease"
    summary = tr("Learns which movies go with those you like, in closed form; scores only the most rated movies.")
    formula = "s = x B"
    reference = "Steck 2019, 2020"
    settings_type = EaseSettings
    needs_torch = True

    def memory_needed(self, train: Dataset) -> int:
        """Return the size of three tables of movies by movies, in float32."""
        return 3 * 4 * min(self.settings.movies, len(train.movies)) ** 2

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        stages.begin(tr("effects"))
        parameters = learn_effects(train, SWEEPS) | ratings_by_user(train)
        parameters["column"] = columns_of(train.counts, self.settings.movies)
        movies = int(parameters["column"].max()) + 1
        stages.begin(tr("weights"))
        users, ridges = np.arange(len(train.users)), (self.settings.ridge, self.settings.drop)
        if len(users) < movies:
            weights, diagonal = solve_by_users(self.weighted(self.table(parameters, users, movies)), *ridges)
        else:
            blocks = np.array_split(users, 1 + len(users) // USERS_AT_ONCE)
            tables = (self.weighted(self.table(parameters, block, movies)) for block in blocks)
            weights, diagonal = solve(tables, movies, *ridges)
        values = self.settings.values(train.ratings.stars)
        sums = np.bincount(train.ratings.movie, values, minlength=len(train.movies))
        parameters |= weight_parameters(weights, sums, parameters["column"])
        stages.begin(tr("stars"))
        sampled = sample_users(len(train.users), SAMPLE)
        taste, loss = calibrate(self.sample_scores(train, parameters, diagonal, sampled))
        parameters |= taste
        held_out = None
        if validation is not None:
            served = Ease(self.settings)
            served.restore(parameters, train.scale)
            held_out = mse(served.predict(validation.user, validation.movie), validation.stars)
        return parameters, Fitted.in_closed_form(loss, held_out, progress)

    def table(self, parameters: Parameters, users: NDArray[np.intp], movie_count: int) -> Floats:
        """Return the values of some users' ratings of the learned movies, shape (users, movies); 0 without a rating."""
        starts = parameters["starts"]
        lengths = starts[users + 1] - starts[users]
        row = np.repeat(np.arange(len(users)), lengths)
        indices = np.arange(len(row)) + np.repeat(starts[users] - np.cumsum(lengths) + lengths, lengths)
        column = parameters["column"][parameters["rated"][indices]]
        known = column >= 0
        table = np.zeros((len(users), movie_count), np.float32)
        table[row[known], column[known]] = self.settings.values(parameters["stars"][indices[known]])
        return table

    def weighted(self, table: Floats) -> Floats:
        """Return the rows of ``X``: users' values, shape (users, movies), times the roots of the users' weights."""
        return table * self.settings.roots(np.abs(table).sum(1))[:, None]

    def sample_scores(
        self, train: Dataset, parameters: Parameters, diagonal: Floats, users: NDArray[np.intp]
    ) -> Sample:
        """Score the rated movies of some users with the ``B`` of all other users, to calibrate the stars.

        Also compute how much the scores change if only every second rating is used. ``parameters``: with the ratings
        and effects of the users. ``diagonal``: of ``P``.
        """
        weights = parameters["weights"]
        x = self.table(parameters, users, len(weights))
        # Every second rating of each user, so that the movies of both halves have about as many ratings.
        every_other = np.where(np.cumsum(x != 0, 1) % 2, x, 0)
        score, half = np.split(np.concatenate([x, every_other]) @ weights, 2)
        unseen = self.unseen(x, score, diagonal)
        unit_mean = parameters["usual"][learned_movies(parameters["column"])]
        personal = unseen - (unseen @ unit_mean)[:, None] * unit_mean
        half_change = (score - half) - ((score - half) @ unit_mean)[:, None] * unit_mean
        rows = np.flatnonzero(np.isin(train.ratings.user, users) & (parameters["column"][train.ratings.movie] >= 0))
        user, movie = train.ratings.user[rows], train.ratings.movie[rows]
        indices = np.searchsorted(users, user), parameters["column"][movie]
        residuals = train.ratings.stars[rows] - expected(parameters, user, movie)
        return Sample(residuals, personal[indices], half_change[indices], len(rows) / max(1, len(users)))

    def unseen(self, table: Floats, score: Floats, diagonal: Floats) -> Floats:
        """Return each user's scores with a ``B`` fitted without the user, from their scores with the whole ``B``.

        ``table``, ``score`` and the result: shape (users, movies). ``diagonal``: of ``P``.
        """
        root = self.settings.roots(np.abs(table).sum(1))[:, None]
        x, z = root * table, diagonal * root * (table - score)
        remaining = 1 - (z * x).sum(1, keepdims=True)
        return np.asarray(table - z / (diagonal * remaining + z * z) / root, np.float32)

    def _score(self, history: History, movies: Rows) -> tuple[Floats, float]:
        """Return the scores, which are the sum of the rated movies' rows of weights times the ratings' values, and
        their projection."""
        values, rows, _ = self._inputs(history)
        columns = self.parameters["column"][movies]
        known = columns >= 0
        score = np.zeros(len(columns), np.float32)
        weights = self.parameters["weights"]
        if len(columns) < len(weights):
            score[known] = values @ weights[rows[:, None], columns[known]]
        else:
            total = np.zeros(len(weights), np.float32)
            for first in range(0, len(rows), MOVIES_AT_ONCE):
                block = slice(first, first + MOVIES_AT_ONCE)
                total += values[block] @ weights[rows[block]]
            score[known] = total[columns[known]]
        return score, float(values @ self.parameters["along"][rows])

    def extend(self, taste: Scores, history: History) -> Scores:
        """Add the row of the last rating's movie to the scores."""
        more, projection = self._score(history.take(slice(len(history) - 1, None)), slice(-1))
        return Scores(self._bias.fold_in(history), history, taste.score + more, taste.projection + projection)

    def _shares(self, history: History, movies: Ints) -> Floats:
        """Return each rating's value times its weight."""
        values, rows, indices = self._inputs(history)
        columns = self.parameters["column"][movies]
        known = np.flatnonzero(columns >= 0)
        shares = np.zeros((len(movies), len(history)), np.float32)
        shares[known[:, None], indices] = (
            self.parameters["weights"][rows[:, None], columns[known]] * values[:, None]
        ).T
        return shares

    def _inputs(self, history: History) -> tuple[Floats, Ints, NDArray[np.intp]]:
        """Return the values of the ratings, the rows of their movies among the weights, and their indices in the
        history."""
        rows = self.parameters["column"][history.movies]
        values = self.settings.values(history.stars)
        indices = np.flatnonzero((rows >= 0) & (values != 0))
        return values[indices], rows[indices], indices


def columns_of(counts: Ints, most: int) -> Ints:
    """Return the row of each movie among the weights, shape (movies + 1,); -1 for a movie that is not learned, and for
    the unknown movie at the end.

    The ``most`` movies with the most ratings are learned, if they have ratings. The least rated of these come first,
    because ``gram_of`` is then fastest.
    """
    learned = np.lexsort((np.arange(len(counts)), -counts))[:most]
    learned = learned[counts[learned] > 0][::-1]
    column = np.full(len(counts) + 1, -1, np.int32)
    column[learned] = np.arange(len(learned))
    return column


def learned_movies(column: Ints) -> NDArray[np.intp]:
    """Return the learned movies in the order of their rows among the weights; see ``columns_of``."""
    order = np.argsort(column[:-1], kind="stable")
    return order[np.count_nonzero(column[:-1] < 0) :]


def weight_parameters(weights: Floats, sums: NDArray[Any], column: Ints) -> Parameters:
    """Return the parameters that depend on ``B``. ``sums``: the sum of each movie's values, shape (movies,)."""
    learned = learned_movies(column)
    mean = np.zeros(len(sums))
    mean[learned] = sums[learned].astype(np.float32) @ weights
    unit_mean = unit_mean_of(mean)
    return {"weights": weights, "usual": unit_mean, "along": weights @ unit_mean[learned]}


def solve(tables: Iterable[Floats], movie_count: int, ridge: float, drop: float) -> tuple[Floats, Floats]:
    """Return ``B`` and the diagonal of ``P``, shape (movies, movies) and (movies,).

    ``tables``: the values of some users' ratings, shape (users, movies) each. The fit is fastest if the least rated
    movies come first.
    """
    import torch

    return solve_gram(gram_of(map(torch.from_numpy, tables), movie_count), ridge, drop)


def solve_gram(gram: "Tensor", ridge: float, drop: float) -> tuple[Floats, Floats]:
    """Return ``B`` and the diagonal of ``P``. ``gram``: ``X'X``, to which ``D`` is added in place."""
    import torch

    diagonal = gram.diagonal()
    diagonal += ridge + drop * diagonal
    # The inverse is symmetric, so its transpose is the same, but folding in is faster with contiguous rows.
    return _weights(torch.cholesky_inverse(torch.linalg.cholesky(gram)).mT.contiguous())


def solve_by_users(table: Floats, ridge: float, drop: float) -> tuple[Floats, Floats]:
    """Return the same as ``solve``, faster if there are fewer users than movies.

    With ``Y = X D^-1/2``, the Cholesky factor ``L`` of ``I + Y Y'``, which has a row for each user, and ``W = L^-1 Y``,
    the inverse is ``P = D^-1/2 (I - W'W) D^-1/2`` (Woodbury).
    """
    import torch

    x = torch.from_numpy(table)
    root = (ridge + drop * x.square().sum(0)).sqrt()
    y = x / root
    gram_of_users = y @ y.T
    gram_of_users.diagonal().add_(1)
    half = torch.linalg.solve_triangular(torch.linalg.cholesky(gram_of_users), y, upper=False)
    inverse = gram_of([half], len(root)).neg_()
    inverse.diagonal().add_(1)
    return _weights(inverse.div_(root).div_(root[:, None]))


def gram_of(tables: "Iterable[Tensor]", movie_count: int) -> "Tensor":
    """Return the sum of ``x' x`` over tables ``x``, shape (rows, movies) each.

    Only the upper half is computed. The lower half is its transpose.
    """
    import torch

    gram = torch.zeros(movie_count, movie_count)
    blocks = [slice(first, min(first + BLOCK, movie_count)) for first in range(0, movie_count, BLOCK)]
    for table in tables:
        # Multiples of half a star are exact in bfloat16, which processors with AMX multiply several times as fast. The
        # products are still summed in float32.
        exact = bool((table.bfloat16() == table).all())
        with _precision("bf16" if exact else "ieee"):
            for block in blocks:
                rows = table[:, block].any(1)
                part = table[rows, block.start :] if rows.sum() < MOST_ROWS * len(rows) else table[:, block.start :]
                gram[block, block.start :].addmm_(part[:, : block.stop - block.start].T, part)
    for block in blocks:
        gram[block.stop :, block] = gram[block, block.stop :].T
    return gram


@contextmanager
def _precision(precision: str) -> Iterator[None]:
    """Let torch round the inputs of matrix products to a precision inside the block; ``ieee`` does not round."""
    import torch

    matmul = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = matmul.fp32_precision
    matmul.fp32_precision = precision
    try:
        yield
    finally:
        matmul.fp32_precision = before


def _weights(inverse: "Tensor") -> tuple[Floats, Floats]:
    """Return ``B`` and the diagonal of ``P``, which is overwritten with ``B``."""
    diagonal = inverse.diagonal().clone()
    inverse /= -diagonal
    inverse.fill_diagonal_(0)
    return inverse.numpy(), diagonal.numpy()
