"""A model that predicts a movie's mean rating, moved by how far the viewer is above or below others."""

from dataclasses import dataclass

import numpy as np

from movietui.models.base import Epoch, Expectation, Fitted, Model
from movietui.models.metrics import mse
from movietui.models.settings import Settings, setting


@dataclass(frozen=True)
class DriftSettings(Settings):
    """The settings of ``Drift``. Each has a default, a lowest and a highest value, and a docstring."""

    shrinkage: float = setting(10.0, 0.0, 1000.0)
    """How many ratings at the mean each movie and each viewer starts with."""


class Drift(Model):
    """Predicts ``m_i + d``: the movie's mean rating, and the viewer's mean distance from the means of their movies.

    A viewer with ``n`` ratings has ``d = sum(r - m_i) / (n + shrinkage)``.
    """

    name = "drift"
    summary = "Each movie's mean rating, moved by how generous the viewer is."
    settings_type = DriftSettings

    def _learn(self, train, validation, progress):
        """Return named arrays, which a checkpoint stores, and the training curve."""
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

        epoch = Epoch(1, 1, loss(ratings), None if validation is None else loss(validation))
        progress(epoch)  # a model with many epochs reports each; if this raises an exception, let it pass
        return parameters, Fitted.of([epoch])

    def only_for_predict(self):
        """Leave the users out of checkpoints: to serve them, they are folded in like anybody else."""
        return frozenset({"drift"})

    def predict(self, users, movies):
        """Return stars for pairs of rows; the row -1 stands for an unknown user or movie."""
        return self.scale.clip(self.parameters["means"][movies] + self.of_train("drift")[users])

    def fold_in(self, history):
        """Return what the model knows about a viewer: how generous they are."""
        above = history.stars - self.parameters["means"][history.movies]
        return np.float32(above.sum() / (len(history) + max(self.settings.shrinkage, 1e-6)))

    def expect(self, drift):
        """Return the predictions for all movies."""
        stars = self.parameters["means"][:-1] + drift
        uncertainty = (1 / np.sqrt(self.counts + 1)).astype(np.float32)
        return Expectation(self.scale.clip(stars), uncertainty, stars - uncertainty)
