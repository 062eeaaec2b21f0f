"""What cleaning on a cluster writes: to the cluster and on this machine."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from movietui.cli import cli
from movietui.data import catalogue
from movietui.data.cleaning import cleaner
from movietui.data.cleaning.encoding import encode
from movietui.data.dataset import Dataset
from movietui.data.movielens import reader
from movietui.data.problems import Problem
from movietui.data.storage import locations
from tests.data.files import contents, lines, write_folder

ADDED = {
    "ml-1m": {"ratings.dat": [*lines("ml-1m")["ratings.dat"], "99::2::4::880000001", "99::77::4::880000002"]},
    "ml-latest-small": {"movies.csv": [*lines("ml-latest-small")["movies.csv"], '31,"Filmé, Number 1 (1995)",IMAX']},
}
CLEANINGS = ("standard", "none", "none +few-ratings-users:30 +no-genre")


@pytest.fixture
def clean() -> Any:
    from movietui.data.cluster import clean

    return clean


def release(tmp_path: Path, layout: str, name: str = "files", **changed: list[str]) -> Path:
    return write_folder(tmp_path / name, contents({**ADDED[layout], **changed}, layout))


def on_one_machine(path: Path, cleaning: str) -> Dataset:
    return encode("own", cleaner.clean("own", reader.read(path), cleaner.parse(cleaning))[0], cleaning)


def rows_of(ratings: Any) -> list[tuple[int, int, float, int]]:
    return sorted(tuple(row) for row in ratings.collect())


@pytest.mark.parametrize("layout", list(ADDED))
@pytest.mark.parametrize("cleaning", ["standard", "none"])
def test_rows_users_and_movies_are_those_of_one_machine(
    spark: Any, clean: Any, tmp_path: Path, layout: str, cleaning: str
) -> None:
    from movietui.data.cluster import dataset as datasets

    path = release(tmp_path, layout)
    expected = on_one_machine(path, cleaning)
    cleaned = clean.clean(spark, "own", str(path), str(tmp_path / "out"), cleaning)
    loaded = datasets.load("own")
    for dataset in (cleaned, loaded):
        ratings = expected.ratings
        columns = (getattr(ratings, name).tolist() for name in ("user", "movie", "stars", "time"))
        assert rows_of(dataset.ratings(spark)) == sorted(zip(*columns, strict=True))
        users = dataset.users(spark).orderBy("user").toPandas()
        assert users["user"].tolist() == list(range(len(expected.users)))
        assert users["id"].astype(str).tolist() == list(expected.users.ids)
        for column in ("age", "gender", "gender_code", "occupation", "zip_code"):
            values = getattr(expected.users, column)
            assert (users[column].tolist() if column in users else []) == list(values)
        movies, wanted = dataset.movies, expected.movies
        assert (movies.ids, movies.titles, movies.keys) == (wanted.ids, wanted.titles, wanted.keys)
        assert (movies.genres == wanted.genres).all()
        assert movies.merged == wanted.merged
        assert dataset.counts.tolist() == expected.counts.tolist()
        assert dataset.totals.sum() == expected.ratings.stars.sum()
        assert dataset.scale == expected.scale
        assert (dataset.user_count, dataset.rating_count) == (len(expected.users), len(expected.ratings))
    assert cleaned.fingerprint == loaded.fingerprint
    assert cleaned.report == loaded.report


def test_the_fingerprint_depends_on_the_content_only(
    spark: Any, clean: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = release(tmp_path, "ml-1m")

    def fingerprint(source: Path, output: str) -> str:
        return str(clean.clean(spark, "own", str(source), str(tmp_path / output)).fingerprint)

    first = fingerprint(path, "one")
    monkeypatch.setattr(clean, "PART", 50)  # more parts
    assert fingerprint(path, "two") == first
    parts = list((tmp_path / "two").glob("tables-*/ratings/part=*"))
    assert len(parts) > 1
    changed = [*ADDED["ml-1m"]["ratings.dat"]]
    changed[0] = changed[0][:-1] + str(9 - int(changed[0][-1]))
    assert fingerprint(release(tmp_path, "ml-1m", "changed", **{"ratings.dat": changed}), "three") != first


def test_the_ratings_of_a_user_are_in_one_part(
    spark: Any, clean: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clean, "PART", 50)
    dataset = clean.clean(spark, "own", str(release(tmp_path, "ml-1m")), str(tmp_path / "out"))
    tables = f"{dataset.uri}/{dataset.folder}"
    parts = {row["user"]: row["part"] for row in dataset.users(spark).collect()}
    assert len(set(parts.values())) > 1
    ratings = spark.read.parquet(f"{tables}/ratings").select("user", "part").collect()
    assert {(row["user"], row["part"]) for row in ratings} == set(parts.items())


def test_a_run_that_fails_leaves_nothing(
    spark: Any, clean: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, output = release(tmp_path, "ml-1m"), tmp_path / "out"
    first = clean.clean(spark, "own", str(path), str(output), "none")
    before = rows_of(first.ratings(spark))

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(clean, "_fingerprint", fail)  # all tables are written by now
    with pytest.raises(KeyboardInterrupt):
        clean.clean(spark, "own", str(path), str(output), "standard")
    assert sorted(each.name for each in output.iterdir() if not each.name.startswith(".")) == [
        "manifest.json",
        first.folder,
    ]
    assert rows_of(first.ratings(spark)) == before


def test_tables_without_a_whole_manifest_are_not_a_dataset(spark: Any, clean: Any, tmp_path: Path) -> None:
    output = tmp_path / "out"
    dataset = clean.clean(spark, "own", str(release(tmp_path, "ml-1m")), str(output))
    for left in ("tables-dead", "staging-dead", "_unfinished-dead"):
        (output / left / "rows").mkdir(parents=True)
    again = clean.clean(spark, "own", str(tmp_path / "files"), str(output))
    remaining = {each.name for each in output.iterdir() if not each.name.startswith(".")}
    assert remaining == {"manifest.json", again.folder}
    with pytest.raises(Problem, match="have been removed or changed; clean them again"):
        dataset.ratings(spark)
    manifest = output / "manifest.json"
    (output / ".manifest.json.crc").unlink()
    manifest.write_bytes(manifest.read_bytes()[:-20])
    with pytest.raises(Problem, match="have been removed or changed"):
        again.users(spark)
    manifest.unlink()
    with pytest.raises(Problem, match="have been removed or changed"):
        again.ratings(spark)


def test_outputs_that_are_refused(spark: Any, clean: Any, tmp_path: Path) -> None:
    path = release(tmp_path, "ml-1m")
    taken = write_folder(tmp_path / "taken", {"thesis.txt": b"mine"})
    for output, expected in (
        (taken, "already has thesis.txt in it; choose an empty folder"),
        (taken / "thesis.txt", "is a file; choose a folder"),
        (path, "is in .*, which will be replaced"),
        (tmp_path, "is in .*, which will be replaced"),
    ):
        with pytest.raises(Problem, match=expected):
            clean.clean(spark, "own", str(path), str(output))
    for name, expected in (("demo", "is reserved"), ("../own", "cannot be the name of a dataset")):
        with pytest.raises(Problem, match=expected):
            clean.clean(spark, name, str(path), str(tmp_path / "out"))
    with pytest.raises(Problem, match="the rule few-ratings-users removed the last ones"):
        clean.clean(spark, "own", str(path), str(tmp_path / "out"), "none +few-ratings-users:500")
    assert (taken / "thesis.txt").read_bytes() == b"mine"
    assert [each.name for each in (tmp_path / "out").iterdir()] == []


def test_the_dataset_is_listed_and_its_ratings_are_not_here(spark: Any, clean: Any, tmp_path: Path) -> None:
    dataset = clean.clean(spark, "own", str(release(tmp_path, "ml-1m")), str(tmp_path / "out"))
    clean.clean(spark, "ml-1m", str(tmp_path / "files"), str(tmp_path / "other"))
    listed = {each.name: each for each in catalogue.list_datasets()}
    assert (listed["own"].state, listed["own"].on_disk, listed["own"].cluster) == ("cluster", False, dataset.uri)
    assert (listed["own"].ratings, listed["own"].movies) == (dataset.rating_count, 30)
    assert (listed["ml-1m"].state, listed["ml-1m"].cluster[-5:]) == ("available", "other")
    with pytest.raises(Problem, match=r"ratings of own are on a cluster, at file:.*/out, and not on this machine"):
        catalogue.load("own")
    with pytest.raises(Problem, match=r"data get ml-1m\. Only movietui cluster can use its ratings at .*other"):
        catalogue.load("ml-1m")
    catalogue.get("ml-100k", write_folder(tmp_path / "100k", contents()))  # sweeping spares the others
    catalogue.get("own", write_folder(tmp_path / "100k", contents()))
    listed = {each.name: each for each in catalogue.list_datasets()}
    assert (listed["own"].state, listed["own"].cluster) == ("ready", dataset.uri)
    assert catalogue.remove("own").cluster == dataset.uri
    assert "own" not in {each.name for each in catalogue.list_datasets()}
    assert rows_of(dataset.ratings(spark))


def test_an_unknown_name_and_damaged_files_are_reported(spark: Any, clean: Any, tmp_path: Path) -> None:
    from movietui.data.cluster import dataset as datasets

    clean.clean(spark, "own", str(release(tmp_path, "ml-1m")), str(tmp_path / "out"))
    with pytest.raises(Problem, match="There is no dataset owl on a cluster; did you mean own"):
        datasets.load("owl")
    manifest = locations.dataset("own") / "cluster" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"ratings": 2', b'"ratings": 3'))
    with pytest.raises(Problem, match="The stored movies of own, which is on a cluster, are damaged; clean it"):
        datasets.load("own")
    assert "own" not in {each.name for each in catalogue.list_datasets()}


def test_the_command(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from movietui.data.cluster import session

    monkeypatch.setattr(session, "session", lambda *_: contextlib.nullcontext(spark))
    path = release(tmp_path, "ml-1m")
    arguments = ["cluster", "clean", "own", "--from", str(path), "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(cli, [*arguments, "--json", "--preset", "standard"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    expected = cleaner.clean("own", reader.read(path), cleaner.parse("standard"))[1].to_json()
    assert [{**rule, "examples": []} for rule in document["rules"]] == [
        {**rule, "examples": []} for rule in expected["rules"]
    ]
    assert document["uri"] == (tmp_path / "out").as_uri().replace("file://", "file:")
    said = CliRunner().invoke(cli, arguments)
    assert "own after cleaning (standard): 240 ratings" in said.stdout
    refused = CliRunner().invoke(cli, [*arguments[:4], str(tmp_path / "gone"), *arguments[5:]])
    assert refused.exit_code == 1
    assert refused.stderr.startswith("There is nothing at file:")
    wrong = CliRunner().invoke(cli, [*arguments, "--scale", "5:1"])
    assert (wrong.exit_code, "is not a scale" in wrong.stderr) == (2, True)
