"""S3 Vectors on this machine, for tests of programs that use it: no AWS account, no network.

As a context manager:

    >>> from vecload.testing import LocalS3Vectors
    >>> with LocalS3Vectors() as s3vectors:
    ...     s3vectors.client().create_vector_bucket(vectorBucketName="my-bucket")
    ...     len(s3vectors.client().list_vector_buckets()["vectorBuckets"])
    {...}
    1

With pytest there is a fixture ``s3vectors``; a marker of the same name gives options:

    @pytest.mark.s3vectors(latency_ms=20, faults="seed=7,http503=0.05")
    def test_my_program(s3vectors):
        my_program.run()  # boto3 in there finds the local server by itself
        assert s3vectors.client().list_vectors(...)["vectors"]
"""

from __future__ import annotations

import importlib
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from vecload._errors import IoError

_PROGRAM = Path(__file__).parent / "bin" / "vecload"
_STOP_S = 10.0

# Whatever else the caller's environment says of AWS must not win over the local server.
_UNSET = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)


class LocalS3Vectors:
    """A server of its own that speaks the S3 Vectors API, on a free port of 127.0.0.1.

    While it runs, the environment leads boto3, the AWS SDKs and vecload there: endpoint, region and
    dummy keys are set, and put back at the end. What is stored is gone at the end, unless there is
    a ``data_dir``. The server ends with this process, however that ends.

    Args:
        model: ``"aws"``: the service's limits, with a burst, and its latency.
        rate_vectors: Vectors a second per index, answered by 429 beyond.
        rate_requests: Requests a second per index, the same.
        latency_ms: Hold back answers of put, delete and query by this.
        faults: Failures made up for requests of vectors, as probabilities, e.g.
            ``"seed=7,http503=0.01,http429=0.01,http500=0.01,reset=0.005,cut=0.005,lost=0.005"``.
        region: In ARNs, and set as AWS_REGION.
        data_dir: Keep the data there.
        set_environment: False leaves the environment alone; use :attr:`endpoint_url`.
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        rate_vectors: float | None = None,
        rate_requests: float | None = None,
        latency_ms: float | None = None,
        faults: str | None = None,
        region: str = "us-east-1",
        data_dir: str | os.PathLike[str] | None = None,
        set_environment: bool = True,
    ) -> None:
        self.region = region
        self.access_key = "local"
        self.secret_key = "local"
        self._flags = ["--region", region]
        self._flags += ["--data-dir", os.fspath(data_dir)] if data_dir else ["--ephemeral"]
        for flag, value in (
            ("--model", model),
            ("--rate-vectors", rate_vectors),
            ("--rate-requests", rate_requests),
            ("--latency-ms", latency_ms),
            ("--faults", faults),
        ):
            if value is not None:
                self._flags += [flag, str(value)]
        self._set_environment = set_environment
        self._saved: dict[str, str | None] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._endpoint_url = ""

    @property
    def endpoint_url(self) -> str:
        """Where it answers, e.g. ``http://127.0.0.1:40123``."""
        if self._process is None:
            raise RuntimeError("the server is not running; use it as a context manager, or start()")
        return self._endpoint_url

    @property
    def pid(self) -> int:
        """Of the server's process."""
        if self._process is None:
            raise RuntimeError("the server is not running; use it as a context manager, or start()")
        return self._process.pid

    def client(self, **settings: Any) -> Any:
        """A boto3 client of this server; `settings` go to ``boto3.client``."""
        boto3: Any = importlib.import_module("boto3")  # which is needed for this alone
        defaults: dict[str, Any] = {
            "endpoint_url": self.endpoint_url,
            "region_name": self.region,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
        }
        return boto3.client("s3vectors", **(defaults | settings))

    def start(self) -> LocalS3Vectors:
        """Starts the server and returns once it answers."""
        if self._process is not None:
            raise RuntimeError("the server is running already")
        with tempfile.TemporaryFile() as errors:
            # Its stdin is ours: the server ends when that ends, as it does when we die.
            self._process = subprocess.Popen(
                [_PROGRAM, "serve", "--with-stdin", *self._flags],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for our process, which may still need it
            )
            assert self._process.stdout is not None
            line = self._process.stdout.readline().decode()
            if not line.startswith("listening on "):
                self.stop()
                raise IoError(f"the local server did not start: {_all_of(errors)}")
        self._endpoint_url = line.split()[-1]
        if self._set_environment:
            self._enter_environment()
        return self

    def stop(self) -> None:
        """Stops the server, and puts the environment back. Nothing where it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        self._leave_environment()
        # Its stdin stays open until it is gone: that ending too would be a second signal, at which
        # it leaves its temporary folder behind.
        with process:
            process.terminate()
            try:
                process.wait(timeout=_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()

    def __enter__(self) -> LocalS3Vectors:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _enter_environment(self) -> None:
        values: dict[str, str | None] = dict.fromkeys(_UNSET)
        values |= {
            "AWS_ENDPOINT_URL_S3VECTORS": self._endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }
        self._saved = {name: os.environ.get(name) for name in values}
        _put(values)

    def _leave_environment(self) -> None:
        _put(self._saved)
        self._saved = {}


def _put(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _all_of(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read().decode(errors="replace").strip() or "it ended without a word"
