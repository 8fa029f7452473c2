"""Goal: `vecload serve` starts, tells where it is, keeps what it was given, and ends cleanly.

Method: the real binary as a process; data is written and read back by boto3.
"""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from support.program import BINARY, Program
from support.servers import VecloadServer, vectors_client
from support.vectors import make_index, stored_keys


def put(server: VecloadServer, key: str) -> None:
    server.client().put_vectors(
        vectorBucketName="bucket",
        indexName="index",
        vectors=[{"key": key, "data": {"float32": [1, 2]}}],
    )


def test_tells_its_url_on_stdout_and_its_port_in_a_file(bare_program: Program) -> None:
    with bare_program.start("serve", "--ephemeral", "--port-file", "port") as serve:
        try:
            assert serve.stdout is not None
            line = serve.stdout.readline()
            assert line.startswith("listening on http://127.0.0.1:")
            port = (bare_program.folder / "port").read_text()
            assert line == f"listening on http://127.0.0.1:{port}"
            vectors_client(line.split()[-1]).list_vector_buckets()
            serve.send_signal(signal.SIGINT)
            serve.communicate(timeout=20)
        finally:
            serve.kill()
    assert serve.returncode == 0
    assert list(bare_program.folder.iterdir()) == [], "no port file, no data"


def test_ends_with_stdin_where_it_is_told_to(bare_program: Program) -> None:
    with subprocess.Popen(
        [BINARY, "serve", "--ephemeral", "--with-stdin"],
        env=bare_program.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as serve:
        try:
            assert serve.stdin is not None and serve.stdout is not None
            assert serve.stdout.readline().startswith(b"listening on ")
            serve.stdin.close()
            assert serve.wait(timeout=20) == 0
        finally:
            serve.kill()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_data_survives_a_restart(tmp_path: Path, how: str) -> None:
    data = str(tmp_path / "data")
    server = VecloadServer(tmp_path / "a", "--data-dir", data)
    make_index(server.client(), 2)
    for i in range(20):
        put(server, f"k{i}")
    getattr(server, how)()
    server = VecloadServer(tmp_path / "b", "--data-dir", data)
    try:
        assert stored_keys(server.client()) == {f"k{i}" for i in range(20)}
    finally:
        server.stop()


def test_one_folder_has_one_server(
    bare_program: Program, start_server: Callable[..., VecloadServer], tmp_path: Path
) -> None:
    data = str(tmp_path / "data")
    start_server("--data-dir", data)
    done = bare_program.run("serve", "--data-dir", data, timeout=20)
    assert done.exit_code == 1
    assert data in done.stderr


def test_a_port_in_use_is_an_error(bare_program: Program, server: VecloadServer) -> None:
    done = bare_program.run("serve", "--ephemeral", "--port", str(server.port), timeout=20)
    assert done.exit_code == 1
    assert str(server.port) in done.stderr


def test_a_folder_of_something_else_is_refused(bare_program: Program) -> None:
    folder = bare_program.folder / "photos"
    folder.mkdir()
    (folder / "me.jpg").write_bytes(b"x" * 100)
    done = bare_program.run("serve", "--data-dir", "photos", timeout=20)
    assert done.exit_code == 1
    assert "photos" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["me.jpg"]


def test_only_loopback_without_keys(bare_program: Program) -> None:
    done = bare_program.run("serve", "--ephemeral", "--host", "0.0.0.0", timeout=20)
    assert done.exit_code in (1, 2)
    assert "0.0.0.0" in done.stderr


def test_rate_limit_answers_429(start_server: Callable[..., VecloadServer]) -> None:
    server = start_server("--rate-requests", "5")
    make_index(server.client(), 2)

    def put_many() -> None:
        for i in range(200):
            put(server, f"k{i}")

    with pytest.raises(ClientError) as caught:
        put_many()
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_latency_is_added(start_server: Callable[..., VecloadServer]) -> None:
    server = start_server("--latency-ms", "300")
    make_index(server.client(), 2)
    begun = time.monotonic()
    put(server, "k")
    assert 0.3 <= time.monotonic() - begun < 5


def test_region_is_in_the_arns(start_server: Callable[..., VecloadServer]) -> None:
    server = start_server("--region", "eu-north-1")
    server.client().create_vector_bucket(vectorBucketName="bucket")
    bucket = server.client().get_vector_bucket(vectorBucketName="bucket")["vectorBucket"]
    assert bucket["vectorBucketArn"] == "arn:aws:s3vectors:eu-north-1:000000000000:bucket/bucket"


def test_a_stop_amid_writes_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    server = VecloadServer(tmp_path / "a", "--data-dir", data)
    make_index(server.client(), 2)
    put(server, "first")
    assert server.stop() == 0
    assert not (tmp_path / "a/port").exists(), "nobody listens there any more"
    server = VecloadServer(tmp_path / "b", "--data-dir", data)
    try:
        assert stored_keys(server.client()) == {"first"}
    finally:
        server.stop()


def test_stdout_that_is_gone_does_not_kill_it(bare_program: Program) -> None:
    with bare_program.start("serve", "--ephemeral", "--port-file", "port") as serve:
        try:
            assert serve.stdout is not None
            url = serve.stdout.readline().split()[-1]
            serve.stdout.close()
            vectors_client(url).list_vector_buckets()
            serve.terminate()
            assert serve.wait(timeout=20) == 0
        except subprocess.TimeoutExpired:
            serve.kill()
            raise


def test_made_up_failures_come_as_often_and_as_late_as_asked(
    start_server: Callable[..., VecloadServer],
) -> None:
    def fates(*specs: str) -> list[str]:
        """What boto3 sees of the same puts on a new server."""
        server = start_server("--faults", ",".join(specs))
        make_index(server.client(), 2)
        seen = []
        for number in range(60):
            try:
                put(server, f"k{number}")
                seen.append("ok")
            except ClientError as error:
                seen.append(error.response["Error"]["Code"])
            except ConnectionClosedError:  # reset, cut or lost
                seen.append("closed")
        return seen

    spec = "http503=0.1,http429=0.1,http500=0.1,reset=0.1,cut=0.1,lost=0.1"
    first = fates("seed=7", spec)
    assert set(first) == {
        "ok", "ServiceUnavailableException", "TooManyRequestsException",
        "InternalServerException", "closed",
    }  # fmt: skip
    assert fates("seed=7", spec) == first, "the same seed, the same failures"
    assert fates("seed=8", spec) != first
