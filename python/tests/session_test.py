"""Goal: keys that a session renews are followed whole, by the service and by S3, during a load.

Method: botocore's own RefreshableCredentials, whose keys live for seconds; servers that refuse what
has expired and have botocore sign every request again.
"""

from __future__ import annotations

import datetime
import io
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, RefreshableCredentials

import vecload
from support.servers import ScriptedServer
from support.vectors import fixed_size_column, random_vectors, stored_keys
from vecload.testing import LocalS3Vectors

ROWS = 1_500
VECTORS = random_vectors(ROWS, 8)
KEYS = [f"k{i:06d}" for i in range(ROWS)]


class Renewed:
    """A boto3 session whose keys botocore renews once they have expired, and what it gave out."""

    def __init__(self, life_s: float) -> None:
        self._life_s = life_s
        self._lock = threading.Lock()
        self.given_out: dict[str, tuple[str, str, float]] = {}
        core = botocore.session.Session()
        core._credentials = RefreshableCredentials.create_from_metadata(
            self._next(),
            refresh_using=self._next,
            method="test",
            advisory_timeout=0,
            mandatory_timeout=0,
        )
        self._core = core
        self.session = boto3.Session(botocore_session=core, region_name="us-east-1")

    def expire(self) -> None:
        """What was given out is of no use from now on, as botocore knows too."""
        for access_key, (secret, token, _) in list(self.given_out.items()):
            self.given_out[access_key] = (secret, token, 0.0)
        self._core._credentials._expiry_time = datetime.datetime.fromtimestamp(0, datetime.UTC)

    def _next(self) -> dict[str, str]:
        with self._lock:
            number = len(self.given_out)
            expires = time.time() + self._life_s
            self.given_out[f"ASIA{number}"] = (f"secret{number}", f"token{number}", expires)
        at = datetime.datetime.fromtimestamp(expires, datetime.UTC)
        return {
            "access_key": f"ASIA{number}",
            "secret_key": f"secret{number}",
            "token": f"token{number}",
            "expiry_time": at.isoformat(),
        }


class Judge:
    """Whether a request is signed with keys that were given out and are valid still."""

    def __init__(self, renewed: Renewed, service: str) -> None:
        self._renewed = renewed
        self._service = service
        self.accepted: set[str] = set()
        self.expired = 0
        self.wrong: list[str] = []

    def refusal(self, method: str, url: str, headers: dict[str, str], body: bytes) -> str | None:
        authorization = headers.get("authorization", "")
        access_key = authorization.partition("Credential=")[2].partition("/")[0]
        secret, token, expires = self._renewed.given_out.get(access_key, ("", "", 0.0))
        if not secret or headers.get("x-amz-security-token") != token:
            self.wrong.append(f"{method} {url}: keys of nobody, or of two sets: {access_key!r}")
            return "InvalidAccessKeyId"
        if not self._signed(secret, method, url, headers, body):
            self.wrong.append(f"{method} {url}: another signature than botocore's")
            return "SignatureDoesNotMatch"
        if expires <= time.time():
            self.expired += 1
            return "expired"
        self.accepted.add(access_key)
        return None

    def _signed(
        self, secret: str, method: str, url: str, headers: dict[str, str], body: bytes
    ) -> bool:
        authorization = headers["authorization"]
        request = AWSRequest(method, url, data=body)
        for name in authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";"):
            request.headers[name] = headers[name]
        request.context["timestamp"] = headers["x-amz-date"]
        kind = S3SigV4Auth if self._service == "s3" else SigV4Auth
        signer = kind(Credentials("any", secret), self._service, "us-east-1")
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return signer.signature(text, request) == authorization.partition("Signature=")[2]


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """None but the session's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def table() -> pa.Table:
    return pa.table({"id": KEYS, "embedding": fixed_size_column(VECTORS)})


def test_a_session_whose_keys_expire_in_mid_load(no_keys: None) -> None:
    renewed = Renewed(life_s=1.5)
    judge = Judge(renewed, "s3vectors")
    service = ScriptedServer(8)

    def script(operation: str, _number: int) -> tuple[int, str, str] | None:
        headers = service.last_headers
        url = f"http://{headers['host']}/{operation}"
        why = judge.refusal("POST", url, headers, service.last_body)
        if why is None:
            return None
        code = "ExpiredTokenException" if why == "expired" else "InvalidSignatureException"
        return 403, code, "The security token in the request is expired"

    service.script = script
    try:
        report = vecload.load(
            table(),
            "bucket/index",
            session=renewed.session,
            endpoint_url=service.url,
            rate_vectors=250,
            batch_vectors=10,
        )
    finally:
        service.stop()
    assert judge.wrong == []
    assert report.status == "complete"
    assert report.vectors_acknowledged == ROWS
    assert judge.expired >= 2, "the service must have refused some"
    assert len(judge.accepted) >= 3, "three sets of keys in six seconds"
    assert report.attempts == report.requests + judge.expired


class _Objects(BaseHTTPRequestHandler):
    """HEAD and GET of one bucket, as S3 answers them."""

    protocol_version = "HTTP/1.1"
    server: OneBucket  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        url = f"http://{headers['host']}{self.path}"
        self.server.asked.append(f"{self.command} {headers.get('range', '')}")
        if len(self.server.asked) == self.server.expires_at:
            self.server.expire()
        if self.server.judge.refusal(self.command, url, headers, b"") is not None:
            error = b"<Error><Code>ExpiredToken</Code><Message>expired</Message></Error>"
            self._send(400, error if with_body else b"", {"Content-Type": "application/xml"})
            return
        content = self.server.objects.get(self.path)
        if content is None:
            self._send(404, b"", {})
            return
        about = {"ETag": '"one"', "Last-Modified": "Thu, 26 Nov 2026 20:00:00 GMT"}
        span = re.match(r"bytes=(\d+)-(\d+)", headers.get("range", ""))
        if span is None:
            self._send(200, content, about, with_body)
            return
        begin, end = int(span[1]), min(int(span[2]) + 1, len(content))
        about["Content-Range"] = f"bytes {begin}-{end - 1}/{len(content)}"
        self._send(206, content[begin:end], about, with_body)

    def _send(
        self, status: int, body: bytes, about: dict[str, str], with_body: bool = True
    ) -> None:
        self.send_response(status)
        for name, value in about.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class OneBucket(ThreadingHTTPServer):
    """An S3 that knows who asks."""

    daemon_threads = True

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.objects: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.expires_at = 0  # the number of a request, from 1; 0: none
        self.expire: Callable[[], None] = lambda: None
        super().__init__(("127.0.0.1", 0), _Objects)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


@pytest.fixture
def renewed() -> Renewed:
    return Renewed(life_s=600)


@pytest.fixture
def s3(renewed: Renewed, monkeypatch: pytest.MonkeyPatch) -> Iterator[OneBucket]:
    bucket = OneBucket(Judge(renewed, "s3"))
    content = io.BytesIO()
    pq.write_table(table(), content, row_group_size=100, compression="none", use_dictionary=False)
    bucket.objects["/data/a.parquet"] = content.getvalue()
    bucket.expire = renewed.expire
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.url)
    yield bucket
    bucket.stop()


def test_files_on_s3_are_read_with_the_sessions_keys(
    s3vectors: LocalS3Vectors, no_keys: None, s3: OneBucket, renewed: Renewed
) -> None:
    report = vecload.load(
        "s3://data/a.parquet",
        "bucket/index",
        session=renewed.session,
        create_index=True,
        distance_metric="euclidean",
        rate_vectors="unlimited",
    )
    assert report.vectors_acknowledged == ROWS
    assert s3.judge.wrong == []
    assert stored_keys(s3vectors.client()) == set(KEYS)
    print(s3.asked)
    whole = len(s3.asked)
    # The keys expire at each request in turn, but for the first two, which find the file.
    for number in range(3, whole + 1):
        s3.asked.clear()
        s3.expires_at = number
        expired = s3.judge.expired
        found = vecload.verify("s3://data/a.parquet", "bucket/index", session=renewed.session)
        assert found.equal
        if len(s3.asked) >= number:
            assert s3.judge.expired > expired
    assert s3.judge.wrong == []
    assert len(s3.judge.accepted) > 3


def test_a_profile_for_the_source_goes_before_the_session(
    s3vectors: LocalS3Vectors,
    no_keys: None,
    s3: OneBucket,
    renewed: Renewed,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile lake]\naws_access_key_id = LAKE\naws_secret_access_key = lakesecret\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    renewed.given_out["LAKE"] = ("lakesecret", None, float("inf"))  # type: ignore[assignment]
    plan = vecload.plan("s3://data/a.parquet", session=renewed.session, source_profile="lake")
    assert plan.rows == ROWS
    assert s3.judge.wrong == []
    assert s3.judge.accepted == {"LAKE"}
