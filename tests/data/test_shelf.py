"""A shelf: the movies in a folder of movie files."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from movietui.data.imports import shelf
from movietui.data.problems import Problem
from movietui.data.progress import Stage

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """A function that writes a file, with its parent folders, into the folder ``movies``."""

    def write(name: str, content: bytes = b"") -> Path:
        path = tmp_path / "movies" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write


def scanned(tmp_path: Path) -> dict[str, int]:
    """Return the years of the movies on the shelf, by title."""
    return {entry.title: entry.year for entry in shelf.read(tmp_path / "movies").entries}


def ids(tmp_path: Path) -> list[tuple[str, str, int]]:
    entries = shelf.read(tmp_path / "movies").entries
    return sorted((entry.title, entry.imdb, entry.tmdb) for entry in entries)


def test_movies_are_named_by_their_files_or_folders(put: Put, tmp_path: Path) -> None:
    put("Fargo (1996).mkv")
    put("Brazil.1985.720p.BluRay.x264-GRP.mp4")
    put("Heat (1995)/heat-grp.mkv")
    put("Heat (1995)/heat.srt")
    put("Alien (1979)/movie.avi")
    put("M.1931.1080p/m-grp.mkv")
    put("Drama/Ran (1985)/Ran.mkv")
    put("Drama/Kundun (1997).mkv")
    put("Bond (1962-2021)/Dr. No (1962).mkv")
    put("Bond (1962-2021)/Goldfinger (1964).mkv")
    assert scanned(tmp_path) == {
        "Fargo": 1996,
        "Brazil": 1985,
        "Heat": 1995,
        "Alien": 1979,
        "M": 1931,
        "Ran": 1985,
        "Kundun": 1997,
        "Dr. No": 1962,
        "Goldfinger": 1964,
    }
    read = shelf.read(tmp_path / "movies")
    assert read.files == 9
    assert {entry.note for entry in read.entries} >= {"Drama/Ran (1985)/Ran.mkv", "Fargo (1996).mkv"}


def test_copies_discs_and_parts_count_once(put: Put, tmp_path: Path) -> None:
    for name in (
        "Heat (1995)/Heat (1995) - 1080p.mkv",
        "Heat (1995)/Heat (1995) - 2160p.mkv",
        "Old/Heat (1995).avi",
        "Ran (1985)/CD1/ran.avi",
        "Ran (1985)/CD2/ran.avi",
        "Lotr.cd1.avi",
        "Lotr.cd2.avi",
        "Dune Part 1 (1984).mkv",
        "Novecento.part1.avi",
        "Novecento.part2.avi",
        "Alien (1979)/VIDEO_TS/VTS_01_1.VOB",
        "Alien (1979)/AUDIO_TS/x.vob",
        "Brazil (1985)/Disc 1/BDMV/STREAM/00001.m2ts",
    ):
        put(name)
    assert scanned(tmp_path) == {
        "Heat": 1995,
        "Ran": 1985,
        "Lotr": 0,
        "Dune Part 1": 1984,
        "Novecento": 0,
        "Alien": 1979,
        "Brazil": 1985,
    }
    assert len(shelf.read(tmp_path / "movies").entries) == 7


def test_extras_samples_and_episodes_are_ignored_and_counted(put: Put, tmp_path: Path) -> None:
    put("Heat (1995)/Heat (1995).mkv")
    put("Heat (1995)/Heat (1995)-trailer.mkv")
    put("Heat (1995)/Making of.mkv")
    put("Heat (1995)/Featurettes/Pacino and De Niro.mkv")
    put("Heat (1995)/Sample/heat-sample.mkv")
    put("sample.mkv")
    put("Show/Season 1/Pilot.mkv")
    put("Show/Season 1/Extras/Bloopers.mkv")
    put("Show S02E01.mkv")
    put("Series/tvshow.nfo")
    put("Series/One.mkv")
    put("One.mkv")
    put("One.nfo", b"<episodedetails/>")
    put("!!!.mkv")
    put("Shorts/Heat 2 (2030).mkv")  # a folder beside movies
    put("notes.txt")
    read = shelf.read(tmp_path / "movies")
    assert {entry.title for entry in read.entries} == {"Heat"}
    assert read.ignored == {"samples": 2, "episodes": 5, "files without a title": 1, "extras": 4}
    assert read.files == 1


def test_a_folder_named_like_extras_is_only_that_beside_a_movie(put: Put, tmp_path: Path) -> None:
    put("Shorts/La Jetee (1962).mkv")
    put("Shorts (2009)/Shorts.mkv")
    assert scanned(tmp_path) == {"La Jetee": 1962, "Shorts": 2009}


def test_ids_come_from_nfo_files_and_names(put: Put, tmp_path: Path) -> None:
    put("Heat (1995)/h.mkv")
    put("Heat (1995)/movie.nfo", b'<movie><uniqueid type="imdb">tt0113277</uniqueid><tmdbid>949</tmdbid></movie>')
    put("Fargo.1996.mkv")
    put("Fargo.1996.nfo", b"https://www.imdb.com/title/tt0116282/")
    put("Ran (1985) {imdb-tt0089881}/Ran.mkv")
    put("Brazil (1985)/Brazil (1985) [tmdbid-68].mkv")
    put("Twins/A (1990).mkv")
    put("Twins/B (1991).mkv")
    put("Twins/other.nfo", b"imdb.com/title/tt0000001")
    put("Alien (1979)/VIDEO_TS/x.vob")
    put("Alien (1979)/release.nfo", b"imdb.com/title/tt0078748")
    assert ids(tmp_path) == [
        ("A", "", 0),
        ("Alien", "tt0078748", 0),
        ("B", "", 0),
        ("Brazil", "", 68),
        ("Fargo", "tt0116282", 0),
        ("Heat", "tt0113277", 949),
        ("Ran", "tt0089881", 0),
    ]


def test_two_movies_of_one_name_and_year_stay_apart(put: Put, tmp_path: Path) -> None:
    put("Hamlet (1996) {imdb-tt0116477}/x.mkv")
    put("Other/Hamlet (1996) {imdb-tt0000002}/x.mkv")
    assert ids(tmp_path) == [("Hamlet", "tt0000002", 0), ("Hamlet", "tt0116477", 0)]


def test_links_are_not_followed_and_pipes_not_opened(put: Put, tmp_path: Path) -> None:
    folder = put("Heat (1995)/Heat.mkv").parent
    outside = tmp_path / "outside" / "Secret (2000)"
    outside.mkdir(parents=True)
    (outside / "Secret.mkv").touch()
    (tmp_path / "outside.nfo").write_text("<imdbid>tt0113277</imdbid>")
    (folder / "loop").symlink_to(folder.parent, target_is_directory=True)
    (folder.parent / "Away").symlink_to(outside.parent, target_is_directory=True)
    (folder.parent / "Linked (1999).mkv").symlink_to(outside / "gone.mkv")
    (folder / "movie.nfo").symlink_to(tmp_path / "outside.nfo")
    os.mkfifo(folder.parent / "Pipe (2001).mkv")
    os.mkfifo(folder / "Heat.nfo")
    assert ids(tmp_path) == [("Heat", "", 0), ("Linked", "", 0)]
    read = shelf.read(tmp_path / "movies")
    assert (read.ignored, read.unread) == ({"other files": 1}, ())
    (tmp_path / "link").symlink_to(folder.parent, target_is_directory=True)
    assert len(shelf.read(tmp_path / "link").entries) == 2  # the folder itself may be a link


def test_hostile_names_are_cleaned(put: Put, tmp_path: Path) -> None:
    put("\x1b[31mHeat\u202e\n (1995).mkv")
    put("[b]Fargo[b] (1996).mkv")
    os.rename(put("x.mkv"), os.fsencode(tmp_path / "movies") + b"/Caf\xe9 (1999).mkv")
    read = shelf.read(tmp_path / "movies")
    assert {entry.title for entry in read.entries} == {"Heat", "Fargo", "Caf"}
    for entry in read.entries:
        assert (entry.title + entry.note).isprintable()


def test_system_folders_and_hidden_files_are_left_out(put: Put, tmp_path: Path) -> None:
    put("Heat (1995).mkv")
    for name in (".Trash/A (2000).mkv", "@eaDir/B (2000).mkv", "$RECYCLE.BIN/C (2000).mkv", "._D (2000).mkv"):
        put(name)
    assert scanned(tmp_path) == {"Heat": 1995}


def test_folders_that_cannot_be_read_are_named(put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("Heat (1995).mkv")
    put("locked/Fargo (1996).mkv")
    put("deep/" * shelf.MAX_DEPTH + "deeper/Ran (1985).mkv")
    real = os.open

    def refuse(path: object, *arguments: object, **named: object) -> int:
        if path == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **named)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(os, "open", refuse)
    read = shelf.read(tmp_path / "movies")
    assert {entry.title for entry in read.entries} == {"Heat"}
    assert set(read.unread) == {"locked", "deep/" * shelf.MAX_DEPTH + "deeper"}


def test_a_folder_replaced_by_a_link_during_the_scan_is_not_followed(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("Heat (1995).mkv")
    inner = put("inner/Fargo (1996).mkv").parent
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "Secret (2000).mkv").touch()
    real = os.open

    def swap(path: object, *arguments: object, **named: object) -> int:
        if path == "inner" and inner.is_dir() and not inner.is_symlink():
            inner.rename(tmp_path / "moved")
            inner.symlink_to(outside, target_is_directory=True)
        return real(path, *arguments, **named)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(os, "open", swap)
    read = shelf.read(tmp_path / "movies")
    assert ([entry.title for entry in read.entries], read.unread) == (["Heat"], ("inner",))


def test_a_folder_without_movies_is_refused_in_one_sentence(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Problem, match=r"There is no folder .*; check the path\."):
        shelf.read(tmp_path / "movies")
    put("notes.txt")
    with pytest.raises(Problem, match=r"contains no movie; choose the folder with your movie files\."):
        shelf.read(tmp_path / "movies")
    put("Show S01E01.mkv")
    with pytest.raises(Problem, match=r"contains no movie, only episodes \(1\); choose"):
        shelf.read(tmp_path / "movies")
    with pytest.raises(Problem, match="cannot be read: Not a directory"):
        shelf.read(tmp_path / "movies" / "notes.txt")
    with pytest.raises(Problem, match=r"cannot be read: .*embedded null"):
        shelf.read(Path("a\0b"))
    monkeypatch.setattr(shelf, "MAX_NAMES", 1)
    with pytest.raises(Problem, match="contains more than 1 files and folders"):
        shelf.read(tmp_path / "movies")


def test_the_progress_of_a_scan_is_reported(put: Put, tmp_path: Path) -> None:
    put("Heat (1995).mkv")
    stages: list[Stage] = []
    shelf.read(tmp_path / "movies", stages.append)
    assert stages[0].name == "Scanning"
