"""What to ask somebody of whom little is known, so that a few answers tell much.

Whatever model serves: the interview learns a small basis of its own from the dataset, over the films that most have
rated. It believes two things of a viewer, each a normal distribution over a few directions of taste: which films they
have seen (1 or 0 for each film), and how much they like them (stars above ``MIDDLE``; 0 for less, and for what they
have not seen). With ``x ~ N(m + F t, diag(s))``, ``t ~ N(0, I)``, where ``F F'`` is what the first directions keep of
the covariance over users and ``s`` what they leave, knowing some entries of ``x`` gives ``t`` in closed form (Tipping
and Bishop, Probabilistic principal component analysis, 1999, with a noise for each film).

A question is worth the chance that it is answered times what the answer teaches: by how much it lowers the variances
of what is liked, summed over the films with weights. With ``C`` the covariance of ``t`` given the answers, knowing
``x_i`` lowers that sum by ``sum_j w_j (f_j' C f_i)^2 / (f_i' C f_i + s_i)`` (A-optimal design; Chaloner and Verdinelli,
Bayesian experimental design: a review, 1995). The weights are what the viewer is expected to like, given the answers:
a film that will not be near the top of their list need not be known well.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints
from models.model import History

Doubles = NDArray[np.float64]

FILMS = 500
"""How many films may be asked about, the most rated: others are known by too few to be worth a question."""
LEAST = 5
"""Ratings below which nothing is learned of a film."""
USERS = 8192
"""Users from whom the basis is learned; more would hardly change it."""
DIRECTIONS = 30
"""How many directions of taste are told apart.

This, ``FOCUS`` and the number of cards were tried on 200 users of MovieLens 1M who were left out (``--seed 1`` of
``tests.benchmarks.interview``): between neighbouring values the lists are not measurably better or worse.
"""
MIDDLE = 2.5
"""The stars above which a film counts as liked."""
FOCUS = 3.0
"""The power of what is expected to be liked that weighs a film: the higher, the more the top of the list counts."""
CARD = 3
"""Films on a card."""
WELL_KNOWN = 60
"""From how many films, the likeliest to be seen, a card is made: a card of strangers says nothing."""
SURE = 0.01
"""No film is believed to be seen, or not, with less doubt than this."""
TINY = 1e-3
"""The least variance that is left to a film of its own."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What a viewer said so far."""

    rated: History
    """All ratings of theirs, those from before the interview too."""
    unseen: Ints
    """Rows of movies that they have not seen."""
    passed: Ints
    """Rows of movies that were on a card and got no points; seen or not, they are not asked about again."""


@dataclass(frozen=True, eq=False)
class Belief:
    """A normal distribution over directions of taste."""

    mean: Doubles
    """Shape (directions,)."""
    covariance: Doubles
    """Shape (directions, directions)."""


@dataclass(frozen=True, eq=False)
class Basis:
    """How a value of each film goes together over users: ``m``, ``F`` and ``s`` of the module."""

    mean: Doubles
    """Shape (films,)."""
    factors: Doubles
    """Shape (films, directions)."""
    noise: Doubles
    """Shape (films,)."""

    @classmethod
    def learn(cls, table: Floats, directions: int) -> "Basis":
        """Learn it from a table, shape (users, films)."""
        users = max(1, len(table))
        mean = table.sum(0, dtype=np.float64) / users
        covariance = (table.T @ table).astype(np.float64) / users - np.outer(mean, mean)
        values, vectors = np.linalg.eigh(covariance)
        kept = np.argsort(-values)[:directions]
        factors = vectors[:, kept] * np.sqrt(np.maximum(values[kept], 0.0))
        left = np.diagonal(covariance) - np.square(factors).sum(1)
        return cls(mean, factors, np.maximum(left, TINY))

    def given(self, films: NDArray[np.intp], values: Doubles) -> Belief:
        """Return what is believed where the values of some films are known."""
        factors = self.factors[films]
        pull = factors / self.noise[films][:, None]
        precision = np.eye(self.factors.shape[1]) + pull.T @ factors
        covariance = np.asarray(np.linalg.inv(precision), np.float64)
        return Belief(covariance @ (pull.T @ (values - self.mean[films])), covariance)

    def expected(self, belief: Belief) -> Doubles:
        """Return the value expected of each film, shape (films,)."""
        return np.asarray(self.mean + self.factors @ belief.mean)

    def variance(self, covariance: Doubles) -> Doubles:
        """Return how unsure the taste leaves each film's value, shape (films,)."""
        return np.asarray(np.einsum("nk,nk->n", self.factors @ covariance, self.factors))

    def taught(self, covariance: Doubles, weights: Doubles) -> Doubles:
        """Return by how much knowing each film would lower the weighted sum of the variances, shape (films,)."""
        known = self.factors @ covariance
        spread = (self.factors * weights[:, None]).T @ self.factors
        return np.asarray(np.einsum("nk,nk->n", known @ spread, known) / (self.variance(covariance) + self.noise))

    def apart(self, covariance: Doubles, film: int) -> Doubles:
        """Return the covariance of what has nothing to do with a film."""
        along = covariance @ self.factors[film]
        return np.asarray(covariance - np.outer(along, along) / max(float(self.factors[film] @ along), TINY))


class Interview:
    """Chooses what to ask; remembers nobody, the answers are brought along."""

    def __init__(
        self, dataset: Dataset, films: int = FILMS, directions: int = DIRECTIONS, focus: float = FOCUS
    ) -> None:
        counts = dataset.counts
        order = np.argsort(-counts, kind="stable")[:films]
        self.movies: Ints = order[counts[order] >= LEAST].astype(np.int32)
        """Rows of the movies that may be asked about, those with most ratings first."""
        self.focus = focus
        self._column = np.full(len(dataset.movies), -1, np.intp)
        self._column[self.movies] = np.arange(len(self.movies))
        seen, liked = self._tables(dataset)
        self.seen, self.liked = Basis.learn(seen, directions), Basis.learn(liked, directions)
        self._start = self.liked.variance(np.eye(self.liked.factors.shape[1]))

    def _tables(self, dataset: Dataset) -> tuple[Floats, Floats]:
        """Who has seen which film, and how much they like it, shape (users, films) each."""
        ratings = dataset.ratings
        active = np.unique(ratings.user)
        chosen = active[np.linspace(0, len(active) - 1, min(USERS, len(active))).astype(np.intp)]
        row = np.full(len(dataset.users), -1, np.intp)
        row[chosen] = np.arange(len(chosen))
        user, film = row[ratings.user], self._column[ratings.movie]
        kept = (user >= 0) & (film >= 0)
        seen = np.zeros((len(chosen), len(self.movies)), np.float32)
        liked = seen.copy()
        seen[user[kept], film[kept]] = 1.0
        liked[user[kept], film[kept]] = liking(ratings.stars[kept])
        return seen, liked

    def next_film(self, answers: Answers) -> int | None:
        """Return the row of the movie to ask about; none where all were."""
        free, seen, weights, covariance = self._state(answers)
        if not len(free):
            return None
        worth = seen * self.liked.taught(covariance, weights)
        return int(self.movies[free[np.argmax(worth[free])]])

    def next_card(self, answers: Answers) -> list[int]:
        """Return the rows of three movies that are well known and tell tastes apart; none where no three are left.

        Each is the most worth for the tastes that those before it have nothing to do with.
        """
        free, seen, weights, covariance = self._state(answers)
        known = free[np.argsort(-seen[free], kind="stable")[:WELL_KNOWN]]
        if len(known) < CARD:
            return []
        chosen: list[int] = []
        for _ in range(CARD):
            worth = (seen * self.liked.taught(covariance, weights))[known]
            worth[np.isin(known, chosen)] = -1.0
            chosen.append(int(known[np.argmax(worth)]))
            covariance = self.liked.apart(covariance, chosen[-1])
        return [int(movie) for movie in self.movies[chosen]]

    def known(self, answers: Answers) -> float:
        """Return which share of what was unsure of a stranger is sure now, from 0 to 1; no answer lowers it."""
        weights = self.liked.mean
        start = float(weights @ self._start)
        if start <= 0:
            return 0.0
        left = self.liked.variance(self._liking(answers).covariance)
        return float(np.clip(1 - weights @ left / start, 0.0, 1.0))

    def _liking(self, answers: Answers) -> Belief:
        films = self._column[answers.rated.movies]
        return self.liked.given(films[films >= 0], liking(answers.rated.stars[films >= 0]).astype(np.float64))

    def _state(self, answers: Answers) -> tuple[NDArray[np.intp], Doubles, Doubles, Doubles]:
        """The films not asked yet, the chance of each to be seen, its weight, and how unsure the taste is."""
        rated, unseen = self._films(answers.rated.movies), self._films(answers.unseen)
        asked = np.zeros(len(self.movies), bool)
        for films in (rated, unseen, self._films(answers.passed)):
            asked[films] = True
        said = np.concatenate([np.ones(len(rated)), np.zeros(len(unseen))])
        seen = self.seen.expected(self.seen.given(np.concatenate([rated, unseen]), said))
        belief = self._liking(answers)
        weights = np.maximum(self.liked.expected(belief), 0.0) ** self.focus
        return np.flatnonzero(~asked), np.clip(seen, SURE, 1 - SURE), weights, belief.covariance

    def _films(self, movies: Ints) -> NDArray[np.intp]:
        films = self._column[movies]
        return films[films >= 0]


def liking(stars: Floats) -> Floats:
    """Return how much ratings say that films are liked: the stars above ``MIDDLE``, 0 for less."""
    return np.asarray(np.maximum(stars - np.float32(MIDDLE), 0), np.float32)
