"""Reads a shelf: the movies that a folder with movie files contains, by the names of its files and folders.

Movie files are never opened; only small ``.nfo`` files are, see ``nfo``. A symbolic link counts by its own name and is
never followed, not even if it replaces a folder during the scan, so nothing outside the folder is read.

The title comes from the name of the file, or from its folder if that is named after one movie:
``Heat (1995)/movie.mkv``. Copies of a movie, the discs of a set, and the folders ``VIDEO_TS`` and ``BDMV`` count once.
Extras, samples and episodes of series are left out and counted.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from movietui.data.imports import file_names, nfo
from movietui.data.imports.entries import LONGEST_NOTE, Entry
from movietui.data.imports.file_names import FileName
from movietui.data.imports.merging import merged
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.progress import Meter, Report, silent
from movietui.data.safe_text import strip_controls
from movietui.data.titles import movie_key

VIDEOS = frozenset(
    (
        *(".3gp", ".asf", ".avi", ".divx", ".dvr-ms", ".f4v", ".flv", ".img", ".iso", ".m2ts", ".m2v", ".m4v", ".mkv"),
        *(".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mts", ".ogm", ".ogv", ".rm", ".rmvb", ".ts", ".vob", ".webm"),
        ".wmv",
    )
)
"""The extensions of movie files."""
MAX_NAMES = 500_000
"""How many files and folders a shelf may have; a folder with more is probably a whole disk."""
MAX_DEPTH = 16
"""How many levels deep folders are read."""
_DISCS = frozenset({"video_ts", "bdmv"})
_BESIDE_DISCS = frozenset({"audio_ts", "certificate", "hvdvd_ts"})
_SYSTEM = frozenset({"lost+found", "system volume information"})
_MARKED = (".", "@", "#", "$")
"""How the names of system folders begin: ``.Trash``, ``@eaDir``, ``#recycle``, ``$RECYCLE.BIN``."""
_NAMELESS = frozenset({"movie", "video", "film", "main", "index", "title"})
"""Titles that name no movie if the folder has a name."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC

EPISODES, EXTRAS, SAMPLES, UNNAMED, OTHER = "episodes", "extras", "samples", "files without a title", "other files"


@dataclass(frozen=True)
class Shelf:
    """The movies that a folder contains."""

    entries: tuple[Entry, ...]
    """Each movie once, in the order of the names; ``note`` has the path of its file, relative to the folder."""
    files: int
    """The number of movie files, without the ignored ones."""
    ignored: Mapping[str, int]
    """The number of ignored movie files by what they are: ``episodes``, ``extras``, ``samples``, ``files without a
    title``, and ``other files``, such as pipes."""
    unread: tuple[str, ...]
    """The paths of folders that could not be read, relative to the folder."""


def read(folder: Path, report: Report = silent) -> Shelf:
    """Return the movies in a folder and all folders inside it.

    Raises ``Problem`` if the folder cannot be read, has too many files, or contains no movie.
    """
    folder = folder.expanduser()
    scan = _Scan(Meter(report, tr("Scanning"), 0, tr("files")))
    try:
        opened = os.open(folder, _FOLDER & ~os.O_NOFOLLOW)
    except FileNotFoundError:
        raise Problem(tr("There is no folder {folder}; check the path.", folder=folder)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Problem(
            tr("{folder} cannot be read: {reason}; choose the folder with your movies.", folder=folder, reason=reason)
        ) from None
    try:
        scan.folder(opened, PurePosixPath(), "", 0)
    except _TooMany:
        raise Problem(
            tr(
                "{folder} contains more than {limit:,} files and folders; choose the folder with your movies.",
                folder=folder,
                limit=MAX_NAMES,
            )
        ) from None
    except OSError as error:
        reason = error.strerror
        raise Problem(
            tr("{folder} cannot be read: {reason}; choose the folder with your movies.", folder=folder, reason=reason)
        ) from None
    finally:
        os.close(opened)
    if not scan.entries:
        raise Problem(
            tr(
                "{folder} contains no movie{others}; choose the folder with your movie files.",
                folder=folder,
                others=_instead(scan),
            )
        )
    return Shelf(merged(scan.entries), scan.files, dict(scan.ignored), tuple(scan.unread))


def _instead(scan: "_Scan") -> str:
    others = [f"{what} ({count:,})" for what, count in scan.ignored.items()]
    others += [tr("folders that cannot be read ({count:,})", count=len(scan.unread))] * bool(scan.unread)
    return tr(", only {others}", others=", ".join(others)) if others else ""


def path_text(path: PurePosixPath) -> str:
    """Return a path inside the shelf as it is stored and shown."""
    return " ".join(strip_controls(str(path)).split())[:LONGEST_NOTE]


class _TooMany(Exception):
    """The folder has more than ``MAX_NAMES`` files and folders."""


@dataclass
class _Names:
    """The names in one folder."""

    folders: list[str] = field(default_factory=list)
    videos: list[str] = field(default_factory=list)
    nfos: dict[str, str] = field(default_factory=dict)
    """The names of the ``.nfo`` files, by their names in lower case."""
    odd: int = 0
    """How many entries, such as pipes, are named like movie files but are neither files nor links."""


class _Scan:
    """Collects the movies of a folder."""

    def __init__(self, meter: Meter) -> None:
        self.entries: list[Entry] = []
        self.files = 0
        self.ignored = Counter[str]()
        self.unread: list[str] = []
        self._meter, self._names = meter, 0

    def folder(self, opened: int, inside: PurePosixPath, ignored_as: str, depth: int) -> None:
        """Read an open folder and the folders inside it.

        ``inside`` is its path relative to the shelf; empty for the shelf itself. ``ignored_as`` is the reason to ignore
        its movie files, such as ``EXTRAS``; empty to add them.
        """
        names = self._list(opened)
        if names.odd:
            self.ignored[OTHER] += names.odd
        if "tvshow.nfo" in names.nfos or (inside.parts and file_names.is_season(inside.name)):
            ignored_as = ignored_as or EPISODES
        discs = [name for name in names.folders if name.casefold() in _DISCS]
        if ignored_as:
            self.ignored[ignored_as] += len(names.videos) + bool(discs)
        else:
            self._add_movies(opened, inside, names, discs)
        for name in names.folders:
            if name.casefold() in _DISCS | _BESIDE_DISCS:
                continue
            has_movie = bool(names.videos or discs)
            extras = SAMPLES if "sample" in name.casefold() else EXTRAS
            within = ignored_as or (extras if has_movie and file_names.is_extra_folder(name) else "")
            with self._open(opened, name, inside / name, depth + 1) as subfolder:
                if subfolder >= 0:
                    self.folder(subfolder, inside / name, within, depth + 1)

    @contextmanager
    def _open(self, parent: int, name: str, inside: PurePosixPath, depth: int) -> Iterator[int]:
        """Open a folder inside another one; yield -1 and note the folder if it cannot be read or is too deep."""
        try:
            opened = os.open(name, _FOLDER, dir_fd=parent) if depth <= MAX_DEPTH else -1
        except OSError:
            opened = -1
        if opened < 0:
            self.unread.append(path_text(inside))
        try:
            yield opened
        except OSError:  # the disk failed, or was removed
            self.unread.append(path_text(inside))
        finally:
            if opened >= 0:
                os.close(opened)

    def _list(self, opened: int) -> _Names:
        names = _Names()
        with os.scandir(opened) as entries:
            for entry in entries:
                self._names += 1
                self._meter.add(1)
                if self._names > MAX_NAMES:
                    raise _TooMany
                self._sort_in(entry, names)
        names.folders.sort()
        names.videos.sort()
        return names

    @staticmethod
    def _sort_in(entry: "os.DirEntry[str]", names: _Names) -> None:
        name, suffix = entry.name, os.path.splitext(entry.name)[1].casefold()
        if name.startswith("."):
            return
        try:
            is_folder, is_file = entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False)
        except OSError:
            is_folder = is_file = False
        if is_folder:
            if not name.startswith(_MARKED) and name.casefold() not in _SYSTEM:
                names.folders.append(name)
        elif suffix in VIDEOS:
            if is_file or entry.is_symlink():
                names.videos.append(name)
            else:
                names.odd += 1
        elif suffix == ".nfo":
            names.nfos[name.casefold()] = name

    def _add_movies(self, opened: int, inside: PurePosixPath, names: _Names, discs: Sequence[str]) -> None:
        """Add the movies whose files are in a folder."""
        folder, files = _name_of(inside), self._movie_files(names.videos)
        named = _names_of(files)
        if folder.labelled and any(_is_same(each, folder) for each in named.values()):
            for file in [file for file, each in named.items() if not each.year]:  # such as "Making of"
                del named[file]
                self.ignored[EXTRAS] += 1
        movies = {movie_key(each.title, each.year) for each in named.values()}
        if discs:
            self._add(opened, inside / discs[0], folder, names, ["movie.nfo", *names.nfos], 1 + len(named))
        elif len(movies) == 1:
            nfos = [*map(_nfo_of, named), "movie.nfo", *(names.nfos if len(names.nfos) == 1 else ())]
            of_file = next(iter(named.values()))
            of_folder = folder.labelled or (folder.year and not of_file.year) or of_file.title.casefold() in _NAMELESS
            movie = _with_ids_of(folder, of_file) if folder.title and of_folder else _with_ids_of(of_file, folder)
            self._add(opened, inside / next(iter(named)), movie, names, nfos, len(named))
        else:
            for file, of_file in named.items():
                self._add(opened, inside / file, of_file, names, [_nfo_of(file)], 1)

    def _movie_files(self, videos: Sequence[str]) -> list[str]:
        """Return the movie files without samples, extras and episodes, which are counted."""
        files = []
        for video in videos:
            stem = _stem(video)
            if file_names.is_sample(stem):
                self.ignored[SAMPLES] += 1
            elif len(videos) > 1 and file_names.is_extra(stem):
                self.ignored[EXTRAS] += 1
            elif file_names.is_episode(stem):
                self.ignored[EPISODES] += 1
            else:
                files.append(video)
        return files

    def _add(
        self,
        opened: int,
        path: PurePosixPath,
        named: FileName,
        names: _Names,
        nfos: Sequence[str],
        files: int,
    ) -> None:
        """Add a movie of ``files`` files; ``nfos`` are the names that its ``.nfo`` file may have."""
        for name in dict.fromkeys(nfos):
            if name not in names.nfos:
                continue
            described = _read_nfo(opened, names.nfos[name])
            if described.series:
                self.ignored[EPISODES] += files
                return
            if described.imdb or described.tmdb:
                named = replace(named, imdb=described.imdb or named.imdb, tmdb=described.tmdb or named.tmdb)
                break
        if not named.title and not named.imdb:
            self.ignored[UNNAMED] += files
            return
        self.files += files
        self.entries.append(Entry(named.title, named.year, imdb=named.imdb, tmdb=named.tmdb, note=path_text(path)))


def _name_of(inside: PurePosixPath) -> FileName:
    """Return what the name of a folder says; a folder such as ``Disc 1`` is named by the folder around it."""
    parts = list(inside.parts)
    while parts and not file_names.part_of(f" {parts[-1]}")[0].strip():
        parts.pop()
    return file_names.parse(parts[-1]) if parts else FileName("")


def _stem(file: str) -> str:
    return os.path.splitext(file)[0]


def _nfo_of(file: str) -> str:
    """Return the name, in lower case, of the ``.nfo`` file of a movie file."""
    return f"{_stem(file).casefold()}.nfo"


def _names_of(files: Sequence[str]) -> dict[str, FileName]:
    """Return what the name of each file says, without the number of a disc, or of a part that is one of several."""
    bases = Counter(file_names.part_of(_stem(file))[0] for file in files)
    named = {}
    for file in files:
        base, is_disc = file_names.part_of(_stem(file))
        named[file] = file_names.parse(base if is_disc or bases[base] > 1 else _stem(file))
    return named


def _is_same(one: FileName, other: FileName) -> bool:
    return movie_key(one.title, one.year) == movie_key(other.title, other.year)


def _with_ids_of(named: FileName, other: FileName) -> FileName:
    """Fill in the ids that a name lacks from another name of the same movie."""
    return replace(named, imdb=named.imdb or other.imdb, tmdb=named.tmdb or other.tmdb)


def _read_nfo(folder: int, name: str) -> nfo.Nfo:
    """Return what an ``.nfo`` file in an open folder says; nothing if it cannot be read or is not a regular file."""
    try:
        file = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        return nfo.Nfo()
    with os.fdopen(file, "rb", buffering=0) as opened, suppress(OSError):
        if stat.S_ISREG(os.fstat(file).st_mode):
            return nfo.parse(opened.read(nfo.MAX_BYTES))
    return nfo.Nfo()
