"""Ratings that are read from disk when they are first needed."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as files

from movietui.data import catalogue, dataset
from movietui.data.dataset import Dataset, Ratings
from movietui.data.problems import Problem
from movietui.data.storage import disk, locations, parquet
from movietui.models.base import history_of
from tests.data.files import contents, lines, write_zip


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A dataset with its ratings ordered by user, in several groups of rows, as it is loaded from disk."""
    monkeypatch.setattr(parquet, "GROUP", 7)
    by_user = sorted(lines()["u.data"], key=lambda line: int(line.split("\t")[0]))
    catalogue.get("small", write_zip(tmp_path / "small.zip", contents({"u.data": by_user})))
    catalogue.clean("small")
    return catalogue.load("small")


def reading_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise AssertionError("the ratings were read")

    monkeypatch.setattr(parquet, "columns_of", fail)


def test_the_numbers_of_ratings_are_known_without_reading_them(
    loaded: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = catalogue.load("small").ratings
    users, movies = len(loaded.users), len(loaded.movies)
    expected = np.bincount(whole.user, minlength=users), np.bincount(whole.movie, minlength=movies)
    sums = np.bincount(whole.movie, whole.stars, movies)
    total = len(whole.user)
    reading_fails(monkeypatch)
    assert not loaded.ratings.in_memory
    assert len(loaded.ratings) == total
    assert loaded.ratings.by_user(users).tolist() == expected[0].tolist()
    assert loaded.counts.tolist() == expected[1].tolist()
    for movie, (number, stars) in enumerate(zip(expected[1].tolist(), sums.tolist(), strict=True)):
        assert loaded.mean_of(movie) == (stars / number if number else None)


def test_movies_that_follow_have_no_ratings(loaded: Dataset) -> None:
    movies = len(loaded.movies)
    assert loaded.ratings.by_movie(movies + 2).tolist() == [*loaded.counts.tolist(), 0, 0]
    assert loaded.ratings.sums_by_movie(movies + 1)[-1] == 0
    assert loaded.ratings.by_movie(movies - 1).tolist() == loaded.counts.tolist()[:-1]


def test_a_column_reads_all_ratings_once(loaded: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    ratings = loaded.ratings
    assert len(ratings.user) == len(ratings)
    assert ratings.in_memory
    reading_fails(monkeypatch)
    assert len(ratings.movie) == len(ratings.stars) == len(ratings.time) == len(ratings)
    assert ratings.take(np.asarray([1, 0])).movie.tolist() == ratings.movie[[1, 0]].tolist()
    with pytest.raises(AttributeError, match="year"):
        _ = ratings.year  # type: ignore[attr-defined]


def test_the_ratings_of_a_user_are_read_alone(loaded: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = catalogue.load("small")
    assert len(whole.ratings.user) > 3 * parquet.GROUP
    groups: list[int] = []
    read = files.ParquetFile.read_row_group

    def counted(self: files.ParquetFile, group: int, **options: object) -> pa.Table:
        groups.append(group)
        return read(self, group, **options)

    monkeypatch.setattr(files.ParquetFile, "read_row_group", counted)
    for user in range(len(loaded.users)):
        ratings, history = loaded.ratings_of(user), history_of(loaded, user)
        rows = whole.rows_of(user)
        assert ratings.movie.tolist() == history.movies.tolist() == whole.ratings.movie[rows].tolist()
        assert ratings.stars.tolist() == history.stars.tolist() == whole.ratings.stars[rows].tolist()
        assert ratings.time.tolist() == whole.ratings.time[rows].tolist()
    first = whole.ratings.user[0]
    groups.clear()
    loaded.ratings_of(int(first))
    assert len(groups) < -(-len(loaded.ratings) // parquet.GROUP)
    assert not loaded.ratings.in_memory


def test_a_removed_dataset_can_still_be_read(loaded: Dataset) -> None:
    catalogue.remove("small")
    assert len(loaded.ratings.user) == len(loaded.ratings)


@pytest.mark.parametrize(("few_steps", "few_ratings"), [(256, 100_000), (1, 100_000), (256, 1)])
def test_the_histogram_of_stars(
    loaded: Dataset, monkeypatch: pytest.MonkeyPatch, few_steps: int, few_ratings: int
) -> None:
    monkeypatch.setattr(dataset, "FEW_STEPS", few_steps)
    monkeypatch.setattr(dataset, "FEW_RATINGS", few_ratings)
    ratings = catalogue.load("small").ratings
    pairs = Counter(zip(ratings.movie.tolist(), ratings.stars.tolist(), strict=True))
    computed, stored = Ratings(ratings.user, ratings.movie, ratings.stars, ratings.time).histogram(), loaded.histogram
    for histogram in (computed, stored):
        rows = zip(histogram.movie.tolist(), histogram.stars.tolist(), histogram.number.tolist(), strict=True)
        assert [((movie, stars), number) for movie, stars, number in rows] == sorted(pairs.items())
    assert stored.of(3) == {stars: number for (movie, stars), number in pairs.items() if movie == 3}
    assert stored.of(len(loaded.movies)) == {}
    nothing = Ratings(ratings.user[:0], ratings.movie[:0], ratings.stars[:0], ratings.time[:0])
    assert len(nothing.histogram().movie) == 0


def test_a_small_dataset_is_its_own_sample(loaded: Dataset) -> None:
    assert loaded.sample is loaded
    assert loaded.ratings.sample is None


def test_a_sample_has_all_ratings_of_some_users(
    loaded: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "SAMPLE_RATINGS", len(loaded.ratings) // 2)
    catalogue.clean("small", "none")
    stored = catalogue.load("small", "none")
    whole = catalogue.load("small", "none").ratings
    drawn = replace(stored, ratings=Ratings(whole.user, whole.movie, whole.stars, whole.time)).sample.ratings
    with monkeypatch.context() as patched:  # loading the dataset has not read the sample
        reading_fails(patched)
        with pytest.raises(AssertionError):
            _ = stored.sample
    sample = stored.sample
    assert sample is not stored
    assert not stored.ratings.in_memory
    reading_fails(monkeypatch)
    assert stored.ratings.sample is sample.ratings
    users = np.unique(sample.ratings.user)
    assert 0 < len(users) < len(stored.users)
    assert len(sample.ratings) == stored.ratings.by_user(len(stored.users))[users].sum()
    for column in ("user", "movie", "stars", "time"):
        assert getattr(sample.ratings, column).tolist() == getattr(drawn, column).tolist()
    assert (len(sample.users), len(sample.movies)) == (len(stored.users), len(stored.movies))


@pytest.mark.parametrize("name", ["ratings", "sample"])
@pytest.mark.parametrize(("column", "value"), [("user", 999), ("movie", -1), ("stars", float("nan"))])
def test_invalid_ratings_are_refused_even_if_the_checksums_are_right(
    loaded: Dataset, monkeypatch: pytest.MonkeyPatch, name: str, column: str, value: float
) -> None:
    monkeypatch.setattr(dataset, "SAMPLE_RATINGS", len(loaded.ratings) // 2)
    catalogue.clean("small", "none")
    (path,) = locations.dataset("small").glob(f"none-*/{name}.parquet")
    table = files.read_table(path)
    values = table[column].to_numpy().copy()
    values[0] = value
    files.write_table(table.set_column(table.column_names.index(column), column, pa.array(values)), path)
    manifest = parquet.manifest_of(path.parent)
    manifest["files"][name] = disk.checksum(path.read_bytes())
    path.with_name("manifest.json").write_bytes(parquet._json({**manifest, "seal": parquet._seal(manifest)}))
    spoiled = catalogue.load("small", "none")
    with pytest.raises(Problem, match=r"^The stored ratings of small are not valid; remove small and get it again\.$"):
        _ = spoiled.ratings.stars if name == "ratings" else spoiled.sample


def test_the_ratings_of_the_latest_user_are_read_only_once(loaded: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who looks around as a user makes a new list with each rating."""
    first, second = (loaded.ratings.of_user(user).movie.tolist() for user in (0, 1))
    assert first != second
    loaded.ratings.of_user(0)
    reading_fails(monkeypatch)
    assert loaded.ratings.of_user(0).movie.tolist() == first
    with pytest.raises(AssertionError):
        loaded.ratings.of_user(1)
