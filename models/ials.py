"""Matrix factorisation that also learns from what was not rated."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Ratings
from models.model import Fitted, History, Parameters, Progress
from models.preferences import PreferenceSettings, Preferring, Rows
from models.settings import setting

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class IalsSettings(PreferenceSettings):
    """Settings of ``Ials``.

    Chosen on validation tenths (``hold_out``) of the train parts of ``random80``, of seeds 0 to 2 of ml-100k and of
    seed 0 of ml-1m: ndcg@10 is 0.216 and 0.187 there. With ``scaling`` 1 no one ridge is best for both: 0.217 and 0.176
    with 0.05, 0.211 and 0.189 with 0.03.
    """

    factors: int = setting(0, 0, 256)
    """How many directions of taste are told apart; 0 for as many as the number of ratings supports."""
    sweeps: int = setting(10, 1, 200)
    """How often users and movies are updated in turn."""
    ridge: float = setting(0.2, 0.00001, 10.0)
    """How much the squared factors count, for each rating and each part of one that ``unseen`` stands for."""
    unseen: float = setting(6.0, 0.0, 1000.0)
    """How much it counts that nobody should be expected to say anything for any movie: all pairs of user and movie
    together, for each rating."""
    scaling: float = setting(0.75, 0.0, 1.0)
    """The power of the number of ratings that the squared factors count in proportion to."""


class Ials(Preferring[IalsSettings]):
    """What a viewer says for a movie is the product of their factors: ``s_ui = x_u . y_i``.

    Hu, Koren and Volinsky, Collaborative filtering for implicit feedback datasets (2008), as revisited by Rendle,
    Krichene, Zhang and Koren, Revisiting the performance of iALS on item recommendation benchmarks (2022). With
    ``v_ui`` what a rating says, ``n`` the number of ratings of a user or movie, ``U`` and ``M`` those of users and
    movies, it minimises

        sum over ratings (v_ui - s_ui)^2 + e sum over all pairs s_ui^2
        + ridge sum_u (n_u + e M)^scaling |x_u|^2 + ridge sum_i (n_i + e U)^scaling |y_i|^2

    with ``e = unseen N / U M`` for ``N`` ratings, by solving for all users, given the movies, and for all movies, given
    the users, in turn. Given the movies, a viewer is ``x = (sum y y' + e Y'Y + ridge (n + e M)^scaling)^-1 sum v y``
    with sums over the rated movies.
    Ratings that say nothing are as if not given.

    The users of the sample have no part in the movies' factors until the last update, so that their scores, each
    from their other ratings, tell the slope of a viewer who is new.
    """

    name = "ials"
    summary = "Factors of what was rated and what was not; made for lists."
    settings_type = IalsSettings

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        # Only here: it imports torch, which serving does without.
        from models.alternation import alternate

        return alternate(train, validation, self.settings, self.seed, progress)

    def without_each(self, history: History) -> tuple[Doubles, NDArray[np.intp]]:
        """Return the factors without each rating that says something, shape (those, factors), and their places.

        All at once: a rating is taken off the inverse of what is solved (Sherman and Morrison).
        """
        factors, values, places = self._rated(history)
        inverse = np.linalg.inv(self._normal(factors, len(factors) - 1))
        pulls = values @ factors - values[:, None] * factors
        ahead, moved = pulls @ inverse, factors @ inverse
        left = 1 - np.einsum("nk,nk->n", moved, factors)
        return ahead + moved * (np.einsum("nk,nk->n", ahead, factors) / left)[:, None], places

    def solve(self, history: History) -> Doubles:
        """Return the viewer's factors, shape (factors,)."""
        factors, values, _ = self._rated(history)
        return np.asarray(np.linalg.solve(self._normal(factors, len(factors)), values @ factors), np.float64)

    def _normal(self, factors: Doubles, ratings: int) -> Doubles:
        """What is solved, for the factors of the rated movies and so many ratings."""
        settings, movies = self.settings, self.parameters["factors"]
        ridge = settings.ridge * (max(ratings, 0) + self.parameters["unseen"] * (len(movies) - 1)) ** settings.scaling
        return np.asarray(factors.T @ factors + self.parameters["gram"] + ridge * np.eye(movies.shape[1]))

    def _rated(self, history: History) -> tuple[Doubles, Floats, NDArray[np.intp]]:
        """The factors of the movies for which the ratings say something, what these say, and their places."""
        values = self.settings.values(history.stars)
        places = np.flatnonzero(values)
        return self.parameters["factors"][history.movies[places]].astype(np.float64), values[places], places

    def _score(self, history: History, movies: Rows) -> tuple[Floats, float]:
        x = self.solve(history)
        return self.parameters["factors"][movies] @ x.astype(np.float32), float(x @ self.parameters["along"])

    def _shares(self, history: History, movies: Ints) -> Floats:
        shares = np.zeros((len(movies), len(history)), np.float32)
        if len(history):
            others, places = self.without_each(history)
            shares[:, places] = self.parameters["factors"][movies] @ (self.solve(history) - others).T
        return shares
