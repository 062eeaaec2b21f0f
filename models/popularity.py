"""The most rated movies: the same list for everybody, and the baseline for every other list."""

from dataclasses import dataclass

import numpy as np

from movietui.data.dataset import Dataset, Floats, Ints, Ratings
from movietui.models.base import Epoch, Expectation, Fitted, History, Model, Parameters, Progress
from movietui.models.metrics import mse
from movietui.models.settings import Settings, setting


@dataclass(frozen=True)
class PopularitySettings(Settings):
    """Settings of ``Popularity``."""

    damping: float = setting(5.0, 0.0, 1000.0)
    """How many ratings at the overall mean each movie starts with, so that a single rating of five stars does not
    predict five stars."""


class Popularity(Model[PopularitySettings, None]):
    """Scores a movie by its number of ratings, and predicts its damped mean.

    With ``n`` ratings of a movie that sum to ``s``, overall mean ``m`` and damping ``d``, the stars are
    ``(s + d m) / (n + d)``. Their uncertainty is the standard error ``sqrt(v / (n + d))``, at most the width of the
    scale, where ``v`` is the mean squared difference between a rating and the stars of its movie. The score is
    ``log(1 + n)``.
    """

    name = "popularity"
    summary = "The most popular movies; the same for everyone."
    settings_type = PopularitySettings

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        ratings = train.ratings
        middle = (train.scale.low + train.scale.high) / 2
        overall = float(ratings.stars.mean(dtype=np.float64)) if len(ratings) else middle
        # Even without damping, a movie without ratings needs a fraction of a rating; otherwise its mean would be 0 / 0.
        damping = max(self.settings.damping, 1e-6)
        weight = train.counts + damping
        sums = np.bincount(ratings.movie, ratings.stars, minlength=len(train.movies))
        stars = np.append((sums + damping * overall) / weight, overall).astype(np.float32)
        scatter = mse(stars[ratings.movie], ratings.stars) if len(ratings) else 1.0
        spread = train.scale.high - train.scale.low
        uncertainty = np.minimum(np.sqrt(scatter / weight), spread).astype(np.float32)
        held_out = mse(stars[validation.movie], validation.stars) if validation is not None else None
        epoch = Epoch(1, 1, scatter, held_out)
        progress(epoch)
        return {"stars": stars, "uncertainty": uncertainty}, Fitted((epoch,), None if held_out is None else 1)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the movies' damped means, the same for all users."""
        return self.scale.clip(self.parameters["stars"][movies])

    def fold_in(self, history: History) -> None:
        """Return ``None``: all viewers are treated alike."""
        return

    def expect(self, taste: None) -> Expectation:
        """Return the same predictions for everybody."""
        return Expectation(
            stars=self.scale.clip(self.parameters["stars"][:-1]),
            uncertainty=self.parameters["uncertainty"],
            score=np.log1p(self.counts).astype(np.float32),
        )

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Return zeros: the viewer's ratings contribute nothing."""
        return np.zeros((len(movies), len(history)), np.float32)
