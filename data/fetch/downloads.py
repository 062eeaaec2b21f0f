"""Downloads files, resumes interrupted downloads, and trusts a file only after verifying its checksum or its server.

A partial file is stored as ``NAME.part``, and the identity of the file on the server (an ETag or date) in
``NAME.part.json``. The next attempt requests the rest of the file with this identity. A server that has a different
file by then, or cannot send part of a file, sends the whole file. A file is renamed to ``NAME`` only when it is
complete and correct.
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
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.progress import Meter, Report, silent
from movietui.data.storage import disk, strict_json

if TYPE_CHECKING:
    import requests

OFFLINE = "MOVIETUI_OFFLINE"
"""The environment variable that switches off all network access, unless it is empty or ``0``."""
MAX_GROWTH = 10
"""A newer file may be at most this many times as large as the published file."""
MAX_RETRIES = 5
"""How many times a broken download reconnects at most, as long as each attempt makes progress."""
MAX_REDIRECTS = 5
TRUSTED_HOSTS = frozenset({"grouplens.org", "files.grouplens.org", "datasets.imdbws.com"})
"""The servers to which redirects are followed; redirects within one server are followed too."""
LENGTH_DIGITS = 15
"""A ``Content-Length`` with more digits than this is ignored."""
CHUNK = 2**16
"""Bytes read from the server at once."""


class Failed(Exception):
    """A download failed. The text is a clause for the caller's message, without a full stop."""


class Untrusted(Failed):
    """The server's certificate has expired or could not be verified."""


class _Broken(Failed):
    """The connection broke, or the server stopped sending. The partial file stays."""


class _Slow(_Broken):
    """The server is so slow that retrying at once is pointless. The partial file stays."""


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
    md5: str = "",
    or_newer: bool = False,
    insecure: bool = False,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> str:
    """Download a file and return its sha256.

    A file larger than ``size`` bytes is refused, and so is one whose checksum is not ``sha256`` or ``md5``. With
    ``or_newer``, the file may be up to ``MAX_GROWTH`` times as large, and a verified server may send a file with
    another sha256. Without ``sha256``, a file is accepted only from a verified server. With ``insecure``, the server
    is not verified, so ``sha256`` is required. Raises ``Failed`` if the download fails or the file is refused, and
    ``Problem`` if the file cannot be written or another process is downloading it.
    """
    if insecure and not sha256:
        raise ValueError("without a checksum the server must be verified")
    if offline():
        raise Failed(tr("the network is switched off by {variable}", variable=OFFLINE))
    part = _Part(target)
    meter = partial(Meter, report, tr("Downloading"), unit="bytes", note=note)
    max_size = size * MAX_GROWTH if or_newer else size
    with _explain_write_errors(target), part:
        if or_newer and not md5:
            part.restart("")  # an earlier part may come from an unverified server
        for attempt in range(MAX_RETRIES + 1):
            before = part.size
            try:
                secure = _fetch(
                    url, part, meter, max_size, verify=not insecure, allow_unverified=bool(sha256), timeouts=timeouts
                )
                break
            except _Broken as broken:
                if part.size <= before or attempt == MAX_RETRIES or isinstance(broken, _Slow):
                    hint = tr(" (the next attempt resumes from here)") if part.validator else ""
                    raise Failed(f"{broken}{hint}") from None
        digest = part.sha256()
        if (md5 and part.md5() != md5) or (sha256 and digest != sha256 and not (or_newer and secure)):
            part.discard()
            raise Failed(tr("the file from {host} was refused: its checksum is not the published one", host=_host(url)))
        part.complete()
    return digest


def files_of(target: Path) -> tuple[Path, Path, Path]:
    """Return the paths of a downloaded file, of the partial file, and of the partial file's metadata."""
    return target, target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.part.json")


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file. Raises ``OSError`` if it cannot be read."""
    with disk.open_to_read(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def md5_of(path: Path) -> str:
    """Return the md5 of a file. Raises ``OSError`` if it cannot be read."""
    with disk.open_to_read(path) as file:
        return hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def remove(paths: Iterable[Path]) -> None:
    """Remove files, ignoring those that do not exist. Raises ``Problem`` if a file cannot be removed."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise Problem(
                tr(
                    "{path} could not be removed: {reason}; check that you may change {folder} and that no other "
                    "program uses the file, then try again.",
                    path=path,
                    reason=error.strerror or error,
                    folder=path.parent,
                )
            ) from None


class _Part:
    """A partial file and its metadata; only one process at a time can open it.

    On exit, a partial file that no later attempt could resume is deleted.
    """

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
            raise Problem(
                tr("Another process is downloading {file}; wait until it is done.", file=self.target.name)
            ) from None
        except OSError:
            pass  # the file system has no locks
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # an error such as a full disk has been reported already
            self.file.flush()
        if not self._finished and not (self.size and self.validator):
            self.discard()  # no later attempt could resume it
        with contextlib.suppress(OSError):
            self.file.close()

    @property
    def size(self) -> int:
        """The bytes received so far."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def validator(self) -> str:
        """The identity of the file on the server; an empty string if unknown."""
        try:
            return str(strict_json.loads(disk.read(self.metadata))["validator"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def restart(self, validator: str) -> None:
        """Empty the partial file, and record the identity of the file that will be received next."""
        self.file.truncate(0)
        self.metadata.unlink(missing_ok=True)
        with disk.open_new(self.metadata) as file:
            file.write(json.dumps({"validator": validator}).encode())

    def discard(self) -> None:
        """Delete the partial file and its metadata."""
        self._finished = True
        for path in (self.path, self.metadata):
            path.unlink(missing_ok=True)

    def sha256(self) -> str:
        """Return the sha256 of the bytes received."""
        self.file.flush()
        return sha256_of(self.path)

    def md5(self) -> str:
        """Return the md5 of the bytes received."""
        self.file.flush()
        return md5_of(self.path)

    def complete(self) -> None:
        """Rename the partial file to its final name."""
        os.fsync(self.file.fileno())
        self._finished = True
        self.metadata.unlink(missing_ok=True)
        self.path.replace(self.target)


@contextlib.contextmanager
def _explain_write_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Problem(
                tr("{path} could not be written: the disk is full; free some space and try again.", path=target)
            ) from None
        raise Problem(
            tr(
                "{path} could not be written: {reason}; make the folder writable, or set MOVIETUI_HOME to another one.",
                path=target,
                reason=error.strerror or error,
            )
        ) from None


def _host(url: str) -> str:
    return url.split("/")[2]


def _fetch(
    url: str,
    part: _Part,
    meter: Callable[..., Meter],
    max_size: int,
    *,
    verify: bool,
    allow_unverified: bool,
    timeouts: Timeouts,
) -> bool:
    """Receive the rest of a partial file, and return whether the server was verified.

    Raises ``Failed`` if the server was not verified, unless ``allow_unverified`` is set.
    """
    from movietui.data.fetch import pacing  # imported here because requests, which it needs, is slow to import

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
                part.restart("")  # the file on the server has changed
            elif response.status_code != 200 and not (begun and response.status_code == 206):
                raise Failed(tr("{host} answered with status {status}", host=host, status=response.status_code))
            else:
                verified = verify and response.url.startswith("https:")
                if not (verified or allow_unverified):
                    raise Failed(tr("the file from {host} was refused: the server was not verified", host=host))
                _receive(response, part, host, meter, max_size, begun if response.status_code == 206 else 0)
                return verified
    return _fetch(url, part, meter, max_size, verify=verify, allow_unverified=allow_unverified, timeouts=timeouts)


def _request(
    session: "requests.Session", url: str, headers: dict[str, str], timeouts: Timeouts, *, verify: bool
) -> "requests.Response":
    """Send a request and return the response.

    Redirects are followed within the server and to ``TRUSTED_HOSTS``, but never from TLS to an unencrypted connection.
    """
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
        except (OSError, ValueError) as error:  # this machine has no certificates, or the address is malformed
            raise Failed(
                tr("{host} could not be reached: {reason}", host=_host(begin), reason=str(error).rstrip("."))
            ) from None
        if not response.is_redirect:
            return response
        response.close()
        url = _redirect_target(url, response.headers["Location"], begin)
    raise Failed(tr("{host} redirects too many times", host=_host(begin)))


def _redirect_target(url: str, location: str, begin: str) -> str:
    """Return the target of a redirect. Raises ``Failed`` if it cannot be trusted."""
    try:
        url_after = urljoin(url, location)
        parts, first = urlsplit(url_after), urlsplit(begin)
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise Failed(
            tr(
                "{host} redirects to {location!r}, which is not a web address",
                host=_host(begin),
                location=location[:80],
            )
        )
    if parts.scheme == "http" and urlsplit(url).scheme == "https":
        raise Failed(
            tr(
                "{host} redirects to {target_host} without TLS, which is not allowed",
                host=_host(begin),
                target_host=parts.hostname,
            )
        )
    if parts.hostname != first.hostname and parts.hostname not in TRUSTED_HOSTS:
        raise Failed(
            tr("{host} redirects to {target_host}, an unknown server", host=_host(begin), target_host=parts.hostname)
        )
    return url_after


def _receive(
    response: "requests.Response", part: _Part, host: str, meter: Callable[..., Meter], max_size: int, done: int
) -> None:
    """Append the response to the ``done`` bytes of a partial file; if ``done`` is 0, replace the file."""
    length = response.headers.get("Content-Length", "")
    known = length.isascii() and length.isdecimal() and len(length) <= LENGTH_DIGITS
    progress = meter(total=done + int(length) if known else 0, done=done)
    begun = done > 0
    try:
        for chunk in response.raw.stream(CHUNK, decode_content=False):  # compressed content stays compressed
            if not begun:
                if looks_like_html(chunk):
                    raise Failed(tr("{host} answered with a web page instead of the file", host=host))
                part.restart(_validator(response))
                begun = True
            done += len(chunk)
            if done > max_size:
                part.discard()
                raise Failed(tr("the file from {host} was refused: it is larger than the published one", host=host))
            part.file.write(chunk)
            progress.add(len(chunk))
    finally:
        part.file.flush()
    if not begun:
        raise Failed(tr("{host} sent an empty file", host=host))
    progress.finish()


def _validator(response: "requests.Response") -> str:
    """Return the identity of the file: its strong ETag, else the time of its last change, else an empty string."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


@contextlib.contextmanager
def _explain_errors(host: str, timeouts: Timeouts) -> Iterator[None]:
    """Replace network errors with ``Failed`` or a subclass, whose text says what went wrong."""
    from requests import exceptions
    from urllib3 import exceptions as urllib3_exceptions

    from movietui.data.fetch import pacing

    try:
        yield
    except (exceptions.SSLError, urllib3_exceptions.SSLError) as error:
        if "expired" in str(error):
            raise Untrusted(
                tr("the TLS certificate of {host} has expired, so it cannot be trusted", host=host)
            ) from None
        raise Untrusted(tr("the TLS certificate of {host} could not be verified", host=host)) from None
    except exceptions.ConnectTimeout:
        raise Failed(
            tr("{host} did not answer within {seconds:g} seconds", host=host, seconds=timeouts.connect)
        ) from None
    except (exceptions.ReadTimeout, urllib3_exceptions.ReadTimeoutError):
        raise _Broken(tr("{host} sent nothing for {seconds:g} seconds", host=host, seconds=timeouts.idle)) from None
    except pacing.TooSlow:
        raise _Slow(tr("{host} sends fewer than {rate:,} bytes a second", host=host, rate=timeouts.min_rate)) from None
    except pacing.HeadersTooLarge:
        raise Failed(
            tr("{host} sent headers of more than {limit:,} bytes", host=host, limit=pacing.MAX_HEADER_BYTES)
        ) from None
    except exceptions.ConnectionError as error:
        if isinstance(next(iter(error.args), None), urllib3_exceptions.ProtocolError):
            raise Failed(tr("{host} sent an invalid response", host=host)) from None
        raise Failed(tr("{host} cannot be reached", host=host)) from None
    except urllib3_exceptions.HTTPError:
        raise _Broken(tr("the download from {host} was interrupted", host=host)) from None
    except exceptions.RequestException as error:
        raise Failed(tr("{host} could not be reached ({error})", host=host, error=type(error).__name__)) from None
