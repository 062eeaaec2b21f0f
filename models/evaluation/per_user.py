"""What a measured model did for each user, small enough to be kept, so that runs can be compared long afterwards."""

import hashlib
from dataclasses import dataclass

import numpy as np
from safetensors.numpy import load, save

from data.dataset import Dataset, Floats, Ratings
from models.evaluation import Difference, difference_of
from models.metrics import Doubles, Lists, hit, recall

RATED = ("rows", "squared", "absolute", "right")
"""Of each user with test rows, rising by their row: how many, and the sums that mse, mae and accuracy are made of."""
LISTED = ("ndcg@10", "recall@10", "recall@20", "hit@10")
"""Of each user with a list."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums by user of one measurement."""

    rows: str
    """A fingerprint of the dataset and of the test rows: only tallies of the same rows can be compared."""
    values: dict[str, Floats]
    """By the names ``RATED``, shape (users,), and ``LISTED``, shape (users with a list,), where there are lists."""

    def to_bytes(self) -> bytes:
        """Return the values as safetensors."""
        return bytes(save(self.values))

    @classmethod
    def of_bytes(cls, rows: str, content: bytes) -> "Tally":
        """Return what ``to_bytes`` made bytes of."""
        return cls(rows, load(content))


def tally(known: Dataset, test: Ratings, prediction: Floats, lists: Lists | None) -> Tally:
    """Sum up by user what was measured on the rows of ``test``; ``prediction``: shape (rows,), in stars."""
    told = hashlib.sha256(known.fingerprint.encode())
    for column in (test.user, test.movie, test.stars):
        told.update(column.tobytes())
    errors = prediction.astype(np.float64) - test.stars
    right = (np.floor(prediction.astype(np.float64) + 0.5) == test.stars).astype(np.float64)
    user = np.unique(test.user, return_inverse=True)[1]
    columns = (np.ones(len(test)), errors**2, np.abs(errors), right)
    values: dict[str, Doubles] = {
        name: np.asarray(np.bincount(user, column), np.float64) for name, column in zip(RATED, columns, strict=True)
    }
    if lists is not None:
        ten = lists.hits[:, :10]
        of_lists = (lists.ndcg, recall(ten, lists.relevant), recall(lists.hits, lists.relevant), hit(ten))
        values |= dict(zip(LISTED, of_lists, strict=True))
    return Tally(told.hexdigest(), {name: own.astype(np.float32) for name, own in values.items()})


def differences(first: Tally, second: Tally, confidence: float = 0.95) -> list[Difference]:
    """Return by how much each metric of the first is above that of the second, with its interval over users.

    As ``evaluation.compare``, for every metric that is a mean over rows or users. Both must be of the same rows.
    """
    if first.rows != second.rows:
        raise ValueError("tallies of different rows have nothing to be compared by")
    a, b = ({name: own.astype(np.float64) for name, own in one.values.items()} for one in (first, second))
    rows = a["rows"]
    squared = a["squared"] - b["squared"]
    roots = sum(float(np.sqrt(one["squared"].sum() / rows.sum())) for one in (a, b))
    found = [
        difference_of("rmse", squared, rows, max(roots, 1e-12), confidence),
        difference_of("mse", squared, rows, 1.0, confidence),
        difference_of("mae", a["absolute"] - b["absolute"], rows, 1.0, confidence),
        difference_of("accuracy", a["right"] - b["right"], rows, 1.0, confidence),
        difference_of("mse_scaled", squared, rows, 25.0, confidence),
    ]
    return found + [
        difference_of(name, a[name] - b[name], np.ones_like(a[name]), 1.0, confidence)
        for name in LISTED
        if name in a and name in b
    ]
