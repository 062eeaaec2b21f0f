"""The mean rating of two viewers who watch together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings, Scale
from movietui.data.features import Block, Tastes
from movietui.data.language import tr
from movietui.models.base import Expectation, Fitted, History, Model, Parameters, Progress
from movietui.models.caution import cautious
from movietui.models.mf import BiasedMF, BiasedMFSettings, Posterior, expected
from movietui.models.networks import forward, layers_of
from movietui.models.settings import Settings, setting

BLOCK = 16_384
"""How many pairs are processed at once."""
BASE = "mf."
"""The prefix of the parameters of ``mf``."""


@dataclass(frozen=True)
class PairSettings(Settings):
    """Settings of ``Pair``.

    The defaults were chosen on a held-out tenth (``hold_out``) of the train part of ``kfold5-0`` of ml-100k. There,
    the networks find hardly anything to learn in the residuals of ``mf`` (the rmse is 0.620 with and without the
    networks), and with less decay they overfit (0.628).
    """

    factors: int = setting(10, 0, 128)
    """The number of latent factors of an ``mf`` that is fitted first and whose residuals the networks learn. With 0
    there is no ``mf``: the networks start from the overall mean, the average stars of user and movie are inputs, and
    demographics are not."""
    epochs: int = setting(3, 1, 100)
    """The number of epochs; each draws its own triples."""
    triples: float = setting(2.0, 0.1, 100.0)
    """The number of triples (two users and a movie) in an epoch, for each rating in the train part."""
    alone: float = setting(0.2, 0.0, 0.9)
    """The share of the triples in which a user is paired with themselves."""
    batch: int = setting(2048, 16, 65_536)
    """The number of triples in a batch."""
    rate: float = setting(0.001, 0.000001, 0.1)
    """The learning rate of Adam (Kingma and Ba 2015)."""
    falling: bool = setting(True, False, True)
    """Whether the learning rate falls gradually to zero."""
    decay: float = setting(0.003, 0.0, 10.0)
    """The cost of the networks' squared weights, in stars squared."""
    members: int = setting(2, 1, 16)
    """How many models that differ only in their random start are trained side by side; their outputs are averaged."""
    hidden: int = setting(32, 1, 512)
    """The number of units in the hidden layer of each network."""
    size: int = setting(16, 1, 256)
    """The size of the vector that encodes a user or a movie."""
    caution: float = setting(2.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are subtracted from the stars to order a list:
    ``stars − caution · uncertainty``."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings, ``n``, is added to order a list:
    ``popularity · log(1 + n)``."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """A viewer as an input of the combiner, with the posterior in ``mf``."""

    code: Floats
    """Shape (members, 1, size)."""
    posterior: Posterior | None
    """The posterior in ``mf``; ``None`` without factors."""


class Pair(Model[PairSettings, Encoded]):
    """Predicts the mean rating of a pair by three networks: one for users, one for movies, and one that combines both.

    This is the scheme of system 002. With the codes ``a`` and ``b`` of two users and ``g`` of a movie, it predicts

        (m(a) + m(b)) / 2 + combiner(a + b, |a - b|, g, (a + b) g)

    where ``m`` is the prediction of ``mf`` for one of the users, or the overall mean without factors. The prediction is
    symmetric in the users. A single viewer is paired with themselves. The networks learn from residuals: each rating
    minus what ``mf`` would have predicted without having seen that rating, computed in closed form from the rating's
    leverage (``movietui.models.training.pair``).

    A user's inputs are the logarithms of how many movies of each genre they rated, demographics if the dataset has any,
    and the posterior mean in ``mf``. A movie's inputs are genres, year, IMDb's facts and directors if the dataset is
    joined with IMDb, and the posterior mean in ``mf``. A viewer is folded in by ``mf`` in closed form and then encoded.
    """

    name = "pair"
    summary = tr("Predicts what two people would give a movie together, from who they are and what they like.")
    formula = "(m_a + m_b) / 2 + f(a + b, abs(a − b), g, (a + b) g)"
    reference = tr("earlier system 002")
    settings_type = PairSettings
    needs_torch = True
    on_device = True
    # The author gives no layer sizes, and only says that the learning rate was low, the batches small and the epochs
    # few.
    published = PairSettings(
        factors=0, epochs=5, alone=0.0, batch=256, rate=0.0003, falling=False, decay=0.0, members=1, hidden=64, size=32
    )

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Load the parameters of a fitted model."""
        super().restore(parameters, scale)
        self._base = base_of(parameters, self.settings, scale)

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Imported here because it needs torch, and serving does not.
        from movietui.models.training.pair import fit

        return fit(train, validation, self.settings, self.seed, progress)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the prediction for the user paired with themselves; see ``predict_pair``."""
        return self.predict_pair(users, users, movies)

    def predict_pair(self, first: Ints, second: Ints, movies: Ints) -> Floats:
        """Return the predicted mean ratings of pairs; see ``Model.predict_pair``.

        A row of -1 has no ratings and no known features.
        """
        return self.scale.clip(predict_pairs(self.parameters, first, second, movies))

    def fold_in(self, history: History) -> Encoded:
        """Compute the viewer's posterior in closed form, and encode it with the other inputs."""
        posterior = self._base.fold_in(history) if self._base else None
        return Encoded(encode(self.parameters, self._inputs(history, posterior)[None]), posterior)

    def expect(self, taste: Encoded) -> Expectation:
        """Return the prediction for the viewer paired with themselves."""
        return self.expect_pair(taste, taste)

    def expect_pair(self, first: Encoded, second: Encoded) -> Expectation:
        """Return the prediction for the pair.

        The variance is that of ``mf`` plus that between the networks. In ``mf``, the errors of both viewers are assumed
        to be fully correlated, so that a pair is as uncertain as its viewers are on average. The score is that of
        ``cautious``.
        """
        corrections = combine(self.parameters, first.code, second.code, self.parameters["movie"][:, :-1])
        stars, variance = corrections.mean(0), corrections.var(0)
        if self._base and first.posterior and second.posterior:
            means, variances = zip(*map(self._base.moments, (first.posterior, second.posterior)), strict=True)
            stars = stars + (means[0] + means[1]) / 2
            variance = variance + ((np.sqrt(variances[0]) + np.sqrt(variances[1])) / 2) ** 2
        else:
            stars = stars + np.float32(self.parameters["overall"])
        return cautious(self.settings, self.scale, stars, variance, self.counts)

    def _inputs(self, history: History, posterior: Posterior | None) -> Floats:
        """Return the inputs of a viewer, shape (columns,)."""
        parameters, row = self.parameters, -1 if history.user is None else history.user
        genres = parameters["genres"]
        mean, deviation = parameters["taste_scaling"]
        block = Block(("",) * len(mean), np.empty((0, len(mean)), np.float32), mean, deviation)
        taste = Tastes(block, genres, float(parameters["overall"])).encode(history.movies, history.stars)
        parts = [taste[parameters["taste_columns"]], parameters["people"][row]]
        if posterior is not None:
            parts.append(
                ((posterior.mean - parameters["belief_scaling"][0]) / parameters["belief_scaling"][1]).astype(
                    np.float32
                )
            )
        return np.concatenate(parts)


def base_of(parameters: Parameters, settings: PairSettings, scale: Scale) -> BiasedMF | None:
    """Return the inner ``mf``, or ``None`` without factors."""
    if not settings.factors:
        return None
    base = BiasedMF(BiasedMFSettings(factors=settings.factors))
    of_base = {name.removeprefix(BASE): values for name, values in parameters.items() if name.startswith(BASE)}
    base.restore({**of_base, "counts": parameters["counts"]}, scale)
    return base


def encode(parameters: Parameters, inputs: Floats) -> Floats:
    """Return the codes of users, shape (members, rows, size); ``inputs``: shape (rows, columns)."""
    return np.asarray(forward(layers_of(parameters, "users"), inputs), np.float32)


def combine(parameters: Parameters, first: Floats, second: Floats, movies: Floats) -> Floats:
    """Return what each member adds to the prediction for pairs, shape (members, rows).

    ``first``, ``second`` and ``movies``: the codes, shape (members, rows, size) each. A single row of ``first`` and
    ``second`` is used for all movies.
    """
    both = np.broadcast_to(first + second, movies.shape)
    distance = np.broadcast_to(np.abs(first - second), movies.shape)
    inputs = np.concatenate([both, distance, movies, both * movies], axis=-1)
    return np.asarray(forward(layers_of(parameters, "combiner"), inputs)[..., 0], np.float32)


def predict_pairs(parameters: Parameters, first: Ints, second: Ints, movies: Ints) -> Floats:
    """Return the predictions for pairs, not clipped to the scale, shape (rows,)."""
    user, movie = parameters["user"], parameters["movie"]
    of_base = {name.removeprefix(BASE): values for name, values in parameters.items() if name.startswith(BASE)}
    stars = np.empty(len(movies), np.float32)
    for start in range(0, len(movies), BLOCK):
        a, b, i = (rows[start : start + BLOCK] for rows in (first, second, movies))
        base: NDArray[np.floating] = np.asarray(parameters["overall"], np.float32)
        if of_base:
            base = (expected(of_base, a, i) + expected(of_base, b, i)) / 2
        stars[start : start + BLOCK] = base + combine(parameters, user[:, a], user[:, b], movie[:, i]).mean(0)
    return stars
