"""The parts of a split dataset, and what a fitted model predicts for the test part."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from movietui.data.dataset import Dataset, Floats, Ratings
from movietui.data.samples import evenly_spread
from movietui.data.splits import Rows, Split, split
from movietui.models.base import AnyModel, Expectation, history_of

PREDICTED_RATINGS = 1_000_000
"""The most test ratings whose stars are predicted to measure a model: enough to know the rmse to about 0.001."""


@dataclass(frozen=True, eq=False)
class NewUsers(Dataset):
    """Ratings of users whom a model was not fitted on, so that it folds them in like profiles."""

    users_are_in_models: ClassVar[bool] = False


@dataclass(frozen=True, eq=False)
class Parts:
    """A split dataset. Users and movies have the same rows in all parts."""

    rows: Split
    """The rows of each part, and the name of the split."""
    train: Dataset
    """With the ratings that models are fitted on."""
    known: Dataset
    """With the ratings from which the users in test are folded in: ``train``, unless these users are new."""
    test: Ratings

    @property
    def users_are_new(self) -> bool:
        """Whether the users in test have no ratings in train."""
        return self.known is not self.train

    def to_predict(self) -> "Parts":
        """Return the parts with at most ``PREDICTED_RATINGS`` of the test ratings, evenly spread over them."""
        chosen = evenly_spread(len(self.test), PREDICTED_RATINGS)
        if len(chosen) == len(self.test):
            return self
        return replace(self, rows=replace(self.rows, test=self.rows.test[chosen]), test=self.test.take(chosen))

    def reads_time(self, model: AnyModel) -> bool:
        """Whether the moments of the test ratings change what a model predicts."""
        return model.reads_time and not self.users_are_new and bool((self.test.time > 0).any())

    def predict(self, model: AnyModel, *, dated: bool = True) -> Floats:
        """Return a fitted model's predicted stars of the test rows, shape (rows,). New users are folded in.

        ``dated``: whether a model that reads time is told when each of these ratings was given.
        """
        if dated and self.reads_time(model):
            return model.predict_at(self.test.user, self.test.movie, self.test.time)
        if not self.users_are_new:
            return model.predict(self.test.user, self.test.movie)
        stars = np.empty(len(self.test), np.float32)
        for rows, expected in self.expectations(model):
            stars[rows] = expected.stars[self.test.movie[rows]]
        return stars

    def uncertainty(self, model: AnyModel) -> Floats:
        """Return the uncertainty of the predicted stars of the test rows, shape (rows,), in stars; see
        ``movietui.models.base.Expectation``."""
        uncertainty = np.empty(len(self.test), np.float32)
        for rows, expected in self.expectations(model):
            uncertainty[rows] = expected.uncertainty[self.test.movie[rows]]
        return uncertainty

    def expectations(self, model: AnyModel) -> Iterator[tuple[Rows, Expectation]]:
        """Yield the test rows of each user, and what the model expects after it has folded in the user."""
        order = np.argsort(self.test.user, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(self.test.user[order])) + 1):
            history = history_of(self.known, int(self.test.user[rows[0]]))
            yield rows, model.expect(model.fold_in(history))


def split_dataset(dataset: Dataset, name: str, seed: int = 0) -> Parts:
    """Split a dataset. Raises ``Problem`` if there is no such split, or if it does not fit the dataset."""
    rows = split(dataset, name, seed)
    train, test = dataset.with_ratings(rows.train), dataset.ratings.take(rows.test)
    if rows.fold_in is None:
        return Parts(rows, train, train, test)
    columns = {**vars(replace(dataset)), "ratings": dataset.ratings.take(rows.fold_in)}
    return Parts(rows, train, NewUsers(**columns), test)
