"""Measurements by user, small enough to store with a run, so that runs can be compared later."""

import hashlib
from dataclasses import dataclass

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from movietui.data.dataset import Floats
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.models.evaluation.comparison import Difference, difference_of
from movietui.models.evaluation.parts import Parts
from movietui.models.metrics import BY_USER, DEFAULT_MEASURES, Doubles, Lists, family

RATING_SUMS = ("rows", "squared", "absolute", "right")
"""The number of rows of each user with test rows, and the sums from which mse, mae and accuracy are computed."""


@dataclass(frozen=True, eq=False)
class UserSums:
    """The sums by user of one evaluation."""

    fingerprint: str
    """A digest of the dataset, the test rows and, if it is not the usual one, the threshold of relevance. Only sums
    over the same rows can be compared."""
    values: dict[str, Floats]
    """By name, the values of ``RATING_SUMS``, shape (users,), if stars were predicted, and, if there are lists, of
    their metrics that are means over users, shape (users with a list,)."""

    def to_bytes(self) -> bytes:
        """Return the values as safetensors."""
        return bytes(save(self.values))

    @classmethod
    def of_bytes(cls, fingerprint: str, content: bytes) -> "UserSums":
        """Return the sums from the bytes of ``to_bytes``. Raises ``Problem`` if the bytes are damaged."""
        try:
            values = load(content)
        except (SafetensorError, ValueError, LookupError) as error:
            raise Problem(tr("The measurements of a run are damaged; train it again to compare it.")) from error
        if not all(sums.ndim == 1 and sums.dtype == np.float32 and np.isfinite(sums).all() for sums in values.values()):
            raise Problem(tr("The measurements of a run are damaged; train it again to compare it."))
        return cls(fingerprint, values)


def sum_by_user(parts: Parts, prediction: Floats | None, lists: Lists | None) -> UserSums:
    """Sum the measurements on the test rows by user. ``prediction``: shape (rows,), on the scale of the test rows;
    ``None`` if only lists were measured."""
    test = parts.test
    digest = hashlib.sha256(parts.train.fingerprint.encode())
    for column in (test.user, test.movie, test.stars):
        digest.update(column.tobytes())
    values: dict[str, Doubles] = {}
    if prediction is not None:
        errors = prediction.astype(np.float64) - test.stars
        right = (np.floor(prediction.astype(np.float64) + 0.5) == test.stars).astype(np.float64)
        user = np.unique(test.user, return_inverse=True)[1]
        columns = (np.ones(len(test)), errors**2, np.abs(errors), right)
        values = {
            name: np.asarray(np.bincount(user, column), np.float64)
            for name, column in zip(RATING_SUMS, columns, strict=True)
        }
    if lists is not None:
        if lists.measures.relevant != DEFAULT_MEASURES.relevant:
            digest.update(str(lists.measures.relevant).encode())
        values |= {name: lists.by_user(name) for name in lists.measures.names if family(name) in BY_USER}
    return UserSums(digest.hexdigest(), {name: sums.astype(np.float32) for name, sums in values.items()})


def differences(first: UserSums, second: UserSums, confidence: float = 0.95) -> list[Difference]:
    """Return each metric of the first minus that of the second, with a confidence interval over users.

    Like ``compare`` in ``movietui.models.evaluation.comparison``, but for all metrics that follow from sums over rows
    or users. Raises ``ValueError`` for sums over different rows.
    """
    if first.fingerprint != second.fingerprint:
        raise ValueError("sums over different rows cannot be compared")
    a, b = ({name: sums.astype(np.float64) for name, sums in one.values.items()} for one in (first, second))
    results = [
        difference_of(name, a[name] - b[name], np.ones_like(a[name]), 1.0, confidence)
        for name in a
        if name in b and name not in RATING_SUMS
    ]
    if not all({*RATING_SUMS} <= {*one} for one in (a, b)):
        return results
    rows = a["rows"]
    squared = a["squared"] - b["squared"]
    roots = sum(float(np.sqrt(one["squared"].sum() / rows.sum())) for one in (a, b))
    return [
        difference_of("rmse", squared, rows, max(roots, 1e-12), confidence),
        difference_of("mse", squared, rows, 1.0, confidence),
        difference_of("mae", a["absolute"] - b["absolute"], rows, 1.0, confidence),
        difference_of("accuracy", a["right"] - b["right"], rows, 1.0, confidence),
        difference_of("mse_scaled", squared, rows, 25.0, confidence),
        *results,
    ]
