"""Write an invented dataset of any size with the shape of ML-32M, in files of ratings, movies and links.

    python -m tests.benchmarks.generate FOLDER [--rows 32m] [--seed 0]

ML-32M has 32,000,204 ratings by 200,948 users on 87,585 movies. Users and movies have a long tail: half of the users
gave fewer than 75 ratings and a few gave thousands; half of the movies have fewer than 6 ratings and a few have a
hundred thousand. In a smaller dataset, the number of users is proportional to the number of ratings, and the number of
movies to its square root, so that there are still enough movies for each user.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.csv import CSVWriter, WriteOptions

RATINGS, USERS, MOVIES = 32_000_204, 200_948, 87_585
FEWEST = 20
FIRST, LAST = 789_652_009, 1_697_164_147
"""Ratings are given between these times, in seconds since 1970."""
SITTING, SITTING_SECONDS = 8, 300
"""A user gives about this many ratings within five minutes: in ml-latest-small 6.4, in ml-1m 10.3."""
AT_ONCE = 2**20
"""Approximate number of ratings generated and written at once."""
GENRES = (
    "Action|Adventure|Animation|Children|Comedy|Crime|Documentary|Drama|Fantasy|Film-Noir|Horror|IMAX|Musical|Mystery|"
    "Romance|Sci-Fi|Thriller|War|Western"
)
WORDS = ("Red", "Quiet", "Last", "Broken", "Golden", "Silent", "Lost", "Burning", "Paper", "Winter", "Hidden", "Iron")
THINGS = ("River", "House", "Stranger", "Garden", "Letter", "Harbour", "Road", "Island", "Mirror", "Storm", "Bridge")
ARTICLES = ("", "", "", ", The", ", A", ", Le")
STARS = [f"{half / 2:.1f}" for half in range(1, 11)]
SHARES = np.array([1.6, 3.1, 1.6, 6.6, 5.0, 19.6, 12.8, 26.4, 8.8, 14.5]) / 100


def rows_of(text: str) -> int:
    """Return the number that ``100k`` or ``1m`` means; ``32m`` means exactly as many ratings as ML-32M has."""
    factor = {"k": 10**3, "m": 10**6}.get(text[-1].lower(), 1)
    rows = int(text.rstrip("kKmM")) * factor
    return RATINGS if rows == 32_000_000 else rows


def generate(folder: Path, rows: int, seed: int = 0, movies: int | None = None) -> None:
    """Write ratings.csv, movies.csv and links.csv. The same arguments give the same files.

    ``movies``: the number of movies, by default derived from the rows. If it is large, many movies have no rating.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    users = max(1, round(USERS * rows / RATINGS))
    if movies is None:
        movies = min(MOVIES, max(2 * FEWEST, round(MOVIES * (rows / RATINGS) ** 0.5)))
    ids = np.sort(random.choice(np.arange(1, 4 * movies), movies, replace=False)).astype(np.int32)
    _write_movies(folder, ids, random)
    names = ["userId", "movieId", "rating", "timestamp"]
    types = [pa.int32(), pa.int32(), pa.string(), pa.int64()]
    schema = pa.schema(list(zip(names, types, strict=True)))
    options = WriteOptions(quoting_style="none", quoting_header="none")
    with CSVWriter(str(folder / "ratings.csv"), schema, write_options=options) as file:
        for user, movie, stars, time in _ratings(rows, users, movies, random):
            columns = [user + 1, ids[movie], pa.array(STARS).take(pa.array(stars)), time]
            file.write_table(pa.table(dict(zip(names, columns, strict=True)), schema=schema))


def _counts(rows: int, users: int, movies: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return how many movies each user rated, exactly ``rows`` in total."""
    activity = random.lognormal(0, 1.35, users)
    most = movies // 2
    if rows > users * most:
        raise ValueError(f"{users} users who each rate at most half of {movies} movies have no {rows} ratings")
    counts = np.minimum(most, FEWEST + (activity / activity.sum() * (rows - FEWEST * users)).astype(np.int64))
    while (missing := rows - int(counts.sum())) > 0:
        free = np.flatnonzero(counts < most)
        counts[random.choice(free, min(missing, len(free)), replace=False)] += 1
    return counts


def _ratings(rows: int, users: int, movies: int, random: np.random.Generator) -> Iterator[tuple[NDArray, ...]]:
    """Yield users, movies, indices of stars and times, ordered by user and movie like the release.

    No user rates a movie twice.
    """
    counts = _counts(rows, users, movies, random)
    fame = 1 / (np.arange(movies) + 8.0) ** 1.45
    reach = np.cumsum(random.permutation(fame / fame.sum()))
    ends = np.cumsum(counts)
    cuts = np.unique(np.searchsorted(ends, np.arange(AT_ONCE, rows, AT_ONCE)))
    for part in np.split(np.arange(users), cuts):
        many = counts[part]
        position = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        total = np.repeat(many, many)
        # Movies are divided into n parts of equal fame, and a user with n ratings draws one movie from each part. A
        # duplicate moves on to the next free movie.
        drawn = np.searchsorted(reach, (position + random.random(len(position))) / total)
        offset = np.repeat(np.arange(len(part)), many) * 4 * movies
        movie = np.maximum.accumulate(drawn - position + offset) - offset + position
        movie = np.minimum(movie, movies - total + position)
        began = random.integers(FIRST, LAST - 10**7, len(part)) // SITTING_SECONDS * SITTING_SECONDS
        time = np.repeat(began, many) + _sittings(many, random)
        stars = np.searchsorted(np.cumsum(SHARES), random.random(len(position)) * SHARES.sum() * (1 - 1e-12))
        yield np.repeat(part, many).astype(np.int32), movie.astype(np.int32), stars.astype(np.int32), time


def _sittings(counts: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
    """Return when each rating was given, in seconds after its user's start; ``counts``: the ratings of each user."""
    sittings = -(-counts // SITTING)
    moments = random.integers(0, 10**7 // SITTING_SECONDS, sittings.sum()) * SITTING_SECONDS
    first = np.repeat(np.cumsum(sittings) - sittings, counts)
    chosen = first + (random.random(len(first)) * np.repeat(sittings, counts)).astype(np.int64)
    return moments[chosen] + random.integers(0, SITTING_SECONDS, len(first))


def _write_movies(folder: Path, ids: NDArray[np.int32], random: np.random.Generator) -> None:
    draws = random.integers(0, [len(WORDS), len(THINGS), len(ARTICLES), 105], (len(ids), 4)).tolist()
    titles = [
        f"{WORDS[word]} {THINGS[thing]} {row}{ARTICLES[article]} ({1919 + year})"
        for row, (word, thing, article, year) in enumerate(draws)
    ]
    names = GENRES.split("|")
    some = random.integers(0, len(names), (len(ids), 3)).tolist()
    many = random.choice(4, len(ids), p=[0.08, 0.45, 0.3, 0.17]).tolist()
    genres = [
        "|".join(sorted({names[position] for position in indices[:count]})) or "(no genres listed)"
        for indices, count in zip(some, many, strict=True)
    ]
    imdb = [f"{number:07d}" for number in random.permutation(10 * len(ids))[: len(ids)].tolist()]
    tmdb = ["" if gap < 0.001 else str(row + 2) for row, gap in enumerate(random.random(len(ids)).tolist())]
    _write(folder / "movies.csv", "movieId,title,genres", ids.tolist(), titles, genres)
    _write(folder / "links.csv", "movieId,imdbId,tmdbId", ids.tolist(), imdb, tmdb)


def _write(path: Path, head: str, *columns: Sequence[object]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head.split(","))
        writer.writerows(zip(*columns, strict=True))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--rows", default="32m", show_default=True, help="The number of ratings: 100k, 1m, 32m or any other.")
@click.option("--seed", default=0, show_default=True)
def main(folder: Path, rows: str, seed: int) -> None:
    """Write a dataset into FOLDER."""
    generate(folder, rows_of(rows), seed)


if __name__ == "__main__":
    main()
