"""Goal: `vecload doctor` finds what would stop a load, says what to do, changes nothing, gives no
secret away and takes less than 30 s whatever the network does. Method: each fault is made for real
(a refused port, a socket that never answers, strange and old certificates, wrong keys, a wrong
clock, a missing index, an unreadable source), and its check must name it; boto3 and openssl judge.
"""

import datetime
import email.utils
import http.server
import ipaddress
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.program import ACCESS_KEY, SECRET_KEY, Outcome, Program
from support.servers import Answer, Broken, ScriptedServer, VecloadServer, free_port
from support.vectors import make_index, random_vectors, write_vectors

SESSION_TOKEN = "VECLOADSESSIONTOKENthatMustStayUnseen=="
LONGEST_S = 30
SPEED_S = 5  # what the measurement of speed takes, which most tests leave out


def examine(
    program: Program, *arguments: str | Path, exit_code: int, speed: bool = False
) -> dict[str, dict[str, str]]:
    """The checks by name."""
    begin = time.monotonic()
    quick = () if speed else ("--quick",)
    done = program.run("doctor", *arguments, *quick, "--output", "json")
    assert time.monotonic() - begin < LONGEST_S - (0 if speed else SPEED_S)
    assert done.exit_code == exit_code, done.stdout + done.stderr
    assert_secret(done)
    assert done.json["ok"] is (exit_code == 0)
    return {check["name"]: check for check in done.json["checks"]}


def assert_secret(done: Outcome) -> None:
    for secret in (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN):
        assert secret not in done.stdout + done.stderr


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    taken.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in taken:
            connection.close()


def test_all_is_well(program: Program, server: VecloadServer) -> None:
    client = server.client()
    make_index(client, 8, non_filterable=["note"])
    write_vectors(program.folder / "in.parquet", random_vectors(100, 8))
    program.env["AWS_SESSION_TOKEN"] = SESSION_TOKEN
    before = sorted(program.folder.iterdir())
    checks = examine(program, "in.parquet", "--index", "bucket/index", exit_code=0,
                     speed=True)  # fmt: skip
    assert {check["result"] for check in checks.values()} <= {"ok", "warning"}
    assert "AKIA...EY00" in checks["credentials"]["found"]
    assert "environment" in checks["credentials"]["found"]
    assert "us-east-1 (by AWS_REGION)" in checks["region"]["found"]
    assert "AWS_ENDPOINT_URL_S3VECTORS" in checks["endpoint"]["found"]
    assert f"127.0.0.1 port {server.port}" in checks["endpoint"]["found"]
    assert "8 dimensions, cosine" in checks["index"]["found"]
    assert "note" in checks["index"]["found"]
    assert "PutVectors" in checks["permissions"]["found"]
    assert "100 rows" in checks["source"]["found"]
    assert "the only list of floats" in checks["columns"]["found"]
    assert checks["rows"]["found"].startswith("0 of the first 100")
    assert "of 8 dimensions encoded" in checks["speed"]["found"]
    # It has written nothing anywhere.
    assert sorted(program.folder.iterdir()) == before
    assert client.list_vectors(vectorBucketName="bucket", indexName="index")["vectors"] == []
    assert len(client.list_vector_buckets()["vectorBuckets"]) == 1


def test_the_text_fits_80_columns(program: Program) -> None:
    done = program.run("doctor", "--quick")
    assert done.exit_code == 0, done.stdout
    assert_secret(done)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "ok       endpoint" in done.stdout
    assert "permissions  the keys are taken" in done.stdout


def test_a_refused_port(bare_program: Program) -> None:
    checks = examine(bare_program, "--endpoint-url", f"http://127.0.0.1:{free_port()}",
                     "--index", "b/i", exit_code=1)  # fmt: skip
    assert "nothing accepts connections" in checks["endpoint"]["found"]
    assert "by --endpoint-url" in checks["endpoint"]["found"]
    assert checks["index"]["result"] == "skipped"
    assert "tls" not in checks and "clock" not in checks


def test_an_unknown_host(bare_program: Program) -> None:
    checks = examine(bare_program, "--endpoint-url", "https://no-such-host.invalid", exit_code=1)
    assert "its name has no address" in checks["endpoint"]["found"]
    assert "DNS" in checks["endpoint"]["advice"]


@pytest.mark.parametrize(
    ("scheme", "found"),
    [
        ("http", "does not answer"),
        pytest.param("https", "TLS failed", marks=pytest.mark.slow),
    ],
)
def test_a_server_that_never_answers(
    bare_program: Program, black_hole: int, scheme: str, found: str
) -> None:
    checks = examine(bare_program, "--endpoint-url", f"{scheme}://127.0.0.1:{black_hole}",
                     "--index", "b/i", exit_code=1)  # fmt: skip
    assert checks["endpoint"]["result"] == "failed"
    assert found in checks["endpoint"]["found"]


@pytest.mark.slow
def test_a_server_that_answers_only_who_asks_unsigned(
    bare_program: Program, scripted: Callable[..., ScriptedServer]
) -> None:
    service = scripted(4)
    service.script = lambda _operation, _number: Broken.SILENCE
    checks = examine(bare_program, "--index", "bucket/index", exit_code=1)
    assert checks["endpoint"]["result"] == "ok"
    assert checks["index"]["result"] == "failed"


def make_certificate(folder: Path, *days: str) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl program")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, *days, "-subj", "/CN=vecload-test",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return certificate, key


def test_certificates(bare_program: Program, scripted: Callable[..., ScriptedServer]) -> None:
    certificate, key = make_certificate(bare_program.folder, "-days", "2")
    service = scripted(4)
    service.use_tls(certificate, key)
    bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = service.url
    strange = examine(bare_program, exit_code=1)["endpoint"]
    assert "TLS failed" in strange["found"] and "self" in strange["found"]
    assert "AWS_CA_BUNDLE" in strange["advice"]
    bare_program.env["AWS_CA_BUNDLE"] = str(certificate)
    service.script = lambda _operation, _number: Answer(body=b'{"vectorBuckets":[]}')
    trusted = examine(bare_program, exit_code=0)
    assert trusted["tls"]["found"].startswith("TLSv1.3"), trusted["tls"]
    assert "vecload-test" in trusted["tls"]["found"]
    until = subprocess.run(
        ["openssl", "x509", "-in", certificate, "-noout", "-enddate"],
        check=True, capture_output=True, text=True, timeout=30,
    ).stdout  # fmt: skip
    assert until.strip().split("=")[1].replace("  ", " ") in trusted["tls"]["found"].replace(
        "  ", " "
    )


def make_expired_certificate(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vecload-test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=3))
        .not_valid_after(now - datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def test_an_expired_certificate(
    bare_program: Program, scripted: Callable[..., ScriptedServer]
) -> None:
    certificate, key = make_expired_certificate(bare_program.folder)
    service = scripted(4)
    service.use_tls(certificate, key)
    bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = service.url
    bare_program.env["AWS_CA_BUNDLE"] = str(certificate)
    endpoint = examine(bare_program, exit_code=1)["endpoint"]
    assert "expired" in endpoint["found"]
    assert "renew" in endpoint["advice"]


def test_wrong_keys(bare_program: Program, start_server: Callable[..., VecloadServer]) -> None:
    path = bare_program.folder / "server-credentials"
    path.write_text(
        "[other]\naws_access_key_id = AKIAOTHEROTHEROTHER0\naws_secret_access_key = another\n"
    )
    server = start_server("--credentials-file", str(path))
    bare_program.env |= {
        "AWS_ENDPOINT_URL_S3VECTORS": server.url,
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
    }
    for arguments in ((), ("--index", "bucket/index")):
        checks = examine(bare_program, *arguments, exit_code=1)
        assert checks["credentials"]["result"] == "ok", "they are there"
        failed = checks["index" if arguments else "permissions"]
        assert failed["result"] == "failed" and "keys are not taken" in failed["advice"]


def test_no_keys(program: Program) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del program.env[name]
    checks = examine(program, exit_code=1)
    assert checks["credentials"]["result"] == "failed"
    assert "Set AWS_ACCESS_KEY_ID" in checks["credentials"]["found"]
    assert checks["permissions"]["result"] == "skipped"


@pytest.mark.slow
def test_a_process_of_keys_that_never_ends(program: Program) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del program.env[name]
    path = program.folder / "config"
    path.write_text("[default]\ncredential_process = exec sleep 20 2>/dev/null\n")
    program.env["AWS_CONFIG_FILE"] = str(path)
    checks = examine(program, exit_code=1)
    assert "within 6 s" in checks["credentials"]["found"]


def test_no_region(bare_program: Program) -> None:
    del bare_program.env["AWS_REGION"]
    checks = examine(bare_program, exit_code=1)
    assert "--region" in checks["region"]["advice"]
    assert checks["endpoint"]["result"] == "skipped"


class SkewedServer:
    """Answers every request with a Date of its own, and no bucket."""

    def __init__(self, ahead_s: float) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = b'{"vectorBuckets":[]}'
                self.send_response_only(200)
                self.send_header("Date", email.utils.formatdate(time.time() + ahead_s, usegmt=True))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.do_GET()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.mark.parametrize(("ahead_s", "word"), [(-3600, "ahead of"), (3600, "behind")])
def test_a_wrong_clock(bare_program: Program, ahead_s: int, word: str) -> None:
    server = SkewedServer(ahead_s)
    try:
        clock = examine(bare_program, "--endpoint-url", server.url, exit_code=0)["clock"]
    finally:
        server.stop()
    assert clock["result"] == "warning"
    seconds = float(clock["found"].split(" s ")[0].rsplit(" ", 1)[1])
    assert abs(seconds - 3600) < 5
    assert word in clock["found"]


def test_a_missing_index(program: Program) -> None:
    checks = examine(program, "--index", "bucket/index", exit_code=1)
    assert checks["index"]["result"] == "failed"
    assert "--create-index" in checks["index"]["advice"]


def test_what_the_policy_denies(
    bare_program: Program, scripted: Callable[..., ScriptedServer]
) -> None:
    service = scripted(4)
    denied = (403, "AccessDeniedException", "User is not authorized")
    service.script = lambda operation, _number: denied if operation == "QueryVectors" else (
        Answer(body=b'{"vectors":[]}') if operation == "ListVectors" else None
    )  # fmt: skip
    query = examine(bare_program, "--index", "bucket/index", exit_code=0)["query"]
    assert query["result"] == "warning"
    assert "allow s3vectors:QueryVectors" in query["advice"]
    service.script = lambda _operation, _number: denied
    index = examine(bare_program, "--index", "bucket/index", exit_code=1)["index"]
    assert "allow s3vectors:GetIndex" in index["advice"]


def test_shards(program: Program, server: VecloadServer) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(100, 8))
    made = program.run("load", "in.parquet", "--index", "bucket/base", "--shards", "3",
                       "--create-index", "--distance-metric", "euclidean")  # fmt: skip
    assert made.exit_code == 0, made.stderr
    index = examine(program, "--index", "bucket/base", exit_code=0)["index"]
    assert "3 shards" in index["found"] and "euclidean" in index["found"]


def test_sources_that_are_not_fit(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), 8)
    write_vectors(program.folder / "short.parquet", random_vectors(10, 4))
    short = examine(program, "short.parquet", "--index", "bucket/index", exit_code=1)
    assert short["columns"]["result"] == "failed"
    assert "--vector-column" in short["columns"]["advice"]
    vectors = random_vectors(10, 8)
    vectors[3] = 0
    write_vectors(program.folder / "zero.parquet", vectors)
    zero = examine(program, "zero.parquet", "--index", "bucket/index", exit_code=0)["rows"]
    assert zero["result"] == "warning"
    assert zero["found"].startswith("1 of the first 10") and "row 3" in zero["found"]
    (program.folder / "torn.parquet").write_bytes(
        (program.folder / "zero.parquet").read_bytes()[:200]
    )
    torn = examine(program, "torn.parquet", exit_code=1)["source"]
    assert torn["result"] == "failed" and "torn.parquet" in torn["found"]
    assert "nothing.parquet" in examine(program, "nothing.parquet", exit_code=1)["source"]["found"]


def test_a_name_cannot_steer_the_terminal(program: Program) -> None:
    name = "evil\x1b[2J.parquet"
    (program.folder / name).write_bytes(b"PAR1 and no more")
    done = program.run("doctor", name, "--quick")
    assert done.exit_code == 1
    assert "\x1b" not in done.stdout
    assert json.dumps("\x1b")[1:-1].lower() in done.stdout.lower()
