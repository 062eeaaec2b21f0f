"""What movies have in common: genres, directors, actors, tags and time of release."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Ints, Movies

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
KIN_COINCIDENCE = 18.0
"""Movies are kin if their ``coincidence`` is at least this.

A person who knows the movies judged 1,706 pairs of ml-100k, a movie at the top of a list and one that its viewer liked,
without seeing any figures. In a logistic regression on the judgements, the terms of ``coincidence`` had weights of 0.2
to 0.4 each, and the overlap 2.2; hence ``OVERLAP``. 96 % of the 251 pairs with at least 18 convinced at least
somewhat."""
LOWER_KIN_COINCIDENCE = 16.5
"""If everyone's ratings do not convince the viewer, movies with at least this are kin: 86 % of the 120 pairs with less
than 18 convinced."""
RELATED_COINCIDENCE = 14.0
"""Movies with at least this are related: 75 % of the 307 pairs with less than 16.5 convinced."""
NEAR_COINCIDENCE = 10.0
"""Movies with at least this can describe people who liked the same ones, and the closest is named if nothing else can
be said. Of 37 such pairs with less than ``RELATED_COINCIDENCE``, 24 convinced at least somewhat."""
OVERLAP = 7.0
"""What the same genres add to a ``coincidence``. *Duck Soup*, a comedy about a war, is no kin of *Casablanca*."""
LABEL_PART = 0.45
"""A single common genre may be only a label if it is less than this part of the genres of both movies, by information:
*Forrest Gump* is a comedy and a romance, and also called a war movie."""
LABEL = 1.0
"""The most information that such a genre has."""
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


def main_genres(movies: Movies, row: int) -> list[str]:
    """Return the genres that each have more than ``LABEL_PART`` of the information of all genres of a movie: at most
    two, and none if three or more are about equally rare."""
    weights = np.where(movies.genres[row], movies.genre_information, 0)
    return [movies.genre_names[column] for column in np.flatnonzero(weights > LABEL_PART * weights.sum())]


@dataclass(frozen=True, eq=False)
class Kinship:
    """How much a movie and some others are alike. Each array has the shape (others,)."""

    coincidence: NDArray[np.float64]
    """How unlikely it is that the two agree so much by chance."""
    common: NDArray[np.float64]
    """The part of the coincidence that can be seen: the information of what the two have in common."""


def kinship(movies: Movies, row: int, others: Ints, closer: NDArray[np.float64]) -> Kinship:
    """Return how much a movie and each of the others are alike.

    A coincidence is a sum of ``-log(share)``. For each common genre, director and lead (see ``LEADS``), it is the share
    of movies that have them. For each row of ``closer``, shape (measures, others), it is the share of well-known movies
    that are at least as close to the movie as the other is. The sum is raised by ``OVERLAP`` times the information of
    the common genres as a part of that of all genres of either movie, and lowered by 1 for every ten years between the
    movies, if both years are known. If one of them has no genre, they count as if they had the same, with the
    information ``SPECIFIC``: in data without genres, the ratings alone decide. A common genre that may be only a label
    (see ``LABEL_PART``) has an information of ``LABEL`` at most.

    A director, a lead or a strong tag that is not common is seen at once; movies that share one have at least
    ``KIN_COINCIDENCE``, and ``SPECIFIC`` in common.
    """
    weights, genres, theirs = movies.genre_information, movies.genres[row], movies.genres[others]
    known = genres.any() & theirs.any(1)
    common, whole = (theirs & genres) @ weights, (theirs | genres) @ weights
    is_label = ((theirs & genres).sum(1) == 1) & (common < LABEL_PART * whole)
    common = np.where(is_label, np.minimum(common, LABEL), common)
    overlap = np.where(known, common / np.maximum(whole, 1e-9), 1.0)
    people = _people_in_common(movies, row)[others]
    common = np.where(known, common, SPECIFIC) + people
    years = movies.years[others]
    apart = np.where((years > 0) & (movies.years[row] > 0), np.abs(years - movies.years[row]), 0)
    total = common + OVERLAP * overlap - np.log(closer).sum(0) - apart / 10
    seen = people > 0
    if movies.tags is not None:
        seen |= movies.tags.strong_kin(row)[others]
    return Kinship(
        np.where(seen, np.maximum(total, KIN_COINCIDENCE), total), np.where(seen, np.maximum(common, SPECIFIC), common)
    )


def _people_in_common(movies: Movies, row: int) -> NDArray[np.float64]:
    """Return how much it says that each movie has the same directors and leads as one movie, shape (movies,)."""
    total = np.zeros(len(movies))
    if (facts := movies.imdb) is not None:
        leads = facts.cast_of(row)[:LEADS]
        led = [[other for other in facts.acted[name] if name in facts.cast_of(other)[:LEADS]] for name in leads]
        for rows in (*(list(facts.directed[name]) for name in facts.directors[row]), *led):
            total[rows] += np.log(len(movies) / len(rows))
    return total


def content_similarity(movies: Movies, row: int) -> NDArray[np.float64]:
    """Return the similarity of each movie's content to that of one movie, from 0 to 1, shape (movies,).

    It is the sum of the similarities of genres, directors and time of release, weighted by ``CONTENT_WEIGHTS``.
    A genre weighs its ``information``. The similarity of genres is the total weight of the shared genres, divided by
    the larger total of the two movies, or by ``SPECIFIC`` if that is larger.

    With tags, a similarity ``c`` becomes ``c + TAG_WEIGHT * (1 - c) * t``, where ``t`` is the similarity of the tags
    (``Tags.similarity``). Common tags raise the similarity, but a lack of tags does not lower it.
    """
    genres = movies.genres.astype(np.float64)
    weighted = genres * movies.genre_information
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
