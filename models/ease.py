"""A linear model from all other movies to each: one closed form, nothing to wait for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Ratings
from models import stages
from models.bias import expected, learn_effects
from models.metrics import mse
from models.model import Epoch, Fitted, History, Parameters, Progress
from models.preferences import SWEEPS, PreferenceSettings, Preferring, Rows, Sample, calibrate, lists_of, sampled, usual
from models.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

BLOCK = 512
"""Movies whose products with all others are taken at once."""
USERS = 8192
"""Users whose ratings are in a dense table at once."""
AT_ONCE = 32
"""Rated movies whose rows are added up at once: a copy of so many stays in the cache of the processor."""
SAMPLE = 256
"""Users whose scores tell the slope and how sure it is."""


@dataclass(frozen=True)
class EaseSettings(PreferenceSettings):
    """Settings of ``Ease``.

    Chosen on validation tenths (``hold_out``) of the train parts of ``random80``, seeds 0 and 1, of ml-100k: with
    plain ones from four stars on, the ridge at its best, ndcg@10 is 0.193 there, with these settings 0.205.
    """

    ridge: float = setting(1500.0, 0.01, 1_000_000.0)
    """How much the sum of the squared weights counts beside the sum of the squared errors."""
    drop: float = setting(1.0, 0.0, 100.0)
    """How much of each movie's own sum of squares is added to the ridge, as if inputs were missing at random."""
    films: int = setting(8000, 1, 50_000)
    """How many movies are learned, the most rated; the table of weights has as many rows and columns."""


class Ease(Preferring[EaseSettings]):
    """Each movie's value is expected from what the viewer's ratings say for all others: ``s = x B`` with ``B_ii = 0``.

    Steck, Embarrassingly shallow autoencoders for sparse data (2019): with a row ``x`` for each user that is 0 where
    there is no rating, ``B`` minimises ``|X - X B|^2 + sum_i (ridge + drop |X_i|^2) |B_i|^2``, rows ``B_i``. With
    ``P = (X'X + D)^-1``, ``D`` the diagonal of the ridges, ``B_ij = -P_ij / P_jj``. The second part of the ridge is
    what training with inputs left out at random comes to (Steck, Autoencoders that don't overfit towards the identity,
    2020): a movie that many rated is not trusted without end.

    The scores of the sample come from the ``B`` of everybody but the user, whose row is taken off ``X'X``: with
    ``z = x P`` and ``h = z . x``, they are ``x_i - z_i / (P_ii (1 - h) + z_i^2)`` (Sherman and Morrison).

    Only the ``films`` movies with the most ratings are scored; the score of all others is 0.
    """

    name = "ease"
    summary = "Which movies go with those you like, in closed form; of the 8,000 most rated."
    settings_type = EaseSettings

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        stages.at("effects")
        found = learn_effects(train, SWEEPS) | lists_of(train)
        films = np.lexsort((np.arange(len(train.movies)), -train.counts))[: self.settings.films]
        films = np.sort(films[train.counts[films] > 0])
        column = np.full(len(train.movies) + 1, -1, np.int32)
        column[films] = np.arange(len(films))
        found["column"] = column
        stages.at("weights")
        users, ridges = np.arange(len(train.users)), (self.settings.ridge, self.settings.drop)
        if len(users) < len(films):
            weights, diagonal = solve_few(self._table(found, users, len(films)), *ridges)
        else:
            blocks = np.array_split(users, 1 + len(users) // USERS)
            weights, diagonal = solve((self._table(found, block, len(films)) for block in blocks), len(films), *ridges)
        mean = np.zeros(len(train.movies))
        said = np.bincount(train.ratings.movie, self.settings.values(train.ratings.stars), minlength=len(mean))
        mean[films] = said[films].astype(np.float32) @ weights
        share = usual(mean)
        found |= {"weights": weights, "usual": share, "along": weights @ share[films]}
        stages.at("stars")
        taste, loss = calibrate(self._sample(train, found, diagonal))
        found |= taste
        held_out = None
        if validation is not None:
            served = Ease(self.settings)
            served.restore(found, train.scale)
            held_out = mse(served.predict(validation.user, validation.movie), validation.stars)
        epoch = Epoch(1, 1, loss, held_out)
        progress(epoch)
        return found, Fitted.of([epoch])

    def _table(self, found: Parameters, users: NDArray[np.intp], films: int) -> Floats:
        """What some users say for every movie that is learned, shape (users, films)."""
        starts = found["starts"]
        lengths = starts[users + 1] - starts[users]
        row = np.repeat(np.arange(len(users)), lengths)
        places = np.arange(len(row)) + np.repeat(starts[users] - np.cumsum(lengths) + lengths, lengths)
        column = found["column"][found["rated"][places]]
        known = column >= 0
        table = np.zeros((len(users), films), np.float32)
        table[row[known], column[known]] = self.settings.values(found["stars"][places[known]])
        return table

    def _sample(self, train: Dataset, found: Parameters, diagonal: Floats) -> Sample:
        users, weights = sampled(len(train.users), SAMPLE), found["weights"]
        x = self._table(found, users, len(weights))
        # Every other rating of each user, so that both halves have old and new movies.
        every_other = np.where(np.cumsum(x != 0, 1) % 2, x, 0)
        score, half = np.split(np.concatenate([x, every_other]) @ weights, 2)
        unseen = self.unseen(x, score, diagonal)
        share = found["usual"][:-1][found["column"][:-1] >= 0]
        apart = unseen - (unseen @ share)[:, None] * share
        moved = (score - half) - ((score - half) @ share)[:, None] * share
        rows = np.flatnonzero(np.isin(train.ratings.user, users) & (found["column"][train.ratings.movie] >= 0))
        user, movie = train.ratings.user[rows], train.ratings.movie[rows]
        places = np.searchsorted(users, user), found["column"][movie]
        rest = train.ratings.stars[rows] - expected(found, user, movie)
        return Sample(rest, apart[places], moved[places], len(rows) / max(1, len(users)))

    @staticmethod
    def unseen(x: Floats, score: Floats, diagonal: Floats) -> Floats:
        """Return the scores of users by the others' ``B``, given those by everybody's, shape (users, films) each."""
        z = diagonal * (x - score)
        left = 1 - (z * x).sum(1, keepdims=True)
        return np.asarray(x - z / (diagonal * left + z * z), np.float32)

    def _score(self, history: History, movies: Rows) -> tuple[Floats, float]:
        """Sum the rows of the rated movies."""
        values, rows, _ = self._inputs(history)
        columns = self.parameters["column"][movies]
        known = columns >= 0
        score = np.zeros(len(columns), np.float32)
        weights = self.parameters["weights"]
        if len(columns) < len(weights):
            score[known] = values @ weights[rows[:, None], columns[known]]
        else:
            total = np.zeros(len(weights), np.float32)
            for first in range(0, len(rows), AT_ONCE):
                some = slice(first, first + AT_ONCE)
                total += values[some] @ weights[rows[some]]
            score[known] = total[columns[known]]
        return score, float(values @ self.parameters["along"][rows])

    def _shares(self, history: History, movies: Ints) -> Floats:
        """A rating's share is what it says times its weight."""
        values, rows, places = self._inputs(history)
        columns = self.parameters["column"][movies]
        known = np.flatnonzero(columns >= 0)
        shares = np.zeros((len(movies), len(history)), np.float32)
        shares[known[:, None], places] = (self.parameters["weights"][rows[:, None], columns[known]] * values[:, None]).T
        return shares

    def _inputs(self, history: History) -> tuple[Floats, Ints, NDArray[np.intp]]:
        """What the ratings say, the rows of their movies among the weights, and their places in the history."""
        rows = self.parameters["column"][history.movies]
        values = self.settings.values(history.stars)
        places = np.flatnonzero((rows >= 0) & (values != 0))
        return values[places], rows[places], places


def solve(tables: Iterable[Floats], films: int, ridge: float, drop: float) -> tuple[Floats, Floats]:
    """Return ``B`` and the diagonal of ``P``, shape (films, films) and (films,).

    ``tables``: what the users say for each movie, some users after the other, shape (users, films) each.
    """
    import torch

    gram = _gram(map(torch.from_numpy, tables), films)
    own = gram.diagonal()
    own += ridge + drop * own
    # The inverse is its own transpose, and rows that lie together are what folding in reads.
    return _weights(torch.cholesky_inverse(torch.linalg.cholesky(gram)).mT.contiguous())


def solve_few(table: Floats, ridge: float, drop: float) -> tuple[Floats, Floats]:
    """Return what ``solve`` does; where there are fewer users than movies it takes less time.

    With ``Y = X D^-1/2`` and ``L L' = I + Y Y'``, as large as there are users, and ``W = L^-1 Y``, the inverse is
    ``P = D^-1/2 (I - W'W) D^-1/2`` (Woodbury).
    """
    import torch

    x = torch.from_numpy(table)
    root = (ridge + drop * x.square().sum(0)).sqrt()
    y = x / root
    among = y @ y.T
    among.diagonal().add_(1)
    half = torch.linalg.solve_triangular(torch.linalg.cholesky(among), y, upper=False)
    inverse = _gram([half], len(root)).neg_()
    inverse.diagonal().add_(1)
    return _weights(inverse.div_(root).div_(root[:, None]))


def _gram(tables: "Iterable[Tensor]", films: int) -> "Tensor":
    """The sum of ``x' x`` over some ``x``, shape (rows, films) each; one half is computed, and turned round."""
    import torch

    from models.threads import leave_one_core

    leave_one_core()
    gram = torch.zeros(films, films)
    blocks = [slice(first, min(first + BLOCK, films)) for first in range(0, films, BLOCK)]
    for table in tables:
        for block in blocks:
            gram[block, block.start :].addmm_(table[:, block].T, table[:, block.start :])
    for block in blocks:
        gram[block.stop :, block] = gram[block, block.stop :].T
    return gram


def _weights(inverse: "Tensor") -> tuple[Floats, Floats]:
    """``B`` and the diagonal of ``P``, which becomes ``B``."""
    diagonal = inverse.diagonal().clone()
    inverse /= -diagonal
    inverse.fill_diagonal_(0)
    return inverse.numpy(), diagonal.numpy()
