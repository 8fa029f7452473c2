"""A proxy on loopback that puts a server at a distance: each request takes a while longer."""

import contextlib
import dataclasses
import functools
import re
import socket
import threading
import time
from collections.abc import Callable

from support.proxy import Proxy

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_RANGE = re.compile(rb"\r\nrange: *bytes=(\d+)-(\d+)", re.IGNORECASE)
_PART = 1 << 20
_WAIT_S = 30.0


@dataclasses.dataclass(frozen=True)
class Get:
    """A GET of a range of an object: its bytes are [begin, end)."""

    path: str
    begin: int
    end: int


class DelayingProxy(Proxy):
    """Hands requests without a body on, `latency_s` after they came, and the replies back as they
    come. Knows every GET of a range, and how many of them, and of which bytes, were unanswered at
    once at most.
    """

    def __init__(self, port: int, latency_s: float) -> None:
        self.gets: list[Get] = []
        self.requests = 0
        self.gets_at_once_max = 0
        self.bytes_at_once_max = 0
        # What is refused is answered with 403, which no client tries again.
        self.refuses: Callable[[Get], bool] = lambda _get: False
        # While cleared, what has arrived is neither handed on nor answered.
        self.is_answering = threading.Event()
        self.is_answering.set()
        self._gets_at_once = 0
        self._bytes_at_once = 0
        self._latency_s = latency_s
        self._stopped = False
        super().__init__(port)

    def stop(self) -> None:
        self._stopped = True
        self.is_answering.set()
        super().stop()

    def _serving(self, client: socket.socket) -> Callable[[], None]:
        return functools.partial(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, self._connect() as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.settimeout(_WAIT_S)
            with contextlib.suppress(OSError):
                while self._exchange(client, server):
                    pass

    def _exchange(self, client: socket.socket, server: socket.socket) -> bool:
        head, rest = _receive_head(client)
        if not head:
            return False
        assert not rest, "the client asks for the next before it has the answer"
        verb, path, _ = head.split(b" ", 2)
        asked = _RANGE.search(head) if verb == b"GET" else None
        get = Get(path.decode(), int(asked[1]), int(asked[2]) + 1) if asked else None
        self._begin(get)
        try:
            time.sleep(self._latency_s)
            self.is_answering.wait(timeout=_WAIT_S)
            if self._stopped:
                return False
            if get and self.refuses(get):
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return True
            server.sendall(head)
            return _relay_reply(server, client, has_body=verb != b"HEAD")
        finally:
            self._end(get)

    def _begin(self, get: Get | None) -> None:
        with self._lock:
            self.requests += 1
            if get:
                self.gets.append(get)
                self._gets_at_once += 1
                self._bytes_at_once += get.end - get.begin
                self.gets_at_once_max = max(self.gets_at_once_max, self._gets_at_once)
                self.bytes_at_once_max = max(self.bytes_at_once_max, self._bytes_at_once)

    def _end(self, get: Get | None) -> None:
        with self._lock:
            if get:
                self._gets_at_once -= 1
                self._bytes_at_once -= get.end - get.begin


def _receive_head(source: socket.socket) -> tuple[bytes, bytes]:
    """A message's head and what came of the rest; empty where the stream ended."""
    message = b""
    while (end := message.find(b"\r\n\r\n")) < 0:
        part = source.recv(_PART)
        if not part:
            return b"", b""
        message += part
    return message[: end + 4], message[end + 4 :]


def _relay_reply(server: socket.socket, client: socket.socket, has_body: bool) -> bool:
    head, rest = _receive_head(server)
    if not head:
        return False
    client.sendall(head + rest)
    if not has_body:
        return True
    if _CHUNKED.search(head):
        while not rest.endswith(b"0\r\n\r\n"):
            rest = server.recv(_PART)
            client.sendall(rest)
            if not rest:
                return False
        return True
    length = _LENGTH.search(head)
    missing = (int(length[1]) if length else 0) - len(rest)
    part = memoryview(bytearray(_PART))
    while missing > 0:
        received = server.recv_into(part[: min(_PART, missing)])
        if received == 0:
            return False
        client.sendall(part[:received])
        missing -= received
    return True
