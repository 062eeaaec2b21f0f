"""Reads what a release says about its movies: the tags of users, and the tag genome.

``tags.csv`` (``tags.dat`` in 10M) has the fields user, movie, tag and seconds since 1970. 20M, 25M and ``ml-latest``
also have the tag genome: ``genome-tags.csv`` has the id and text of each of its tags, and ``genome-scores.csv`` the
relevance of each of these tags to each movie that has enough data. The relevances are more than ten million rows, so
they are read and reduced block by block. ``movietui.data.tags`` says which tags a movie has, and with what weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from movietui.data.fetch.archive import Files
from movietui.data.movielens.number_columns import Field, blocks_of
from movietui.data.movielens.release import MISSING, Malformed, RawTags
from movietui.data.movielens.text_lines import LAST_TIME
from movietui.data.progress import Meter
from movietui.data.tags import DOUBT, MIN_RELEVANCE, MIN_USERS, normalised, strongest
from movietui.data.titles import title_key

GENOME = ("genome-scores.csv", "genome-tags.csv")
TAG = (
    Field("user_id", "user", np.int32),
    Field("movie_id", "movie", np.int32),
    Field("tag", "tag", np.object_),
    Field("time", "time", np.int64, LAST_TIME),
)
GENOME_TAG = (Field("tag_id", "tag", np.int32), Field("tag", "tag", np.object_))
GENOME_SCORE = (
    Field("movie_id", "movie", np.int32),
    Field("tag_id", "tag", np.int32),
    Field("relevance", "digits of the relevance", np.float32),
)
_KEY_LENGTH = 200
"""A tag with more characters than this is dropped before it is normalised."""


@dataclass
class _Vocabulary:
    """Numbers the distinct tags; tags with the same key count as one."""

    numbers: dict[str, int] = field(default_factory=dict)
    """The number of each tag, by its key."""
    _of_text: dict[str, int] = field(default_factory=dict)
    _uses: list[dict[str, int]] = field(default_factory=list)
    """For each tag, how often it is written in each way."""

    def codes(self, texts: NDArray[np.object_]) -> NDArray[np.int32]:
        """Return the number of each tag, or ``MISSING`` for a text that is not a tag."""
        import pandas as pd

        which, distinct = pd.factorize(texts)
        uses = np.bincount(which, minlength=len(distinct)).tolist()
        numbers = [self._number(text, count) for text, count in zip(distinct.tolist(), uses, strict=True)]
        return np.asarray(numbers, np.int32)[which] if numbers else np.empty(0, np.int32)

    def _number(self, text: str, uses: int) -> int:
        name = normalised(text[:_KEY_LENGTH]) if len(text) <= _KEY_LENGTH else ""
        key = title_key(name)
        if not key:
            return MISSING
        number = self.numbers.setdefault(key, len(self.numbers))
        if number == len(self._uses):
            self._uses.append({})
        self._uses[number][name] = self._uses[number].get(name, 0) + uses
        return number

    def names(self) -> list[str]:
        """Return the most frequent way in which each tag is written."""
        return [max(sorted(ways), key=ways.__getitem__) for ways in self._uses]


def read(files: Files, tags: str, malformed: list[Malformed], meter: Meter) -> RawTags | None:
    """Return the strongest tags of each movie, or None if there are no tags.

    ``tags`` is the name of the file with the tags of users. Raises ``Problem`` like ``blocks_of``.
    """
    vocabulary, parts = _Vocabulary(), []
    if tags in files:
        parts.append(_by_users(files, tags, vocabulary, malformed, meter))
    if all(name in files for name in GENOME):
        parts.append(_genome(files, vocabulary, malformed, meter))
    if not parts:
        return None
    movie, tag, weight = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    ids, rows = np.unique(movie, return_inverse=True)
    chosen = strongest(vocabulary.names(), rows.astype(np.int32), tag, weight, len(ids))
    return RawTags(chosen.names, ids[chosen.movie].astype(np.int32), chosen.tag, chosen.weight)


Weighted = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]
"""The movie, the number of the tag, and the weight of each tag of each movie."""


def _by_users(files: Files, name: str, vocabulary: _Vocabulary, malformed: list[Malformed], meter: Meter) -> Weighted:
    import pandas as pd

    separator = "," if name.endswith(".csv") else "::"
    blocks = []
    for user, movie, text, _ in blocks_of(files, name, TAG, separator, malformed, meter):
        given = pd.DataFrame({"user": user, "movie": movie, "tag": vocabulary.codes(text)})
        blocks.append(given[(given > MISSING).all(axis=1)])
    if not blocks:
        return _nothing()
    given = pd.concat(blocks, ignore_index=True).drop_duplicates()
    users = given[["user", "tag"]].drop_duplicates()["tag"].value_counts()
    shared = given[given["tag"].isin(users.index[users >= MIN_USERS])]
    counts = shared.groupby(["movie", "tag"]).size().reset_index(name="users")
    weight = counts["users"] / (counts["users"] + DOUBT)
    return counts["movie"].to_numpy(np.int32), counts["tag"].to_numpy(np.int32), weight.to_numpy(np.float32)


def _genome(files: Files, vocabulary: _Vocabulary, malformed: list[Malformed], meter: Meter) -> Weighted:
    scores, tags = GENOME
    blocks = list(blocks_of(files, tags, GENOME_TAG, ",", malformed, meter))
    if not any(len(ids) for ids, _ in blocks):
        return _nothing()
    ids, texts = (np.concatenate(column) for column in zip(*blocks, strict=True))
    numbers = vocabulary.codes(texts)
    order = np.argsort(ids, kind="stable")
    ids, numbers = ids[order], numbers[order]
    parts: list[Sequence[NDArray[np.generic]]] = [_nothing()]
    for movie, tag, relevance in blocks_of(files, scores, GENOME_SCORE, ",", malformed, meter):
        with np.errstate(invalid="ignore"):
            relevant = (relevance >= MIN_RELEVANCE) & (relevance <= 1) & (movie != MISSING)
        movie, tag, relevance = movie[relevant], tag[relevant], relevance[relevant]
        index = np.minimum(np.searchsorted(ids, tag), len(ids) - 1)
        number = np.where(ids[index] == tag, numbers[index], MISSING)
        known = number != MISSING
        parts.append((movie[known], number[known].astype(np.int32), relevance[known]))
    movie, tag, weight = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return movie, tag, weight


def _nothing() -> Weighted:
    return np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32)
