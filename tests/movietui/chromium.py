"""A Chromium that shows the app, driven by its WebDriver: a test types and clicks in a page, and reads its screen."""

import base64
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyte
import requests

from tests.movietui.terminal import OTHER_SCREEN, SILENT, displayed

OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1100,800")
KEYS = {"enter": "\ue007", "esc": "\ue00c", "tab": "\ue004", "left": "\ue012", "up": "\ue013", "right": "\ue014"}
KEYS |= {"down": "\ue015"}
WATCH = """
window.received = []; window.opened = [];
window.open = address => { window.opened.push(address); return null; };
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...all) {
    super(...all);
    this.binaryType = "arraybuffer";
    this.addEventListener("message", event => {
      if (typeof event.data !== "string") window.received.push(Array.from(new Uint8Array(event.data)));
    });
  }
  send(data) {
    const [kind, value] = JSON.parse(data);
    if (kind === "resize") window.cells = [value.width, value.height];
    super.send(data);
  }
};
"""
"""Notes what the page gets from the server, which size it reports, and which pages it opens."""


def missing() -> str:
    """Return why no Chromium can be driven here; empty if one can."""
    absent = [each for each in ("chromium", "chromedriver") if not shutil.which(each)]
    return f"{' and '.join(absent)} not installed (on Debian: apt install chromium chromium-driver)" if absent else ""


class Browser:
    """The browser, and the page in its current tab."""

    def __init__(self, address: str) -> None:
        self._address = address
        options = {"args": list(OPTIONS), "binary": shutil.which("chromium")}
        asked = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        self._session = ""
        self._session = f"/session/{self._call('/session', capabilities=asked)['sessionId']}"
        self._screens: dict[str, tuple[pyte.Screen, pyte.ByteStream]] = {}

    def _call(self, path: str, **body: object) -> Any:
        reply = requests.post(f"{self._address}{self._session}{path}", json=body, timeout=60).json()["value"]
        if isinstance(reply, Mapping) and "error" in reply:
            raise AssertionError(f"{path}: {reply['message']}")
        return reply

    def _get(self, path: str) -> Any:
        return requests.get(f"{self._address}{self._session}{path}", timeout=60).json()["value"]

    def quit(self) -> None:
        requests.delete(f"{self._address}{self._session}", timeout=60)

    # Tabs

    def open(self, address: str) -> str:
        """Open an address in a new tab, and return the tab."""
        tab: str = self._call("/window/new", type="tab")["handle"]
        self.show(tab)
        watching = {"source": WATCH}
        self._call("/goog/cdp/execute", cmd="Page.addScriptToEvaluateOnNewDocument", params=watching)
        self._call("/url", url=address)
        return tab

    def show(self, tab: str) -> None:
        """Go to a tab."""
        self._call("/window", handle=tab)
        self._tab = tab

    def close(self) -> None:
        """Close the current tab."""
        requests.delete(f"{self._address}{self._session}/window", timeout=60)

    # What the page shows

    def run(self, script: str) -> Any:
        """Run a script in the page, and return its result."""
        return self._call("/execute/sync", script=script, args=[])

    @property
    def address(self) -> str:
        return str(self._get("/url"))

    @property
    def lines(self) -> list[str]:
        """The lines on screen."""
        script = "return [window.cells || null, window.received ? window.received.splice(0) : []]"
        cells, pieces = self.run(script)
        if self._tab not in self._screens:
            screen = pyte.Screen(80, 24)
            self._screens[self._tab] = screen, pyte.ByteStream(screen)
        screen, stream = self._screens[self._tab]
        if cells and (screen.columns, screen.lines) != tuple(cells):
            screen.resize(cells[1], cells[0])
        whole = b"".join(map(bytes, pieces))
        stream.feed(OTHER_SCREEN.sub(b"\x1b[2J\x1b[H", SILENT.sub(b"", whole)))
        return displayed(screen)

    def until(self, condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
        """Wait until a condition holds. ``what``: for the failure message."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                raise AssertionError(f"{what} did not come:\n" + "\n".join(self.lines))
            time.sleep(0.1)

    def see(self, text: str, *, gone: bool = False) -> None:
        """Wait until a text is on screen or, with ``gone``, until it no longer is."""
        self.until(lambda: (text in "\n".join(self.lines)) != gone, f"{text!r}, gone: {gone},")

    def picture(self) -> bytes:
        """Return the page as PNG."""
        return base64.b64decode(self._get("/screenshot"))

    # What a person does

    def press(self, *keys: str) -> None:
        """Press keys; a longer text is typed."""
        self.run("window.focus(); document.querySelector('.xterm-helper-textarea').focus()")  # as in a tab just shown
        typed = "".join(KEYS.get(key, key) for key in keys)
        strokes = [{"type": kind, "value": key} for key in typed for kind in ("keyDown", "keyUp")]
        self._call("/actions", actions=[{"type": "key", "id": "keyboard", "actions": strokes}])

    def click(self, text: str) -> None:
        """Click the place where a text first appears."""
        lines = self.lines
        y = next(row for row, line in enumerate(lines) if text in line)
        x = lines[y].index(text) + 1
        left, top, width, height = self.run(
            "const box = document.querySelector('.xterm-screen').getBoundingClientRect();"
            "return [box.left, box.top, box.width, box.height]"
        )
        columns, rows = self.run("return window.cells")
        point = {"x": round(left + (x + 0.5) * width / columns), "y": round(top + (y + 0.5) * height / rows)}
        moves = [
            {"type": "pointerMove", **point},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._call("/actions", actions=[{"type": "pointer", "id": "mouse", "actions": moves}])

    def resize(self, width: int, height: int) -> None:
        """Resize the window, in pixels."""
        self._call("/window/rect", width=width, height=height)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a Chromium and its driver."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if requests.get(f"{address}/status", timeout=5).json()["value"]["ready"]:
                    break
            except requests.ConnectionError:
                time.sleep(0.05)
        browser = Browser(address)
        try:
            yield browser
        finally:
            browser.quit()
    finally:
        driver.terminate()
        driver.wait(20)
