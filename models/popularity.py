"""The most rated movies: the same list for everybody, and the baseline for every other list."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings, Scale
from movietui.data.language import tr
from movietui.models.base import Expectation, Fitted, History, Model, Parameters, Progress
from movietui.models.metrics import mse
from movietui.models.settings import Settings, setting


@dataclass(frozen=True)
class PopularitySettings(Settings):
    """Settings of ``Popularity``."""

    damping: float = setting(5.0, 0.0, 1000.0)
    """How many ratings at the overall mean each movie starts with, so that a single rating of five stars does not
    predict five stars: the ``d`` in ``(s + d m) / (n + d)``."""


class Popularity(Model[PopularitySettings, None]):
    """Scores a movie by its number of ratings, and predicts its damped mean.

    With ``n`` ratings of a movie that sum to ``s``, overall mean ``m`` and damping ``d``, the stars are
    ``(s + d m) / (n + d)``. Their uncertainty is the standard error ``sqrt(v / (n + d))``, at most the width of the
    scale, where ``v`` is the mean squared difference between a rating and the stars of its movie. The score is
    ``log(1 + n)``.
    """

    name = "popularity"
    summary = tr("The most popular movies; the same for everyone.")
    formula = "(s + d m) / (n + d)"
    settings_type = PopularitySettings
    needs_stars = False

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        ratings, movies = train.ratings, len(train.movies)
        stars = ratings.stars.astype(np.float64)
        sums, squares = (np.bincount(ratings.movie, values, minlength=movies) for values in (stars, stars**2))
        parameters, scatter = parameters_of(train.counts, sums, squares, self.settings, train.scale)
        held_out = mse(parameters["stars"][validation.movie], validation.stars) if validation is not None else None
        return parameters, Fitted.in_closed_form(scatter, held_out, progress)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the movies' damped means, the same for all users."""
        return self.scale.clip(self.parameters["stars"][movies])

    def fold_in(self, history: History) -> None:
        """Return ``None``, because all viewers get the same predictions."""
        return

    def expect(self, taste: None) -> Expectation:
        """Return the same predictions for everybody."""
        return Expectation(
            stars=self.scale.clip(self.parameters["stars"][:-1]),
            uncertainty=self.parameters["uncertainty"],
            score=np.log1p(self.counts).astype(np.float32),
        )

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Return zeros, because the viewer's ratings change nothing."""
        return np.zeros((len(movies), len(history)), np.float32)


def parameters_of(
    counts: Ints, sums: NDArray[Any], squares: NDArray[Any], settings: PopularitySettings, scale: Scale
) -> tuple[Parameters, float]:
    """Return the parameters and ``v``, from each movie's number of ratings, sum of stars and sum of squared stars."""
    total = int(counts.sum(dtype=np.int64))
    overall = float(sums.sum()) / total if total else (scale.low + scale.high) / 2
    # Even without damping, a movie without ratings needs a fraction of a rating, or its mean would be 0 / 0.
    damping = max(settings.damping, 1e-6)
    weight = counts + damping
    means = (sums + damping * overall) / weight
    scatter = max(0.0, float((squares - 2 * means * sums + counts * means**2).sum())) / total if total else 1.0
    uncertainty = np.minimum(np.sqrt(scatter / weight), scale.high - scale.low).astype(np.float32)
    return {"stars": np.append(means, overall).astype(np.float32), "uncertainty": uncertainty}, scatter
