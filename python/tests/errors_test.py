"""Goal: what is wrong is an exception of the right class that says what to do in Python's words.

Method: each mistake once; the service's refusals from the local server's faults.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.credentials import RefreshableCredentials

import vecload
from support.vectors import fixed_size_column, random_vectors, stored_keys
from vecload.testing import LocalS3Vectors

INDEX = "bucket/index"
NEW: Any = {"create_index": True, "distance_metric": "euclidean"}


def make_table(rows: int = 4) -> pa.Table:
    return pa.table(
        {
            "id": [f"k{i}" for i in range(rows)],
            "embedding": fixed_size_column(random_vectors(rows, 2)),
        }
    )


class Lazy:
    def collect(self) -> None:
        pass


@pytest.mark.parametrize(
    ("source", "options", "kind", "says"),
    [
        (42, {}, TypeError, "not int"),
        ([], {}, TypeError, "load takes paths"),
        ({"a": 1}, {}, TypeError, "__arrow_c_stream__"),
        (Lazy(), {}, TypeError, r"give its \.collect\(\)"),
        (np.eye(2), {}, vecload.InvalidArgumentError, "keys="),
        (np.eye(2), {"keys": ["a"]}, vecload.InvalidArgumentError, "1 keys for 2 vectors"),
        (np.ones(3), {"keys": ["a"]}, vecload.InvalidArgumentError, "two dimensions"),
        (np.array([["x"]]), {"keys": ["a"]}, vecload.InvalidArgumentError, "floats or integers"),
        (make_table(), {"keys": ["a"]}, vecload.InvalidArgumentError, "name it with key="),
        (make_table(), {"key": "nope"}, vecload.InvalidArgumentError, "stream:Table.*nope"),
        (make_table().drop_columns(["id"]), {}, vecload.InvalidArgumentError, "key="),
        (make_table().drop_columns(["embedding"]), {}, vecload.InvalidArgumentError, "vector="),
        (make_table(), {"metadata": ["nope"]}, vecload.InvalidArgumentError, "nope"),
        (make_table(), {"metadata": "some"}, vecload.InvalidArgumentError, "'all' or 'none'"),
        (make_table(), {"journal": "j"}, vecload.InvalidArgumentError, "give name="),
        (make_table(), {"journal": True}, vecload.InvalidArgumentError, "a path, and name="),
        (make_table(), {"rate_vectors": 0}, vecload.InvalidArgumentError, "more than 0"),
        (make_table(), {"rate_vectors": "fast"}, vecload.InvalidArgumentError, "'fast'"),
        (make_table(), {"part": (1, 2)}, vecload.InvalidArgumentError, "stream is loaded whole"),
        (make_table(), {"rows_from": "f"}, vecload.InvalidArgumentError, "stream is loaded whole"),
        (make_table(), {"shards": 2000}, vecload.InvalidArgumentError, "2000"),
        ("nowhere.parquet", {}, vecload.NotFoundError, "nowhere.parquet"),
        ("x.parquet", {"name": "x"}, vecload.InvalidArgumentError, "not of files"),
    ],
)
def test_mistakes_are_told_in_pythons_words(
    s3vectors: LocalS3Vectors, source: Any, options: Any, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says) as raised:
        vecload.load(source, INDEX, **{**NEW, **options})
    assert "--" not in str(raised.value), "no flag of the command line"
    assert list(Path().glob("*rejects*")) == []


def test_an_index_that_is_not_there(s3vectors: LocalS3Vectors) -> None:
    with pytest.raises(vecload.NotFoundError, match="create_index=") as raised:
        vecload.load(make_table(), INDEX)
    assert raised.value.code == "not_found"
    assert raised.value.http_status == 0 or raised.value.aws_code == "NotFoundException"
    with pytest.raises(vecload.NotFoundError) as raised:
        vecload.Index(INDEX)
    with pytest.raises(vecload.InvalidArgumentError, match="distance_metric="):
        vecload.load(make_table(), INDEX, create_index=True)
    with pytest.raises(vecload.InvalidArgumentError, match="create_index=True"):
        vecload.load(make_table(), INDEX, distance_metric="cosine")
    with pytest.raises(vecload.InvalidArgumentError):
        vecload.load(make_table(), "no slash")


def test_vectors_of_another_length(s3vectors: LocalS3Vectors) -> None:
    vecload.Index.create(INDEX, dimension=3, distance_metric="cosine")
    with pytest.raises(vecload.InvalidArgumentError, match=r"length 2.*dimension 3"):
        vecload.load(make_table(), INDEX)


def test_what_the_service_says_is_there(s3vectors: LocalS3Vectors) -> None:
    index = vecload.Index.create(INDEX, dimension=3, distance_metric="cosine")
    with pytest.raises(vecload.InvalidArgumentError) as raised:
        index.query([1, 2])
    error = raised.value
    assert (error.http_status, error.aws_code) == (400, "ValidationException")
    assert error.request_id
    with pytest.raises(vecload.ConflictError) as conflict:
        vecload.Index.create(INDEX, dimension=3, distance_metric="cosine")
    assert conflict.value.http_status == 409


@pytest.mark.s3vectors(faults="seed=7,http503=1")
def test_a_service_that_never_recovers(s3vectors: LocalS3Vectors) -> None:
    with pytest.raises(vecload.UnavailableError) as raised:
        vecload.load(make_table(), INDEX, give_up_after=1, **NEW)
    report = raised.value.report
    assert isinstance(report, vecload.LoadReport)
    assert (report.rows_remaining, report.exit_code) == (4, 4)
    assert raised.value.http_status == 503


# --- sessions


def test_keys_come_from_a_session(
    s3vectors: LocalS3Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    session = boto3.Session("AKIAX", "secret", region_name="us-east-1")
    assert vecload.load(make_table(), INDEX, session=session, **NEW).vectors_acknowledged == 4
    core = botocore.session.Session()
    core.set_credentials("AKIAX", "secret")
    core.set_config_variable("region", "us-east-1")
    assert len(vecload.Index(INDEX, session=core).get(["k0", "k1", "zz"])) == 2
    assert stored_keys(s3vectors.client()) == {"k0", "k1", "k2", "k3"}


def test_a_session_without_credentials_is_told_at_once(
    s3vectors: LocalS3Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    session = boto3.Session(region_name="us-east-1")
    with pytest.raises(vecload.DeniedError, match="the session has no credentials"):
        vecload.load(make_table(), INDEX, session=session, **NEW)
    assert list(Path().iterdir()) == []


class WatchedSession:
    """Keys that botocore renews, as an assumed role's are; notes who asks on which thread."""

    region_name = "us-east-1"
    profile_name = "default"

    def __init__(self) -> None:
        self.threads: list[int] = []
        self._credentials = RefreshableCredentials.create_from_metadata(
            {
                "access_key": "ASIAX",
                "secret_key": "s",
                "token": "t",
                "expiry_time": "2099-01-01T00:00:00Z",
            },
            refresh_using=dict,
            method="test",
        )

    def get_credentials(self) -> Any:
        self.threads.append(threading.get_ident())
        return self._credentials


def test_a_session_is_asked_beside_the_load(s3vectors: LocalS3Vectors) -> None:
    session = WatchedSession()
    assert vecload.load(make_table(), INDEX, session=session, **NEW).vectors_acknowledged == 4
    here = threading.get_ident()
    assert session.threads[0] == here
    assert set(session.threads[1:]) - {here}, "on a thread of the loader's"


class TornSession(WatchedSession):
    """Other keys at each reading: nobody can tell which are whole."""

    def get_credentials(self) -> Any:
        self.threads.append(threading.get_ident())
        key = f"ASIA{len(self.threads)}"
        return _Frozen(key)


class _Frozen:
    def __init__(self, key: str) -> None:
        self.access_key, self.secret_key, self.token = key, "s", None

    def get_frozen_credentials(self) -> Any:
        return self


def test_keys_that_never_agree_are_not_signed_with(s3vectors: LocalS3Vectors) -> None:
    with pytest.raises(vecload.UnavailableError, match="changed in each of 8 readings"):
        vecload.load(make_table(), INDEX, session=TornSession(), **NEW)


def test_errors_are_pythons_too() -> None:
    assert issubclass(vecload.InvalidArgumentError, ValueError)
    assert issubclass(vecload.IoError, OSError)
    codes = {kind.code for kind in vecload.VecloadError.__subclasses__()}
    assert codes == {
        "invalid_argument", "not_found", "conflict", "denied", "throttled", "unavailable", "quota",
        "corrupt", "io", "cancelled", "internal",
    }  # fmt: skip


def test_a_broken_file_is_told(s3vectors: LocalS3Vectors) -> None:
    pq.write_table(make_table(2_000), "a.parquet")
    content = Path("a.parquet").read_bytes()
    Path("a.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(vecload.VecloadError, match=r"a\.parquet"):
        vecload.load("a.parquet", INDEX, **NEW)
