"""The real datasets, joined with the real tables."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from data import cache, catalogue, imdb
from data.imdb_matching import Sought, match, wanted_years


@pytest.fixture(scope="module")
def real(published: Path, tmp_path_factory: pytest.TempPathFactory) -> "object":
    """The three datasets, joined with the real tables; ML-1M first alone, then with the links of ML-latest-small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOVIETUI_HOME", str(tmp_path_factory.mktemp("joined")))
        reports, joins = {}, {}
        catalogue.get("ml-1m", published / "ml-1m.zip")
        reports["alone"], joins["alone"] = imdb.join("ml-1m", published / "imdb"), imdb.load("ml-1m")
        for name in ("ml-100k", "ml-latest-small", "ml-1m"):
            catalogue.get(name, published / f"{name}.zip")
            reports[name], joins[name] = imdb.join(name, published / "imdb"), imdb.load(name)
        tables = cache.published("ml-latest-small", cache.describe("ml-latest-small")["raw"], "movies", "links")
        yield reports, joins, tables


def matched(join: imdb.Join) -> dict[str, str]:
    return {movie: join.titles["id"][place] for movie, place in join.place_of.items() if place >= 0}


@pytest.mark.real
def test_shares_of_the_real_datasets(real: Callable[[], object]) -> None:
    reports, joins, small = real  # type: ignore[misc]
    truth = {
        str(movie): f"tt{number:07}"
        for movie, number in zip(small["links"]["movie_id"], small["links"]["imdb_id"], strict=True)
    }
    assert matched(joins["ml-latest-small"]) == truth
    assert reports["ml-latest-small"].by == {"id": 9742, "title": 0, "hand": 0}
    # ML-1M has the ids of ML-latest-small, all of whose films are in the table.
    found = matched(joins["ml-1m"])
    shared = set(truth) & set(joins["ml-1m"].movies["id"])
    assert len(shared) == 2949
    assert sum(found.get(movie) == truth[movie] for movie in shared) >= 0.99 * len(shared)
    # Alone, ML-1M is found by name: 2,941 of them, and only Saturn 3 is wrong: IMDb has two of 1980.
    assert reports["alone"].by["id"] == 0
    by_name = matched(joins["alone"])
    assert len(shared & set(by_name)) >= 2935
    assert [movie for movie in shared & set(by_name) if by_name[movie] != truth[movie]] == ["2851"]
    # Of ML-100K, at most 7 of those not matched are in the table, as far as a person can tell.
    assert len(matched(joins["ml-100k"])) >= 1340
    assert len(reports["ml-100k"].ambiguous) <= 12
    assert all(report.peak < 10**9 for report in reports.values())


@pytest.mark.real
def test_names_alone_find_what_links_say(real: Callable[[], object], published: Path) -> None:
    from data import imdb_tables

    _, _, small = real  # type: ignore[misc]
    movies, links = small["movies"], small["links"]
    truth = dict(zip(links["movie_id"].tolist(), links["imdb_id"].tolist(), strict=True))
    sought = [
        Sought(str(movie), label, 0, frozenset(genres.split("|")) - {"(no genres listed)"})
        for movie, label, genres in zip(movies["movie_id"].tolist(), movies["title"], movies["genres"], strict=True)
    ]
    titles, _ = imdb_tables.titles(published / "imdb" / "title.basics.tsv.gz", (), wanted_years(sought))
    rated, _ = imdb_tables.ratings(published / "imdb" / "title.ratings.tsv.gz", {title.id for title in titles})
    titles = [replace(title, votes=rated.get(title.id, (0, 0))[1]) for title in titles]
    found = match(sought, titles)
    right = sum(each.title == f"tt{truth[int(movie.id)]:07}" for movie, each in zip(sought, found, strict=True))
    assert right / sum(bool(each.title) for each in found) >= 0.997
    assert right / len(sought) >= 0.985
