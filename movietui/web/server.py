"""Serves the app to browsers with textual-serve: each open page has a process of its own.

The address is on loopback, but other people who use this machine, and any site that is open in the same browser, can
reach it too. Therefore, only this server's own pages may connect, and unless it is a public demo, a browser must first
open the address with the key that only whoever started the server has seen.
"""

import asyncio
import hmac
import logging
import os
import secrets
import shlex
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.server import Server

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.protocol import code_path

HOST = "127.0.0.1"
PAGES = Path(__file__).with_name("pages")
"""The folder of the page, in place of textual-serve's, which loads a font from elsewhere."""
DRIVER = "movietui.ui.browser:BrowserDriver"
MOST_PAGES = 12
"""The most pages that can be open at a time. Each takes about 200 MB."""
FULL = tr("So many pages are open that this one has to wait. Try again later.")
VISIT_SECONDS = 3600
"""How long a page of a public demo stays open, at most."""
END_SECONDS = 3.0
"""Seconds that open pages get to end when the server stops."""
HEADERS = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' data: blob:; connect-src 'self' {socket}; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The headers of every response. The page may load nothing from elsewhere, and no other page may frame it."""


def listen(port: int) -> socket.socket:
    """Return a socket that listens on a port of loopback; 0 is any free port. Raises ``Problem`` if it is in use."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise Problem(
            tr(
                "Port {port} cannot be used: {error}; choose another with --port, or any free one with --port 0.",
                port=port,
                error=error.strerror,
            )
        ) from None


class AppServer(Server):
    """Serves one command, which runs the app, to every browser that may see it."""

    def __init__(
        self, command: Sequence[str], listening: socket.socket, *, url: str = "", public: bool = False
    ) -> None:
        """``url``: the address of a proxy before the server, if any. ``public``: whether no key is needed."""
        local = f"http://{HOST}:{listening.getsockname()[1]}"
        command = ["exec", "env", f"TEXTUAL_DRIVER={DRIVER}", *command]  # textual-serve chooses its own otherwise
        super().__init__(
            shlex.join(command), title="movietui", public_url=url.rstrip("/") or local, templates_path=PAGES
        )
        self._listening = listening
        self._key = "" if public else secrets.token_urlsafe(24)
        self._hosts = {urlsplit(address).netloc for address in (local, self.public_url)}
        self._pages: set[asyncio.Task[object]] = set()
        self._ready: Callable[[str], None] = lambda address: None
        socket_url = self.public_url.replace("http", "ws", 1)
        self._headers = {name: value.format(socket=socket_url) for name, value in HEADERS.items()}

    def run(self, ready: Callable[[str], None]) -> None:
        """Serve until the process is interrupted. ``ready`` is called with the address to open."""
        self._ready = ready
        os.environ.update(code_path.environment())  # of the processes of the pages
        logging.basicConfig(level=logging.WARNING, format="%(message)s")
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # an app may end a moment later than the server
        web.run_app(self._make_app(), sock=self._listening, print=None, access_log=None, shutdown_timeout=END_SECONDS)

    async def _make_app(self) -> web.Application:
        """Add the checks: textual-serve makes the application in this method, and has no public hook for them."""
        app: web.Application = await super()._make_app()
        app.middlewares.append(self._admit)
        app.on_response_prepare.append(self._add_headers)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say that the server is ready, in place of textual-serve's banner."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.request_exit)
        self._ready(f"{self.public_url}/?key={self._key}" if self._key else f"{self.public_url}/")

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse requests to another name, from another site or without the key; a cookie remembers the key."""
        if request.host not in self._hosts or request.headers.get("Origin", self.public_url) != self.public_url:
            return web.Response(text=tr("Open {address} instead.", address=self.public_url), status=403)
        cookie = f"movietui-{self._listening.getsockname()[1]}"  # browsers send cookies to all ports of a host
        given = request.query.get("key", "")
        shown = (given or request.cookies.get(cookie, "")).encode("utf-8", "replace")
        if self._key and not hmac.compare_digest(shown, self._key.encode()):
            return web.Response(text=tr("Open the address with the key that movietui serve printed."), status=403)
        if len(self._pages) >= MOST_PAGES and request.path in ("/", "/ws"):
            return web.Response(text=FULL, status=503)
        if self._key and given:  # so that the key is not in the address that the browser shows and remembers
            response = web.Response(status=303, headers={"Location": "/"})
            response.set_cookie(cookie, self._key, httponly=True, samesite="Strict")
            return response
        return await handler(request)

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(self._headers)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run the app for a page, and count the pages."""
        page = asyncio.current_task()
        assert page is not None
        self._pages.add(page)
        try:
            async with asyncio.timeout(None if self._key else VISIT_SECONDS):
                return await super().handle_websocket(request)
        finally:
            self._pages.discard(page)

    async def on_shutdown(self, app: web.Application) -> None:
        """End the apps of all open pages."""
        for page in self._pages:
            page.cancel()
        if self._pages:
            await asyncio.wait(self._pages, timeout=END_SECONDS)
