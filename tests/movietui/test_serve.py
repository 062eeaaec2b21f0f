"""``movietui serve``: the app in a browser, who may open it, and what a visitor of the public demo cannot do."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from movietui.data.problems import Problem
from movietui.data.split_names import check
from movietui.data.storage import locations, public_demo
from movietui.data.storage.atomic_files import write_file
from movietui.data.storage.paths import free_path, pasted
from movietui.protocol.viewers import profile, user
from movietui.store.ratings import Store
from movietui.ui.browser import bounded
from tests.movietui import chromium
from tests.movietui.commands import Run, refused
from tests.movietui.driving import LARGE, started
from tests.movietui.stored import stars_of

REFUSED = "it opens no files"
DRIVER = {"TEXTUAL_DRIVER": "movietui.ui.browser:BrowserDriver", "COLUMNS": "100", "ROWS": "30"}
READY = b"__GANGLION__\n"
"""What Textual's driver for a browser writes first."""
PICTURE = "MOVIETUI_BROWSER_PICTURE"
"""The environment variable with the path of the PNG to take, if any."""


@contextmanager
def served(*options: str) -> Iterator[str]:
    """Start a server, and yield the address that it prints. At the end, ctrl+c stops it."""
    pytest.importorskip("textual_serve", reason="textual-serve is not installed")
    command = [sys.executable, "-m", "movietui", "serve", "--port", "0", "--json", *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        document = "".join(iter(server.stdout.readline, "}\n"))
        yield json.loads(document + "}")["address"]
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0


def opened(address: str) -> tuple[requests.Session, str]:
    """Open an address as a browser does, and return its session, which has the key, and the address of the page."""
    session = requests.Session()
    page = session.get(address)
    assert page.status_code == 200, page.text
    return session, page.url


def test_without_the_extra_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    refused(run("serve"), r"pip install 'movietui\[web\]'\.")


def test_a_port_in_use_is_one_sentence(run: Run) -> None:
    pytest.importorskip("textual_serve", reason="textual-serve is not installed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused(run("serve", "--port", taken.getsockname()[1]), r"Port \d+ cannot be used: .*--port 0\.")


def test_only_pages_of_the_server_with_the_key_are_let_in(home: Path) -> None:
    with served() as address:
        bare = address.partition("?")[0]
        assert bare.startswith("http://127.0.0.1:")
        for other in (bare, f"{bare}?key=guessed", f"{bare}ws", f"{bare}static/js/textual.js"):
            reply = requests.get(other)
            assert (reply.status_code, "with the key" in reply.text) == (403, True), other
        session, page = opened(address)
        assert "key" not in page  # the address that stays in the browser's history
        assert "frame-ancestors 'none'" in session.get(page).headers["Content-Security-Policy"]
        for headers in ({"Host": "evil.example:80"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
            assert session.get(f"{page}ws", headers=headers).status_code == 403, headers


def test_works_in_chromium(ready: Path, tmp_path: Path) -> None:
    """Keys, the mouse, another size, a link, an import, and a second tab."""
    if absent := chromium.missing():
        pytest.skip(absent)
    export = tmp_path / "ratings.csv"
    export.write_text("Date,Name,Year,Letterboxd URI,Rating\n2026-01-01,Nobody Has This,2025,https://boxd.it/a,4\n")
    store = Store(locations.store())

    def rated_by_user() -> dict[str, float]:
        return stars_of(store, user("1", "demo"))

    with served() as address, chromium.chromium() as browser:
        first = browser.open(address)
        browser.see(" of 392 ")
        assert "key=" not in browser.address
        if path := os.environ.get(PICTURE):
            browser.press("right", "5", "4")
            browser.until(lambda: len(rated_by_user()) == 2, "two ratings")
            browser.see("rated")
            Path(path).write_bytes(browser.picture())
            browser.press("u", "u")
            browser.until(lambda: not rated_by_user(), "no rating")
        browser.press("right", "4")
        browser.until(lambda: list(rated_by_user().values()) == [4.0], "the rating")
        browser.click("u Undo")
        browser.until(lambda: not rated_by_user(), "no rating")

        columns = len(browser.lines[0])
        browser.resize(800, 600)
        browser.until(lambda: len(browser.lines[0]) < columns, "a narrower screen")

        browser.press("l")
        browser.see("JustWatch")
        browser.press("enter")
        browser.until(lambda: browser.run("return window.opened"), "a page")
        assert browser.run("return window.opened")[0].startswith("https://www.justwatch.com/")

        browser.press("i")
        browser.see("Import")
        browser.press(str(export), "enter")
        browser.see("not in dataset 1")
        browser.press("y")
        browser.see("Whose movies")
        browser.press("anna", "enter")
        browser.until(lambda: stars_of(store, profile("anna")) == {"Nobody Has This": 4.0}, "the import")

        browser.open(address)  # a second tab is a second process
        browser.see(" of 392 ")
        browser.press("right", "5")
        browser.until(lambda: 5.0 in rated_by_user().values() or 5.0 in stars_of(store, profile("anna")).values(), "5")
        browser.close()
        browser.show(first)
        browser.see("Unseen")
    store.close()


# The public demo


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(public_demo.VARIABLE, "1")


def test_the_public_demo_turns_no_text_into_a_path(public: None, tmp_path: Path) -> None:
    table = tmp_path / "folds.csv"
    table.write_text("user,item,fold\n")
    for act in (
        lambda: pasted(str(table)),
        lambda: free_path(tmp_path, "runs", ".csv"),
        lambda: check(str(table), "demo"),
        lambda: write_file(tmp_path / "new", b"", force=True),
    ):
        with pytest.raises(Problem, match=REFUSED):
            act()
    assert list(tmp_path.glob("new")) == []


async def test_a_visitor_reaches_no_file(public: None, ready: Path, tmp_path: Path) -> None:
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    async with started(LARGE) as driver:
        assert driver.app.notice.plain == public_demo.NOTICE
        for keys in (("i",), ("Y", "s"), ("d", "o"), ("d", "i"), ("t", "right", "E")):
            await driver.press("b", *keys)
            await driver.wait_for_notice(REFUSED)
            assert len(driver.app.screen_stack) == 1, keys
        await driver.press("b")
        driver.browse.action_back_up()
        await driver.wait_for_notice(REFUSED)
    after = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    assert [path for path in after if path not in before and "home" not in path.parts] == []
    assert not list(locations.backups().iterdir())


def test_a_visit_leaves_nothing_behind(home: Path, demo_home: Path, tmp_path: Path) -> None:
    template = tmp_path / "demo" / "template"
    shutil.copytree(demo_home, template)
    command = [sys.executable, "-m", "movietui.web", str(template)]
    visit = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **DRIVER})
    assert visit.stdout is not None
    assert visit.stdin is not None
    assert visit.stdout.readline() == READY
    (folder,) = [path for path in template.parent.iterdir() if path != template]
    output = b""
    while public_demo.NOTICE[:24].encode() not in output:
        output += visit.stdout.read1()
    visit.stdin.close()  # as when the server is gone
    while visit.stdout.read1():
        pass
    visit.stdout.close()
    assert visit.wait(60) == 0
    assert not folder.exists()
    assert list(template.parent.iterdir()) == [template]
    assert not home.exists()


@pytest.mark.parametrize(
    ("wanted", "given"),
    [((120, 40), (120, 40)), ((10**9, 10**9), (500, 200)), ((0, -5), (1, 24)), (("x", None), (80, 24))],
)
def test_a_page_gets_no_size_that_no_window_has(wanted: tuple[object, object], given: tuple[int, int]) -> None:
    assert bounded(*wanted) == given
