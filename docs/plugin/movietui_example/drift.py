"""A model that adds the viewer's generosity to each movie's mean rating."""

from dataclasses import dataclass

import numpy as np

from movietui.models.base import Expectation, Fitted, Model
from movietui.models.metrics import mse
from movietui.models.settings import Settings, setting


@dataclass(frozen=True)
class DriftSettings(Settings):
    """Settings of ``Drift``; each has a default, a lowest and a highest value, and a docstring."""

    shrinkage: float = setting(10.0, 0.0, 1000.0)
    """How many average ratings each movie and each viewer starts with."""


class Drift(Model):
    """Predicts ``m_i + d``: the movie's mean rating ``m_i`` plus the viewer's generosity ``d``.

    A viewer with ``n`` ratings ``r`` has ``d = sum(r - m_i) / (n + shrinkage)``.
    """

    name = "drift"
    summary = "Each movie's mean rating, plus how generous the viewer is."
    settings_type = DriftSettings

    def _learn(self, train, validation, progress):
        """Return the named arrays that a checkpoint stores, and the training curve."""
        ratings, shrinkage = train.ratings, max(self.settings.shrinkage, 1e-6)
        overall = ratings.stars.mean() if len(ratings) else (train.scale.low + train.scale.high) / 2
        means = (train.totals + shrinkage * overall) / (train.counts + shrinkage)
        means = np.append(means, overall)  # the last one is for movies that the model does not know
        users = len(train.users)
        above = np.bincount(ratings.user, ratings.stars - means[ratings.movie], users)
        drift = np.append(above / (np.bincount(ratings.user, minlength=users) + shrinkage), 0.0)
        parameters = {"means": means.astype(np.float32), "drift": drift.astype(np.float32)}

        def loss(rows):
            return mse(train.scale.clip(means[rows.movie] + drift[rows.user]), rows.stars) if len(rows) else 0.0

        # A model with epochs reports each of them, and returns Fitted.of(epochs).
        held_out = None if validation is None else loss(validation)
        return parameters, Fitted.in_closed_form(loss(ratings), held_out, progress)

    def only_for_predict(self):
        """Leave the users' generosity out of checkpoints: lists fold in users like any other viewer."""
        return frozenset({"drift"})

    def predict(self, users, movies):
        """Return stars for pairs of rows; the row -1 stands for an unknown user or movie."""
        return self.scale.clip(self.parameters["means"][movies] + self.of_train("drift")[users])

    def fold_in(self, history):
        """Return the viewer's generosity, in stars."""
        above = history.stars - self.parameters["means"][history.movies]
        return np.float32(above.sum() / (len(history) + max(self.settings.shrinkage, 1e-6)))

    def expect(self, drift):
        """Return predictions for all movies, for a viewer with the generosity ``drift``."""
        stars = self.parameters["means"][:-1] + drift
        uncertainty = (1 / np.sqrt(self.counts + 1)).astype(np.float32)
        return Expectation(self.scale.clip(stars), uncertainty, stars - uncertainty)
