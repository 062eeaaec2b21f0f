import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from data import downloads
from data.downloads import Failed, Untrusted
from data.problems import Cancelled, Problem
from data.progress import Meter, Report, Stage, silent
from tests.data.server import Server, serving, trusted

CONTENT = np.random.RandomState(0).bytes(1_000_000)
NEWER = CONTENT[::-1]
CHUNK = downloads.CHUNK
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def published(content: bytes) -> dict[str, object]:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


PUBLISHED = published(CONTENT)


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOVIETUI_OFFLINE")
    monkeypatch.setattr(Meter, "EVERY", 0.0)  # every piece is told


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
    """Let a first attempt stop after some bytes."""

    def stop(stage: Stage) -> None:
        if stage.done >= count:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch(server, target, stop, **PUBLISHED)
    server.requests.clear()


def test_a_file_and_its_progress(server: Server, target: Path) -> None:
    stages: list[Stage] = []
    assert fetch(server, target, stages.append, **PUBLISHED) == SHA256
    assert target.read_bytes() == CONTENT
    assert here(target) == ["file.zip"]
    assert {(stage.name, stage.unit, stage.note) for stage in stages} == {("Downloading", "bytes", "the file")}
    assert (stages[0].done, stages[-1].done, stages[-1].finished) == (0, len(CONTENT), True)
    assert {stage.total for stage in stages} == {len(CONTENT)}


@pytest.mark.parametrize("stop", [Cancelled, KeyboardInterrupt])
@pytest.mark.parametrize("validator", ["tag", "date"])
def test_what_was_stopped_is_gone_on_with(
    server: Server, target: Path, stop: type[BaseException], validator: str
) -> None:
    server.tag, server.dated = ('"one"', False) if validator == "tag" else ('W/"weak"', True)
    stages: list[Stage] = []

    def report(stage: Stage) -> None:
        if stage.done > 300_000:
            raise stop

    with pytest.raises(stop):
        fetch(server, target, report, **PUBLISHED)
    assert here(target) == ["file.zip.part", "file.zip.part.json"]
    came = (target.parent / "file.zip.part").stat().st_size
    assert 300_000 < came < len(CONTENT)
    assert (target.parent / "file.zip.part").read_bytes() == CONTENT[:came]
    fetch(server, target, stages.append, **PUBLISHED)
    assert server.requests == ["", f"bytes={came}-"]
    assert target.read_bytes() == CONTENT
    assert here(target) == ["file.zip"]
    assert (stages[0].done, stages[0].total) == (came, len(CONTENT))


def test_breaks_are_gone_on_after_at_once(server: Server, target: Path) -> None:
    server.breaks_after = [2 * CHUNK, 3 * CHUNK, CHUNK]
    assert fetch(server, target, **PUBLISHED) == SHA256
    assert server.requests == ["", *(f"bytes={chunks * CHUNK}-" for chunks in (2, 5, 6))]


def test_breaks_that_never_end(server: Server, target: Path) -> None:
    server.breaks_after = [CHUNK] * 20
    with pytest.raises(Failed, match=r"broke off \(what came is kept, the next attempt goes on from there\)$"):
        fetch(server, target, **PUBLISHED)
    assert len(server.requests) == downloads.BREAKS + 1
    server.breaks_after = []
    assert fetch(server, target, **PUBLISHED) == SHA256
    assert server.requests[-1] == f"bytes={CHUNK * (downloads.BREAKS + 1)}-"


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
def test_a_part_that_does_not_fit_is_thrown_away(server: Server, target: Path, change: dict[str, object]) -> None:
    begin(server, target)
    for name, value in change.items():
        setattr(server, name, value)
    fetch(server, target, **published(server.content))
    assert target.read_bytes() == server.content
    assert [bool(asked) for asked in server.requests] == [True, False]


def test_a_part_that_nothing_identifies_is_not_kept(server: Server, target: Path) -> None:
    server.tag = ""
    begin(server, target)
    assert here(target) == []


@pytest.mark.parametrize("damage", [b"", b"no json", b"[]", b"{}"])
def test_a_part_without_its_facts_starts_over(server: Server, target: Path, damage: bytes) -> None:
    begin(server, target)
    (target.parent / "file.zip.part.json").write_bytes(damage)
    assert fetch(server, target, **PUBLISHED) == SHA256
    assert server.requests == [""]


def test_a_damaged_part_is_refused_and_removed(server: Server, target: Path) -> None:
    begin(server, target)
    part = target.parent / "file.zip.part"
    part.write_bytes(b"x" + part.read_bytes()[1:])
    with pytest.raises(Failed, match="checksum is not the published one"):
        fetch(server, target, **PUBLISHED)
    assert here(target) == []
    assert fetch(server, target, **PUBLISHED) == SHA256


@pytest.mark.parametrize(
    ("change", "told", "left"),
    [
        ({"content": NEWER}, "refused because its checksum is not the published one", 0),
        ({"content": CONTENT + b"1"}, "refused because it is larger than the published file", 0),
        ({"content": b"<html>Sign in to this network</html>"}, "answered with a web page", 0),
        ({"content": b""}, "sent an empty file", 0),
        ({"status": 404}, "answered with status 404", 0),
        ({"status": 416}, "answered with status 416", 0),
        ({"status": 503}, "answered with status 503", 0),
        ({"breaks_after": [0]}, "broke off$", 0),
        ({"breaks_after": [CHUNK], "stalls": True}, "was silent for 0.3 seconds", 2),
        ({"stalls": True}, "was silent for 0.3 seconds$", 0),
    ],
)
def test_bad_answers(
    server: Server,
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
    told: str,
    left: int,
) -> None:
    monkeypatch.setattr(downloads, "READ_SECONDS", 0.3)
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(Failed, match=told):
        fetch(server, target, **PUBLISHED)
    assert len(here(target)) == left


@pytest.mark.parametrize("change", [{"status": 503}, {"content": b"<!DOCTYPE html>", "ranges": False}])
def test_bad_answers_leave_what_came_before(server: Server, target: Path, change: dict[str, object]) -> None:
    begin(server, target)
    came = (target.parent / "file.zip.part").read_bytes()
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(Failed):
        fetch(server, target, **PUBLISHED)
    assert (target.parent / "file.zip.part").read_bytes() == came


def test_nobody_listens(target: Path) -> None:
    with pytest.raises(Failed, match=r"^127\.0\.0\.1:9 cannot be reached$"):
        downloads.download("http://127.0.0.1:9/file.zip", target, "", size=1)
    assert here(target) == []


def test_a_bundle_of_certificates_that_is_not_there(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    with pytest.raises(Failed, match=r"^127\.0\.0\.1:9 could not be asked: .*/nonexistent"):
        downloads.download("https://127.0.0.1:9/file.zip", target, "", **PUBLISHED)  # type: ignore[arg-type]
    assert here(target) == []


def test_the_network_is_switched_off(target: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIETUI_OFFLINE", "1")
    with pytest.raises(Failed, match="switched off by MOVIETUI_OFFLINE"):
        fetch(server, target, **PUBLISHED)
    assert server.requests == []
    assert not target.parent.exists()


def test_a_full_disk(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(watch: Meter, more: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Meter, "add", full)  # called after each piece that was written
        told = r"file\.zip could not be written: the disk is full; make room and try again\.$"
        with pytest.raises(Problem, match=told):
            fetch(server, target, **PUBLISHED)
    assert fetch(server, target, **PUBLISHED) == SHA256
    assert server.requests == ["", f"bytes={CHUNK}-"]


def test_a_folder_that_cannot_be_written(server: Server, target: Path) -> None:
    target.parent.write_text("in the way")
    with pytest.raises(Problem, match="could not be written"):
        fetch(server, target, **PUBLISHED)


def test_two_downloads_of_one_file(server: Server, target: Path) -> None:
    told: list[str] = []

    def report(stage: Stage) -> None:
        if not told:
            told.append("")
            with pytest.raises(Problem) as problem:
                fetch(server, target, **PUBLISHED)
            told.append(str(problem.value))

    assert fetch(server, target, report, **PUBLISHED) == SHA256
    assert told[1] == "file.zip is being downloaded by another process; wait until that is done."
    assert target.read_bytes() == CONTENT


# Certificates


@pytest.fixture(params=[30], ids=["valid"])
def safe(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with TLS whose certificate is trusted."""
    with trusted(tmp_path, monkeypatch, days=request.param) as state:
        state.content = CONTENT
        yield state


ended = pytest.mark.parametrize("safe", [-1], indirect=True, ids=["expired"])


def test_a_server_that_is_trusted(safe: Server, target: Path) -> None:
    assert fetch(safe, target, **PUBLISHED) == SHA256


def test_a_certificate_that_nobody_signed(safe: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(Untrusted, match=r"^the TLS certificate of 127\.0\.0\.1:\d+ could not be verified$"):
        fetch(safe, target, **PUBLISHED)
    assert safe.requests == []


@ended
def test_a_certificate_that_has_expired(safe: Server, target: Path) -> None:
    with pytest.raises(Untrusted, match=r"^the TLS certificate of 127\.0\.0\.1:\d+ has expired"):
        fetch(safe, target, **PUBLISHED)
    assert safe.requests == []


@ended
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


def test_a_newer_file_is_taken_from_a_verified_server_only(safe: Server, server: Server, target: Path) -> None:
    safe.content = server.content = NEWER + b"more"
    digest = hashlib.sha256(safe.content).hexdigest()
    with pytest.raises(Failed, match="larger"):
        fetch(safe, target, **PUBLISHED)
    with pytest.raises(Failed, match="checksum"):
        fetch(server, target, or_newer=True, **PUBLISHED)
    safe.redirect = server.url
    with pytest.raises(Failed, match="checksum"):
        fetch(safe, target, or_newer=True, **PUBLISHED)
    safe.redirect = ""
    assert fetch(safe, target, or_newer=True, **PUBLISHED) == digest
    assert target.read_bytes() == safe.content


def test_without_a_checksum_the_server_has_to_be_verified(safe: Server, server: Server, target: Path) -> None:
    assert fetch(safe, target, size=len(CONTENT)) == SHA256
    target.unlink()
    safe.redirect = server.url
    for unverified in (server, safe):
        with pytest.raises(Failed, match="came from a server that was not verified"):
            fetch(unverified, target, size=len(CONTENT))
        assert here(target) == []
    safe.redirect, safe.content = "", CONTENT + b"1"
    with pytest.raises(Failed, match="larger"):
        fetch(safe, target, size=len(CONTENT))


def test_what_may_be_newer_is_not_gone_on_with(safe: Server, server: Server, target: Path) -> None:
    server.content = NEWER
    begin(server, target)
    assert fetch(safe, target, or_newer=True, **PUBLISHED) == SHA256
    assert safe.requests == [""]
