"""The real datasets, joined with real IMDb tables."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from movietui.data import catalogue
from movietui.data.imdb import join as imdb
from movietui.data.imdb.title_matching import LabelledMovie, match, wanted_years
from movietui.data.storage import cache

JOINS = """
import json, sys
from pathlib import Path
from movietui.data import catalogue; from movietui.data.imdb import join as imdb
folder = Path(sys.argv[1])
catalogue.get("ml-1m", folder / "ml-1m.zip")
report = imdb.join("ml-1m", folder / "imdb")
print(json.dumps({"peak": report.peak, "by_id": report.by["id"]}))
"""
"""Joins ML-1M in a process of its own, because the peak of memory includes everything that a process did before."""


@pytest.fixture(scope="module")
def real(datasets_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> "object":
    """Reports and results of joining the real datasets with the real tables, and movies and links of ML-latest-small.

    ML-1M is joined twice: first without other datasets on disk, then with the links of ML-latest-small.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOVIETUI_HOME", str(tmp_path_factory.mktemp("joined")))
        done = subprocess.run(
            [sys.executable, "-c", JOINS, str(datasets_folder)], capture_output=True, text=True, check=True
        )
        alone, reports, joins = json.loads(done.stdout), {}, {"alone": imdb.load("ml-1m")}
        for name in ("ml-100k", "ml-latest-small", "ml-1m"):
            if name != "ml-1m":
                catalogue.get(name, datasets_folder / f"{name}.zip")
            reports[name], joins[name] = imdb.join(name, datasets_folder / "imdb"), imdb.load(name)
        yield alone, reports, joins, tables_of_small()


def tables_of_small() -> Mapping[str, Any]:
    """Return the movies and links of ML-latest-small, which must be on disk."""
    return cache.published("ml-latest-small", cache.describe("ml-latest-small")["raw"], "movies", "links")


def matched(join: imdb.Join) -> dict[str, str]:
    return {movie: join.titles["id"][row] for movie, row in join.title_row_of.items() if row >= 0}


@pytest.mark.real
def test_how_many_real_movies_are_matched(real: Callable[[], object]) -> None:
    alone, reports, joins, small = real  # type: ignore[misc]
    truth = {
        str(movie): f"tt{number:07}"
        for movie, number in zip(small["links"]["movie_id"], small["links"]["imdb_id"], strict=True)
    }
    assert matched(joins["ml-latest-small"]) == truth
    assert reports["ml-latest-small"].by == {"id": 9742, "title": 0, "hand": 0}
    # ML-1M uses the ids of ML-latest-small, whose movies are all in IMDb's table.
    matches = matched(joins["ml-1m"])
    shared = set(truth) & set(joins["ml-1m"].movies["id"])
    assert len(shared) == 2949
    assert sum(matches.get(movie) == truth[movie] for movie in shared) >= 0.99 * len(shared)
    # Without links, 2,941 movies of ML-1M are matched by name. Only Saturn 3 is wrong: IMDb has two movies with this
    # name from 1980.
    assert alone["by_id"] == 0
    by_name = matched(joins["alone"])
    assert len(shared & set(by_name)) >= 2935
    assert [movie for movie in shared & set(by_name) if by_name[movie] != truth[movie]] == ["2851"]
    # As far as a person can tell, at most 7 of the movies of ML-100K that have no match are in IMDb's table.
    assert len(matched(joins["ml-100k"])) >= 1340
    assert len(reports["ml-100k"].ambiguous) <= 12


@pytest.mark.real
def test_a_join_needs_less_than_a_gigabyte(real: Callable[[], object]) -> None:
    alone, *_ = real  # type: ignore[misc]
    assert 10**7 < alone["peak"] < 10**9


@pytest.mark.real
def test_matches_by_name_agree_with_links(datasets_folder: Path) -> None:
    from movietui.data.imdb import tables as imdb_tables

    catalogue.get("ml-latest-small", datasets_folder / "ml-latest-small.zip")
    small = tables_of_small()
    movies, links = small["movies"], small["links"]
    truth = dict(zip(links["movie_id"].tolist(), links["imdb_id"].tolist(), strict=True))
    movies = [
        LabelledMovie(str(movie), label, 0, frozenset(genres.split("|")) - {"(no genres listed)"})
        for movie, label, genres in zip(movies["movie_id"].tolist(), movies["title"], movies["genres"], strict=True)
    ]
    titles, _ = imdb_tables.titles(datasets_folder / "imdb" / "title.basics.tsv.gz", (), wanted_years(movies))
    rated, _ = imdb_tables.ratings(datasets_folder / "imdb" / "title.ratings.tsv.gz", {title.id for title in titles})
    titles = [replace(title, votes=rated.get(title.id, (0, 0))[1]) for title in titles]
    matches = match(movies, titles)
    right = sum(each.title == f"tt{truth[int(movie.id)]:07}" for movie, each in zip(movies, matches, strict=True))
    assert right / sum(bool(each.title) for each in matches) >= 0.997
    assert right / len(movies) >= 0.985
