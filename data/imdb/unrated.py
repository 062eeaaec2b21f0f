"""Movies that many people have rated on IMDb, but nobody in a dataset.

These movies follow a joined dataset's own movies. A viewer can find and rate them, and a model that predicts from facts
about movies can list them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from movietui.data.dataset import ImdbFacts, Movies
from movietui.data.imdb.title_matching import Title

LEAST_VOTES = 1000
"""A movie with fewer votes on IMDb is left out: its mean rating says little, and few people would look for it."""
MOST = 10_000
"""The maximum number of movies added to a dataset: those with the most votes."""
GENRES: Mapping[str, str] = {"Family": "Children", "Children": "Children's"}
"""The name to try next if a dataset has no genre with this name: first IMDb's name, then the one in later MovieLens
releases, then the one in 100K and 1M."""


def choose(popular: Sequence[Title], taken: Collection[str]) -> list[Title]:
    """Return the popular movies whose ids are not among ``taken``, most votes first, at most ``MOST``."""
    return sorted((title for title in popular if title.id not in taken), key=lambda title: (-title.votes, title.id))[
        :MOST
    ]


def append_to(
    movies: Movies, titles: Sequence[str], years: Sequence[int], keys: Sequence[str], facts: ImdbFacts
) -> Movies:
    """Return the movies of a dataset followed by unrated ones.

    ``titles``, ``years`` and ``keys`` are of the unrated movies. ``facts`` has IMDb's facts about all movies, the
    dataset's first.
    """
    added = len(titles)
    columns = {name: column for column, name in enumerate(movies.genre_names)}
    genres = np.zeros((added, len(columns)), bool)
    for row, names in enumerate(facts.genres[len(movies) :]):
        for name in names:
            while name not in columns and name in GENRES:
                name = GENRES[name]
            if name in columns:
                genres[row, columns[name]] = True
    return replace(
        movies,
        ids=movies.ids + facts.ids[len(movies) :],
        titles=(*movies.titles, *titles),
        years=np.append(movies.years, np.asarray(years, np.int32)),
        genres=np.concatenate([movies.genres, genres]),
        keys=(*movies.keys, *keys),
        months=np.append(movies.months, np.zeros(added, np.int32)) if len(movies.months) else movies.months,
        imdb=facts,
        tags=movies.tags and movies.tags.with_untagged(added),
        unrated=added,
    )
