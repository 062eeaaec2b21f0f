"""Downloads that resume after an interruption, and are not trusted until their checksum is verified.

A partial file is stored as ``NAME.part``, with its identity on the server in ``NAME.part.json``. The next attempt
requests the rest of that same file; a server that has another file by now, or cannot send a part, sends all of it. A
file gets its own name only when it is complete and correct.
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
from urllib.parse import urljoin, urlsplit

from movietui.data.fetch.archive import looks_like_html
from movietui.data.fetch.timeouts import DEFAULT_TIMEOUTS, Timeouts
from movietui.data.problems import Problem
from movietui.data.progress import Meter, Report, silent
from movietui.data.storage import disk, strict_json

if TYPE_CHECKING:
    import requests

OFFLINE = "MOVIETUI_OFFLINE"
"""Environment variable: ``1`` forbids all network access."""
MAX_GROWTH = 10
MAX_RETRIES = 5
"""Reconnect up to this many times in a row, as long as each attempt made progress."""
MAX_REDIRECTS = 5
TRUSTED_HOSTS = frozenset({"grouplens.org", "files.grouplens.org", "datasets.imdbws.com"})
"""Servers to which a redirect is followed, besides the one that sent it."""
LENGTH_DIGITS = 15
CHUNK = 2**16


class Failed(Exception):
    """A download failed; the text is a clause of a longer message."""


class Untrusted(Failed):
    """The server's certificate has expired or could not be verified."""


class _Broken(Failed):
    """The connection broke, or the server stopped sending; the partial file stays."""


class _Slow(_Broken):
    """The server is so slow that asking again at once is pointless; the partial file stays."""


def offline() -> bool:
    """Return whether network access is switched off."""
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
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> str:
    """Download a file and return its sha256. Raises ``Failed``, or ``Problem`` if the file cannot be written.

    A file larger than ``size`` bytes is refused. A file whose checksum is not ``sha256`` is removed and refused, unless
    ``or_newer`` is set and the server is verified; it may then be ``MAX_GROWTH`` times as large. Without a ``sha256``,
    nothing is accepted from an unverified server. ``insecure`` skips the verification of the server and accepts only a
    file with the checksum, so it requires one.
    """
    if insecure and not sha256:
        raise ValueError("without a checksum the server must be verified")
    if offline():
        raise Failed(f"the network is switched off by {OFFLINE}")
    part = _Part(target)
    meter = partial(Meter, report, "Downloading", unit="bytes", note=note)
    max_size = size * MAX_GROWTH if or_newer else size
    with _explain_write_errors(target), part:
        if or_newer:
            part.restart("")  # the previous part may be from an unverified server
        for attempt in range(MAX_RETRIES + 1):
            before = part.size
            try:
                secure = _fetch(
                    url, part, meter, max_size, verify=not insecure, unverified=bool(sha256), timeouts=timeouts
                )
                break
            except _Broken as broken:
                if part.size <= before or attempt == MAX_RETRIES or isinstance(broken, _Slow):
                    hint = " (the next attempt resumes from here)" if part.validator else ""
                    raise Failed(f"{broken}{hint}") from None
        digest = part.sha256()
        if sha256 and digest != sha256 and not (or_newer and secure):
            part.discard()
            raise Failed(f"the file from {_host(url)} was refused: its checksum is not the published one")
        part.complete()
    return digest


def files_of(target: Path) -> tuple[Path, Path, Path]:
    """Return the paths of a downloaded file, of its part while it is incomplete, and of the part's metadata."""
    return target, target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.part.json")


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file."""
    with disk.open_to_read(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove(paths: Iterable[Path]) -> None:
    """Remove files. Raises ``Problem`` if that fails."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise Problem(f"{path} could not be removed: {error.strerror or error}.") from None


class _Part:
    """A partially downloaded file. Only one process at a time can open it."""

    def __init__(self, target: Path) -> None:
        self.target, self.path, self.metadata = files_of(target)
        self.file: IO[bytes]
        self._finished = False

    def __enter__(self) -> "_Part":
        disk.make_folder(self.path.parent)
        self.file = disk.open_to_append(self.path)
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(self.file.fileno()), self.path.stat()):
                raise BlockingIOError  # another process has just completed it
        except (BlockingIOError, FileNotFoundError):
            self.file.close()
            raise Problem(f"Another process is downloading {self.target.name}; wait until it is done.") from None
        except OSError:
            pass  # the file system has no locks
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # a full disk is already reported
            self.file.flush()
        if not self._finished and not (self.size and self.validator):
            self.discard()  # it cannot be resumed
        with contextlib.suppress(OSError):
            self.file.close()

    @property
    def size(self) -> int:
        """Bytes received."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def validator(self) -> str:
        """The identity of the file on the server; empty if unknown."""
        try:
            return str(strict_json.loads(disk.read(self.metadata))["validator"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def restart(self, validator: str) -> None:
        """Empty the part, to receive a file with this identity from its start."""
        self.file.truncate(0)
        self.metadata.unlink(missing_ok=True)
        with disk.open_new(self.metadata) as file:
            file.write(json.dumps({"validator": validator}).encode())

    def discard(self) -> None:
        """Delete the part."""
        self._finished = True
        for path in (self.path, self.metadata):
            path.unlink(missing_ok=True)

    def sha256(self) -> str:
        """Return the checksum of the bytes received."""
        self.file.flush()
        return sha256_of(self.path)

    def complete(self) -> None:
        """Rename the part to its final name."""
        os.fsync(self.file.fileno())
        self._finished = True
        self.metadata.unlink(missing_ok=True)
        self.path.replace(self.target)


@contextlib.contextmanager
def _explain_write_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else error.strerror or str(error)
        raise Problem(f"{target} could not be written: {reason}; free some space and try again.") from None


def _host(url: str) -> str:
    return url.split("/")[2]


def _fetch(
    url: str,
    part: _Part,
    meter: Callable[..., Meter],
    max_size: int,
    *,
    verify: bool,
    unverified: bool,
    timeouts: Timeouts,
) -> bool:
    """Complete a part and return whether the server was verified; ``unverified`` accepts one that was not."""
    from movietui.data.fetch import pacing  # here, because it imports requests, which is slow to import

    host = _host(url)
    validator = part.validator
    begun = part.size if validator else 0
    headers = {"Accept-Encoding": "identity"}
    if begun:
        headers |= {"Range": f"bytes={begun}-", "If-Range": validator}
    with _explain_errors(host, timeouts), warnings.catch_warnings(), pacing.session(timeouts) as session:
        warnings.simplefilter("ignore")  # urllib3 would warn about the unverified server on standard error
        with _request(session, url, headers, timeouts, verify=verify) as response:
            continues = response.headers.get("Content-Range", "").startswith(f"bytes {begun}-")
            if begun and (response.status_code == 416 or (response.status_code == 206 and not continues)):
                part.restart("")  # the server's file has changed since
            elif response.status_code != 200 and not (begun and response.status_code == 206):
                raise Failed(f"{host} answered with status {response.status_code}")
            else:
                verified = verify and response.url.startswith("https:")
                if not (verified or unverified):
                    raise Failed(f"the file from {host} was refused: the server was not verified")
                _receive(response, part, host, meter, max_size, begun if response.status_code == 206 else 0)
                return verified
    return _fetch(url, part, meter, max_size, verify=verify, unverified=unverified, timeouts=timeouts)


def _request(
    session: "requests.Session", url: str, headers: dict[str, str], timeouts: Timeouts, *, verify: bool
) -> "requests.Response":
    """Return the response to a request. Redirects are followed only within TLS and to ``TRUSTED_HOSTS``."""
    from requests import RequestException

    begin = url
    for _ in range(MAX_REDIRECTS + 1):
        try:
            response = session.get(
                url,
                headers=headers,
                stream=True,
                timeout=(timeouts.connect, timeouts.idle),
                verify=verify,
                allow_redirects=False,
            )
        except RequestException:
            raise
        except (OSError, ValueError) as error:  # not disk errors: missing certificates, a malformed address
            raise Failed(f"{_host(begin)} could not be reached: {str(error).rstrip('.')}") from None
        if not response.is_redirect:
            return response
        response.close()
        url = _redirect_target(url, response.headers["Location"], begin)
    raise Failed(f"{_host(begin)} redirects too many times")


def _redirect_target(url: str, location: str, begin: str) -> str:
    """Return the target of a redirect. Raises ``Failed`` if it cannot be trusted."""
    try:
        url_after = urljoin(url, location)
        parts, first = urlsplit(url_after), urlsplit(begin)
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise Failed(f"{_host(begin)} redirects to {location[:80]!r}, which is not a web address")
    if parts.scheme == "http" and urlsplit(url).scheme == "https":
        raise Failed(f"{_host(begin)} redirects to {parts.hostname} without TLS, which is not followed")
    if parts.hostname != first.hostname and parts.hostname not in TRUSTED_HOSTS:
        raise Failed(f"{_host(begin)} redirects to {parts.hostname}, an unknown server")
    return url_after


def _receive(
    response: "requests.Response", part: _Part, host: str, meter: Callable[..., Meter], max_size: int, done: int
) -> None:
    """Append a response to the ``done`` bytes of a part, or replace the part if ``done`` is 0."""
    length = response.headers.get("Content-Length", "")
    known = length.isascii() and length.isdecimal() and len(length) <= LENGTH_DIGITS
    progress = meter(total=done + int(length) if known else 0, done=done)
    begun = done > 0
    try:
        for chunk in response.raw.stream(CHUNK, decode_content=False):  # compressed content stays compressed
            if not begun:
                if looks_like_html(chunk):
                    raise Failed(f"{host} answered with a web page instead of the file")
                part.restart(_validator(response))
                begun = True
            done += len(chunk)
            if done > max_size:
                part.discard()
                raise Failed(f"the file from {host} was refused: it is larger than the published one")
            part.file.write(chunk)
            progress.add(len(chunk))
    finally:
        part.file.flush()
    if not begun:
        raise Failed(f"{host} sent an empty file")
    progress.finish()


def _validator(response: "requests.Response") -> str:
    """Return the identity of the file: a strong ETag, else the time of its last change."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


@contextlib.contextmanager
def _explain_errors(host: str, timeouts: Timeouts) -> Iterator[None]:
    """Turn errors into clauses that say what went wrong."""
    from requests import exceptions
    from urllib3 import exceptions as urllib3_exceptions

    from movietui.data.fetch import pacing

    try:
        yield
    except (exceptions.SSLError, urllib3_exceptions.SSLError) as error:
        if "expired" in str(error):
            raise Untrusted(f"the TLS certificate of {host} has expired, so it cannot be trusted") from None
        raise Untrusted(f"the TLS certificate of {host} could not be verified") from None
    except exceptions.ConnectTimeout:
        raise Failed(f"{host} did not answer within {timeouts.connect:g} seconds") from None
    except (exceptions.ReadTimeout, urllib3_exceptions.ReadTimeoutError):
        raise _Broken(f"{host} sent nothing for {timeouts.idle:g} seconds") from None
    except pacing.TooSlow:
        raise _Slow(f"{host} sends fewer than {timeouts.min_rate:,} bytes a second") from None
    except pacing.HeadersTooLarge:
        raise Failed(f"{host} sent headers of more than {pacing.MAX_HEADER_BYTES:,} bytes") from None
    except exceptions.ConnectionError as error:
        if isinstance(next(iter(error.args), None), urllib3_exceptions.ProtocolError):
            raise Failed(f"{host} sent an invalid response") from None
        raise Failed(f"{host} cannot be reached") from None
    except urllib3_exceptions.HTTPError:
        raise _Broken(f"the download from {host} was interrupted") from None
    except exceptions.RequestException as error:
        raise Failed(f"{host} could not be reached ({type(error).__name__})") from None
