"""Measure how fast search, filters, completion and daring lists are, with as many invented movies as ML-32M has.

    python -m tests.benchmarks.discover [--movies 87585]

Titles consist of invented words. As in real titles, a few words are in very many titles and most words are in few.
Prints one JSON document: for each kind of call, the median, the 95th percentile and the worst time in milliseconds; and
the time to build the search index of the dataset.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import click
import numpy as np

from movietui.data.dataset import Dataset, ImdbFacts, Movies, Ratings, Scale, Users
from movietui.data.query.filters import complete, parse
from movietui.data.query.search import Search
from movietui.data.titles import movie_key
from movietui.models.serving.diversify import diversify
from movietui.models.serving.similar import Similarities

Argument = TypeVar("Argument")
GENRES = ("Action", "Comedy", "Crime", "Drama", "Horror", "Romance", "Sci-Fi", "Thriller", "War", "Western")


def invented(movies: int, seed: int = 0) -> Dataset:
    """Return a dataset of invented movies, directors and rating counts, as if it were joined with IMDb."""
    random = np.random.default_rng(seed)
    letters = np.asarray(list("etaoinshrdlucmfwypvbgkjqxz"))
    common = 1 / (np.arange(26) + 3.0)
    lengths = random.integers(3, 11, movies // 2).tolist()
    words = ["".join(random.choice(letters, length, p=common / common.sum())) for length in lengths]
    fame = 1 / (np.arange(len(words)) + 5.0)
    titles = [
        " ".join(words[position] for position in indices[:length]).title()
        for indices, length in zip(
            random.choice(len(words), (movies, 6), p=fame / fame.sum()).tolist(),
            random.integers(1, 7, movies).tolist(),
            strict=True,
        )
    ]
    years = random.integers(1920, 2024, movies).astype(np.int32)
    people = [
        f"{words[first]} {words[-last]}".title()
        for first, last in random.integers(1, len(words), (movies // 3, 2)).tolist()
    ]
    directors = tuple((people[position],) for position in random.integers(0, len(people), movies).tolist())
    counts = np.minimum(random.zipf(1.6, movies), 200)
    movie = np.repeat(np.arange(movies, dtype=np.int32), counts)
    user = (np.arange(len(movie)) % 5000).astype(np.int32)
    stars = random.integers(1, 6, len(movie)).astype(np.float32)
    return Dataset(
        "invented",
        Ratings(user, movie, stars, np.zeros(len(movie), np.int64)),
        Users(tuple(str(row + 1) for row in range(5000))),
        Movies(
            tuple(str(row) for row in range(movies)),
            tuple(titles),
            years,
            random.random((movies, len(GENRES))) < 0.2,
            GENRES,
            tuple(movie_key(title, year) for title, year in zip(titles, years.tolist(), strict=True)),
            imdb=ImdbFacts(
                np.full(movies, 7, np.float32),
                np.full(movies, 100, np.int32),
                random.integers(60, 200, movies).astype(np.int32),
                directors,
                ((),) * movies,
            ),
        ),
        Scale(),
        "0",
    )


def typed(dataset: Dataset, seed: int = 1) -> list[str]:
    """Return texts as people type them: titles letter by letter, some with two letters swapped or a letter too many."""
    random = np.random.default_rng(seed)
    texts = []
    for row in random.integers(0, len(dataset.movies), 12).tolist():
        title = dataset.movies.titles[row]
        position = int(random.integers(0, max(1, len(title) - 1)))
        swapped = title[:position] + title[position : position + 2][::-1] + title[position + 2 :]
        for text in (title, swapped, f"{title[:position]}x{title[position:]}"):
            texts += [text[:end] for end in range(1, len(text) + 1)]
    return texts


def measured(call: Callable[[Argument], object], arguments: Sequence[Argument]) -> dict[str, float]:
    """Time a call with each argument; return the median, the 95th percentile and the longest time in milliseconds."""
    waits = []
    for argument in arguments:
        began = time.perf_counter()
        call(argument)
        waits.append((time.perf_counter() - began) * 1000)
    return {
        "median": round(statistics.median(waits), 2),
        "p95": round(statistics.quantiles(waits, n=20)[-1], 2),
        "max": round(max(waits), 2),
        "tried": len(waits),
    }


@click.command()
@click.option("--movies", default=87_585, show_default=True, help="The number of movies.")
def main(movies: int) -> None:
    """Measure how fast search, filters, completion and daring lists are."""
    dataset = invented(movies)
    search = Search(dataset)
    texts = typed(dataset)
    began = time.perf_counter()
    search.find("a", 10)
    build_time = (time.perf_counter() - began) * 1000
    names = list(dataset.movies.imdb.directed) if dataset.movies.imdb else []
    random = np.random.default_rng(2)
    score = random.normal(size=movies).astype(np.float32)
    best_first = np.argsort(-score)
    vectors = random.normal(size=(movies, 32)).astype(np.float32)
    similarities = Similarities(dataset)
    similarities.of(0)
    filters = [f'+comedy -hor 1980..1999 >=2 <=110m @"{name}"' for name in names[:40]]
    print(
        json.dumps(
            {
                "movies": movies,
                "made once ms": round(build_time),
                "search titles ms": measured(lambda text: search.movies(text, 20), texts),
                "search people ms": measured(lambda text: search.directors(text, 20), texts),
                "search all ms": measured(lambda text: search.find(text, 20), texts),
                "dare ms": measured(
                    lambda daring: diversify(best_first, score, dataset.counts, dataset, daring, vectors),
                    np.linspace(0.05, 1, 40).tolist(),
                ),
                "similar ms": measured(lambda row: similarities.nearest(row, 20), list(range(40))),
                "filter ms": measured(lambda text: parse(text, dataset).passes(dataset), filters),
                "complete ms": measured(lambda text: complete(text, dataset), ["+", "+c", "19", "<=1"] * 5),
                "complete a director ms": measured(lambda text: complete("@" + text[:4], dataset), names[:40]),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
