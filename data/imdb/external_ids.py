"""Which films of other places the movies of a dataset are: the ids of IMDb and TMDB.

They come from the dataset's own ``links.csv``, from its join with IMDb, and, where it has none, from the largest
dataset here that has them: ids of movies are the same in all releases from 1M on, and a movie counts as the same where
id, name and year agree.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from data import cache, sealed, sources
from data.dataset import Dataset
from data.movielens import MISSING
from data.titles import film_key, parse_label

IDS_APART = frozenset({"ml-100k", "demo"})
"""Datasets whose ids of movies are not those of the other releases."""


@dataclass(frozen=True)
class Links:
    """By row of the movies; empty or 0 where unknown."""

    imdb: tuple[str, ...]
    """``tt0114709``."""
    tmdb: tuple[int, ...]
    movielens: tuple[int, ...]
    """The id that all releases from 1M on have in common."""


def links_of(dataset: Dataset) -> Links:
    """Return the ids of a dataset's movies."""
    own = _links(dataset.name)
    if own is None:
        own = next((links for other in _others(dataset.name) if (links := _agreeing(dataset, other))), {})
    movies, joined = dataset.movies, dataset.movies.imdb
    imdb, tmdb = [], []
    for row, movie in enumerate(movies.ids):
        found = [own[entry] for entry in (movie, *movies.merged.get(movie, ())) if entry in own]
        by_join = joined.ids[row] if joined and joined.ids else ""
        imdb.append(next((one for one, _ in found if one), by_join))
        tmdb.append(next((one for _, one in found if one), 0))
    common = dataset.name in sources.SOURCES and dataset.name not in IDS_APART
    return Links(tuple(imdb), tuple(tmdb), tuple(int(movie) if common else 0 for movie in movies.ids))


def _others(name: str) -> Iterator[str]:
    """The other datasets here, the one with the most movies first."""
    sizes = {}
    for other in cache.names():
        with contextlib.suppress(FileNotFoundError, sealed.Damaged):
            sizes[other] = int(cache.describe(other)["movies"])
    yield from (other for other in sorted(sizes, key=sizes.__getitem__, reverse=True) if other != name)


def _links(name: str) -> Mapping[str, tuple[str, int]] | None:
    """The ids by movie, None where the dataset has no links."""
    with contextlib.suppress(FileNotFoundError, sealed.Damaged):
        links = cache.published(name, cache.describe(name)["raw"], "links").get("links")
        if links is not None:
            return {
                str(movie): (f"tt{imdb:07}" if imdb != MISSING else "", max(0, tmdb))
                for movie, imdb, tmdb in zip(
                    links["movie_id"].tolist(), links["imdb_id"].tolist(), links["tmdb_id"].tolist(), strict=True
                )
            }
    return None


def _agreeing(dataset: Dataset, other: str) -> Mapping[str, tuple[str, int]]:
    """The links of another dataset for movies that have the same id and are the same film there."""
    links = _links(other)
    if links is None:
        return {}
    movies = dataset.movies
    with contextlib.suppress(FileNotFoundError, sealed.Damaged):
        labels = cache.published(other, cache.describe(other)["raw"], "movies")["movies"]
        return {
            movie: links[movie]
            for movie, label in zip(map(str, labels["movie_id"].tolist()), labels["title"], strict=True)
            if movie in movies.row
            and movie in links
            and movies.keys[movies.row[movie]] == film_key(*parse_label(label))
        }
    return {}
