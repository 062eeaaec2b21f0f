"""A web server on this machine that sends one file, well or badly."""

import contextlib
import http.server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

import pytest


@dataclass
class Server:
    """Answers each request with the same content, or badly."""

    url: str
    content: bytes = b""
    status: int = 200
    ranges: bool = True
    """Whether it sends the rest of a file that is identified rightly."""
    tag: str = '"one"'
    """The ETag, empty for none."""
    dated: bool = False
    """Whether it tells when the file was changed."""
    wrong_range: bool = False
    """Sends another part than it was asked for."""
    breaks_after: list[int] = field(default_factory=list)
    """Closes the connection of each answer after so many bytes; the answers after these are whole."""
    stalls: bool = False
    """Falls silent where it would break off, or before the first byte."""
    redirect: str = ""
    requests: list[str] = field(default_factory=list)
    """The range of each request, empty for the whole."""


@contextlib.contextmanager
def serving(name: str = "ml-100k.zip", certificate: Path | None = None) -> Iterator[Server]:
    """Run a server until the block ends; with a certificate (and its key in one file) it speaks TLS."""
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            state.requests.append(asked)
            if state.redirect:
                self.send_response(302)
                self.send_header("Location", state.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            changed = formatdate(0, usegmt=True) if state.dated else ""
            start, status = 0, state.status
            if asked and state.ranges and status == 200 and self.headers["If-Range"] in (state.tag, changed):
                start = int(asked.removeprefix("bytes=").removesuffix("-")) + 10 * state.wrong_range
                status = 206 if start < len(state.content) else 416
            body = b"" if status == 416 else state.content[start:]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if state.tag:
                self.send_header("ETag", state.tag)
            if changed:
                self.send_header("Last-Modified", changed)
            if status == 206:
                self.send_header("Content-Range", f"bytes {start}-{len(state.content) - 1}/{len(state.content)}")
            self.end_headers()
            cut = state.breaks_after.pop(0) if state.breaks_after else 0 if state.stalls else len(body)
            self.wfile.write(body[:cut])
            if state.stalls:
                over.wait(20)

        def log_message(self, *_: object) -> None:
            pass

    class Listener(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # a client that does not trust the certificate goes away

    listener = Listener(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
    thread.start()
    scheme = "https" if certificate else "http"
    state = Server(f"{scheme}://127.0.0.1:{listener.server_address[1]}/{name}")
    try:
        yield state
    finally:
        over.set()
        listener.shutdown()
        thread.join()
        listener.server_close()


def certificate(folder: Path, days: int = 30) -> Path:
    """Make a certificate for 127.0.0.1 that ends so many days from now, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    key, request, extensions, made = (folder / name for name in ("key", "request", "extensions", "certificate"))
    extensions.write_text("subjectAltName=IP:127.0.0.1\n")
    new = [openssl, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*new, "-keyout", str(key), "-out", str(request)], check=True, capture_output=True)
    sign = [openssl, "x509", "-req", "-in", str(request), "-signkey", str(key), "-extfile", str(extensions)]
    subprocess.run([*sign, "-days", str(days), "-out", str(made)], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + made.read_bytes())
    return both


@contextlib.contextmanager
def trusted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "ml-100k.zip", days: int = 30
) -> Iterator[Server]:
    """Run a server with TLS whose certificate is trusted."""
    made = certificate(folder, days)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "certificate"))
    with serving(name, made) as state:
        yield state
