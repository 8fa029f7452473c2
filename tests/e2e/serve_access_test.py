"""Goal: keys, TLS and the control endpoint of `vecload serve`, as a user sets them up.

Method: the real binary; boto3, our loader and urllib are the clients; openssl makes certificates.
"""

import concurrent.futures
import contextlib
import json
import resource
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.program import ACCESS_KEY, SECRET_KEY, Program
from support.servers import VecloadServer, vectors_client
from support.vectors import make_index, random_vectors, stored_keys, write_vectors

KEYS = ("--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    openssl = shutil.which("openssl")
    assert openssl, "openssl is missing: apt-get install openssl"
    folder = tmp_path_factory.mktemp("tls")
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", names, "-keyout", key, "-out", cert],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return cert, key


def control(server: VecloadServer, method: str, what: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"{server.url}/_vecload/{what}",
        data=None if body is None else json.dumps(body).encode(),
        method=method,
    )
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.loads(reply.read())


def test_the_loader_and_boto3_work_over_tls_with_keys(
    start_server: Callable[..., VecloadServer],
    bare_program: Program,
    certificate: tuple[str, str],
) -> None:
    cert, key = certificate
    server = start_server("--tls-cert", cert, "--tls-key", key, *KEYS)
    client = server.client(verify=cert)
    index = make_index(client, 256)
    source = write_vectors(bare_program.folder / "v.parquet", random_vectors(3000, 256))
    bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = server.url
    done = bare_program.run("load", source, "--index", index, env={"AWS_CA_BUNDLE": cert})
    assert done.exit_code == 0, done.stderr
    assert len(stored_keys(client)) == 3000
    untrusted = bare_program.run("bucket", "list")
    assert untrusted.exit_code == 1 and "certificate" in untrusted.stderr.lower()
    wrong = bare_program.run(
        "bucket", "list", env={"AWS_CA_BUNDLE": cert, "AWS_SECRET_ACCESS_KEY": "wrong"}
    )
    assert wrong.exit_code == 1 and "InvalidSignatureException" in wrong.stderr


def test_the_secret_comes_from_the_environment_and_is_never_shown(bare_program: Program) -> None:
    bare_program.env |= {
        "VECLOAD_SERVER_ACCESS_KEY": ACCESS_KEY,
        "VECLOAD_SERVER_SECRET_KEY": SECRET_KEY,
    }
    with bare_program.start("serve", "--ephemeral") as serve:
        try:
            assert serve.stdout is not None
            url = serve.stdout.readline().split()[-1]
            vectors_client(url).list_vector_buckets()
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"{url}/ListVectorBuckets", data=b"{}", timeout=20)
            assert caught.value.code == 403
            serve.terminate()
            stdout, stderr = serve.communicate(timeout=20)
        finally:
            serve.kill()
    assert SECRET_KEY not in stdout + stderr


@pytest.mark.parametrize(
    ("flags", "exit_code", "words"),
    [
        (["--host", "0.0.0.0"], 1, "--credentials-file"),
        (["--access-key", "AKID"], 2, "--secret-key"),
        (["--credentials-file", "none"], 1, "none"),
        (["--tls-cert", "none"], 2, "--tls-key"),
        (["--tls-cert", "none", "--tls-key", "none"], 1, "none"),
        (["--model", "gcp"], 2, "gcp"),
        (["--model", "aws", "--burst-s", "-1"], 1, "burst_s"),
        (["--latency-ms", "soon"], 2, "soon"),
    ],
)
def test_what_cannot_be_is_said(
    bare_program: Program, flags: list[str], exit_code: int, words: str
) -> None:
    done = bare_program.run("serve", "--ephemeral", *flags, timeout=20)
    assert done.exit_code == exit_code
    assert words in done.stderr


def test_control_changes_the_running_server(start_server: Callable[..., VecloadServer]) -> None:
    server = start_server("--control", "--model", "aws", "--latency-ms", "0")
    client = server.client()
    model = control(server, "GET", "model")
    assert model == {
        "rate_vectors_per_s": 2500, "rate_requests_per_s": 1000, "burst_s": 15, "latency_ms": 0,
        "latency_ms_per_mb": 0, "latency_spread": 0, "faults": "",
    }  # fmt: skip
    make_index(client, 2)
    changed = control(server, "PUT", "model", {"faults": "seed=1,http503=1"})
    assert changed == model | {"faults": "seed=1,http503=1"}
    with pytest.raises(client.exceptions.ServiceUnavailableException):
        client.list_vectors(vectorBucketName="bucket", indexName="index")
    counters = control(server, "GET", "counters")
    assert counters["requests"]["ListVectors"] == 1
    assert counters["faults"]["http503"] == 1
    assert control(server, "POST", "reset") == {}
    assert client.list_vector_buckets()["vectorBuckets"] == []
    assert control(server, "GET", "model") == changed


def test_control_asks_for_the_keys_too(start_server: Callable[..., VecloadServer]) -> None:
    server = start_server("--control", *KEYS)
    with pytest.raises(urllib.error.HTTPError) as caught:
        control(server, "POST", "reset")
    assert caught.value.code == 403
    caught.value.close()


def test_a_stop_answers_what_is_under_way_and_takes_nothing_new(
    start_server: Callable[..., VecloadServer],
) -> None:
    server = start_server("--control", "--latency-ms", "1500")
    client = server.client()
    make_index(client, 2)
    vectors = [{"key": "k", "data": {"float32": [1, 2]}}]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        call = pool.submit(
            client.put_vectors, vectorBucketName="bucket", indexName="index", vectors=vectors
        )
        # It is counted when it comes, so the answer is still held back.
        while "PutVectors" not in control(server, "GET", "counters")["requests"]:
            assert not call.done()
        assert server.stop() == 0
        assert call.result(timeout=20)["ResponseMetadata"]["HTTPStatusCode"] == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_more_connections_than_it_takes_are_told_so(
    start_server: Callable[..., VecloadServer],
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip("this machine allows too few open files")
    # The server starts with as few files as a shell gives it.
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        server = start_server()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    client = server.client()
    make_index(client, 2)
    with contextlib.ExitStack() as idle:
        try:
            for _ in range(1023):  # and boto3's
                idle.enter_context(socket.create_connection(("127.0.0.1", server.port), 20))
            vectors = [{"key": "k", "data": {"float32": [1, 2]}}]
            client.put_vectors(vectorBucketName="bucket", indexName="index", vectors=vectors)
            with pytest.raises(ClientError) as caught:
                vectors_client(server.url).list_vector_buckets()
            assert caught.value.response["Error"]["Code"] == "ServiceUnavailableException"
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert stored_keys(client) == {"k"}
