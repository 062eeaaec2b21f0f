"""Where IMDb's tables come from: a folder of the person's own, the downloads, or IMDb. They never leave the machine."""

import contextlib
import errno
import os
from pathlib import Path

from data import locations, sources
from data.problems import Problem
from data.progress import Report, Stage, silent
from data.titles import plain

URL = "https://datasets.imdbws.com"
NEEDED = "title.basics"
FURTHER = {
    "title.ratings": "no ratings and votes are known, and votes could settle nothing",
    "title.crew": "no directors are known",
    "name.basics": "no names of directors are known",
}
"""Tables that may be missing, and what is missing then."""
_CHUNK = 2**18


def tables(folder: Path | None, report: Report = silent) -> dict[str, Path]:
    """Return the files of IMDb's tables by name: those in a folder, else those downloaded, now or before.

    Of a folder only ``NEEDED`` must be there; a download has all. Raises ``Problem`` with one sentence.
    """
    if folder is None:
        return {table: _downloaded(table, report) for table in (NEEDED, *FURTHER)}
    folder = folder.expanduser()
    if not folder.is_dir():
        raise Problem(f"There is no folder {folder}; name the one with {NEEDED}.tsv.gz in it.")
    found: dict[str, Path] = {}
    for table in (NEEDED, *FURTHER):
        for path in (folder / f"{table}.tsv.gz", folder / f"{table}.tsv"):
            if path.is_file():
                found.setdefault(table, path)
    if NEEDED not in found:
        raise Problem(f"{folder} has no file {NEEDED}.tsv.gz; download it from {URL} into that folder.")
    return found


def _downloaded(table: str, report: Report) -> Path:
    path = locations.downloads() / "imdb" / f"{table}.tsv.gz"
    if path.is_file():
        return path
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(f"{URL}/{path.name}", temporary, report)
        temporary.replace(path)
    except sources.Failed as failure:
        raise Problem(
            f"{path.name} could not be downloaded: {failure}; get it from {URL} elsewhere and name its folder with "
            "--from DIR."
        ) from None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else plain(error.strerror or str(error))
        raise Problem(f"{path} could not be written: {reason}; make room and try again.") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def _download(url: str, path: Path, report: Report) -> None:
    """Download a file whose size and checksum are not known before. Raises ``Failed`` with a clause."""
    host = url.split("/")[2]
    if os.environ.get(sources.OFFLINE, "") not in ("", "0"):
        raise sources.Failed(f"the network is switched off by {sources.OFFLINE}")
    import requests

    note = f"{path.name.partition('.tsv')[0]} from {host}"
    report(Stage("Downloading", unit="bytes", note=note))
    try:
        with requests.get(url, stream=True, timeout=(sources.CONNECT_SECONDS, sources.READ_SECONDS)) as answer:
            answer.raise_for_status()
            total, done = int(answer.headers.get("Content-Length", 0)), 0
            with path.open("wb") as file:
                while part := answer.raw.read(_CHUNK):
                    file.write(part)
                    done += len(part)
                    report(Stage("Downloading", done, total, "bytes", note))
    except requests.exceptions.SSLError as error:
        expired = "has expired" if "expired" in str(error) else "could not be verified"
        raise sources.Failed(f"the TLS certificate of {host} {expired}") from None
    except requests.exceptions.HTTPError as error:
        raise sources.Failed(f"{host} answered with status {error.response.status_code}") from None
    except requests.exceptions.Timeout:
        raise sources.Failed(f"{host} did not answer in time") from None
    except requests.exceptions.RequestException:
        raise sources.Failed(f"{host} cannot be reached") from None
    if done < total:
        raise sources.Failed(f"the download from {host} broke off")
    if not _is_gzip(path):
        raise sources.Failed(f"{host} answered with something else than the table")
    report(Stage("Downloading", done, done, "bytes", note, finished=True))


def _is_gzip(path: Path) -> bool:
    """Tell whether a file begins as one packed with gzip does."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
