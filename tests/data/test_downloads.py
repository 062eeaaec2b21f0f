import errno
import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from movietui.data.fetch import downloads
from movietui.data.fetch.downloads import Failed, Untrusted
from movietui.data.fetch.timeouts import Timeouts
from movietui.data.problems import Cancelled, Problem
from movietui.data.progress import Meter, Report, Stage, silent
from tests.data.server import Server, serving, trusted

CONTENT = np.random.RandomState(0).bytes(1_000_000)
NEWER = CONTENT[::-1]
CHUNK = downloads.CHUNK
SHA256 = hashlib.sha256(CONTENT).hexdigest()


HEAD = b"HTTP/1.1 200 OK\r\n"


def published(content: bytes) -> dict[str, object]:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


PUBLISHED = published(CONTENT)


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOVIETUI_OFFLINE")
    monkeypatch.setattr(Meter, "EVERY", 0.0)  # so that every chunk is reported


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as state:
        state.content = CONTENT
        yield state


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "file.zip"


def here(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def fetch(server: Server, target: Path, report: Report = silent, **facts: object) -> str:
    return downloads.download(server.url, target, "the file", report, **facts)  # type: ignore[arg-type]


def begin(server: Server, target: Path, count: int = 300_000) -> None:
    """Stop a first attempt after this many bytes."""

    def stop(stage: Stage) -> None:
        if stage.done >= count:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch(server, target, stop, **PUBLISHED)
    server.requests.clear()


def test_a_download_and_its_progress(server: Server, target: Path) -> None:
    stages: list[Stage] = []
    assert fetch(server, target, stages.append, **PUBLISHED) == SHA256
    assert target.read_bytes() == CONTENT
    assert here(target) == ["file.zip"]
    assert {(stage.name, stage.unit, stage.note) for stage in stages} == {("Downloading", "bytes", "the file")}
    assert (stages[0].done, stages[-1].done, stages[-1].finished) == (0, len(CONTENT), True)
    assert {stage.total for stage in stages} == {len(CONTENT)}


@pytest.mark.parametrize("stop", [Cancelled, KeyboardInterrupt])
@pytest.mark.parametrize("validator", ["tag", "date"])
def test_a_stopped_download_resumes(server: Server, target: Path, stop: type[BaseException], validator: str) -> None:
    server.tag, server.dated = ('"one"', False) if validator == "tag" else ('W/"weak"', True)
    stages: list[Stage] = []

    def report(stage: Stage) -> None:
        if stage.done > 300_000:
            raise stop

    with pytest.raises(stop):
        fetch(server, target, report, **PUBLISHED)
    assert here(target) == ["file.zip.part", "file.zip.part.json"]
    received = (target.parent / "file.zip.part").stat().st_size
    assert 300_000 < received < len(CONTENT)
    assert (target.parent / "file.zip.part").read_bytes() == CONTENT[:received]
    fetch(server, target, stages.append, **PUBLISHED)
    assert server.requests == ["", f"bytes={received}-"]
    assert target.read_bytes() == CONTENT
    assert here(target) == ["file.zip"]
    assert (stages[0].done, stages[0].total) == (received, len(CONTENT))


def test_a_broken_download_resumes_at_once(server: Server, target: Path) -> None:
    server.breaks_after = [2 * CHUNK, 3 * CHUNK, CHUNK]
    assert fetch(server, target, **PUBLISHED) == SHA256
    assert server.requests == ["", *(f"bytes={chunks * CHUNK}-" for chunks in (2, 5, 6))]


def test_a_connection_that_always_breaks(server: Server, target: Path) -> None:
    server.breaks_after = [CHUNK] * 20
    with pytest.raises(Failed, match=r"was interrupted \(the next attempt resumes from here\)$"):
        fetch(server, target, **PUBLISHED)
    assert len(server.requests) == downloads.MAX_RETRIES + 1
    server.breaks_after = []
    assert fetch(server, target, **PUBLISHED) == SHA256
    assert server.requests[-1] == f"bytes={CHUNK * (downloads.MAX_RETRIES + 1)}-"


def test_a_server_without_ranges_starts_over(server: Server, target: Path) -> None:
    begin(server, target)
    server.ranges = False
    assert fetch(server, target, **PUBLISHED) == SHA256
    assert (len(server.requests), target.read_bytes()) == (1, CONTENT)


def test_a_file_that_changed_meanwhile_starts_over(server: Server, target: Path) -> None:
    begin(server, target)
    server.tag, server.content = '"two"', NEWER
    fetch(server, target, **published(NEWER))
    assert target.read_bytes() == NEWER
    assert len(server.requests) == 1


@pytest.mark.parametrize("change", [{"wrong_range": True}, {"content": CONTENT[:1000]}])
def test_a_partial_file_that_does_not_match_is_discarded(
    server: Server, target: Path, change: dict[str, object]
) -> None:
    begin(server, target)
    for name, value in change.items():
        setattr(server, name, value)
    fetch(server, target, **published(server.content))
    assert target.read_bytes() == server.content
    assert [bool(part) for part in server.requests] == [True, False]


def test_a_partial_file_without_an_identity_is_discarded(server: Server, target: Path) -> None:
    server.tag = ""
    begin(server, target)
    assert here(target) == []


@pytest.mark.parametrize("damage", [b"", b"no json", b"[]", b"{}"])
def test_a_partial_file_without_metadata_starts_over(server: Server, target: Path, damage: bytes) -> None:
    begin(server, target)
    (target.parent / "file.zip.part.json").write_bytes(damage)
    assert fetch(server, target, **PUBLISHED) == SHA256
    assert server.requests == [""]


def test_a_damaged_partial_file_is_refused_and_removed(server: Server, target: Path) -> None:
    begin(server, target)
    part = target.parent / "file.zip.part"
    part.write_bytes(b"x" + part.read_bytes()[1:])
    with pytest.raises(Failed, match="checksum is not the published one"):
        fetch(server, target, **PUBLISHED)
    assert here(target) == []
    assert fetch(server, target, **PUBLISHED) == SHA256


@pytest.mark.parametrize(
    ("change", "message", "files"),
    [
        ({"content": NEWER}, "refused: its checksum is not the published one", 0),
        ({"content": CONTENT + b"1"}, "refused: it is larger than the published one", 0),
        ({"content": b"<html>Sign in to this network</html>"}, "answered with a web page", 0),
        ({"content": b""}, "sent an empty file", 0),
        ({"status": 404}, "answered with status 404", 0),
        ({"status": 416}, "answered with status 416", 0),
        ({"status": 503}, "answered with status 503", 0),
        ({"status": 204}, "answered with status 204", 0),
        ({"redirect": ""}, "answered with status 302", 0),
        ({"redirect": "file:///etc/passwd"}, "redirects to 'file:///etc/passwd', which is not a web address", 0),
        ({"redirect": "http://[::1"}, "could not be reached: Invalid IPv6 URL", 0),
        (
            {"redirect": "ftp://127.0.0.1/\x1b[31m"},
            r"redirects to 'ftp://127.0.0.1/\\x1b\[31m', which is not a web address",
            0,
        ),
        ({"redirect": "https://example.org/file.zip"}, "redirects to example.org, an unknown server", 0),
        ({"redirect": "/again"}, "redirects too many times", 0),
        ({"raw": HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabc"}, "checksum is not the published", 0),
        ({"raw": HEAD + b"X: " + b"x" * 10_000_000}, "sent an invalid response", 0),
        ({"raw": HEAD + b"X: x\r\n" * 1_000_000}, "sent an invalid response", 0),
        ({"raw": b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000_000}, "sent headers of more than 262,144 bytes", 0),
        ({"raw": b"no answer\r\n\r\n"}, "sent an invalid response", 0),
        ({"breaks_after": [0]}, "was interrupted$", 0),
        ({"breaks_after": [CHUNK], "stalls": True}, "sent nothing for 0.3 seconds", 2),
        ({"stalls": True}, "sent nothing for 0.3 seconds$", 0),
    ],
)
def test_bad_responses_are_refused(
    server: Server,
    target: Path,
    change: dict[str, object],
    message: str,
    files: int,
) -> None:
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(Failed, match=message):
        fetch(server, target, timeouts=Timeouts(idle=0.3), **PUBLISHED)
    assert len(here(target)) == files


IMPATIENT = Timeouts(rate_window=0.3, min_rate=1000)


@pytest.mark.parametrize("drips", ["headers", "body"])
def test_a_server_that_sends_too_slowly(server: Server, target: Path, drips: str) -> None:
    server.drips = 0.01
    if drips == "headers":
        server.raw = HEAD + b"X: x\r\n" * 1000
    with pytest.raises(Failed, match=r"sends fewer than 1,000 bytes a second"):
        fetch(server, target, timeouts=IMPATIENT, **PUBLISHED)
    assert len(server.requests) == 1  # there is no retry, because the server would be just as slow


def test_a_slow_download_resumes(server: Server, target: Path) -> None:
    begin(server, target)
    received = (target.parent / "file.zip.part").stat().st_size
    server.drips = 0.01
    with pytest.raises(Failed, match=r"a second \(the next attempt resumes from here\)$"):
        fetch(server, target, timeouts=IMPATIENT, **PUBLISHED)
    server.drips = 0
    assert fetch(server, target, **PUBLISHED) == SHA256
    assert server.requests == [f"bytes={received}-"] * 2


def test_no_more_than_the_announced_length_is_read(server: Server, target: Path) -> None:
    server.raw = HEAD + b"Content-Length: %d\r\n\r\n" % len(CONTENT) + CONTENT + b"more" * 1000
    assert fetch(server, target, **PUBLISHED) == SHA256
    assert target.read_bytes() == CONTENT


def test_compressed_responses_are_not_decompressed(server: Server, target: Path) -> None:
    packed = gzip.compress(b"0" * 10_000_000)
    server.raw = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    fetch(server, target, **published(packed))
    assert target.read_bytes() == packed


@pytest.mark.parametrize("change", [{"status": 503}, {"content": b"<!DOCTYPE html>", "ranges": False}])
def test_bad_responses_leave_the_partial_file_unchanged(
    server: Server, target: Path, change: dict[str, object]
) -> None:
    begin(server, target)
    received = (target.parent / "file.zip.part").read_bytes()
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(Failed):
        fetch(server, target, **PUBLISHED)
    assert (target.parent / "file.zip.part").read_bytes() == received


def test_a_server_that_does_not_listen(target: Path) -> None:
    with pytest.raises(Failed, match=r"^127\.0\.0\.1:9 cannot be reached$"):
        downloads.download("http://127.0.0.1:9/file.zip", target, "", size=1)
    assert here(target) == []


def test_a_missing_certificate_bundle(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    with pytest.raises(Failed, match=r"^127\.0\.0\.1:9 could not be reached: .*/nonexistent"):
        downloads.download("https://127.0.0.1:9/file.zip", target, "", **PUBLISHED)  # type: ignore[arg-type]
    assert here(target) == []


def test_nothing_is_requested_if_the_network_is_switched_off(
    target: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIETUI_OFFLINE", "1")
    with pytest.raises(Failed, match="switched off by MOVIETUI_OFFLINE"):
        fetch(server, target, **PUBLISHED)
    assert server.requests == []
    assert not target.parent.exists()


def test_a_full_disk(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(watch: Meter, more: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Meter, "add", full)  # called after each chunk is written
        message = r"file\.zip could not be written: the disk is full; free some space and try again\.$"
        with pytest.raises(Problem, match=message):
            fetch(server, target, **PUBLISHED)
    assert fetch(server, target, **PUBLISHED) == SHA256
    assert server.requests == ["", f"bytes={CHUNK}-"]


def test_a_folder_that_cannot_be_written(server: Server, target: Path) -> None:
    target.parent.write_text("in the way")
    with pytest.raises(Problem, match="could not be written"):
        fetch(server, target, **PUBLISHED)


def test_two_downloads_of_one_file(server: Server, target: Path) -> None:
    outcomes: list[str] = []

    def report(stage: Stage) -> None:
        if not outcomes:
            outcomes.append("")
            with pytest.raises(Problem) as problem:
                fetch(server, target, **PUBLISHED)
            outcomes.append(str(problem.value))

    assert fetch(server, target, report, **PUBLISHED) == SHA256
    assert outcomes[1] == "Another process is downloading file.zip; wait until it is done."
    assert target.read_bytes() == CONTENT


# Certificates


@pytest.fixture(params=[30], ids=["valid"])
def safe(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A TLS server whose certificate the client trusts."""
    with trusted(tmp_path, monkeypatch, days=request.param) as state:
        state.content = CONTENT
        yield state


expired = pytest.mark.parametrize("safe", [-1], indirect=True, ids=["expired"])


def test_a_server_that_is_trusted(safe: Server, target: Path) -> None:
    assert fetch(safe, target, **PUBLISHED) == SHA256


def test_a_self_signed_certificate(safe: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(Untrusted, match=r"^the TLS certificate of 127\.0\.0\.1:\d+ could not be verified$"):
        fetch(safe, target, **PUBLISHED)
    assert safe.requests == []


@expired
def test_a_certificate_that_has_expired(safe: Server, target: Path) -> None:
    with pytest.raises(Untrusted, match=r"^the TLS certificate of 127\.0\.0\.1:\d+ has expired"):
        fetch(safe, target, **PUBLISHED)
    assert safe.requests == []


@expired
def test_without_verification_only_the_checksum_counts(
    safe: Server, target: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert fetch(safe, target, insecure=True, **PUBLISHED) == SHA256
    assert capfd.readouterr() == ("", "")
    target.unlink()
    safe.content = NEWER
    for or_newer in (False, True):
        with pytest.raises(Failed, match="checksum is not the published one"):
            fetch(safe, target, insecure=True, or_newer=or_newer, **PUBLISHED)
        assert here(target) == []
    with pytest.raises(ValueError, match="without a checksum"):
        fetch(safe, target, insecure=True, size=len(CONTENT))


def test_a_newer_file_is_accepted_from_a_verified_server_only(safe: Server, server: Server, target: Path) -> None:
    safe.content = server.content = NEWER + b"more"
    digest = hashlib.sha256(safe.content).hexdigest()
    with pytest.raises(Failed, match="larger"):
        fetch(safe, target, **PUBLISHED)
    with pytest.raises(Failed, match="checksum"):
        fetch(server, target, or_newer=True, **PUBLISHED)
    assert fetch(safe, target, or_newer=True, **PUBLISHED) == digest
    assert target.read_bytes() == safe.content


def test_without_a_checksum_the_server_must_be_verified(safe: Server, server: Server, target: Path) -> None:
    assert fetch(safe, target, size=len(CONTENT)) == SHA256
    target.unlink()
    with pytest.raises(Failed, match="the server was not verified"):
        fetch(server, target, size=len(CONTENT))
    assert here(target) == []
    safe.content = CONTENT + b"1"
    with pytest.raises(Failed, match="larger"):
        fetch(safe, target, size=len(CONTENT))


@pytest.mark.parametrize("facts", [PUBLISHED, {"size": len(CONTENT)}, {**PUBLISHED, "or_newer": True}])
def test_redirects_away_from_tls_are_refused(
    safe: Server, server: Server, target: Path, facts: dict[str, object]
) -> None:
    safe.redirect = server.url
    with pytest.raises(Failed, match=r"redirects to 127\.0\.0\.1 without TLS, which is not allowed$"):
        fetch(safe, target, **facts)
    assert (server.requests, here(target)) == ([], [])


def test_redirects_on_the_same_server_are_followed(safe: Server, server: Server, target: Path) -> None:
    server.redirect = safe.url
    assert fetch(server, target, **PUBLISHED) == SHA256
    assert (len(server.requests), len(safe.requests)) == (1, 1)


def test_a_download_that_may_be_newer_starts_over(safe: Server, server: Server, target: Path) -> None:
    server.content = NEWER
    begin(server, target)
    assert fetch(safe, target, or_newer=True, **PUBLISHED) == SHA256
    assert safe.requests == [""]
