"""Writes small datasets in the format of MovieLens 100K, made up for the tests."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from data.movielens import GENRES

USERS = 12
MOVIES = 30


def movie_line(movie: int, title: str, released: str = "01-Jan-1995", genres: tuple[str, ...] = ("Drama",)) -> str:
    flags = "|".join("1" if genre in genres else "0" for genre in GENRES)
    return f"{movie}|{title}|{released}||http://example.org/{movie}|{flags}"


def lines() -> dict[str, list[str]]:
    """The lines of the three files: every user rates 20 of 30 movies."""
    random = np.random.RandomState(1)
    ratings = []
    for user in range(1, USERS + 1):
        for movie in random.permutation(MOVIES)[:20] + 1:
            ratings.append(f"{user}\t{movie}\t{random.randint(1, 6)}\t{880_000_000 + random.randint(10**6)}")
    random.shuffle(ratings)
    movies = [movie_line(movie, f"Film Number {movie} (1995)") for movie in range(1, MOVIES + 1)]
    users = [f"{user}|{20 + user}|{'FM'[user % 2]}|writer|0000{user % 10}" for user in range(1, USERS + 1)]
    return {"u.data": ratings, "u.item": movies, "u.user": users}


def contents(changed: Mapping[str, list[str]] | None = None) -> dict[str, bytes]:
    whole = {**lines(), **(changed or {})}
    return {name: ("\n".join(found) + "\n").encode("latin-1") for name, found in whole.items()}


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def write_zip(path: Path, files: Mapping[str, bytes], inside: str = "ml-100k/") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(inside + name, content)
    return path
