import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from movietui.data.fetch import archive
from movietui.data.problems import Problem
from tests.data.files import contents, write_folder, write_zip

WANTED = ("u.data", "u.item", "u.user")


def read(path: Path) -> dict[str, bytes]:
    with archive.open_files(path, WANTED) as files:
        return {name: files.read(name) for name in WANTED if name in files}


def zip_and_folder(tmp_path: Path, files: dict[str, bytes]) -> tuple[Path, Path]:
    """Write the files as a zip and as a folder, and return both paths."""
    folder = tmp_path / "both"
    for name, content in files.items():
        write_folder((folder / name).parent, {Path(name).name: content})
    return write_zip(tmp_path / "both.zip", files, ""), folder


def refusal_of(path: Path) -> str:
    with pytest.raises(Problem) as error:
        read(path)
    sentence = str(error.value)
    assert str(path) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("inside", ["", "ml-100k/", "a/b/"])
def test_files_are_found_by_name_in_a_zip(tmp_path: Path, inside: str) -> None:
    files = contents()
    assert read(write_zip(tmp_path / "x.zip", files, inside)) == files


@pytest.mark.parametrize("inside", ["", "ml-100k", "a/b"])
def test_files_are_found_by_name_in_a_folder(tmp_path: Path, inside: str) -> None:
    files = contents()
    write_folder(tmp_path / "top" / inside, files)
    assert read(tmp_path / "top") == files


def test_the_error_for_a_missing_file_names_it(tmp_path: Path) -> None:
    with archive.open_files(write_zip(tmp_path / "x.zip", {"u.data": b"1"}), WANTED) as files:
        assert "u.item" not in files
        for reading in (files.read, files.size, lambda name: next(files.blocks(name))):
            with pytest.raises(Problem, match=r"has no file u\.item"):
                reading("u.item")


def test_all_files_are_from_one_folder(tmp_path: Path) -> None:
    for path in zip_and_folder(tmp_path, {"deep/er/u.item": b"2", "deep/u.data": b"1", "deep/u.user": b"3"}):
        assert read(path) == {"u.data": b"1", "u.user": b"3"}


def test_blocks_are_whole_lines(tmp_path: Path) -> None:
    content = b"".join(b"%d\n" % number for number in range(10_000)) + b"the end"
    for path in zip_and_folder(tmp_path, {"u.data": content}):
        with archive.open_files(path, WANTED) as files:
            blocks = list(files.blocks("u.data", 1000))
        assert b"".join(blocks) == content
        assert len(blocks) > 40
        assert all(block.endswith(b"\n") for block in blocks[:-1])


def test_a_file_without_line_ends_is_refused(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "x", {"u.data": b"0" * 5000})
    with (
        archive.open_files(path, WANTED) as files,
        pytest.raises(Problem, match=r"u\.data in .* is not a text file"),
    ):
        list(files.blocks("u.data", 1000))


def test_only_wanted_files_are_counted_and_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 100)
    for path in zip_and_folder(tmp_path, {"u.data": b"1", "genome.csv": b"2" * 1000}):
        assert read(path) == {"u.data": b"1"}


@pytest.mark.parametrize(
    "name", ["../u.data", "a/../../u.data", "/u.data", "C:/u.data", "C:\\u.data", "..\\u.data", "\\u.data"]
)
def test_members_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "x.zip", {**contents(), name: b"1"}, "")
    assert "outside" in refusal_of(path)


def test_a_file_without_a_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as zipped, zipped.open(zipfile.ZipInfo(""), "w") as member:
        member.write(b"1")
    assert "a file without a name" in refusal_of(path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        member = zipfile.ZipInfo("u.data")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        zipped.writestr(member, "/etc/passwd")
    assert "is a link" in refusal_of(path)


def test_a_zip_bomb_is_refused_for_its_ratio(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {**contents(), "u.data": b"0" * 5_000_000})
    assert "100 times" in refusal_of(path)


def test_a_zip_bomb_with_a_false_size_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"u.data": b"0" * 3_000_000})
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, directory + 24, 1000)
    path.write_bytes(content)
    refusal_of(path)


def test_more_bytes_than_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    assert "1,000" in refusal_of(write_zip(tmp_path / "x.zip", contents()))
    assert "1,000" in refusal_of(write_folder(tmp_path / "x", contents()))


def test_a_file_that_is_read_as_a_whole_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_READ", 1000)
    with archive.open_files(write_zip(tmp_path / "x.zip", {"u.data": b"1\n" * 501}), WANTED) as files:
        assert len(b"".join(files.blocks("u.data"))) == 1002
        with pytest.raises(Problem, match=r"u\.data in .* is larger than the limit of 1,000 bytes"):
            files.read("u.data")


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    assert "3 files" in refusal_of(write_zip(tmp_path / "x.zip", contents()))


@pytest.mark.parametrize("other", ["u.data", "u.item"])
def test_two_datasets_side_by_side_are_refused(tmp_path: Path, other: str) -> None:
    for path in zip_and_folder(tmp_path, {"a/u.data": b"1", f"b/{other}": b"2"}):
        assert "in a and in b; choose one of these folders" in refusal_of(path)


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "x", {"u.data": b"1\n2\n"})
    with archive.open_files(path, WANTED) as files:
        (path / "u.data").write_bytes(b"1\n")
        with pytest.raises(Problem, match="damaged or incomplete"):
            files.read("u.data")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><title>Sign in</title>", "is a web page"),
        (b"\n <HTML>", "is a web page"),
        (b"Rar!....", "is not a zip archive"),
        (b"PK\x03\x04 and no more", "damaged or incomplete"),
    ],
)
def test_files_that_are_not_archives(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    assert message in refusal_of(path)


def test_a_cut_off_zip(tmp_path: Path, small_zip: Path) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(small_zip.read_bytes()[:-200])
    assert "damaged or incomplete" in refusal_of(path)


def test_a_zip_with_a_flipped_bit(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as zipped:
        zipped.writestr("u.data", "1\t1\t5\t880000000\n" * 100)
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    assert "damaged or incomplete" in refusal_of(path)


def test_an_encrypted_zip(tmp_path: Path, small_zip: Path) -> None:
    content = bytearray(small_zip.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := content.find(signature, start + 1)) >= 0:
            content[start + offset] |= 1
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    assert "encrypted" in refusal_of(path)


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    assert "There is no file" in refusal_of(tmp_path / "nowhere.zip")


def test_a_path_that_is_neither_file_nor_folder(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert "neither" in refusal_of(path)


def test_a_pipe_in_a_folder_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "u.data")
    assert "not a regular file" in refusal_of(tmp_path)
