"""Finds the ids of a dataset's movies at IMDb, TMDB and MovieLens.

The ids come from the dataset's ``links.csv``. A dataset without links uses the links of another dataset on disk: the
largest one with links for any of the same movies. Two movies count as the same if id, name and year agree; all releases
from 1M on use the same movie ids. An IMDb id that is still unknown comes from the dataset's join with IMDb.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from movietui.data.dataset import Dataset
from movietui.data.fetch import sources
from movietui.data.movielens.release import MISSING
from movietui.data.storage import cache, parquet
from movietui.data.titles import movie_key, parse_label

DATASETS_WITH_OWN_IDS = frozenset({"ml-100k", "demo"})
"""Datasets whose movie ids differ from those of the other releases."""


@dataclass(frozen=True)
class Links:
    """The ids of the movies, by row; an unknown id is an empty string or 0."""

    imdb: tuple[str, ...]
    """Such as ``tt0114709``."""
    tmdb: tuple[int, ...]
    movielens: tuple[int, ...]
    """The id that all releases from 1M on use for the movie."""

    def of(self, row: int) -> tuple[str, int, int]:
        """Return the ids of one movie at IMDb, TMDB and MovieLens."""
        return self.imdb[row], self.tmdb[row], self.movielens[row]


NO_LINKS = ("", 0, 0)
"""The ids of a movie for which none is known."""


def links_of(dataset: Dataset) -> Links:
    """Return the ids of all movies of a dataset at IMDb, TMDB and MovieLens."""
    ids = _links_by_movie(dataset.name)
    if ids is None:
        ids = next((links for other in _others(dataset.name) if (links := _links_of_same_movies(dataset, other))), {})
    movies, facts = dataset.movies, dataset.movies.imdb
    imdb, tmdb = [], []
    for row, movie in enumerate(movies.ids):
        known = [ids[entry] for entry in (movie, *movies.merged.get(movie, ())) if entry in ids]
        by_join = facts.ids[row] if facts and facts.ids else ""
        imdb.append(next((id_ for id_, _ in known if id_), by_join))
        tmdb.append(next((id_ for _, id_ in known if id_), 0))
    has_shared_ids = dataset.name in sources.SOURCES and dataset.name not in DATASETS_WITH_OWN_IDS
    rated = len(movies) - movies.unrated  # the others have ids of IMDb
    movielens = [int(movie) if has_shared_ids else 0 for movie in movies.ids[:rated]] + [0] * movies.unrated
    return Links(tuple(imdb), tuple(tmdb), tuple(movielens))


def _others(name: str) -> Iterator[str]:
    """Yield the other datasets on disk, the one with the most movies first."""
    sizes = {}
    for other in cache.names():
        with contextlib.suppress(FileNotFoundError, parquet.Damaged):
            sizes[other] = int(cache.describe(other)["movies"])
    yield from (other for other in sorted(sizes, key=sizes.__getitem__, reverse=True) if other != name)


def _links_by_movie(name: str) -> Mapping[str, tuple[str, int]] | None:
    """Return the ids at IMDb and TMDB by movie id, or None if the dataset on disk has no links or is damaged."""
    with contextlib.suppress(FileNotFoundError, parquet.Damaged):
        links = cache.published(name, cache.describe(name)["raw"], "links").get("links")
        if links is not None:
            return {
                str(movie): (f"tt{imdb:07}" if imdb != MISSING else "", max(0, tmdb))
                for movie, imdb, tmdb in zip(
                    links["movie_id"].tolist(), links["imdb_id"].tolist(), links["tmdb_id"].tolist(), strict=True
                )
            }
    return None


def _links_of_same_movies(dataset: Dataset, other: str) -> Mapping[str, tuple[str, int]]:
    """Return another dataset's links for the movies that have the same id, name and year in both datasets."""
    links = _links_by_movie(other)
    if links is None:
        return {}
    movies = dataset.movies
    with contextlib.suppress(FileNotFoundError, parquet.Damaged):
        labels = cache.published(other, cache.describe(other)["raw"], "movies")["movies"]
        return {
            movie: links[movie]
            for movie, label in zip(map(str, labels["movie_id"].tolist()), labels["title"], strict=True)
            if movie in movies.row
            and movie in links
            and movies.keys[movies.row[movie]] == movie_key(*parse_label(label))
        }
    return {}
