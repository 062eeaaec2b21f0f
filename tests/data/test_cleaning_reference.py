"""The rules against the plain way: each of them row by row in Python."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data import cleaning, tables
from data.cleaning import Cleaner, parse
from data.dataset import Scale
from data.encoding import encode
from data.movielens import MISSING, Raw
from data.rules import RULES
from data.titles import parse_label
from tests.data.cleaned import rated, ratings_of, read
from tests.data.files import movie_line


def dirty(seed: int, *, in_order: bool, far: int = 0) -> Raw:
    """A random dataset with every dirt; ``far`` spreads the ids."""
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


def plain_way(raw: Raw, on: dict[str, int]) -> list[Rating]:
    """Clean row by row."""
    rows: list[Rating] = [tuple(row) for row in raw.ratings.itertuples(index=False, name=None)]
    movies = {row.movie_id: (parse_label(row.title), row.genres) for row in raw.movies.itertuples()}
    users = set(raw.users["user_id"])
    rows = [row for row in rows if MISSING not in (row[0], row[1], row[3]) and row[2] == row[2]]
    if "outside-scale" in on:
        rows = [row for row in rows if row[2] in (1, 2, 3, 4, 5)]

    def newest(rows: list[Rating], among: set[int] | None = None) -> list[Rating]:
        last: dict[tuple[int, int], tuple[int, int]] = {}
        for place, row in enumerate(rows):
            last[row[:2]] = max(last.get(row[:2], (-1, -1)), (row[3], place))
        return [
            row
            for place, row in enumerate(rows)
            if last[row[:2]][1] == place or (among is not None and row[1] not in among)
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
            same = sorted((film for film in movies if movies[film][0] == label), key=lambda m: (-counts[m], m))
            into.update(dict.fromkeys(same, same[0]))
            joined |= {same[0]} if len(same) > 1 else set()
            genres = {genre for film in same for genre in movies[film][1].split("|") if genre}
            movies.update({film: (label, "|".join(genres)) for film in same})
        rows = newest([(row[0], into.get(row[1], row[1]), *row[2:]) for row in rows], joined)
        movies = {film: facts for film, facts in movies.items() if into[film] == film}
    gone: set[int] = set()
    if "newest-of-title" in on:
        for film, ((title, year), genres) in movies.items():
            gone |= {
                film
                for (other, later), others in movies.values()
                if other == title and set(others.split("|")) == set(genres.split("|")) and later > year
            }
    if "no-genre" in on:
        gone |= {film for film, (_, genres) in movies.items() if not genres}
        gone |= {row[1] for row in rows if row[1] not in movies}  # nothing is known of them
    if "old-movies" in on:
        gone |= {film for film, ((_, year), _) in movies.items() if year < on["old-movies"]}
    rows = [row for row in rows if row[1] not in gone]
    for rule, place in (("few-ratings-movies", 1), ("few-ratings-users", 0)):
        if rule in on:
            counts = Counter(row[place] for row in rows)
            rows = [row for row in rows if counts[row[place]] >= on[rule]]
    return rows


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("in_order", "far"), [(False, 0), (True, 0), (False, 10**12)])
def test_the_rules_against_the_plain_way(seed: int, in_order: bool, far: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PIECE", 64 if far == 0 else 16)
    raw = dirty(seed, in_order=in_order, far=far)
    random = np.random.RandomState(seed)
    cleaner = Cleaner("dirty", raw)
    for _ in range(12):
        changes = [f"{random.choice(['+', '-'])}{rule.id}" for rule in RULES[2:12] if rule.id != "no-year"]
        chosen = parse(" ".join(["none", *changes, "+few-ratings-movies:3", "+few-ratings-users:5"]))
        cleaned, report = cleaner.clean(chosen)  # from what the cleaner remembers of the rules before
        dataset = encode("dirty", cleaned, str(chosen))
        expected = plain_way(raw, dict(chosen.numbers))
        times = dataset.ratings.time.tolist()
        found = [(int(u), int(m), s, t) for (u, m, s), t in zip(ratings_of(dataset), times, strict=True)]
        assert found == expected
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
