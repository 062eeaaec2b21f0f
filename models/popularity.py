"""What everybody likes: the same list for all, and the yardstick for every other list."""

from dataclasses import dataclass

import numpy as np

from data.dataset import Dataset, Floats, Ints, Ratings
from models.metrics import mse
from models.model import Epoch, Expectation, Fitted, History, Model, Parameters, Progress
from models.settings import Settings, setting


@dataclass(frozen=True)
class PopularitySettings(Settings):
    """Settings of ``Popularity``."""

    damping: float = setting(5.0, 0.0, 1000.0)
    """With how many ratings at the overall mean each movie starts, so that a single five stars does not lead."""


class Popularity(Model[PopularitySettings, None]):
    """Movies by how often they were rated; the stars are the movie's damped mean.

    With ``n`` ratings of a movie that sum to ``s``, overall mean ``m`` and damping ``d``, the stars are
    ``(s + d m) / (n + d)``. Their uncertainty is the standard error ``sqrt(v / (n + d))``, where ``v`` is the mean
    squared distance of all ratings from the stars of their movie. The score is ``log(1 + n)``.
    """

    name = "popularity"
    summary = "What most people rated; the same for everybody."
    settings_type = PopularitySettings

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        ratings = train.ratings
        middle = (train.scale.low + train.scale.high) / 2
        overall = float(ratings.stars.mean(dtype=np.float64)) if len(ratings) else middle
        # An empty movie needs a share of a rating even without damping, or its mean would be 0 / 0.
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
        """Return the movies' damped means; who asks does not matter."""
        return self.scale.clip(self.parameters["stars"][movies])

    def fold_in(self, history: History) -> None:
        """Return nothing: everybody is the same."""
        return

    def expect(self, taste: None) -> Expectation:
        """Return the same for everybody."""
        return Expectation(
            stars=self.scale.clip(self.parameters["stars"][:-1]),
            uncertainty=self.parameters["uncertainty"],
            score=np.log1p(self.counts).astype(np.float32),
        )

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Return zeros: no rating of the viewer's own brings anything to a score."""
        return np.zeros((len(movies), len(history)), np.float32)
