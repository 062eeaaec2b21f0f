"""HTTP sessions that give up if a server sends too slowly.

A read timeout does not detect this: it limits only the time between two bytes.
"""

import http.client
import io
import socket
import time
from typing import Any, ClassVar

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager, poolmanager
from urllib3.connection import HTTPConnection, HTTPSConnection

from movietui.data.fetch.timeouts import Timeouts

MAX_HEADER_BYTES = 2**18
"""The maximum number of bytes that a server may send before the body of a response."""


class TooSlow(Exception):
    """The server sent fewer bytes per second than ``Timeouts.min_rate``, measured over ``Timeouts.rate_window``."""


class HeadersTooLarge(Exception):
    """The server sent more than ``MAX_HEADER_BYTES`` of headers."""


class _TimedReader(io.RawIOBase):
    """Reads from a socket. Raises ``TooSlow`` if data arrives too slowly, and ``HeadersTooLarge`` for long headers.

    ``header_bytes_left`` is how many more bytes the headers may have; None once they have been read.
    """

    def __init__(self, raw: io.RawIOBase, timeouts: Timeouts) -> None:
        self._raw, self._timeouts = raw, timeouts
        self._since, self._received = time.monotonic(), 0
        self.header_bytes_left: int | None = MAX_HEADER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count: int | None = self._raw.readinto(buffer)
        if self.header_bytes_left is not None:
            self.header_bytes_left -= count or 0
            if self.header_bytes_left < 0:
                raise HeadersTooLarge
        self._received += count or 0
        elapsed = time.monotonic() - self._since
        if elapsed >= self._timeouts.rate_window:
            if count and self._received < elapsed * self._timeouts.min_rate:
                raise TooSlow
            self._since, self._received = time.monotonic(), 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    timeouts: ClassVar[Timeouts]

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self._reader = _TimedReader(self.fp.detach(), self.timeouts)
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        """Read the headers; the rest of the response may have any size."""
        super().begin()
        self._reader.header_bytes_left = None


class _Adapter(HTTPAdapter):
    def __init__(self, timeouts: Timeouts) -> None:
        response = {"response_class": type("Response", (_Response,), {"timeouts": timeouts})}
        kinds = {"http": (HTTPConnectionPool, HTTPConnection), "https": (HTTPSConnectionPool, HTTPSConnection)}
        self._pools = {
            scheme: type("Pool", (pool,), {"ConnectionCls": type("Connection", (connection,), response)})
            for scheme, (pool, connection) in kinds.items()
        }
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, **options)
        if manager.pool_classes_by_scheme is poolmanager.pool_classes_by_scheme:  # not a SOCKS proxy
            manager.pool_classes_by_scheme = self._pools
        return manager


def session(timeouts: Timeouts) -> requests.Session:
    """Return a session that raises ``TooSlow`` or ``HeadersTooLarge`` if a response exceeds the limits."""
    result = requests.Session()
    for scheme in ("http://", "https://"):
        result.mount(scheme, _Adapter(timeouts))
    return result
