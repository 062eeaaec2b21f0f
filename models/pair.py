"""What two people who watch together make of a movie."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Ratings, Scale
from data.features import Block, Tastes
from models.mf import Belief, BiasedMF, BiasedMFSettings, expected
from models.model import Expectation, Fitted, History, Model, Parameters, Progress
from models.networks import forward, layers_of
from models.settings import Settings, setting

BLOCK = 16_384
"""Pairs that are worked on at once."""
BASE = "mf."
"""What the names of the parameters of ``mf`` begin with."""


@dataclass(frozen=True)
class PairSettings(Settings):
    """Settings of ``Pair``.

    Tried on a validation tenth (``hold_out``) of the train part of ``kfold5-0`` of ml-100k: what ``mf`` leaves of a
    pair is nearly noise to the networks (rmse 0.620 with and without them), and less decay overfits it (0.628).
    """

    factors: int = setting(10, 0, 128)
    """Directions of taste of the ``mf`` that is fitted first; the networks learn what it leaves. With 0 there is none:
    the networks start from the overall mean, and average stars of user and movie are inputs."""
    epochs: int = setting(3, 1, 100)
    """How often triples are drawn."""
    triples: float = setting(2.0, 0.1, 100.0)
    """Triples in an epoch for each rating of train."""
    alone: float = setting(0.2, 0.0, 0.9)
    """Share of these that are one user alone, as a pair with themselves."""
    batch: int = setting(2048, 16, 65_536)
    """Triples in a batch."""
    rate: float = setting(0.001, 0.000001, 0.1)
    """The learning rate of Adam."""
    falling: bool = setting(True, False, True)
    """Whether the learning rate falls to nothing towards the end."""
    decay: float = setting(0.003, 0.0, 10.0)
    """What the squared weights of the networks cost together, in stars squared."""
    members: int = setting(2, 1, 16)
    """How many models, alike but for their start, are trained side by side; their mean is the answer."""
    hidden: int = setting(32, 1, 512)
    """Units of the hidden layer of each network."""
    size: int = setting(16, 1, 256)
    """Numbers that a user, or a movie, is encoded in."""
    caution: float = setting(2.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are taken off the stars to order a list."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings is added to order a list."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """A viewer as the combiner takes them."""

    code: Floats
    """Shape (members, 1, size)."""
    belief: Belief | None
    """Of ``mf``; ``None`` without factors."""


class Pair(Model[PairSettings, Encoded]):
    """Three networks, for users, for movies and for both users with the movie, learn the mean rating of a pair.

    The scheme of source 002. With the codes ``a`` and ``b`` of two users and ``g`` of a movie the pair gives

        (m(a) + m(b)) / 2 + combiner(a + b, |a - b|, g, (a + b) g)

    where ``m`` is what ``mf`` expects of one of them, or the overall mean without factors. Symmetric by construction.
    One viewer alone is a pair with themselves. The networks learn from the ratings' distance from what ``mf`` would
    expect had it not seen them, worked out in closed form from the leverage of each (``models.combiner``).

    A user's inputs are the logarithms of how many movies of each genre they rated, demographics where the dataset has
    them, and the mean of their belief in ``mf``; a movie's are genres, year, what IMDb says and its directors where
    the dataset is joined, and its mean in ``mf``. A viewer is folded in by ``mf`` in closed form and encoded anew.
    """

    name = "pair"
    summary = "Learns what two people give a movie together, from who they are and what they like."
    settings_type = PairSettings
    on_device = True
    # Layer sizes and rate are not given, but that the rate was low, the batches small and the epochs few.
    published = PairSettings(
        factors=0, epochs=5, alone=0.0, batch=256, rate=0.0003, falling=False, decay=0.0, members=1, hidden=64, size=32
    )

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Become the fitted model that these parameters were taken from."""
        super().restore(parameters, scale)
        self._base = base_of(parameters, self.settings, scale)

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Only here: it imports torch, which serving does without.
        from models.combiner import fit

        return fit(train, validation, self.settings, self.seed, progress)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return what a pair of the user with themselves would give; see ``predict_pair``."""
        return self.predict_pair(users, users, movies)

    def predict_pair(self, first: Ints, second: Ints, movies: Ints) -> Floats:
        """Return what pairs give; an unknown user or movie has the inputs of one of whom nothing is known."""
        return self.scale.clip(predict_pairs(self.parameters, first, second, movies))

    def fold_in(self, history: History) -> Encoded:
        """Compute the viewer's belief in closed form, and encode it with the rest of the inputs."""
        belief = self._base.fold_in(history) if self._base else None
        return Encoded(encode(self.parameters, self._inputs(history, belief)[None]), belief)

    def expect(self, taste: Encoded) -> Expectation:
        """Return what a pair of the viewer with themselves is expected to give."""
        return self.expect_pair(taste, taste)

    def expect_pair(self, first: Encoded, second: Encoded) -> Expectation:
        """Return what the pair is expected to give.

        The variance is that of ``mf``, whose deviations are taken as of one direction, so that a pair is as unsure as
        its members are on average, and that between the networks. The score takes ``caution`` deviations off the stars
        and adds ``popularity`` times the logarithm of one more than the movie's ratings.
        """
        found = combine(self.parameters, first.code, second.code, self.parameters["movie"][:, :-1])
        stars, variance = found.mean(0), found.var(0)
        if self._base and first.belief and second.belief:
            means, variances = zip(*map(self._base.moments, (first.belief, second.belief)), strict=True)
            stars = stars + (means[0] + means[1]) / 2
            variance = variance + ((np.sqrt(variances[0]) + np.sqrt(variances[1])) / 2) ** 2
        else:
            stars = stars + np.float32(self.parameters["overall"])
        uncertainty = np.sqrt(variance).astype(np.float32)
        score = stars - self.settings.caution * uncertainty + self.settings.popularity * np.log1p(self.counts)
        return Expectation(self.scale.clip(stars.astype(np.float32)), uncertainty, score.astype(np.float32))

    def _inputs(self, history: History, belief: Belief | None) -> Floats:
        """The inputs of a viewer, shape (columns,)."""
        known, row = self.parameters, -1 if history.user is None else history.user
        own = known["genres"]
        mean, deviation = known["taste_scaling"]
        block = Block(("",) * len(mean), np.empty((0, len(mean)), np.float32), mean, deviation)
        taste = Tastes(block, own, float(known["overall"])).encode(history.movies, history.stars)
        parts = [taste[known["taste_columns"]], known["people"][row]]
        if belief is not None:
            parts.append(((belief.mean - known["belief_scaling"][0]) / known["belief_scaling"][1]).astype(np.float32))
        return np.concatenate(parts)


def base_of(parameters: Parameters, settings: PairSettings, scale: Scale) -> BiasedMF | None:
    """Return the ``mf`` inside, or ``None`` without factors."""
    if not settings.factors:
        return None
    base = BiasedMF(BiasedMFSettings(factors=settings.factors))
    own = {name.removeprefix(BASE): values for name, values in parameters.items() if name.startswith(BASE)}
    base.restore({**own, "counts": parameters["counts"]}, scale)
    return base


def encode(parameters: Parameters, inputs: Floats) -> Floats:
    """Return the codes of users, shape (members, rows, size); ``inputs``: shape (rows, columns)."""
    return np.asarray(forward(layers_of(parameters, "users"), inputs), np.float32)


def combine(parameters: Parameters, first: Floats, second: Floats, movies: Floats) -> Floats:
    """Return what each member adds for pairs, shape (members, rows); codes: shape (members, rows, size)."""
    both = np.broadcast_to(first + second, movies.shape)
    apart = np.broadcast_to(np.abs(first - second), movies.shape)
    inputs = np.concatenate([both, apart, movies, both * movies], axis=-1)
    return np.asarray(forward(layers_of(parameters, "combiner"), inputs)[..., 0], np.float32)


def predict_pairs(parameters: Parameters, first: Ints, second: Ints, movies: Ints) -> Floats:
    """Return what pairs give, not clipped to the scale, shape (rows,)."""
    user, movie = parameters["user"], parameters["movie"]
    own = {name.removeprefix(BASE): values for name, values in parameters.items() if name.startswith(BASE)}
    stars = np.empty(len(movies), np.float32)
    for start in range(0, len(movies), BLOCK):
        a, b, i = (rows[start : start + BLOCK] for rows in (first, second, movies))
        base: NDArray[np.floating] = np.asarray(parameters["overall"], np.float32)
        if own:
            base = (expected(own, a, i) + expected(own, b, i)) / 2
        stars[start : start + BLOCK] = base + combine(parameters, user[:, a], user[:, b], movie[:, i]).mean(0)
    return stars
