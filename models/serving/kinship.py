"""What movies have in common: genres, directors, actors, tags and time of release."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Bools, Ints, Movies

CONTENT_WEIGHTS = (0.6, 0.25, 0.15)
"""The weights of genres, directors and time of release in the similarity of content."""
TAG_WEIGHT = 0.5
"""How far the same tags move the similarity of two movies from that of their other facts towards 1, from 0 to 1."""
LEADS = 2
"""How many actors, in the order of billing, play the leads."""
SHARED_TAGS = 3
"""The most tags that are named as common to movies."""
SPECIFIC = 2.5
"""Genres describe a movie well if their weights add up to at least this. ``Drama`` alone, the genre of four movies in
ten, weighs less."""
COMMON = 0.25
"""A genre of at least this share of all movies, such as drama or comedy, does not by itself make two movies alike."""
KIN_SHARE = 0.3
"""Kin by genre share at least this much of the genres that either of them has. *Duck Soup*, a comedy about a war, is no
kin of *Casablanca*."""
KIN_COINCIDENCE = 11.5
"""Kin by genre have at least this ``coincidence``. Genres alone make *Das Boot* kin of *Braveheart*.

Chosen on 160 pairs of movies of ml-100k that a weaker rule called kin and that were judged one by one by somebody who
knows the movies. Of the 70 pairs above it, 2 are not convincing; of the 90 below it, 33."""
MOST_INFORMATION = 6.0
"""The most that common genres count for in ``coincidence``: as much as three of medium rarity."""
YEARS_PER_UNIT = 13.0
"""As many years between two movies lower their ``coincidence`` by 1."""
YEARS = 10.0
"""The number of years between two movies at which the similarity of their times of release is ``1 / e``, 0.37."""


@dataclass(frozen=True)
class Shared:
    """What a movie has in common with others, in the order in which the movie lists it."""

    genres: tuple[str, ...]
    directors: tuple[str, ...]
    actors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """At most ``SHARED_TAGS`` strong tags, except those that only repeat a genre, a director or an actor."""

    def names(self) -> list[str]:
        """Return everything in common, the rarest kinds first."""
        return [*self.directors, *self.actors, *self.tags, *self.genres]


def shared(movies: Movies, row: int, others: Sequence[int] | Ints) -> Shared:
    """Return what a movie has in common with any of the others."""
    columns = movies.genres[row] & movies.genres[np.asarray(others, np.intp)].any(axis=0)
    directors: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    if movies.imdb is not None:
        theirs = {name for other in others for name in movies.imdb.directors[other]}
        directors = tuple(name for name in movies.imdb.directors[row] if name in theirs)
        acting = {name for other in others for name in movies.imdb.cast_of(other)}
        actors = tuple(name for name in movies.imdb.cast_of(row) if name in acting)
    if movies.tags is not None:
        said = {tag for other in others for tag in movies.tags.strong(other)}
        tags = tuple(tag for tag in movies.not_repeating_facts(row, movies.tags.strong(row)) if tag in said)[
            :SHARED_TAGS
        ]
    return Shared(tuple(movies.genre_names[column] for column in np.flatnonzero(columns)), directors, actors, tags)


def specific_genres(movies: Movies) -> Bools:
    """Return which genres are not ``COMMON``, shape (genres,)."""
    return np.asarray(movies.genres.mean(0) < COMMON, bool)


def coincidence(
    movies: Movies, specific: Bools, row: int, others: Ints, closer: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how unlikely it is that a movie agrees with each of the others so much by chance, shape (others,).

    It is a sum of ``-log(share)``. For each common ``specific`` genre, it is the share of movies that have the genre,
    but these genres add at most ``MOST_INFORMATION``. For each row of ``closer``, shape (measures, others), it is the
    share of well-known movies that are at least as close to the movie as the other is. The sum is lowered by 1 for
    every ``YEARS_PER_UNIT`` years between the movies, if both years are known.
    """
    information = np.log(max(len(movies), 1) / np.maximum(movies.genres.sum(0), 1)) * specific
    common = (movies.genres[others] & movies.genres[row]) @ information
    years = movies.years[others]
    apart = np.where((years > 0) & (movies.years[row] > 0), np.abs(years - movies.years[row]), 0)
    return np.asarray(np.minimum(common, MOST_INFORMATION) - np.log(closer).sum(0) - apart / YEARS_PER_UNIT, np.float64)


def are_kin(movies: Movies, specific: Bools, row: int, others: Ints, coincidence: NDArray[np.float64]) -> Bools:
    """Return which of the others are kin of a movie, so that a person sees what they have in common, shape (others,).

    Kin share a director, one of the ``LEADS`` or a strong tag that is not common; or a ``specific`` genre,
    ``KIN_SHARE`` of their genres and ``KIN_COINCIDENCE``. A movie without genres is kin of all. ``coincidence``: of the
    movie with each of the others, shape (others,).
    """
    genres, theirs = movies.genres[row], movies.genres[others]
    overlap = (genres & theirs).sum(1) / np.maximum((genres | theirs).sum(1), 1)
    kin = (genres & specific & theirs).any(1) & (overlap >= KIN_SHARE) & (coincidence >= KIN_COINCIDENCE)
    kin |= ~genres.any() | ~theirs.any(1)
    if movies.imdb is not None:
        facts = movies.imdb
        alike = {other for name in facts.directors[row] for other in facts.directed[name]}
        for name in facts.cast_of(row)[:LEADS]:
            alike |= {other for other in facts.acted[name] if name in facts.cast_of(other)[:LEADS]}
        kin |= np.isin(others, list(alike))
    if movies.tags is not None:
        kin |= movies.tags.strong_kin(row)[others]
    return np.asarray(kin, bool)


def content_similarity(movies: Movies, row: int) -> NDArray[np.float64]:
    """Return the similarity of each movie's content to that of one movie, from 0 to 1, shape (movies,).

    It is the sum of the similarities of genres, directors and time of release, weighted by ``CONTENT_WEIGHTS``.
    A genre weighs ``log(movies / movies of the genre)`` (inverse document frequency; Spärck Jones 1972), because two
    dramas may have nothing else in common, but two war movies usually do. The similarity of genres is the total weight
    of the shared genres, divided by the larger total of the two movies, or by ``SPECIFIC`` if that is larger.

    With tags, a similarity ``c`` becomes ``c + TAG_WEIGHT * (1 - c) * t``, where ``t`` is the similarity of the tags
    (``Tags.similarity``). Common tags raise the similarity, but a lack of tags does not lower it.
    """
    genres = movies.genres.astype(np.float64)
    counts = np.log(max(len(genres), 1) / np.maximum(genres.sum(0), 1))
    weighted = genres * counts
    totals = weighted.sum(1)
    similarity = CONTENT_WEIGHTS[0] * (weighted @ genres[row]) / np.maximum(np.maximum(totals, totals[row]), SPECIFIC)
    if movies.imdb is not None:
        rows = [other for name in movies.imdb.directors[row] for other in movies.imdb.directed[name]]
        similarity[list(set(rows))] += CONTENT_WEIGHTS[1]
    known = (movies.years > 0) & (movies.years[row] > 0)
    closeness = np.exp(-np.abs(movies.years - movies.years[row]) / YEARS)
    similarity = similarity + CONTENT_WEIGHTS[2] * known * closeness
    if movies.tags is not None:
        similarity += TAG_WEIGHT * (1 - similarity) * movies.tags.similarity(row)
    return np.asarray(similarity, np.float64)
