"""Files on disk: they are private to their owner, stay inside their folder, and are read only if they are regular."""

import errno
import mmap
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from movietui.data import catalogue
from movietui.data.problems import Problem
from movietui.data.progress import Stage
from movietui.data.storage import cache, disk, locations, parquet

PATHS = ("", ".", "..", "../x", "a/b", "/etc", "a\\b", "c:x", ".hidden", "a\0b", "a\nb", "\x1b[31m", "x" * 300)


@pytest.fixture
def open_to_all() -> Iterator[None]:
    """Set a umask that removes no permissions, so that new files are open to all by default."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o077 for path in [folder, *folder.rglob("*")]}


@pytest.mark.parametrize("name", PATHS)
def test_no_name_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(Problem, match="cannot be the name"):
        disk.inside(tmp_path, name)
    with pytest.raises(Problem, match="cannot be the name"):
        disk.remove(tmp_path, name)
    for path_of in (locations.dataset, locations.checkpoint, locations.imdb_choices):
        with pytest.raises(Problem, match="cannot be the name"):
            path_of(name)


def test_plain_names_stay_in_their_folder(tmp_path: Path) -> None:
    for name in ("ml-100k", "ml-100k-mf-0f9a8b7c6d5e", "films.json"):
        assert disk.inside(tmp_path, name) == tmp_path / name


def test_removing_a_link_leaves_its_target(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "letter.txt").write_text("dear")
    folder = tmp_path / "folder"
    (folder / "whole").mkdir(parents=True)
    (folder / "whole" / "inner").symlink_to(victim)
    (folder / "link").symlink_to(victim)
    for name in ("whole", "link", "gone"):
        disk.remove(folder, name)
    assert list(folder.iterdir()) == []
    assert (victim / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize("name", ["../victim", "..", "victim/../../victim"])
def test_datasets_cannot_be_named_like_paths(home: Path, name: str) -> None:
    victim = locations.datasets().parent / "victim"
    victim.mkdir(parents=True)
    (victim / "dataset.json").write_text("{}")
    for call in (catalogue.remove, catalogue.get, catalogue.show, catalogue.report_of, catalogue.load, cache.remove):
        with pytest.raises(Problem, match="cannot be the name of a dataset"):
            call(name)
    assert (victim / "dataset.json").exists()


def test_a_folder_with_an_invalid_name_is_not_a_dataset(home: Path) -> None:
    catalogue.get("demo")
    strange = locations.datasets() / "\x1b[31mred"
    strange.mkdir()
    (strange / "dataset.json").write_bytes((locations.dataset("demo") / "dataset.json").read_bytes())
    assert cache.names() == ["demo"]


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)  # not the full path, which must not have more than about a hundred bytes


@pytest.mark.parametrize("read", [disk.read, disk.mapped])
@pytest.mark.parametrize("make", [pipe, device, listening, Path.mkdir])
def test_only_regular_files_are_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], object],
    read: Callable[[Path], bytes | memoryview],
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "thing")
    with pytest.raises(OSError, match=r"it is (not a regular file|a folder)"):
        read(tmp_path / "thing")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert disk.read(tmp_path / "file", 5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        disk.read(tmp_path / "file", 4)


def test_a_mapped_file_is_not_in_memory_and_stays_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "empty").touch()
    content = disk.mapped(tmp_path / "file")
    (tmp_path / "file").unlink()
    assert bytes(content) == b"12345"
    assert content.readonly
    assert type(content.obj) is mmap.mmap
    assert bytes(disk.mapped(tmp_path / "empty")) == b""
    monkeypatch.setattr(disk, "MAX_FILE_BYTES", 4)
    (tmp_path / "file").write_bytes(b"12345")
    with pytest.raises(OSError, match="more than 4 bytes"):
        disk.mapped(tmp_path / "file")


def test_new_files_are_private(home: Path, open_to_all: None) -> None:
    catalogue.get("demo")
    catalogue.load("demo")
    assert modes(locations.datasets()) == {0}
    assert locations.datasets().parent.stat().st_mode & 0o077 == 0


def test_existing_files_are_made_private(home: Path, open_to_all: None) -> None:
    for folder in (locations.checkpoints(), locations.backups(), locations.imdb(), locations.datasets()):
        folder.mkdir(parents=True, exist_ok=True)
    (locations.backups() / "old.sqlite3").write_text("mine")
    target = home / "target"
    target.write_text("shared")
    (locations.backups() / "link").symlink_to(target)
    locations.make_private()
    data = locations.store().parent
    assert {path.stat().st_mode & 0o077 for path in (data, locations.datasets().parent)} == {0}
    private = (locations.checkpoints(), locations.imdb(), locations.backups(), locations.backups() / "old.sqlite3")
    assert {path.stat().st_mode & 0o077 for path in private} == {0}
    assert target.stat().st_mode & 0o077  # the target of a link is not changed


@pytest.mark.parametrize("make", [pipe, device, Path.mkdir])
def test_a_table_that_is_not_a_regular_file_is_rebuilt(home: Path, make: Callable[[Path], object]) -> None:
    catalogue.get("demo")
    before = catalogue.load("demo")
    for table in locations.dataset("demo").rglob("ratings.parquet"):
        table.unlink()
        make(table)
    assert catalogue.load("demo").fingerprint == before.fingerprint


@pytest.mark.parametrize(
    "spoil",
    [
        lambda manifest: manifest.update(scale=[5, 1, 1]),
        lambda manifest: manifest.update(scale=[1, "5", 1]),
        lambda manifest: manifest.update(genre_names=["Drama"] * 500),
        lambda manifest: manifest.update(merged=[1]),
        lambda manifest: manifest["files"].update({"../../dataset": "00000000"}),
    ],
)
def test_a_manifest_with_wrong_facts_is_rebuilt_even_if_its_seal_is_right(
    home: Path, spoil: Callable[[dict[str, object]], object]
) -> None:
    """An attacker who writes a manifest can also compute its seal. The tables are rebuilt anyway."""
    catalogue.get("demo")
    before = catalogue.load("demo")
    (path,) = locations.dataset("demo").glob("standard-*/manifest.json")
    manifest = parquet.manifest_of(path.parent)
    spoil(manifest)
    path.write_bytes(parquet._json({**manifest, "seal": parquet._seal(manifest)}))
    after = catalogue.load("demo")
    assert (after.fingerprint, after.scale) == (before.fingerprint, before.scale)


def test_a_dataset_that_cannot_be_stored_can_be_loaded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk is full, the user still gets a list. An explicit request to clean the dataset fails."""
    catalogue.get("demo")

    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    stages: list[Stage] = []
    assert len(catalogue.load("demo", report=stages.append).ratings)
    assert any("the disk is full" in stage.note for stage in stages)
    with pytest.raises(Problem, match="the disk is full"):
        catalogue.clean("demo")
    monkeypatch.undo()
    assert catalogue.report_of("demo") is None


@pytest.mark.parametrize("content", ["[" * 100_000, '{"raw": NaN}', '{"raw": "../../x", "source": "", "title": ""}'])
def test_an_invalid_dataset_json_is_rebuilt(home: Path, content: str) -> None:
    catalogue.get("demo")
    (locations.dataset("demo") / "dataset.json").write_text(content)
    assert len(catalogue.load("demo").ratings)
