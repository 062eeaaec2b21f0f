"""Writes small invented datasets, in every layout that MovieLens uses."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from movietui.data.movielens.release import GENRES_100K

USERS = 12
MOVIES = 30
LAYOUTS = ("ml-100k", "ml-1m", "ml-10m", "ml-latest-small")
"""One release for each layout; 20M, 25M and 32M have the layout of latest-small."""
HEADERS = {
    "ratings.csv": "userId,movieId,rating,timestamp",
    "movies.csv": "movieId,title,genres",
    "links.csv": "movieId,imdbId,tmdbId",
    "tags.csv": "userId,movieId,tag,timestamp",
    "genome-tags.csv": "tagId,tag",
    "genome-scores.csv": "movieId,tagId,relevance",
}


def movie_line(movie: int, title: str, released: str = "01-Jan-1995", genres: tuple[str, ...] = ("Drama",)) -> str:
    flags = "|".join("1" if genre in genres else "0" for genre in GENRES_100K)
    return f"{movie}|{title}|{released}||http://example.org/{movie}|{flags}"


def rated(halves: bool = False) -> list[tuple[int, int, float, int]]:
    """Return ratings as user, movie, stars and time; every user rates 20 of the 30 movies."""
    random = np.random.RandomState(1)
    ratings = []
    for user in range(1, USERS + 1):
        for movie in random.permutation(MOVIES)[:20] + 1:
            stars, time = random.randint(1, 6), 880_000_000 + random.randint(10**6)
            ratings.append((user, int(movie), stars - (user + movie) % 2 / 2 if halves else stars, time))
    random.shuffle(ratings)
    return ratings


def lines(layout: str = "ml-100k") -> dict[str, list[str]]:
    """Return the lines of each file in a layout, without headers."""
    numbers = range(1, MOVIES + 1)
    if layout == "ml-100k":
        return {
            "u.data": [f"{user}\t{movie}\t{stars}\t{time}" for user, movie, stars, time in rated()],
            "u.item": [movie_line(movie, f"Film Number {movie} (1995)") for movie in numbers],
            "u.user": [f"{user}|{20 + user}|{'FM'[user % 2]}|writer|0000{user % 10}" for user in range(1, USERS + 1)],
        }
    if layout == "ml-1m":
        return {
            "ratings.dat": [f"{user}::{movie}::{stars}::{time}" for user, movie, stars, time in rated()],
            "movies.dat": [f"{movie}::Film: Number {movie} (1995)::Children's|Drama" for movie in numbers],
            "users.dat": [f"{user}::{'FM'[user % 2]}::25::20::0000{user % 10}" for user in range(1, USERS + 1)],
        }
    if layout == "ml-10m":
        return {
            "ratings.dat": [f"{user}::{movie}::{stars:g}::{time}" for user, movie, stars, time in rated(halves=True)],
            "movies.dat": [f"{movie}::Filmé: Number {movie} (1995)::Drama|IMAX" for movie in numbers],
        }
    return {
        "ratings.csv": [f"{user},{movie},{stars:.1f},{time}" for user, movie, stars, time in rated(halves=True)],
        "movies.csv": [f'{movie},"Filmé, Number {movie} (1995)",Children|Drama' for movie in numbers],
        "links.csv": [f"{movie},{114_000 + movie:07d},{movie if movie % 10 else ''}" for movie in numbers],
    }


def tags(layout: str) -> dict[str, list[str]]:
    """Return the lines of each file with tags in a layout; nothing if the releases in this layout have no tags."""
    given = [
        (user, movie, ("twist ending", "Sci-Fi")[(user + movie) % 2]) for user in range(1, 5) for movie in range(9)
    ]
    if layout == "ml-10m":
        return {"tags.dat": [f"{user}::{movie}::{tag}::900000000" for user, movie, tag in given]}
    if layout != "ml-latest-small":
        return {}
    return {
        "tags.csv": [f"{user},{movie},{tag},900000000" for user, movie, tag in given],
        "genome-tags.csv": ["1,heist", "2,twist ending"],
        "genome-scores.csv": [f"{movie},{tag},0.{movie}{tag}" for movie in range(1, 9) for tag in (1, 2)],
    }


def contents(changed: Mapping[str, list[str]] | None = None, layout: str = "ml-100k") -> dict[str, bytes]:
    encoding = "latin-1" if layout in ("ml-100k", "ml-1m") else "utf-8"
    end = "\r\n" if layout == "ml-latest-small" else "\n"
    whole = {**lines(layout), **(changed or {})}
    texts = {
        name: [HEADERS[name], *content_lines] if name in HEADERS else content_lines
        for name, content_lines in whole.items()
    }
    return {
        name: "".join(line + end for line in content_lines).encode(encoding) for name, content_lines in texts.items()
    }


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
