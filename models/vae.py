"""A variational autoencoder over the rows of users' ratings, made for lists."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings
from movietui.data.language import tr
from movietui.data.samples import evenly_spread
from movietui.models.base import Fitted, History, Parameters, Progress, history_of
from movietui.models.bias import expected
from movietui.models.ease import learned_movies
from movietui.models.rankers import TINY, PreferenceSettings, RankingModel, Rows, Sample
from movietui.models.settings import setting

SAMPLE = 32
"""The maximum number of users from whose scores the slope and the uncertainty of taste are estimated. They are left out
of the fit."""
SAMPLE_RATINGS = 32
"""The most ratings of a user of the sample that are predicted from the user's other ratings."""
FLOAT = 4
"""The size of a float32, in bytes."""
COPIES = 4
"""The weights, their slopes, and Adam's two averages of the slopes."""
EPSILON = 1e-5
"""Added to the variances of layer normalisation."""
LAYERS = (
    *("scale", "shift", "inner", "inner_bias", "inner_scale", "inner_shift"),
    *("code", "code_bias", "decoder", "offset"),
)
"""The parameters whose first axis is for the members."""


@dataclass(frozen=True)
class VaeSettings(PreferenceSettings):
    """Settings of ``Vae``.

    The defaults were chosen on held-out tenths (``hold_out``) of the train parts of ``random80``, seeds 0 to 2 of
    ml-100k, and on some train users of ``strong`` of ml-1m, who were folded in from most of their ratings. There,
    ndcg@10 is 0.211 on ml-100k, and 0.212 with ``ease``; ndcg@100 is 0.419 on ml-1m with 300 hidden units and a code of
    200, and 0.420 with ``ease``.
    """

    hidden: int = setting(200, 1, 2000)
    """The number of hidden units."""
    code: int = setting(100, 1, 1000)
    """The length of the code into which a user's ratings are compressed."""
    members: int = setting(1, 1, 8)
    """How many autoencoders are trained side by side; the probabilities that they predict are averaged."""
    dropout: float = setting(0.5, 0.0, 0.9)
    """The share of the ratings that is dropped at random from the input; the network learns to predict these ratings
    from the others (Vincent et al. 2008)."""
    prior: float = setting(0.15, 0.0, 100.0)
    """How strongly the codes are pulled towards a standard normal distribution: the ``gamma`` of Shenbin et al. (2020)
    is ``prior / sqrt(users)``, because more users support codes that say more."""
    epochs: int = setting(30, 1, 1000)
    """The number of passes over the users."""
    batch: int = setting(100, 1, 4096)
    """The number of users in a batch; fewer if an epoch would otherwise have fewer than 16 batches."""
    rate: float = setting(0.003, 0.00001, 0.1)
    """The learning rate at the start; it falls gradually to zero."""
    movies: int = setting(8000, 1, 50_000)
    """How many movies are learned, the most rated ones."""

    def values(self, stars: Floats) -> Floats:
        """Return the values of ratings, which count how often a movie was drawn, so that they are never below 0."""
        return np.maximum(super().values(stars), np.float32(0))


class Vae(RankingModel[VaeSettings]):
    """Compresses the viewer's ratings into a code, and expands the code into a score for every movie.

    Liang, Krishnan, Hoffman and Jebara, Variational autoencoders for collaborative filtering (2018), with the
    normalised and residual layers, the linear decoder and the weight of the prior of RecVAE (Shenbin et al. 2020). With
    ``x`` the values of a user's ratings, scaled to a length of 1, the code ``z`` is normal, with the mean ``m`` and the
    variances ``d``:

        h = f(W' x + a)      g = f(h + U' h + e)      (m, log d) = C' g + c
        z ~ N(m, d)          y = V' z + b             p = softmax(y)

    ``f`` is a layer normalisation (Ba et al. 2016) followed by swish, ``v / (1 + exp(-v))``.

    The fit takes the values as numbers of draws from ``p``, and maximises their log-likelihood, minus
    ``prior / sqrt(users)`` times the sum of the values times the Kullback-Leibler divergence of the code from a
    standard normal distribution. In the fit, a share of the input is dropped at random, but nothing is dropped from the
    likelihood. A viewer is folded in by one pass with ``z = m``.

    The score of a movie is ``log(1 + n p)``, where ``n`` is the number of learned movies: ``log 2`` if the movie is as
    likely as all others are on average, and almost 0 if it is much less likely. A movie that is not learned scores 0.

    Some users, the sample, are not in the fit. Their scores for movies that they rated, each from their other ratings,
    are like those of new viewers and determine the slope.
    """

    name = "vae"
    summary = tr("Compresses what you rated into a short code, and expands it to a list; made for lists.")
    formula = "s = log(1 + n p), p = softmax(V' m(x) + b)"
    reference = "Liang et al. 2018; Shenbin et al. 2020"
    settings_type = VaeSettings
    needs_torch = True
    on_device = True

    def memory_needed(self, train: Dataset) -> int:
        """Return the size of the weights, with what a fit computes for each of them, and of the scores of a batch."""
        settings, movies = self.settings, min(self.settings.movies, len(train.movies))
        return COPIES * FLOAT * settings.members * movies * (settings.hidden + settings.code + settings.batch)

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Imported here because it needs torch, and serving does not.
        from movietui.models.training.vae import fit

        return fit(train, validation, self.settings, self.seed, progress)

    def movie_vectors(self) -> Floats:
        """Return the rows of the decoder, shape (movies, members * code); 0 for a movie that is not learned."""
        rows = np.concatenate(list(self.parameters["decoder"]), axis=1)
        return np.append(rows, np.zeros_like(rows[:1]), 0)[self.parameters["column"][:-1]]

    def scores_of(self, sums: Floats, squares: NDArray[np.floating]) -> Floats:
        """Return the scores of the learned movies, shape (viewers, movies).

        ``sums``: the sum of the rows of ``W`` of each viewer's rated movies, times the values, shape
        (viewers, members * hidden). ``squares``: the sum of the squared values, shape (viewers,).
        """
        parameters = self.parameters
        lengths = np.sqrt(np.maximum(squares, TINY)).astype(np.float32)
        hidden = (sums / lengths[:, None] + parameters["bias"]).reshape(len(sums), *parameters["scale"].shape[::2])
        total = np.zeros((len(hidden), parameters["decoder"].shape[1]), np.float32)
        for member in range(self.settings.members):
            layer = {name: parameters[name][member] for name in LAYERS}
            first = _swish(hidden[:, member], layer["scale"], layer["shift"])
            inner = first + first @ layer["inner"] + layer["inner_bias"]
            second = _swish(inner, layer["inner_scale"], layer["inner_shift"])
            codes = second @ layer["code"] + layer["code_bias"]
            scores = codes @ layer["decoder"].T + layer["offset"]
            likely = np.exp(scores - scores.max(1, keepdims=True, initial=-np.inf))
            # The sum is at least 1, unless no movie is learned.
            total += likely * (likely.shape[1] / self.settings.members / likely.sum(1, keepdims=True, initial=TINY))
        return np.log1p(total)

    def without_each(self, history: History, most: int | None = None) -> tuple[Floats, NDArray[np.intp]]:
        """Return the scores of the learned movies without each rating whose value is not 0, shape (ratings, movies),
        and the ratings' indices.

        ``most``: do this for at most so many ratings, evenly spread.
        """
        values, rows, indices = self._inputs(history)
        each, squares = values[:, None] * self.parameters["encoder"][rows], np.square(values)
        chosen = slice(None) if most is None else evenly_spread(len(values), most)
        return self.scores_of(each.sum(0) - each[chosen], squares.sum() - squares[chosen]), indices[chosen]

    def learned_scores(self, history: History) -> Floats:
        """Return the scores of the learned movies, shape (movies,)."""
        values, rows, _ = self._inputs(history)
        sums = values @ self.parameters["encoder"][rows]
        return np.asarray(self.scores_of(sums[None], np.square(values).sum(keepdims=True))[0])

    def _score(self, history: History, movies: Rows) -> tuple[Floats, float]:
        score, usual = self.learned_scores(history), self.parameters["usual"]
        return (
            np.append(score, np.float32(0))[self.parameters["column"][movies]],
            float(score @ usual[learned_movies(self.parameters["column"])]),
        )

    def _shares(self, history: History, movies: Ints) -> Floats:
        shares = np.zeros((len(movies), len(history)), np.float32)
        columns = self.parameters["column"][movies]
        known = np.flatnonzero(columns >= 0)
        without, indices = self.without_each(history)
        if len(indices):
            changes = self.learned_scores(history)[columns[known]] - without[:, columns[known]]
            shares[known[:, None], indices] = changes.T
        return shares

    def _inputs(self, history: History) -> tuple[Floats, Ints, NDArray[np.intp]]:
        """Return the values of the ratings that count, the rows of their movies in ``W``, and their indices in the
        history."""
        rows, values = self.parameters["column"][history.movies], self.settings.values(history.stars)
        indices = np.flatnonzero((rows >= 0) & (values != 0))
        return values[indices], rows[indices], indices


def _swish(values: Floats, scale: Floats, shift: Floats) -> Floats:
    """Return ``f`` of ``Vae``: each row is normalised, scaled and shifted, and goes through swish."""
    centred = values - values.mean(1, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(1, keepdims=True) + EPSILON)
    normalised = centred / deviation * scale + shift
    return np.asarray(normalised / (1 + np.exp(-normalised)), np.float32)


def sample_scores(train: Dataset, served: Vae, users: NDArray[np.intp]) -> Sample:
    """Score rated movies of some users, each from the user's other ratings, to calibrate the stars.

    Also compute how much these scores change if only every second rating of a user is used. At most ``SAMPLE_RATINGS``
    movies of each user are scored.
    """
    column = served.parameters["column"]
    usual = served.parameters["usual"][learned_movies(column)]

    def personal(scores: Floats, columns: Ints) -> Floats:
        of_columns = np.broadcast_to(scores, (len(columns), len(usual)))[np.arange(len(columns)), columns]
        return np.asarray(of_columns - (scores @ usual) * usual[columns], np.float32)

    residuals, unseen, changes, ratings = [], [], [], 0
    for user in users.tolist():
        history = history_of(train, user)
        without, indices = served.without_each(history, SAMPLE_RATINGS)
        movies = history.movies[indices]
        whole, half = (served.learned_scores(each)[None] for each in (history, history.take(slice(None, None, 2))))
        residuals.append(history.stars[indices] - expected(served.parameters, np.full(len(movies), user), movies))
        unseen.append(personal(without, column[movies]))
        changes.append(personal(whole - half, column[movies]))
        ratings += len(history)
    empty = np.empty(0, np.float32)
    all_residuals, all_unseen, all_changes = (np.concatenate([empty, *each]) for each in (residuals, unseen, changes))
    return Sample(all_residuals, all_unseen, all_changes, ratings / max(1, len(users)))
