"""Raw tables of every layout on disk: stored side by side, and removed."""

import shutil
import threading
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from movietui.data import catalogue
from movietui.data.fetch import sources
from movietui.data.movielens import reader as movielens
from movietui.data.problems import Problem
from movietui.data.storage import atomic_files, cache, locations, parquet
from tests.data.files import LAYOUTS, MOVIES, USERS, contents, lines, write_folder, write_zip

RATINGS = len(lines()["u.data"])


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")} if folder.exists() else set()


def get(tmp_path: Path, layout: str, name: str) -> catalogue.GetResult:
    return catalogue.get(name, write_zip(tmp_path / f"{layout}.zip", contents(layout=layout)))


def loaded_raw(name: str) -> movielens.Raw:
    return cache.load_raw(name, cache.describe(name)["raw"])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_loaded_tables_equal_those_that_were_read(tmp_path: Path, layout: str) -> None:
    result = get(tmp_path, layout, "own")
    assert (result.source, result.ratings, result.users, result.movies) == ("path", RATINGS, USERS, MOVIES)
    read, loaded = movielens.read(tmp_path / f"{layout}.zip"), loaded_raw("own")
    for table in ("ratings", "movies", "users"):
        assert_frame_equal(getattr(read, table), getattr(loaded, table))
    assert (read.links is None) == (loaded.links is None) == (layout != "ml-latest-small")
    if read.links is not None:
        assert_frame_equal(read.links, loaded.links)
    for field in ("genre_names", "scale", "malformed", "ratings_file"):
        assert getattr(read, field) == getattr(loaded, field)
    cache.check_raw("own")


def test_tables_of_another_version_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    get(tmp_path, "ml-1m", "own")
    monkeypatch.setattr(parquet, "FORMAT", 99)
    with pytest.raises(Problem, match="are damaged or from another version; run movietui data get own --from PATH"):
        catalogue.load("own")
    get(tmp_path, "ml-1m", "own")
    assert len(catalogue.load("own").ratings) == RATINGS
    assert [folder.name[:7] for folder in cache.folder_of("own").glob("raw-*")] == ["raw-99-"]


def test_other_links_change_the_digest(tmp_path: Path) -> None:
    def digest(changed: dict[str, list[str]]) -> str:
        catalogue.get("own", write_folder(tmp_path / "files", contents(changed, "ml-latest-small")))
        return str(cache.describe("own")["raw"])

    one, two = digest({}), digest({"links.csv": ["1,0114709,862"]})
    assert one != two
    links = loaded_raw("own").links
    assert links is not None
    assert len(links) == 1


def test_all_layouts_side_by_side(tmp_path: Path) -> None:
    for layout in LAYOUTS:
        get(tmp_path, layout, layout)
    listed = {each.name: each for each in catalogue.list_datasets()}
    assert {name for name, each in listed.items() if each.state == "ready"} == set(LAYOUTS)
    assert all(listed[layout].ratings == RATINGS for layout in LAYOUTS)
    assert len({loaded_raw(layout).ratings_file for layout in LAYOUTS}) == 3


@pytest.mark.parametrize(("name", "layout"), [("ml-100k", "ml-1m"), ("ml-1m", "ml-latest-small"), ("ml-20m", "ml-10m")])
def test_another_release_under_a_published_name_is_refused(tmp_path: Path, name: str, layout: str) -> None:
    with pytest.raises(
        Problem, match=rf"is not {sources.SOURCES[name].title}: its ratings are in {next(iter(lines(layout)))}"
    ):
        get(tmp_path, layout, name)
    assert cache.names() == []


# Removing


def test_remove_frees_tables_and_archive(tmp_path: Path, home: Path) -> None:
    get(tmp_path, "ml-1m", "ml-1m")
    get(tmp_path, "ml-100k", "other")
    other_files = everything(cache.folder_of("other"))
    archive = sources.archive_of(sources.SOURCES["ml-1m"])
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"x" * 1000)
    archive.with_name("ml-1m.zip.part").write_bytes(b"x" * 500)
    size = {each.name: each.bytes for each in catalogue.list_datasets()}["ml-1m"]
    assert size == cache.size("ml-1m") + 1500
    assert catalogue.remove("ml-1m").to_json() == {"dataset": "ml-1m", "bytes": size, "cluster": ""}
    assert everything(locations.downloads()) == set()
    assert everything(locations.datasets()) == {"other", *(f"other/{path}" for path in other_files)}
    assert [each.state for each in catalogue.list_datasets() if each.name == "ml-1m"] == ["available"]
    with pytest.raises(Problem, match=r"^ml-1m is not on disk; there is nothing to remove\.$"):
        catalogue.remove("ml-1m")


def test_supplied_datasets_and_the_demo_are_removed(tmp_path: Path) -> None:
    get(tmp_path, "ml-latest-small", "own")
    catalogue.get("demo")
    for name in ("own", "demo"):
        assert catalogue.remove(name).bytes > 1000
        assert not cache.folder_of(name).exists()


@pytest.mark.parametrize("name", ["ml-99", "own"])
def test_unknown_datasets_are_not_removed(tmp_path: Path, name: str) -> None:
    get(tmp_path, "ml-100k", "mine")
    with pytest.raises(Problem, match=rf"^There is no dataset {name}; on disk: mine\.$"):
        catalogue.remove(name)
    with pytest.raises(Problem, match="cannot be the name"):
        catalogue.remove("../mine")
    assert cache.names() == ["mine"]


@pytest.mark.parametrize("name", ["own", "ml-1m"])
def test_a_partly_removed_dataset_can_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    get(tmp_path, "ml-1m", name)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", refuse)
        with pytest.raises(Problem, match="could not be removed: Permission denied; check that you may change"):
            catalogue.remove(name)
    assert cache.names() == []
    assert catalogue.remove(name).bytes > 1000
    assert everything(locations.datasets()) == set()


def test_sizes_include_the_archive(tmp_path: Path) -> None:
    get(tmp_path, "ml-1m", "ml-1m")
    archive = sources.archive_of(sources.SOURCES["ml-1m"])
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"x" * 1000)
    catalogue.clean("ml-1m")
    listed = {each.name: each.bytes for each in catalogue.list_datasets()}["ml-1m"]
    assert catalogue.show("ml-1m")["bytes"] == listed == cache.size("ml-1m") + 1000


def test_a_failed_removal_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    get(tmp_path, "ml-100k", "own")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(Problem, match="could not be removed: Permission denied; check that you may change"):
            catalogue.remove("own")
    assert len(loaded_raw("own").ratings) == RATINGS


# Two processes at once


def test_a_folder_that_dataset_json_does_not_name_yet_is_not_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process has written raw tables, but not yet ``dataset.json``, while another process stores a different file."""
    replace_file = atomic_files.replace_file
    one_waits, other_has_started = threading.Event(), threading.Event()

    def late(path: Path, content: bytes) -> None:
        if threading.current_thread() is one:
            one_waits.set()
            other_has_started.wait(10)
            other.join(0.5)  # the thread ends only if it is not blocked
        replace_file(path, content)

    def other_gets() -> None:
        one_waits.wait(10)
        other_has_started.set()
        get(tmp_path, "ml-1m", "own")

    monkeypatch.setattr(atomic_files, "replace_file", late)
    one = threading.Thread(target=get, args=(tmp_path, "ml-100k", "own"))
    other = threading.Thread(target=other_gets)
    one.start()
    other.start()
    one.join(30)
    other.join(30)
    # The dataset is the one stored last, and its tables exist.
    assert loaded_raw("own").ratings_file == "ratings.dat"
    assert len(list(cache.folder_of("own").glob("raw-*"))) == 1


def test_tables_that_a_killed_process_left_behind_are_swept(tmp_path: Path) -> None:
    get(tmp_path, "ml-100k", "own")
    (cache.folder_of("own") / "raw-0123456789abcdef").mkdir()
    get(tmp_path, "ml-100k", "own")
    assert len(list(cache.folder_of("own").glob("raw-*"))) == 1
