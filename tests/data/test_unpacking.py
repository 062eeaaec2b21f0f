"""Archives whose members differ from what the central directory says about them."""

import contextlib
import json
import random
import struct
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from movietui.data.fetch import archive
from movietui.data.problems import Problem

METHODS = {
    "stored": zipfile.ZIP_STORED,
    "deflate": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}
LINES = b"".join(b"%d,%d,3.5\n" % (number, number * 7 % 101) for number in range(20_000))
by_method = pytest.mark.parametrize("method", METHODS)


def write_packed(path: Path, method: str, content: bytes = LINES, name: str = "ratings.csv") -> Path:
    with zipfile.ZipFile(path, "w", METHODS[method]) as zipped:
        zipped.writestr(name, content)
    return path


def read(path: Path, max_bytes: int = 2**20) -> bytes:
    (content,) = archive.read_all(path, lambda name: True, max_bytes).values()
    return content


def assert_refused(path: Path, message: str) -> None:
    with pytest.raises(Problem, match=message) as problem:
        read(path)
    assert str(problem.value).startswith(str(path))
    assert str(problem.value).endswith(".")


def change_directory(path: Path, offset: int, value: int) -> None:
    """Overwrite a four-byte value in the last entry of the central directory."""
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.rindex(b"PK\1\2") + offset, value)
    path.write_bytes(content)


SIZE, PACKED_SIZE, CHECKSUM, OFFSET = 24, 20, 16, 42


@by_method
def test_every_method_can_be_unpacked(tmp_path: Path, method: str) -> None:
    path = write_packed(tmp_path / "x.zip", method)
    assert read(path) == LINES
    with archive.open_files(path, ["ratings.csv"]) as files:
        for size in (100, 4096, 2**22):
            assert b"".join(files.blocks("ratings.csv", size)) == LINES
            assert max(map(len, files.pieces("ratings.csv", size))) <= size
    assert read(write_packed(tmp_path / "empty.zip", method, b"")) == b""


@by_method
@pytest.mark.parametrize("size", [0, 100, len(LINES) - 1, len(LINES) + 1])
def test_a_directory_that_lies_about_the_size(tmp_path: Path, method: str, size: int) -> None:
    path = write_packed(tmp_path / "x.zip", method)
    change_directory(path, SIZE, size)
    assert_refused(path, "is damaged or incomplete; download it again")


@by_method
@pytest.mark.parametrize("offset", [PACKED_SIZE, CHECKSUM, OFFSET])
def test_a_directory_with_other_false_values(tmp_path: Path, method: str, offset: int) -> None:
    for value in (0, 1, 1000, 2**31, 2**32 - 1):
        path = write_packed(tmp_path / "x.zip", method)
        change_directory(path, offset, value)
        if offset == OFFSET and value == 0:
            assert read(path) == LINES  # the value is right
        else:
            assert_refused(path, "is damaged|is refused")


@by_method
def test_random_damage_raises_nothing_but_a_problem(tmp_path: Path, method: str) -> None:
    whole = write_packed(tmp_path / "whole.zip", method, LINES[:5000]).read_bytes()
    chance, path = random.Random(15), tmp_path / "x.zip"
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content[: chance.randint(1, len(content))] if chance.random() < 0.2 else content)
        with contextlib.suppress(Problem):
            read(path)


def test_invalid_lzma_properties(tmp_path: Path) -> None:
    path = write_packed(tmp_path / "x.zip", "lzma")
    whole = path.read_bytes()
    start = 30 + len("ratings.csv")
    for offset, value in ((start + 2, 4), (start + 2, 255), (start + 4, 255), (start + 8, 255)):
        path.write_bytes(whole[:offset] + bytes([value]) + whole[offset + 1 :])
        assert_refused(path, "is damaged or incomplete")


def test_an_unusual_method_is_refused(tmp_path: Path) -> None:
    path = write_packed(tmp_path / "x.zip", "stored")
    content = bytearray(path.read_bytes())
    struct.pack_into("<H", content, content.rindex(b"PK\1\2") + 10, 93)
    path.write_bytes(content)
    assert_refused(path, "compressed in an unusual way; repack it")


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("a.csv", LINES)
        zipped.writestr("b.csv", LINES)
    change_directory(path, OFFSET, 0)
    assert_refused(path, "overlaps the file after it")


@pytest.mark.parametrize("name", ["../x.csv", "/x.csv", "C:x.csv", "..\\x.csv", "a\0../x.csv"])
def test_names_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    path = write_packed(tmp_path / "x.zip", "stored", name=name.replace("\0", "?"))
    path.write_bytes(path.read_bytes().replace(b"a?..", b"a\0.."))
    assert_refused(path, "leads outside the archive")


def test_a_name_that_is_not_text(tmp_path: Path) -> None:
    path = write_packed(tmp_path / "x.zip", "stored", name="é.csv")
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xff"))
    assert_refused(path, "is damaged or incomplete")


def test_a_directory_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for number in range(100):
            zipped.writestr(f"{number}.csv", b"")
    monkeypatch.setattr(archive, "MAX_DIRECTORY", 1000)
    assert_refused(path, "its list of files has more than 1,000 bytes")


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_bytes(b"1\n")
    with archive.open_files(tmp_path, ["ratings.csv"]) as files:
        path.write_bytes(b"1\n2\n")
        with pytest.raises(Problem, match="damaged or incomplete"):
            files.read("ratings.csv")


def test_paths_inside_the_archive_are_returned(tmp_path: Path) -> None:
    path = write_packed(tmp_path / "x.zip", "deflate", name="deep/er/x.csv")
    assert set(archive.read_all(path, lambda name: True, 2**20)) == {PurePosixPath("deep/er/x.csv")}


PEAK = """
import json, sys
from pathlib import Path
from movietui.data.imports import export_file as files
from movietui.data.problems import Problem

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

before = peak()
try:
    files.read(Path(sys.argv[1]))
except Problem as problem:
    print(json.dumps([str(problem), (peak() - before) * 1024]))
"""


def bomb(path: Path, method: str) -> None:
    """Pack far more zeros than an import may have, and make the central directory say that there are a hundred."""
    with zipfile.ZipFile(path, "w", METHODS[method]) as zipped, zipped.open("ratings.csv", "w") as member:
        for _ in range(48):
            member.write(bytes(2**22))
    change_directory(path, SIZE, 100)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux reports the peak memory in /proc")
@pytest.mark.parametrize("method", ["deflate", "bzip2"])
def test_a_zip_bomb_needs_little_memory(tmp_path: Path, method: str) -> None:
    path = tmp_path / "x.zip"
    bomb(path, method)
    result = subprocess.run([sys.executable, "-c", PEAK, str(path)], check=True, capture_output=True, text=True)
    sentence, growth = json.loads(result.stdout)
    assert "damaged or incomplete" in sentence
    assert growth < 100 * 2**20
