"""Who likes a movie more than others do: people who liked the same movies as a viewer, or whose ratings agree."""

from dataclasses import dataclass

import numpy as np

from movietui.data.dataset import Bools, Floats, Ints
from movietui.models.metrics import RELEVANT
from movietui.models.serving.similar import Raters

FEWEST = 30
"""A crowd has at least this many people, so that its share means something."""
ENOUGH_LIKE = 0.7
"""The smallest share of a crowd that convinces: if more than three in ten do not like a movie, that is no
recommendation."""
CLEARLY_MORE = 0.5
"""A crowd clearly likes a movie more than others do if the share of those who do not like it, shrunk towards that of
all, is lower by at least this part: 97 % instead of 93 %, or 95 % instead of 90 %, like it."""
MUCH_MORE = 0.08
"""It is enough if that share is lower by this much: 80 % instead of 72 % like it."""
NEARLY_ALL = 0.9
"""If at least this share of a crowd likes a movie, nearly all do."""
MORE = 0.07
"""How much larger than the share of all it must be, so that the two figures do not look the same."""
DAMPING = 10.0
"""The weight, in people, that shrinks the share of a crowd towards that of all."""
AGREEMENT = 0.1
"""People's ratings agree with a viewer's if their correlation, shrunk with ``MOVIES``, is at least this."""
MOVIES = 10.0
"""The weight, in movies, that shrinks a correlation of ratings towards 0."""


@dataclass(frozen=True)
class Crowd:
    """How many of some people who rated a movie like it, which takes at least ``RELEVANT`` stars."""

    theirs: float
    """The share of these people, from 0 to 1."""
    everyone: float
    """The share of all who rated it."""
    people: int
    """How many these people are."""

    @property
    def likes_clearly_more(self) -> bool:
        """Whether these people are at least ``FEWEST``, at least ``ENOUGH_LIKE`` of them like the movie, and they do so
        clearly more than others (``CLEARLY_MORE`` or ``MUCH_MORE``)."""
        more = (self.theirs - self.everyone) * self.people / (self.people + DAMPING)
        enough = self.people >= FEWEST and self.theirs >= ENOUGH_LIKE
        return enough and 0 < more >= min(CLEARLY_MORE * (1 - self.everyone), MUCH_MORE)

    @property
    def nearly_all_like(self) -> bool:
        """Whether enough of these people are known, and nearly all like the movie, more than others do."""
        return self.people >= FEWEST and self.theirs >= max(NEARLY_ALL, self.everyone + MORE)


def crowd(raters: Raters, which: Bools) -> Crowd:
    """Return how many of some of the raters, shape (raters,), like the movie, compared with all of them."""
    likes = raters.stars >= RELEVANT
    theirs = likes[which]
    return Crowd(float(theirs.mean()) if len(theirs) else 0.0, float(likes.mean()) if len(likes) else 0.0, len(theirs))


def fans(raters: Raters, other: int) -> Bools:
    """Return which of the raters of a movie like another one, shape (raters,)."""
    likes = np.zeros(len(raters.user), bool)
    likes[raters.person[(raters.movie == other) & (raters.given >= RELEVANT)]] = True
    return likes


def agreeing(raters: Raters, movies: Ints, residuals: Floats, total: int) -> Bools:
    """Return which of the raters of a movie agree with a viewer about other movies, shape (raters,).

    ``movies``: what the viewer rated, without that movie. ``residuals``: the viewer's ratings minus what others give.
    ``total``: the number of movies of the dataset.
    """
    mine, rated = np.zeros(total, np.float32), np.zeros(total, bool)
    mine[movies], rated[movies] = residuals, True
    both = rated[raters.movie]
    person, theirs, ours = raters.person[both], raters.residual[both], mine[raters.movie[both]]
    people = len(raters.user)
    dot, their_squares, our_squares = (
        np.bincount(person, values, people) for values in (theirs * ours, theirs**2, ours**2)
    )
    common = np.bincount(person, minlength=people)
    correlation = dot / np.maximum(np.sqrt(their_squares * our_squares), 1e-9)
    return np.asarray(correlation * common / (common + MOVIES) >= AGREEMENT, bool)
