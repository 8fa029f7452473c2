"""Goal: the server for tests starts at once, leaves nothing behind, and disturbs nobody.

Method: a hundred starts with processes, descriptors and files counted; a parent that is killed;
pytest under xdist as users run it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import boto3
import psutil
import pytest

from vecload.testing import LocalS3Vectors

pytest_plugins = ["pytester"]


def children() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the servers of a test put what they keep for a while; others' is elsewhere."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_hundred_starts_leave_nothing_behind(temporary: Path) -> None:
    processes = children()
    descriptors = psutil.Process().num_fds()
    environment = dict(os.environ)
    times: list[float] = []
    for _ in range(100):
        begin = time.monotonic()
        with LocalS3Vectors() as server:
            times.append(time.monotonic() - begin)
            assert list(temporary.iterdir()) != []
            assert os.environ["AWS_ENDPOINT_URL_S3VECTORS"] == server.endpoint_url
    assert children() == processes
    assert list(temporary.iterdir()) == []
    assert psutil.Process().num_fds() == descriptors
    assert dict(os.environ) == environment
    assert sorted(times)[50] < 0.2, f"half of the starts took more than {sorted(times)[50]:.3f} s"


def test_each_server_is_empty_and_its_own() -> None:
    with LocalS3Vectors() as one, LocalS3Vectors() as two:
        one.client().create_vector_bucket(vectorBucketName="bucket")
        assert two.client().list_vector_buckets()["vectorBuckets"] == []
        # boto3 finds the inner one, and then the outer one again.
        assert boto3.client("s3vectors").list_vector_buckets()["vectorBuckets"] == []
        two.stop()
        assert len(boto3.client("s3vectors").list_vector_buckets()["vectorBuckets"]) == 1
    assert "AWS_ENDPOINT_URL_S3VECTORS" not in os.environ


def test_data_can_be_kept(tmp_path: Path) -> None:
    for expected in (0, 1):
        with LocalS3Vectors(data_dir=tmp_path / "data", set_environment=False) as server:
            assert "AWS_ENDPOINT_URL_S3VECTORS" not in os.environ
            client = server.client()
            assert len(client.list_vector_buckets()["vectorBuckets"]) == expected
            client.create_vector_bucket(vectorBucketName=f"bucket{expected}")


def test_a_server_that_cannot_start_says_why(temporary: Path) -> None:
    with (
        pytest.raises(OSError, match="--rate-vectors"),
        LocalS3Vectors(rate_vectors=-1),
    ):
        pass
    with pytest.raises(RuntimeError, match="not running"):
        _ = LocalS3Vectors().endpoint_url
    assert children() == set()
    assert list(temporary.iterdir()) == []


PARENT = """
import sys, time
from vecload.testing import LocalS3Vectors
server = LocalS3Vectors().start()
print(server.pid, flush=True)
time.sleep(600)
"""


def test_the_server_does_not_outlive_a_killed_parent(temporary: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        server = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    server.wait(timeout=20)
    assert list(temporary.iterdir()) == [], "its data too is gone"


USERS_TEST = """
import boto3, pytest

@pytest.mark.parametrize("n", range(8))
@pytest.mark.s3vectors(latency_ms=1)
def test_program(s3vectors, n):
    client = boto3.client("s3vectors")
    assert client.meta.endpoint_url == s3vectors.endpoint_url
    client.create_vector_bucket(vectorBucketName="bucket")
    assert len(client.list_vector_buckets()["vectorBuckets"]) == 1

def test_nothing_is_set_without_it():
    import os
    assert "AWS_ENDPOINT_URL_S3VECTORS" not in os.environ
"""


@pytest.mark.parametrize("workers", [(), ("-n", "3")])
def test_the_fixture_works_for_users(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    pytester.makepyfile(USERS_TEST)
    result = pytester.runpytest_subprocess("--strict-markers", *workers)
    result.assert_outcomes(passed=9)
    assert children() == set()
