"""Where keys come from: every source of the AWS chain, against strangers on loopback.

`aws_chain sign` signs a fixed request with the keys it finds and shows the signature, never a key;
botocore signs the same request with the keys it should have found.
"""

import datetime
import http.server
import json
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.sts.models import sts_backends

from conformance.sigv4.programs import clean_environment, program

NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}
EXPIRES = "2050-01-01T00:00:00Z"
ROLE = "arn:aws:iam::123456789012:role/loader"


class Chain:
    """A home folder with AWS files, and aws_chain run in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / ".aws").mkdir()
        self.env = clean_environment(home, **NO_METADATA)
        self.seconds = 0.0

    def config(self, text: str) -> None:
        (self.home / ".aws" / "config").write_text(text)

    def credentials(self, text: str) -> None:
        (self.home / ".aws" / "credentials").write_text(text)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # Into files: a pipe would stay open for as long as a child that was left behind.
        out, err = self.home / "stdout", self.home / "stderr"
        command = [program("aws_chain"), *arguments]
        begin = time.monotonic()
        with out.open("w") as stdout, err.open("w") as stderr:
            result = subprocess.run(
                command, env=self.env, stdout=stdout, stderr=stderr, timeout=60, check=False
            )
        self.seconds = time.monotonic() - begin
        return subprocess.CompletedProcess(
            command, result.returncode, out.read_text(), err.read_text()
        )

    def sign(self, *profile: str) -> dict[str, str]:
        result = self.run("sign", *profile)
        assert result.returncode == 0, result.stderr
        return dict(line.split(": ", 1) for line in result.stdout.splitlines())

    def failure(self, *profile: str) -> str:
        result = self.run("sign", *profile)
        assert result.returncode == 1, (result.returncode, result.stdout, result.stderr)
        assert result.stdout == ""
        return result.stderr


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path)


@pytest.fixture
def expected(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """botocore's headers for the request that aws_chain signs."""
    now = datetime.datetime.fromtimestamp(1_800_000_000, datetime.UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: now)

    def sign(access_key: str, secret_key: str, token: str | None = None) -> dict[str, str]:
        url = "https://example.com/ListVectorBuckets"
        request = AWSRequest(method="POST", url=url, data=b"{}", headers={"host": "example.com"})
        credentials = Credentials(access_key, secret_key, token)
        botocore.auth.SigV4Auth(credentials, "s3vectors", "us-east-1").add_auth(request)
        return {k.lower(): v for k, v in request.headers.items() if k.lower() != "host"}

    return sign


class Replies:
    """An HTTP server on loopback that answers by path; optionally with TLS."""

    def __init__(self, replies: dict[str, str], certificate: tuple[Path, Path] | None = None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                body = replies.get(self.path)
                data = (body or "").encode()
                self.send_response(404 if body is None else 200)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = answer

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> "Replies":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def process(folder: Path, access_key: str, script: str = "") -> str:
    """The path of a credential_process."""
    keys = {"Version": 1, "AccessKeyId": access_key, "SecretAccessKey": "process-secret"}
    keys |= {"SessionToken": "process-token", "Expiration": EXPIRES}
    path = folder / f"process-{access_key}.sh"
    path.write_text(f"#!/bin/sh\n{script}\necho '{json.dumps(keys)}'\n")
    path.chmod(0o700)
    return str(path)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    pem, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    command += " -addext subjectAltName=IP:127.0.0.1,DNS:localhost"
    subprocess.run([*command.split(), "-keyout", key, "-out", pem], check=True, capture_output=True)
    return pem, key


def test_environment(chain: Chain, expected: Callable) -> None:
    chain.env |= {"AWS_ACCESS_KEY_ID": "EA", "AWS_SECRET_ACCESS_KEY": "ES"}
    assert chain.sign() == expected("EA", "ES")
    chain.env["AWS_SESSION_TOKEN"] = "ET"
    assert chain.sign() == expected("EA", "ES", "ET")


def test_profile_and_its_precedence(chain: Chain, expected: Callable) -> None:
    chain.credentials("[default]\naws_access_key_id = DA\naws_secret_access_key = DS\n")
    chain.config("[profile p]\naws_access_key_id = PA\naws_secret_access_key = PS\n")
    assert chain.sign() == expected("DA", "DS")
    assert chain.sign("p") == expected("PA", "PS")
    chain.env["AWS_PROFILE"] = "p"
    assert chain.sign() == expected("PA", "PS")
    chain.env |= {"AWS_ACCESS_KEY_ID": "EA", "AWS_SECRET_ACCESS_KEY": "ES"}
    assert chain.sign() == expected("EA", "ES")
    assert chain.sign("p") == expected("PA", "PS")


def test_static_keys_ask_no_metadata_service(chain: Chain) -> None:
    chain.credentials("[default]\naws_access_key_id = DA\naws_secret_access_key = DS\n")
    del chain.env["AWS_EC2_METADATA_DISABLED"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0.1)
        port = silent.getsockname()[1]
        chain.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = f"http://127.0.0.1:{port}"
        chain.sign()
        with pytest.raises(TimeoutError):
            silent.accept()


def test_credential_process(chain: Chain, expected: Callable) -> None:
    chain.config(
        f"[profile a]\ncredential_process = {process(chain.home, 'PA')}\n"
        f"[profile b]\ncredential_process = {process(chain.home, 'PB')}\n"
    )
    for profile, access_key in [("a", "PA"), ("b", "PB")]:
        assert chain.sign(profile) == expected(access_key, "process-secret", "process-token")
    chain.env["AWS_PROFILE"] = "a"
    assert chain.sign()["authorization"].startswith("AWS4-HMAC-SHA256 Credential=PA/")
    chain.env["AWS_DEFAULT_PROFILE"] = "a"
    assert chain.sign("b")["authorization"].startswith("AWS4-HMAC-SHA256 Credential=PB/")


def test_credential_process_that_fails(chain: Chain) -> None:
    script = process(chain.home, "PA", 'echo \'{"SecretAccessKey": "hidden"\'; exit 3')
    chain.config(f"[profile a]\ncredential_process = {script}\n")
    failure = chain.failure("a")
    assert failure.startswith("denied: No AWS credentials")
    assert "hidden" not in failure


def test_environment_against_a_named_profile_of_the_sdk(chain: Chain) -> None:
    chain.config(f"[profile a]\ncredential_process = {process(chain.home, 'PA')}\n")
    chain.env |= {"AWS_ACCESS_KEY_ID": "EA", "AWS_SECRET_ACCESS_KEY": "ES"}
    assert "unset AWS_ACCESS_KEY_ID" in chain.failure("a")


@pytest.mark.parametrize("base", ["static", "process"])
def test_role_with_source_profile(chain: Chain, expected: Callable, sts: str, base: str) -> None:
    chain.config(
        f"[profile role]\nrole_arn = {ROLE}\nsource_profile = {base}\nrole_session_name = s1\n"
        "[profile static]\naws_access_key_id = BASE\naws_secret_access_key = secret\n"
        f"[profile process]\ncredential_process = {process(chain.home, 'PA')}\n"
    )
    chain.env["AWS_ENDPOINT_URL_STS"] = sts
    signed = chain.sign("role")
    assumed = sts_backends["123456789012"]["global"].assumed_roles[-1]
    assert assumed.role_arn == ROLE
    assert assumed.session_name == "s1"
    assert signed == expected(
        assumed.access_key_id, assumed.secret_access_key, assumed.session_token
    )


def test_role_that_cannot_be_assumed(chain: Chain) -> None:
    chain.config(
        f"[profile role]\nrole_arn = {ROLE}\nsource_profile = base\n"
        "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = hidden\n"
    )
    with Replies({}) as refusing:
        chain.env["AWS_ENDPOINT_URL_STS"] = refusing.url
        failure = chain.failure("role")
    assert f'role {ROLE} of profile "role"' in failure
    assert "aws sts get-caller-identity --profile role" in failure
    assert "hidden" not in failure


def test_role_over_tls_with_a_ca_bundle(
    chain: Chain, expected: Callable, certificate: tuple[Path, Path]
) -> None:
    reply = (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
        "<Credentials><AccessKeyId>RA</AccessKeyId><SecretAccessKey>RS</SecretAccessKey>"
        f"<SessionToken>RT</SessionToken><Expiration>{EXPIRES}</Expiration></Credentials>"
        "</AssumeRoleResult></AssumeRoleResponse>"
    )
    chain.config(
        f"[profile role]\nrole_arn = {ROLE}\nsource_profile = base\n"
        "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = secret\n"
    )
    with Replies({"/": reply}, certificate) as server:
        chain.env["AWS_ENDPOINT_URL_STS"] = server.url
        assert "No AWS credentials" in chain.failure("role"), "an unknown authority is refused"
        chain.env["AWS_CA_BUNDLE"] = str(certificate[0])
        assert chain.sign("role") == expected("RA", "RS", "RT")
        chain.env["SSL_CERT_FILE"] = str(certificate[1])  # AWS's own variable wins
        assert chain.sign("role") == expected("RA", "RS", "RT")


def test_ecs(chain: Chain, expected: Callable) -> None:
    keys = {"AccessKeyId": "CA", "SecretAccessKey": "CS", "Token": "CT", "Expiration": EXPIRES}
    with Replies({"/keys": json.dumps(keys)}) as server:
        chain.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{server.url}/keys"
        assert chain.sign() == expected("CA", "CS", "CT")


def test_ec2_metadata(chain: Chain, expected: Callable) -> None:
    keys = {"Code": "Success", "AccessKeyId": "IA", "SecretAccessKey": "IS", "Token": "IT"}
    keys["Expiration"] = EXPIRES
    base = "/latest/meta-data/iam/security-credentials"
    replies = {"/latest/api/token": "t", base: "role", f"{base}/role": json.dumps(keys)}
    del chain.env["AWS_EC2_METADATA_DISABLED"]
    with Replies(replies) as server:
        chain.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.url
        assert chain.sign() == expected("IA", "IS", "IT")


def test_no_credentials(chain: Chain) -> None:
    failure = chain.failure()
    assert failure.startswith("denied: No AWS credentials. Tried: AWS_ACCESS_KEY_ID")
    assert "credential_process" in failure
    assert "aws configure export-credentials" in failure
    assert chain.seconds < 5


def test_no_credentials_where_the_metadata_service_is_silent(chain: Chain) -> None:
    del chain.env["AWS_EC2_METADATA_DISABLED"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        chain.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = f"http://127.0.0.1:{port}"
        assert chain.failure().startswith("denied: No AWS credentials")
    assert chain.seconds < 10


def test_sso_without_a_login(chain: Chain) -> None:
    chain.config(
        "[profile sso]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\n"
        "[sso-session corp]\nsso_start_url = https://x.invalid\nsso_region = us-east-1\n"
    )
    assert "aws sso login --profile sso" in chain.failure("sso")


def test_mfa_points_to_credential_process(chain: Chain) -> None:
    chain.config(f"[profile m]\nrole_arn = {ROLE}\nsource_profile = m\nmfa_serial = x\n")
    assert "credential_process = aws configure export-credentials" in chain.failure("m")


@pytest.mark.slow
def test_credential_process_that_hangs(chain: Chain) -> None:
    chain.config(f"[profile a]\ncredential_process = {process(chain.home, 'PA', 'sleep 40')}\n")
    assert "did not come within 20 s" in chain.failure("a")
    assert chain.seconds < 30


class Rclone:
    """`rclone serve s3` over a folder."""

    def __init__(self, folder: Path, *flags: str, scheme: str = "http") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [rclone_path(), "serve", "s3", "--auth-key", "RCLONEKEY,RCLONESECRET"]
        command += ["--addr", f"127.0.0.1:{port}", *flags, str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.url = f"{scheme}://127.0.0.1:{port}"
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise AssertionError("rclone did not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=10)


def rclone_path() -> str:
    beside_python = Path(sys.executable).parent / "rclone"
    return str(beside_python) if beside_python.exists() else shutil.which("rclone") or "rclone"


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    folder = tmp_path / "objects"
    (folder / "bucket" / "a").mkdir(parents=True)
    (folder / "bucket" / "a" / "x.txt").write_text("12345")
    return folder


def test_s3_files(chain: Chain, objects: Path) -> None:
    server = Rclone(objects)
    try:
        chain.env["AWS_ENDPOINT_URL_S3"] = server.url
        chain.credentials(
            "[good]\naws_access_key_id = RCLONEKEY\naws_secret_access_key = RCLONESECRET\n"
        )
        assert "bucket/a/x.txt 5" in chain.run("list", "bucket/a", "good").stdout
        chain.credentials("[bad]\naws_access_key_id = RCLONEKEY\naws_secret_access_key = wrong\n")
        refused = chain.run("list", "bucket/a", "bad")
        assert refused.returncode == 1
        assert "wrong" not in refused.stderr
        assert "No AWS credentials" in chain.run("list", "bucket/a").stderr
    finally:
        server.stop()


def test_s3_files_over_tls(chain: Chain, objects: Path, certificate: tuple[Path, Path]) -> None:
    pem, key = certificate
    server = Rclone(objects, "--cert", str(pem), "--key", str(key), scheme="https")
    try:
        chain.env["AWS_ENDPOINT_URL_S3"] = server.url
        chain.env |= {
            "AWS_ACCESS_KEY_ID": "RCLONEKEY",
            "AWS_SECRET_ACCESS_KEY": "RCLONESECRET",
        }
        untrusted = chain.run("list", "bucket/a")
        assert untrusted.returncode == 1
        assert "certificate" in untrusted.stderr
        chain.env["AWS_CA_BUNDLE"] = str(pem)
        assert "bucket/a/x.txt 5" in chain.run("list", "bucket/a").stdout
    finally:
        server.stop()
