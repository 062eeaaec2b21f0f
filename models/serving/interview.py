"""Questions for a new viewer, chosen so that a few answers say much.

The interview does not use the model that makes the lists. From the dataset, it learns two small factor models over the
most rated movies: one of which movies a viewer has seen (1 or 0), and one of how much the viewer likes each movie
(stars above ``MIDDLE``; 0 for fewer stars and for unseen movies). In each model, ``x ~ N(m + F t, diag(s))`` are a
viewer's values and ``t ~ N(0, I)`` is their taste. ``F F'`` is the part of the covariance over users in its first
principal directions, and ``s`` is the residual variance. Known entries of ``x`` give ``t`` in closed form (Tipping and
Bishop, Probabilistic principal component analysis, 1999, with a separate noise for each movie).

A genre that the viewer likes is one more observation: the viewer's mean liking for the genre's movies, minus that for
all movies, is one standard deviation above the average viewer's, with an error of one standard deviation. For a genre
that the viewer dislikes, it is one standard deviation below.

If a movie got no point on a card, the viewer preferred others. They may not have seen the movie, so this is no rating,
but they are assumed to like it at most as much as was expected before the card. The distribution is restricted to such
tastes, and its mode is used. A movie with points therefore never raises a movie without points on the same card, even
if both are similar.

The value of asking about a movie is the probability of an answer times the answer's information: how much it lowers the
weighted sum of the variances of all movies' likings. With ``C`` the covariance of ``t`` given the answers, knowing
``x_i`` lowers that sum by ``sum_j w_j (f_j' C f_i)^2 / (f_i' C f_i + s_i)`` (A-optimal design; Chaloner and Verdinelli,
Bayesian experimental design: a review, 1995). The weights are powers of the predicted liking given the answers, because
it matters less how well a movie's liking is known if the movie will not be near the top of the list. Since several
movies are asked about at once, each is chosen given the expected effect of asking about those before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints
from movietui.models.base import History
from movietui.models.variances import variances

Doubles = NDArray[np.float64]

MOVIES = 500
"""How many movies may be asked about: the most rated ones, because too few people know the others."""
MIN_RATINGS = 5
"""Movies with fewer ratings are not used."""
USERS = 8192
"""The most users that the factor models are learned from. More would hardly change the models."""
DIRECTIONS = 30
"""The number of directions of taste.

``DIRECTIONS``, ``FOCUS``, ``CURIOSITY``, the sizes and the number of cards were chosen on 200 held-out users of
MovieLens 1M (``--seed 1`` of ``tests.benchmarks.interview``). Neighbouring values make the lists neither measurably
better nor worse.
"""
MIDDLE = 2.5
"""The stars above which a movie counts as liked."""
FOCUS = 3.0
"""The power of the predicted liking in a movie's weight: the higher it is, the more the top of the list counts."""
CURIOSITY = 1.0
"""The power of the information in the value of asking about a movie: the higher it is, the fewer of the chosen movies
the viewer has seen."""
CARD_SIZE = 5
"""How many movies are on a card."""
LIST_SIZE = 6
"""How many movies are asked about at once after the cards: as many as the smallest terminal has lines for."""
WELL_KNOWN = 60
"""A card is chosen from this many movies most likely to be seen, because a card of unknown movies says little."""
MIN_DOUBT = 0.01
"""The probability that a movie has been seen is kept at least this far from 0 and from 1."""
MIN_NOISE = 1e-3
"""The smallest residual variance of a movie."""
TOLERANCE = 1e-12
"""Smaller numbers count as 0 in non-negative least squares."""

NO_MOVIES: Ints = np.empty(0, np.int32)


@dataclass(frozen=True, eq=False)
class Answers:
    """A viewer's answers so far."""

    rated: History
    """All ratings of the viewer, including those from before the interview."""
    unseen: Ints = field(default_factory=NO_MOVIES.copy)
    """Rows of movies that the viewer has not seen."""
    unchosen: Mapping[int, float] = field(default_factory=dict)
    """How much the viewer was expected to like each movie that got no point on a card, by the movie's row."""
    excluded: Ints = field(default_factory=NO_MOVIES.copy)
    """Rows of further movies that the interview must not ask about."""
    genres: Mapping[int, int] = field(default_factory=dict)
    """The genres that the viewer likes (1) or dislikes (-1), by column."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """A normal distribution over a viewer's taste: ``t`` in the docstring of the module."""

    mean: Doubles
    """Shape (directions,)."""
    covariance: Doubles
    """Shape (directions, directions)."""


@dataclass(frozen=True, eq=False)
class FactorModel:
    """A factor model of one value per movie: ``m``, ``F`` and ``s`` in the docstring of the module."""

    mean: Doubles
    """Shape (movies,)."""
    factors: Doubles
    """Shape (movies, directions)."""
    noise: Doubles
    """Shape (movies,)."""

    @classmethod
    def learn(cls, table: Floats, directions: int) -> "FactorModel":
        """Learn the model from a table, shape (users, movies)."""
        users = max(1, len(table))
        mean = table.sum(0, dtype=np.float64) / users
        covariance = (table.T @ table).astype(np.float64) / users - np.outer(mean, mean)
        values, vectors = np.linalg.eigh(covariance)
        used = np.argsort(-values)[:directions]
        factors = vectors[:, used] * np.sqrt(np.maximum(values[used], 0.0))
        variance = np.diagonal(covariance) - np.square(factors).sum(1)
        return cls(mean, factors, np.maximum(variance, MIN_NOISE))

    def condition(self, columns: NDArray[np.intp], values: Doubles, tastes: Doubles | None = None) -> Posterior:
        """Return the posterior given the values of some movies, and observed ``tastes``, shape (tastes, directions).

        Each row of ``tastes`` is a direction ``h`` along which the viewer is one standard deviation above the average
        viewer, with an error of one standard deviation: ``h't = |h| + N(0, |h|^2)``.
        """
        factors, noise, above = self.factors[columns], self.noise[columns], values - self.mean[columns]
        if tastes is not None and len(tastes):
            spread = np.maximum(np.square(tastes).sum(1), MIN_NOISE**2)
            factors = np.concatenate([factors, tastes])
            noise, above = np.concatenate([noise, spread]), np.concatenate([above, np.sqrt(spread)])
        pull = factors / noise[:, None]
        precision = np.eye(self.factors.shape[1]) + pull.T @ factors
        covariance = np.asarray(np.linalg.inv(precision), np.float64)
        return Posterior(covariance @ (pull.T @ above), covariance)

    def limit(self, posterior: Posterior, columns: NDArray[np.intp], most: Doubles) -> Posterior:
        """Return the posterior whose mean is the likeliest taste for which the expected values of some movies are at
        most ``most``, shape (columns,).

        This is a least-distance problem, solved by non-negative least squares (Lawson and Hanson, Solving least squares
        problems, 1974, chapter 23).
        """
        excess = self.expected(posterior)[columns] - most
        if (excess <= 0).all():
            return posterior
        root = np.linalg.cholesky(posterior.covariance)
        system = np.concatenate([-(self.factors[columns] @ root).T, excess[None]])
        target = np.zeros(len(system))
        target[-1] = 1.0
        residual = system @ non_negative_least_squares(system, target) - target
        return Posterior(posterior.mean - root @ (residual[:-1] / residual[-1]), posterior.covariance)

    def expected(self, posterior: Posterior) -> Doubles:
        """Return the expected value of each movie, shape (movies,)."""
        return np.asarray(self.mean + self.factors @ posterior.mean)

    def variance(self, covariance: Doubles) -> Doubles:
        """Return the variance of each movie's value, shape (movies,)."""
        return variances(self.factors, covariance)

    def information(self, covariance: Doubles, weights: Doubles) -> Doubles:
        """Return how much knowing each movie would lower the weighted sum of the variances, shape (movies,)."""
        known = self.factors @ covariance
        spread = (self.factors * weights[:, None]).T @ self.factors
        return np.asarray(np.einsum("nk,nk->n", known @ spread, known) / (self.variance(covariance) + self.noise))

    def asked(self, covariance: Doubles, column: int, chance: float) -> Doubles:
        """Return the expected covariance of the taste after a movie has been asked about.

        ``chance``: the probability of an answer.
        """
        projection = covariance @ self.factors[column]
        known = np.outer(projection, projection) / (self.factors[column] @ projection + self.noise[column])
        return np.asarray(covariance - chance * known)


class Interview:
    """Chooses which movies to ask about, given the answers so far."""

    def __init__(
        self,
        dataset: Dataset,
        movies: int = MOVIES,
        directions: int = DIRECTIONS,
        focus: float = FOCUS,
        curiosity: float = CURIOSITY,
    ) -> None:
        counts = dataset.counts
        order = np.argsort(-counts, kind="stable")[:movies]
        self.movies: Ints = order[counts[order] >= MIN_RATINGS].astype(np.int32)
        """Rows of the movies that may be asked about, the most rated first."""
        self.focus, self.curiosity = focus, curiosity
        self._column = np.full(len(dataset.movies), -1, np.intp)
        self._column[self.movies] = np.arange(len(self.movies))
        seen, liked = self._tables(dataset)
        self.seen, self.liked = FactorModel.learn(seen, directions), FactorModel.learn(liked, directions)
        self._start = self.liked.variance(np.eye(self.liked.factors.shape[1]))
        of_genre = dataset.movies.genres[self.movies].astype(np.float64)
        self._genres = of_genre / np.maximum(of_genre.sum(0), 1) - 1 / max(1, len(self.movies))
        """Each movie's weight in the mean of each genre minus its weight in the mean of all movies, shape (movies,
        genres)."""
        self._genres[:, ~of_genre.any(0)] = 0.0

    def _tables(self, dataset: Dataset) -> tuple[Floats, Floats]:
        """Return which of ``self.movies`` at most ``USERS`` users have seen, and how much they like these movies, shape
        (users, movies) each."""
        ratings = dataset.sample.ratings
        active = np.unique(ratings.user)
        chosen = active[np.linspace(0, len(active) - 1, min(USERS, len(active))).astype(np.intp)]
        row = np.full(len(dataset.users), -1, np.intp)
        row[chosen] = np.arange(len(chosen))
        user, column = row[ratings.user], self._column[ratings.movie]
        used = (user >= 0) & (column >= 0)
        seen = np.zeros((len(chosen), len(self.movies)), np.float32)
        liked = seen.copy()
        seen[user[used], column[used]] = 1.0
        liked[user[used], column[used]] = liking(ratings.stars[used])
        return seen, liked

    def next_card(self, answers: Answers, size: int = CARD_SIZE) -> list[int]:
        """Return the rows of ``size`` well-known movies that separate tastes, or none if fewer are left."""
        open_columns, seen, weights, covariance = self._state(answers)
        known = open_columns[np.argsort(-seen[open_columns], kind="stable")[:WELL_KNOWN]]
        return self._informative(known, size, seen, weights, covariance) if len(known) >= size else []

    def next_list(self, answers: Answers, size: int = LIST_SIZE) -> list[int]:
        """Return the rows of the next movies to ask about, the likeliest to be seen first; empty at the end."""
        open_columns, seen, weights, covariance = self._state(answers)
        chosen = self._informative(open_columns, size, seen, weights, covariance)
        return sorted(chosen, key=lambda movie: -seen[self._column[movie]])

    def _informative(
        self, columns: NDArray[np.intp], size: int, seen: Doubles, weights: Doubles, covariance: Doubles
    ) -> list[int]:
        """Return the rows of the most informative movies among ``columns``, each chosen given those before it."""
        chosen: list[int] = []
        for _ in range(min(size, len(columns))):
            information = np.maximum(self.liked.information(covariance, weights), 0.0)
            value = (seen * information**self.curiosity)[columns]
            value[np.isin(columns, chosen)] = -1.0
            chosen.append(int(columns[np.argmax(value)]))
            covariance = self.liked.asked(covariance, chosen[-1], float(seen[chosen[-1]]))
        return [int(movie) for movie in self.movies[chosen]]

    def liking(self, answers: Answers, movies: Ints) -> list[float]:
        """Return how much a viewer is expected to like each of ``movies``, which are rows in ``self.movies``."""
        expected: list[float] = self.liked.expected(self._liking_posterior(answers))[self._column[movies]].tolist()
        return expected

    def known(self, answers: Answers) -> float:
        """Return the share of a new viewer's uncertainty that the ratings resolve, from 0 to 1.

        A further rating never lowers this share.
        """
        weights = self.liked.mean
        initial = float(weights @ self._start)
        if initial <= 0:
            return 0.0
        columns, values = self._liking(answers)
        variance = self.liked.variance(self.liked.condition(columns, values).covariance)
        return float(np.clip(1 - weights @ variance / initial, 0.0, 1.0))

    def _liking(self, answers: Answers) -> tuple[NDArray[np.intp], Doubles]:
        """Return the columns of the rated movies, and how much the viewer likes them."""
        columns = self._column[answers.rated.movies]
        return columns[columns >= 0], liking(answers.rated.stars[columns >= 0]).astype(np.float64)

    def _liking_posterior(self, answers: Answers) -> Posterior:
        posterior = self.liked.condition(*self._liking(answers), self._tastes(self.liked, answers))
        rated = set(answers.rated.movies.tolist())  # a rating says more than a card
        most = {
            int(self._column[movie]): liked
            for movie, liked in answers.unchosen.items()
            if self._column[movie] >= 0 and movie not in rated
        }
        return self.liked.limit(posterior, np.fromiter(most, np.intp, len(most)), np.asarray([*most.values()]))

    def _tastes(self, model: FactorModel, answers: Answers) -> Doubles:
        """Return the directions of the liked genres and the opposite directions of the disliked ones, shape (genres,
        directions)."""
        signs = np.asarray([*answers.genres.values()], np.float64)
        return np.asarray((model.factors.T @ self._genres[:, [*answers.genres]] * signs).T)

    def _state(self, answers: Answers) -> tuple[NDArray[np.intp], Doubles, Doubles, Doubles]:
        """Return the columns of the movies that have not been asked about, each movie's probability of being seen and
        its weight, and the covariance of the taste."""
        rated, unseen = self._columns(answers.rated.movies), self._columns(answers.unseen)
        is_asked = np.zeros(len(self.movies), bool)
        unchosen = np.fromiter(answers.unchosen, np.int32, len(answers.unchosen))
        for columns in (rated, unseen, self._columns(unchosen), self._columns(answers.excluded)):
            is_asked[columns] = True
        seen_values = np.concatenate([np.ones(len(rated)), np.zeros(len(unseen))])
        posterior = self.seen.condition(np.concatenate([rated, unseen]), seen_values, self._tastes(self.seen, answers))
        seen = self.seen.expected(posterior)
        posterior = self._liking_posterior(answers)
        weights = np.maximum(self.liked.expected(posterior), 0.0) ** self.focus
        return np.flatnonzero(~is_asked), np.clip(seen, MIN_DOUBT, 1 - MIN_DOUBT), weights, posterior.covariance

    def _columns(self, movies: Ints) -> NDArray[np.intp]:
        columns = self._column[movies]
        return columns[columns >= 0]


def non_negative_least_squares(system: Doubles, target: Doubles) -> Doubles:
    """Return the ``x >= 0`` with the least ``|system x - target|`` (Lawson and Hanson, 1974, chapter 23).

    >>> non_negative_least_squares(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([2.0, -1.0]))
    array([2., 0.])
    """
    solution, free = np.zeros(system.shape[1]), np.zeros(system.shape[1], bool)
    for _ in range(3 * len(solution)):  # a bound, in case rounding errors prevent convergence
        slope = np.where(free, -np.inf, system.T @ (target - system @ solution))
        if slope.max(initial=-np.inf) <= TOLERANCE:
            break
        free[np.argmax(slope)] = True
        while True:
            proposal = np.zeros(len(solution))
            proposal[free] = np.linalg.lstsq(system[:, free], target, rcond=None)[0]
            falling = free & (proposal <= 0)
            if not falling.any():
                break
            share = float((solution[falling] / np.maximum(solution[falling] - proposal[falling], TOLERANCE)).min())
            solution = solution + share * (proposal - solution)
            free &= solution > TOLERANCE
        solution = proposal
    return solution


def liking(stars: Floats) -> Floats:
    """Return the liking that ratings express: the stars above ``MIDDLE``; 0 for fewer stars."""
    return np.asarray(np.maximum(stars - np.float32(MIDDLE), 0), np.float32)
