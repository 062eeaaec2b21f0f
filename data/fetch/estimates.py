"""Estimates of how long the first list of a dataset takes, and how much disk space a dataset needs.

We measured the speeds on two cores of a shared machine, with MovieLens 100K and 1M and with up to 32 million generated
ratings in the format of ML-32M. The estimates are meant for sentences such as "about 3 minutes".
"""

from dataclasses import dataclass

DOWNLOAD_RATE = 5_000_000
"""Bytes downloaded per second; not measured, but what a household's connection usually allows."""
GET_START = 4.0
"""Seconds until a download begins."""
CLEAN_START = 3.0
"""Seconds until the first rating is read."""
CLEANING_RATE = 700_000
"""Ratings read and cleaned per second."""
LEARN_START = 7.0
"""Seconds to load torch and the dataset before the quick model begins to learn."""
LEARNING_RATE = 180_000
"""Ratings per second at which the quick model learns, in each of its fits."""
FITTED_ONCE = 10_000_000
"""On a dataset with more ratings than this, a training makes only one fit: each takes minutes, and the test ratings
change the served model little."""
BYTES_PER_RATING = 12
"""Bytes of a rating on disk, as published and cleaned together, with its share of the users and movies."""


@dataclass(frozen=True)
class Seconds:
    """How many seconds the steps to the first list of a dataset take."""

    get: float
    clean: float
    learn: float

    @property
    def total(self) -> float:
        """The seconds of all steps."""
        return self.get + self.clean + self.learn


def fits(ratings: int) -> int:
    """Return how many fits the training of the quick model makes on a dataset with this many ratings."""
    return 1 if ratings > FITTED_ONCE else 3


def seconds(download: int, ratings: int, learned: float | None = None) -> Seconds:
    """Return how long the first list takes for a dataset with an archive of ``download`` bytes and ``ratings`` ratings.

    ``learned`` is how many seconds the quick model took to learn from this dataset before; ``None`` if it never did.
    """
    return Seconds(
        GET_START + download / DOWNLOAD_RATE,
        CLEAN_START + ratings / CLEANING_RATE,
        LEARN_START + (fits(ratings) * ratings / LEARNING_RATE if learned is None else learned),
    )


def disk(download: int, ratings: int) -> int:
    """Return how many bytes a dataset needs: for its archive of ``download`` bytes, and for its tables."""
    return download + BYTES_PER_RATING * ratings
