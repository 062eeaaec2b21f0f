"""A local web server that sends files, correctly or broken in one of many ways."""

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
    """The settings of a server, and the requests that it received."""

    url: str
    content: bytes = b""
    """The file that the server sends, unless the name requested is in ``others``."""
    others: dict[str, bytes] = field(default_factory=dict)
    """Further files, by name."""
    status: int = 200
    ranges: bool = True
    """Whether a request for the rest of the file gets only the rest, provided that its ``If-Range`` is right."""
    tag: str = '"one"'
    """The ETag of the file; empty to send none."""
    dated: bool = False
    """Whether the server sends the time of the file's last change."""
    wrong_range: bool = False
    """Whether the server sends a different range than requested."""
    breaks_after: list[int] = field(default_factory=list)
    """How many bytes the server sends before it closes the connection, for each of the first responses; later responses
    are complete."""
    stalls: bool = False
    """Whether the server stops sending but keeps the connection open, after the bytes in ``breaks_after`` or, without
    any, before the first byte."""
    redirect: str | None = None
    """The target of a redirect; empty for a redirect without a target; None for no redirect."""
    raw: bytes = b""
    """What the server sends instead of a proper response, if not empty."""
    drips: float = 0
    """If not 0, the server sends one byte at a time, this many seconds apart."""
    requests: list[str] = field(default_factory=list)
    """The range of each request received; empty for the whole file."""


@contextlib.contextmanager
def serving(name: str = "ml-100k.zip", certificate: Path | None = None) -> Iterator[Server]:
    """Run a server until the block ends; it uses TLS if a certificate is given, with the key in the same file."""
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            range_header = self.headers.get("Range", "")
            state.requests.append(range_header)
            if state.raw:
                with contextlib.suppress(OSError):  # the client closed the connection
                    self.send(state.raw)
                self.close_connection = True
                return
            if state.redirect is not None:
                self.send_response(302)
                if state.redirect:
                    self.send_header("Location", state.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            changed = formatdate(0, usegmt=True) if state.dated else ""
            content = state.others.get(self.path.rpartition("/")[2], state.content)
            start, status = 0, state.status
            if range_header and state.ranges and status == 200 and self.headers["If-Range"] in (state.tag, changed):
                start = int(range_header.removeprefix("bytes=").removesuffix("-")) + 10 * state.wrong_range
                status = 206 if start < len(content) else 416
            body = b"" if status == 416 else content[start:]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if state.tag:
                self.send_header("ETag", state.tag)
            if changed:
                self.send_header("Last-Modified", changed)
            if status == 206:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            cut = state.breaks_after.pop(0) if state.breaks_after else 0 if state.stalls else len(body)
            with contextlib.suppress(OSError):
                self.send(body[:cut])
            if state.stalls:
                over.wait(20)

        def send(self, content: bytes) -> None:
            if not state.drips:
                self.wfile.write(content)
                return
            for byte in content:
                self.wfile.write(bytes([byte]))
                if over.wait(state.drips):
                    return

        def log_message(self, *_: object) -> None:
            pass

    class Listener(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # a client that does not trust the certificate disconnects

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
    """Return a file with a new certificate for 127.0.0.1, which expires in this many days, and with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    key, request, extensions, certificate_file = (
        folder / name for name in ("key", "request", "extensions", "certificate")
    )
    extensions.write_text("subjectAltName=IP:127.0.0.1\n")
    curve = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]  # an RSA key takes half a second of processor time
    new = [openssl, "req", "-new", "-newkey", *curve, "-nodes", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*new, "-keyout", str(key), "-out", str(request)], check=True, capture_output=True)
    sign = [openssl, "x509", "-req", "-in", str(request), "-signkey", str(key), "-extfile", str(extensions)]
    subprocess.run([*sign, "-days", str(days), "-out", str(certificate_file)], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + certificate_file.read_bytes())
    return both


@contextlib.contextmanager
def trusted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "ml-100k.zip", days: int = 30
) -> Iterator[Server]:
    """Run a TLS server whose certificate the client trusts, until the block ends."""
    certificate_file = certificate(folder, days)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "certificate"))
    with serving(name, certificate_file) as state:
        yield state
