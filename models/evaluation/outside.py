"""Lets an object that is not one of our models be measured like them."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from movietui.data.dataset import Dataset, Floats, Ints, Ratings
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.models.base import Expectation, Fitted, History, Model, Parameters, Progress
from movietui.models.settings import Settings


class Scorer(Protocol):
    """What an object must be able to do to be measured."""

    def fit(self, train: Dataset) -> Any:
        """Learn from the ratings of the train part. The returned value is ignored."""

    def score(self, users: Ints, movies: Ints) -> Any:
        """Return a number for each pair of a user and a movie, both given by row, shape (pairs,).

        Lists are sorted by these numbers, highest first. For the tasks ``rating`` and ``pair``, they must be stars on
        the scale of ``train``.
        """


@dataclass(frozen=True)
class NoSettings(Settings):
    """No settings."""


class Outside(Model[NoSettings, int]):
    """A ``Scorer`` as a model, only for ``movietui.models.evaluation.measure``."""

    summary = "An object that is not one of our models."
    settings_type = NoSettings
    needs_stars = False  # nobody knows what it learns from

    def __init__(self, scorer: Scorer, name: str) -> None:
        super().__init__()
        self.name = name  # type: ignore[misc]
        self._scorer = scorer

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        self._scorer.fit(train)
        return {}, Fitted()

    def _scores(self, users: Ints, movies: Ints) -> Floats:
        try:
            scores = np.asarray(self._scorer.score(users, movies), np.float32)
        except (TypeError, ValueError) as error:
            raise Problem(
                tr("{model}.score(users, movies) did not return numbers: {error}.", model=self.name, error=error)
            ) from error
        if scores.shape != movies.shape:
            raise Problem(
                tr(
                    "{model}.score(users, movies) returned the shape {shape} for {pairs:,} pairs; return one number "
                    "for each pair.",
                    model=self.name,
                    shape=scores.shape,
                    pairs=len(movies),
                )
            )
        if not np.isfinite(scores).all():
            raise Problem(
                tr("{model}.score(users, movies) returned NaN or infinity; return numbers only.", model=self.name)
            )
        return scores

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the scores of pairs of a user and a movie, within the scale."""
        return self.scale.clip(self._scores(users, movies))

    def fold_in(self, history: History) -> int:
        """Return the viewer's row. Raises ``Problem`` for a viewer who is not among the users in train."""
        if history.user is None:
            raise Problem(
                tr("{model} cannot fold in new users, so it cannot be measured on this split.", model=self.name)
            )
        return history.user

    def expect(self, taste: int) -> Expectation:
        """Return the scores of all movies."""
        movies = np.arange(len(self.counts), dtype=np.int32)
        scores = self._scores(np.full_like(movies, taste), movies)
        return Expectation(self.scale.clip(scores), np.zeros_like(scores), scores)
