"""Brings the ratings of a few users from a cluster to the driver, which estimates some parameters from them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Ratings, Users
from movietui.data.storage.remote_view import view
from movietui.models.base import Parameters
from movietui.models.bias import Bias
from movietui.models.cluster.partitions import Partitions

NO_RATINGS: Parameters = {
    "starts": np.zeros(1, np.int64),
    "rated": np.empty(0, np.int32),
    "stars": np.empty(0, np.float32),
}
"""``movietui.models.rankers.ratings_by_user`` without users."""


def sample_of(train: Partitions, effects: Parameters, users: NDArray[np.intp]) -> tuple[Dataset, Parameters]:
    """Return the ratings of some users as a dataset of these users only, and the effects with those of the users.

    ``effects``: from ``movietui.models.cluster.effects.learn_effects``.
    """
    histories = train.histories(users)
    lengths = [len(history) for history in histories]
    ratings = Ratings(
        np.repeat(np.arange(len(histories), dtype=np.int32), lengths),
        np.concatenate([np.empty(0, np.int32), *(history.movies for history in histories)]),
        np.concatenate([np.empty(0, np.float32), *(history.stars for history in histories)]),
        np.zeros(sum(lengths), np.int64),
    )
    bias = Bias()
    bias.restore(effects, train.dataset.scale)
    means = [bias.fold_in(history).mean for history in histories]
    ids = tuple(str(history.user) for history in histories)
    dataset = replace(view(train.dataset), users=Users(ids), ratings=ratings)
    return dataset, effects | {"user": np.append(means, effects["user"][-1]).astype(np.float32)}
