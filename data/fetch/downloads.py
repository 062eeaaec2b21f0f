"""Downloads that go on after a break, and are not trusted before their checksum is known.

What has come of a file lies beside it as ``NAME.part``, with what identifies it on the server in ``NAME.part.json``.
The next attempt asks for the rest of that very file; a server that has another by now, or cannot send a rest, sends
the whole. A file appears under its own name only when all of it is there and right.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from data.archive import looks_like_html
from data.problems import Problem
from data.progress import Meter, Report, silent
from data.titles import plain

if TYPE_CHECKING:
    import requests

OFFLINE = "MOVIETUI_OFFLINE"
"""Environment variable: with ``1`` nothing is asked of the network."""
CONNECT_SECONDS = 5
READ_SECONDS = 20
"""A server that is silent for so long is given up."""
ROOM = 10
BREAKS = 5
"""So many breaks in a row are gone on after at once, each having brought the file further."""
CHUNK = 2**16


class Failed(Exception):
    """A download did not work; the text is a clause."""


class Untrusted(Failed):
    """The certificate of the server has expired or could not be verified."""


class _Broken(Failed):
    """The connection ended or fell silent; what came is kept."""


def offline() -> bool:
    """Tell whether the network is switched off."""
    return os.environ.get(OFFLINE, "") not in ("", "0")


def download(
    url: str,
    target: Path,
    note: str,
    report: Report = silent,
    *,
    size: int,
    sha256: str = "",
    or_newer: bool = False,
    insecure: bool = False,
) -> str:
    """Fetch a file and return its sha256. Raises ``Failed``, or ``Problem`` where the disk is the reason.

    ``size`` are the bytes expected, or more; what is larger is not taken. What differs from ``sha256`` is removed and
    refused; ``or_newer`` accepts it where the server was verified, and may be ``ROOM`` times as large. Without a
    ``sha256`` nothing is taken from a server that was not verified. ``insecure`` does not verify it: only what has the
    checksum is accepted then, so there has to be one.
    """
    if insecure and not sha256:
        raise ValueError("without a checksum the server has to be verified")
    if offline():
        raise Failed(f"the network is switched off by {OFFLINE}")
    host = url.split("/")[2]
    part = _Part(target)
    meter = partial(Meter, report, "Downloading", unit="bytes", note=note)
    most = size * ROOM if or_newer else size
    with _written(target), part:
        if or_newer:
            part.begin("")  # what came before may not have come from a verified server
        for attempt in range(BREAKS + 1):
            before = part.size
            try:
                secure = _fetch(url, host, part, meter, most, verify=not insecure, unverified=bool(sha256))
                break
            except _Broken as broken:
                if part.size <= before or attempt == BREAKS:
                    kept = " (what came is kept, the next attempt goes on from there)" if part.validator else ""
                    raise Failed(f"{broken}{kept}") from None
        digest = part.sha256()
        if sha256 and digest != sha256 and not (or_newer and secure):
            part.forget()
            raise Failed(f"what {host} sent was refused because its checksum is not the published one")
        part.complete()
    return digest


def files_of(target: Path) -> tuple[Path, Path, Path]:
    """Return where a downloaded file lies, what has come of it while it is not whole, and the facts about that."""
    return target, target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.part.json")


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove(paths: Iterable[Path]) -> None:
    """Remove files. Raises ``Problem`` where that cannot be done."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise Problem(f"{path} could not be removed: {error.strerror or error}.") from None


class _Part:
    """What has come of a file. Only one process at a time has it."""

    def __init__(self, target: Path) -> None:
        self.target, self.path, self.facts = files_of(target)
        self.file: IO[bytes]
        self._over = False

    def __enter__(self) -> "_Part":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.path.open("ab")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(self.file.fileno()), self.path.stat()):
                raise BlockingIOError  # it was completed just now
        except (BlockingIOError, FileNotFoundError):
            self.file.close()
            raise Problem(
                f"{self.target.name} is being downloaded by another process; wait until that is done."
            ) from None
        except OSError:
            pass  # a file system without locks
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # a full disk was told already
            self.file.flush()
        if not self._over and not (self.size and self.validator):
            self.forget()  # what cannot be gone on with is of no use
        with contextlib.suppress(OSError):
            self.file.close()

    @property
    def size(self) -> int:
        """Bytes that have come."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def validator(self) -> str:
        """What identifies the file on the server; empty where that is not known."""
        try:
            return str(json.loads(self.facts.read_bytes())["validator"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def begin(self, validator: str) -> None:
        """Start over with a file that is identified so."""
        self.file.truncate(0)
        self.facts.write_text(json.dumps({"validator": validator}), "utf-8")

    def forget(self) -> None:
        """Throw away what came."""
        self._over = True
        for path in (self.path, self.facts):
            path.unlink(missing_ok=True)

    def sha256(self) -> str:
        """Return the checksum of what came."""
        self.file.flush()
        return sha256_of(self.path)

    def complete(self) -> None:
        """Give the file its own name."""
        os.fsync(self.file.fileno())
        self._over = True
        self.facts.unlink(missing_ok=True)
        self.path.replace(self.target)


@contextlib.contextmanager
def _written(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else plain(error.strerror or str(error))
        raise Problem(f"{target} could not be written: {reason}; make room and try again.") from None


def _fetch(
    url: str, host: str, part: _Part, meter: Callable[..., Meter], most: int, *, verify: bool, unverified: bool
) -> bool:
    """Bring a part to its end, where it may be ``unverified`` from any server. Returns whether it is verified."""
    import requests

    validator = part.validator
    begun = part.size if validator else 0
    headers = {"Accept-Encoding": "identity"}
    if begun:
        headers |= {"Range": f"bytes={begun}-", "If-Range": validator}
    with _clauses(host), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # urllib3 would write to standard error that nothing is verified
        timeout = (CONNECT_SECONDS, READ_SECONDS)
        try:
            answer = requests.get(url, headers=headers, stream=True, timeout=timeout, verify=verify)
        except requests.RequestException:
            raise
        except OSError as error:  # it is not the disk's: a bundle of certificates that is not there
            raise Failed(f"{host} could not be asked: {plain(str(error)).rstrip('.')}") from None
        with answer:
            goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {begun}-")
            if begun and (answer.status_code == 416 or (answer.status_code == 206 and not goes_on)):
                part.begin("")  # what came does not fit to what is there now
                return _fetch(url, host, part, meter, most, verify=verify, unverified=unverified)
            answer.raise_for_status()
            verified = verify and all(one.url.startswith("https:") for one in (*answer.history, answer))
            if not (verified or unverified):
                raise Failed(f"what {host} sent was refused because it came from a server that was not verified")
            _take(answer, part, host, meter, most, begun if answer.status_code == 206 else 0)
            return verified


def _take(
    answer: "requests.Response", part: _Part, host: str, meter: Callable[..., Meter], most: int, done: int
) -> None:
    """Write an answer behind what is ``done`` of a part, or in its place."""
    length = answer.headers.get("Content-Length", "")
    watch = meter(total=done + int(length) if length.isdecimal() else 0, done=done)
    begun = done > 0
    try:
        for chunk in answer.iter_content(CHUNK):
            if not begun:
                if looks_like_html(chunk):
                    raise Failed(f"{host} answered with a web page instead of the file")
                part.begin(_validator(answer))
                begun = True
            done += len(chunk)
            if done > most:
                part.forget()
                raise Failed(f"what {host} sent was refused because it is larger than the published file")
            part.file.write(chunk)
            watch.add(len(chunk))
    finally:
        part.file.flush()
    if not begun:
        raise Failed(f"{host} sent an empty file")
    watch.finish()


def _validator(answer: "requests.Response") -> str:
    """Return what identifies the file: a strong ETag, else when it was changed."""
    tag = answer.headers.get("ETag", "")
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")


@contextlib.contextmanager
def _clauses(host: str) -> Iterator[None]:
    """Tell in a clause what went wrong."""
    from requests import exceptions

    try:
        yield
    except exceptions.SSLError as error:
        if "expired" in str(error):
            raise Untrusted(f"the TLS certificate of {host} has expired, so that it cannot be trusted") from None
        raise Untrusted(f"the TLS certificate of {host} could not be verified") from None
    except exceptions.HTTPError as error:
        raise Failed(f"{host} answered with status {error.response.status_code}") from None
    except exceptions.ConnectTimeout:
        raise Failed(f"{host} did not answer within {CONNECT_SECONDS} seconds") from None
    except exceptions.ReadTimeout:
        raise _Broken(f"{host} was silent for {READ_SECONDS} seconds") from None
    except exceptions.ChunkedEncodingError:
        raise _Broken(f"the download from {host} broke off") from None
    except exceptions.ConnectionError as error:
        if "Read timed out" in str(error):
            raise _Broken(f"{host} was silent for {READ_SECONDS} seconds") from None
        raise Failed(f"{host} cannot be reached") from None
    except exceptions.RequestException as error:
        raise Failed(f"{host} could not be asked ({type(error).__name__})") from None
