import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from data import archive
from data.problems import Problem
from tests.data.files import contents, write_folder, write_zip

WANTED = ("u.data", "u.item", "u.user")


def refused(path: Path) -> str:
    with pytest.raises(Problem) as told:
        archive.read(path, WANTED)
    sentence = str(told.value)
    assert str(path) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("inside", ["", "ml-100k/", "a/b/"])
def test_files_are_found_by_name_in_a_zip(tmp_path: Path, inside: str) -> None:
    files = contents()
    assert archive.read(write_zip(tmp_path / "x.zip", files, inside), WANTED).contents == files


@pytest.mark.parametrize("inside", ["", "ml-100k", "a/b"])
def test_files_are_found_by_name_in_a_folder(tmp_path: Path, inside: str) -> None:
    files = contents()
    write_folder(tmp_path / "top" / inside, files)
    assert archive.read(tmp_path / "top", WANTED).contents == files


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    files = archive.read(write_zip(tmp_path / "x.zip", {"u.data": b"1"}), WANTED)
    assert "u.item" not in files
    with pytest.raises(Problem, match=r"has no file u\.item"):
        files["u.item"]


@pytest.mark.parametrize(
    "name", ["../u.data", "a/../../u.data", "/u.data", "C:/u.data", "C:\\u.data", "..\\u.data", "\\u.data"]
)
def test_members_outside_of_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "x.zip", {**contents(), name: b"1"}, "")
    assert "outside" in refused(path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        member = zipfile.ZipInfo("u.data")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        zipped.writestr(member, "/etc/passwd")
    assert "is a link" in refused(path)


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {**contents(), "u.data": b"0" * 5_000_000})
    assert "100 times" in refused(path)


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"u.data": b"0" * 3_000_000})
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, directory + 24, 1000)
    path.write_bytes(content)
    refused(path)


def test_more_than_the_cap_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    assert "1,000" in refused(write_zip(tmp_path / "x.zip", contents()))
    assert "1,000" in refused(write_folder(tmp_path / "x", contents()))


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    assert "3 files" in refused(write_zip(tmp_path / "x.zip", contents()))


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"a/u.data": b"1", "b/u.data": b"2"}, "")
    assert "twice" in refused(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><title>Sign in</title>", "is a web page"),
        (b"\n <HTML>", "is a web page"),
        (b"Rar!....", "is not a zip archive"),
        (b"PK\x03\x04 and no more", "damaged or cut off"),
    ],
)
def test_other_files(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    assert told in refused(path)


def test_a_cut_off_zip(tmp_path: Path, small_zip: Path) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(small_zip.read_bytes()[:-200])
    assert "damaged or cut off" in refused(path)


def test_a_zip_with_a_flipped_bit(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as zipped:
        zipped.writestr("u.data", "1\t1\t5\t880000000\n" * 100)
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    assert "damaged or cut off" in refused(path)


def test_an_encrypted_zip(tmp_path: Path, small_zip: Path) -> None:
    content = bytearray(small_zip.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := content.find(signature, start + 1)) >= 0:
            content[start + place] |= 1
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    assert "encrypted" in refused(path)


def test_no_such_path(tmp_path: Path) -> None:
    assert "There is no file" in refused(tmp_path / "nowhere.zip")


def test_neither_file_nor_folder(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert "neither" in refused(path)


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "u.data")
    assert "not a plain file" in refused(tmp_path)
