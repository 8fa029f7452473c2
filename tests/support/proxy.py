"""Proxies on loopback; one that counts which keys were sent, and which were acknowledged."""

import contextlib
import functools
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Callable

_KEY = re.compile(rb'\{"key":"([^"\\]*)"')
_DELETED = re.compile(rb'"([^"\\]*)"')  # in the list of keys
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WAIT_S = 30.0


class Proxy:
    """Listens at `url`, and serves each connection on a thread of its own until stop()."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def stop(self) -> None:
        # Wakes accept(), which close() would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(timeout=_WAIT_S)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serving(client), daemon=True).start()

    def _serving(self, client: socket.socket) -> Callable[[], None]:
        """What serves a connection that was just accepted."""
        raise NotImplementedError

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._upstream))


class CountingProxy(Proxy):
    """Hands every byte on, both ways, and does to one side what the other side did to it. Requests
    are `latency_s` on their way; those of a client that is gone by then never arrive.

    What passes is told by `run`, a number that its owner raises: `sent[run]` are the keys of
    PutVectors and DeleteVectors that came in that run, `acknowledged[run]` those that a whole 200
    was handed on for.
    """

    def __init__(self, port: int, latency_s: float = 0) -> None:
        self.run = 0
        self.sent: dict[int, set[bytes]] = {}
        self.acknowledged: dict[int, set[bytes]] = {}
        self.attempts = 0
        self.on_request: Callable[[bytes], None] = lambda _request: None  # before it goes on
        self._latency_s = latency_s
        super().__init__(port)

    def _serving(self, client: socket.socket) -> Callable[[], None]:
        return functools.partial(self._serve, client, self.run)

    def _serve(self, client: socket.socket, run: int) -> None:
        """One connection, and one to the server for it: what breaks one breaks the other."""
        with client, self._connect() as server:
            for end in (client, server):
                end.settimeout(_WAIT_S)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while self._exchange(client, server, run):
                    pass
            except OSError:
                _reset_on_close(client)

    def answer_instead(self, _request: bytes) -> bytes:
        """The answer to a request that is not to reach the server; empty for the others."""
        return b""

    def _exchange(self, client: socket.socket, server: socket.socket, run: int) -> bool:
        request, whole = _receive_message(client)
        if not whole:
            return False
        keys = _keys_of(request)
        with self._lock:
            self.attempts += 1 if keys else 0
            self.sent.setdefault(run, set()).update(keys)
        self.on_request(request)
        if instead := self.answer_instead(request):
            client.sendall(instead)
            return True
        time.sleep(self._latency_s)
        if _is_gone(client):
            return False
        server.sendall(request)
        reply, whole = _receive_message(server)
        client.sendall(reply)
        if whole and reply.startswith(b"HTTP/1.1 200 "):
            with self._lock:
                self.acknowledged.setdefault(run, set()).update(keys)
        return whole


def _keys_of(request: bytes) -> set[bytes]:
    if request.startswith(b"POST /PutVectors "):
        return set(_KEY.findall(request))
    if request.startswith(b"POST /DeleteVectors "):
        return set(_DELETED.findall(request, request.index(b'"keys":[') + len(b'"keys":[')))
    return set()


def _receive_message(source: socket.socket) -> tuple[bytes, bool]:
    """A head and the body that it announces; False where the stream ended before."""
    message = bytearray()
    wanted = -1
    while wanted < 0 or len(message) < wanted:
        part = source.recv(1 << 18)
        if not part:
            return bytes(message), False
        message += part
        if wanted < 0 and (head := message.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(message, 0, head + 2)
            wanted = head + 4 + (int(length[1]) if length else 0)
    return bytes(message), True


def _is_gone(client: socket.socket) -> bool:
    """True after a kill; a client that waits for its answer has nothing more to say."""
    readable, _, _ = select.select([client], [], [], 0)
    return bool(readable)


def _reset_on_close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
