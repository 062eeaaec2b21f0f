"""Writes invented tables in IMDb's format."""

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path

BASICS = [
    "tconst",
    "titleType",
    "primaryTitle",
    "originalTitle",
    "isAdult",
    "startYear",
    "endYear",
    "runtimeMinutes",
    "genres",
]
RATINGS = ["tconst", "averageRating", "numVotes"]
CREW = ["tconst", "directors", "writers"]
PRINCIPALS = ["tconst", "ordering", "nconst", "category", "job", "characters"]
AKAS = ["titleId", "ordering", "title", "region", "language", "types", "attributes", "isOriginalTitle"]
NAMES = ["nconst", "primaryName", "birthYear", "deathYear", "primaryProfession", "knownForTitles"]


def basics(
    number: int,
    name: str,
    year: object = 1995,
    kind: str = "movie",
    original: str = "",
    genres: str = "Drama",
    minutes: object = 100,
    adult: int = 0,
) -> list[str]:
    return [f"tt{number:07}", kind, name, original or name, str(adult), str(year), "\\N", str(minutes), genres]


def rating(number: int, votes: int, mean: float = 7.5) -> list[str]:
    return [f"tt{number:07}", str(mean), str(votes)]


def crew(number: int, *people: int) -> list[str]:
    return [f"tt{number:07}", ",".join(f"nm{person:07}" for person in people) or "\\N", "\\N"]


def person(number: int, name: str) -> list[str]:
    return [f"nm{number:07}", name, "\\N", "\\N", "director", "\\N"]


def principal(number: int, rank: object, person: int, category: str = "actor") -> list[str]:
    return [f"tt{number:07}", str(rank), f"nm{person:07}", category, "\\N", "\\N"]


def aka(number: int, title: str, region: str = "", language: str = "", *, original: bool = False) -> list[str]:
    kind = "original" if original else "imdbDisplay"
    return [f"tt{number:07}", "1", title, region or "\\N", language or "\\N", kind, "\\N", "01"[original]]


def lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    return "".join("\t".join(row) + "\n" for row in (header, *rows)).encode()


def write_table(folder: Path, name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.tsv.gz"
    path.write_bytes(gzip.compress(lines(header, rows), 1, mtime=0))
    return path


def write_tables(
    folder: Path,
    titles: Iterable[Sequence[str]],
    ratings: Iterable[Sequence[str]] = (),
    crews: Iterable[Sequence[str]] = (),
    people: Iterable[Sequence[str]] = (),
    principals: Iterable[Sequence[str]] = (),
    akas: Iterable[Sequence[str]] = (),
) -> Path:
    write_table(folder, "title.basics", BASICS, titles)
    write_table(folder, "title.ratings", RATINGS, ratings)
    write_table(folder, "title.crew", CREW, crews)
    write_table(folder, "name.basics", NAMES, people)
    write_table(folder, "title.principals", PRINCIPALS, principals)
    write_table(folder, "title.akas", AKAS, akas)
    return folder
