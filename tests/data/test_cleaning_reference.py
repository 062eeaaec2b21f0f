"""Compares the rules with a naive reference implementation, which cleans row by row in Python."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movietui.data.cleaning import cleaner as cleaning
from movietui.data.cleaning import working_tables
from movietui.data.cleaning.cleaner import Cleaner, parse
from movietui.data.cleaning.encoding import encode
from movietui.data.dataset import Scale
from movietui.data.movielens.release import MISSING, Raw
from movietui.data.titles import parse_label
from tests.data.cleaned import rated, ratings_of, read
from tests.data.files import movie_line

RULES = (
    "outside-scale",
    "duplicate-ratings",
    "unknown-ids",
    "same-title-twice",
    "newest-of-title",
    "no-genre",
    "old-movies",
    "few-ratings-movies",
    "few-ratings-users",
)
"""The rules that ``clean_naively`` implements and that can be turned off."""


def dirty(seed: int, *, in_order: bool, far: int = 0) -> Raw:
    """Return random raw tables with many faults.

    With ``in_order``, there are no duplicate ratings, and the ratings are sorted by user and movie. ``far`` spreads the
    ids over a wide range.
    """
    random = np.random.RandomState(seed)
    size = 400
    columns = pd.DataFrame(
        {
            "user_id": random.randint(1, 20, size) * (1 + far),
            "movie_id": random.randint(1, 30, size) * (1 + far),
            "stars": random.choice([0.0, 1.0, 2.5, 3.0, 4.0, 5.0, 6.0, np.nan], size, p=[0.05, *[0.15] * 6, 0.05]),
            "time": random.randint(1, 6, size),
        }
    ).astype({"user_id": "int64", "movie_id": "int64", "time": "int64"})
    for name in ("user_id", "movie_id", "time"):
        columns.loc[random.rand(size) < 0.01, name] = MISSING
    if in_order:
        columns = columns.drop_duplicates(["user_id", "movie_id"]).sort_values(["user_id", "movie_id"])
    movies = pd.DataFrame(
        {
            "movie_id": (np.arange(1, 28) * (1 + far))[random.permutation(27)],
            "title": [f"Film {random.randint(15)} ({random.choice([1920, 1990])})" for _ in range(27)],
            "release_date": "",
            "genres": random.choice(["", "Drama", "Comedy|Drama", "Drama|Comedy"], 27),
        }
    )
    users = pd.DataFrame({"user_id": (np.arange(1, 18) * (1 + far))[random.permutation(17)]})
    return Raw(columns.reset_index(drop=True), movies, users, ("Comedy", "Drama"), Scale())


Rating = tuple[int, int, float, int]


def clean_naively(raw: Raw, on: dict[str, int]) -> list[Rating]:
    """Return the ratings that remain if the rules in ``on``, with their numbers, are applied row by row."""
    rows: list[Rating] = [tuple(row) for row in raw.ratings.itertuples(index=False, name=None)]
    movies = {row.movie_id: (parse_label(row.title), row.genres) for row in raw.movies.itertuples()}
    users = set(raw.users["user_id"])
    rows = [row for row in rows if MISSING not in (row[0], row[1], row[3]) and row[2] == row[2]]
    if "outside-scale" in on:
        rows = [row for row in rows if row[2] in (1, 2, 3, 4, 5)]

    def newest(rows: list[Rating], among: set[int] | None = None) -> list[Rating]:
        last: dict[tuple[int, int], tuple[int, int]] = {}
        for index, row in enumerate(rows):
            last[row[:2]] = max(last.get(row[:2], (-1, -1)), (row[3], index))
        return [
            row
            for index, row in enumerate(rows)
            if last[row[:2]][1] == index or (among is not None and row[1] not in among)
        ]

    if "duplicate-ratings" in on:
        rows = newest(rows)
    if "unknown-ids" in on:
        rows = [row for row in rows if row[0] in users and row[1] in movies]
    counts = Counter(row[1] for row in rows)
    if "same-title-twice" in on:
        into: dict[int, int] = {}
        joined = set()
        for label in {label for label, _ in movies.values()}:
            same = sorted((movie for movie in movies if movies[movie][0] == label), key=lambda m: (-counts[m], m))
            into.update(dict.fromkeys(same, same[0]))
            joined |= {same[0]} if len(same) > 1 else set()
            genres = {genre for movie in same for genre in movies[movie][1].split("|") if genre}
            movies.update({movie: (label, "|".join(genres)) for movie in same})
        rows = newest([(row[0], into.get(row[1], row[1]), *row[2:]) for row in rows], joined)
        movies = {movie: facts for movie, facts in movies.items() if into[movie] == movie}
    removed: set[int] = set()
    if "newest-of-title" in on:
        for movie, ((title, year), genres) in movies.items():
            removed |= {
                movie
                for (other, later), others in movies.values()
                if other == title and set(others.split("|")) == set(genres.split("|")) and later > year
            }
    if "no-genre" in on:
        removed |= {movie for movie, (_, genres) in movies.items() if not genres}
        removed |= {row[1] for row in rows if row[1] not in movies}  # unknown movies have no genre
    if "old-movies" in on:
        removed |= {movie for movie, ((_, year), _) in movies.items() if year < on["old-movies"]}
    rows = [row for row in rows if row[1] not in removed]
    for rule, column in (("few-ratings-movies", 1), ("few-ratings-users", 0)):
        if rule in on:
            counts = Counter(row[column] for row in rows)
            rows = [row for row in rows if counts[row[column]] >= on[rule]]
    return rows


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("in_order", "far"), [(False, 0), (True, 0), (False, 10**12)])
def test_the_rules_agree_with_the_naive_implementation(
    seed: int, in_order: bool, far: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working_tables, "PIECE", 64 if far == 0 else 16)
    raw = dirty(seed, in_order=in_order, far=far)
    random = np.random.RandomState(seed)
    cleaner = Cleaner("dirty", raw)
    for _ in range(12):
        changes = [f"{random.choice(['+', '-'])}{rule}" for rule in RULES]
        chosen = parse(" ".join(["none", *changes, "+few-ratings-movies:3", "+few-ratings-users:5"]))
        cleaned, report = cleaner.clean(chosen)  # repeats only the steps from the first change on
        dataset = encode("dirty", cleaned, str(chosen))
        expected = clean_naively(raw, dict(chosen.numbers))
        times = dataset.ratings.time.tolist()
        ratings = [(int(u), int(m), s, t) for (u, m, s), t in zip(ratings_of(dataset), times, strict=True)]
        assert ratings == expected
        assert report.ratings == len(expected)
        assert (report.users, report.movies) == (len(dataset.users), len(dataset.movies))
        assert report == cleaning.Cleaner("dirty", raw).clean(chosen)[1]


@pytest.mark.parametrize(
    "kinds", [("int32", "float32", "int32"), ("uint16", "float64", "int64"), ("int64", "int8", "int64")]
)
def test_columns_of_any_width(tmp_path: Path, kinds: tuple[str, str, str]) -> None:
    raw = read(tmp_path, u_item=[movie_line(31, "Film Number 1 (1995)")], u_data=[rated(1, 31), rated(2, 31)])
    ids, stars, time = kinds
    narrow = raw.ratings.astype({"user_id": ids, "movie_id": ids, "stars": stars, "time": time})
    one, two = (
        encode("small", cleaning.clean("small", replace(raw, ratings=columns), parse("standard"))[0], "standard")
        for columns in (raw.ratings, narrow)
    )
    assert one.fingerprint == two.fingerprint
