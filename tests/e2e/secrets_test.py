"""Goal: credentials reach no output, no reject, no report and no file.

Method: distinctive keys from every place they can come from, runs that succeed and runs that fail
in every way that talks about credentials; then everything written is searched for them.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from support.program import ACCESS_KEY, SECRET_KEY, Outcome, Program
from support.servers import ScriptedServer, VecloadServer, free_port
from support.vectors import make_index, random_vectors, write_vectors

SESSION_TOKEN = "VECLOADSESSIONTOKENthatMustStayUnseen=="
SECRETS = (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN)
# Arrow's and the AWS SDK's own logs at their loudest must not give keys away either.
LOUD = {"ARROW_S3_LOG_LEVEL": "TRACE", "AWS_LOG_LEVEL": "trace"}


def assert_secret(done: Outcome, *skip: Path) -> None:
    for text in (done.stdout, done.stderr):
        for secret in SECRETS:
            assert secret not in text
    for path in done.folder.rglob("*"):
        if path.is_file() and path not in skip:
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in SECRETS), path


def write_input(program: Program) -> None:
    vectors = random_vectors(200, 4)
    vectors[5] = np.nan
    write_vectors(program.folder / "in.parquet", vectors)


def load(program: Program, *more: str, source: str = "in.parquet") -> Outcome:
    program.env |= LOUD | {"AWS_SESSION_TOKEN": SESSION_TOKEN}
    return program.run("load", source, "--index", "bucket/index", "--report", "report.json",
                       "--progress", "json", *more)  # fmt: skip


def test_a_load_that_works(program: Program, server: VecloadServer) -> None:
    write_input(program)
    make_index(server.client(), 4)
    done = load(program)
    assert done.exit_code == 3
    assert len(list(program.folder.iterdir())) >= 3, "input, rejects and report"
    assert_secret(done)
    log = server.log.read_text()
    assert not any(secret in log for secret in SECRETS)


@pytest.mark.parametrize(
    "code", ["UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException"]
)
def test_credentials_that_are_refused(
    bare_program: Program, scripted: Callable[..., ScriptedServer], code: str
) -> None:
    scripted(4).script = lambda _operation, _number: (403, code, "The security token is invalid")
    write_input(bare_program)
    done = load(bare_program)
    assert done.exit_code == 1
    assert_secret(done)


def test_a_source_that_is_refused(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), 4)
    program.env["AWS_ENDPOINT_URL_S3"] = f"http://127.0.0.1:{free_port()}"
    done = load(program, source="s3://data/in.parquet")
    assert done.exit_code == 1
    assert_secret(done)


@pytest.mark.parametrize("credentials", [
    f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n",
    f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key {SECRET_KEY}\n",
    f"[default\n{SECRET_KEY}\n",
])  # fmt: skip
def test_a_credentials_file_good_or_broken(
    program: Program, server: VecloadServer, credentials: str
) -> None:
    write_input(program)
    make_index(server.client(), 4)
    path = program.folder / "credentials"
    path.write_text(credentials)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del program.env[name]
    program.env["AWS_SHARED_CREDENTIALS_FILE"] = str(path)
    done = load(program)
    assert done.exit_code in (1, 3)
    assert_secret(done, path)


def test_a_credential_process_that_fails_loudly(program: Program, server: VecloadServer) -> None:
    write_input(program)
    make_index(server.client(), 4)
    path = program.folder / "config"
    path.write_text(f"[default]\ncredential_process = echo {SECRET_KEY}\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del program.env[name]
    program.env["AWS_CONFIG_FILE"] = str(path)
    done = load(program)
    assert done.exit_code == 1
    assert_secret(done, path)


@pytest.mark.parametrize(
    "command",
    [
        ("bucket", "list"),
        ("index", "show", "bucket/index"),
        ("query", "--index", "bucket/index", "--like", "x"),
    ],
)
def test_other_commands_that_are_refused(
    bare_program: Program, scripted: Callable[..., ScriptedServer], command: tuple[str, ...]
) -> None:
    scripted(4).script = lambda _operation, _number: (403, "AccessDeniedException", "no")
    bare_program.env |= LOUD | {"AWS_SESSION_TOKEN": SESSION_TOKEN}
    done = bare_program.run(*command)
    assert done.exit_code == 1
    assert "AccessDeniedException" in done.stderr
    assert_secret(done)


def test_no_credentials_at_all_is_one_clear_error(program: Program, server: VecloadServer) -> None:
    write_input(program)
    make_index(server.client(), 4)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del program.env[name]
    done = program.run("load", "in.parquet", "--index", "bucket/index")
    assert done.exit_code == 1
    assert "credentials" in done.stderr
    assert "AWS_ACCESS_KEY_ID" in done.stderr or "AWS_PROFILE" in done.stderr, "and what to do"


@pytest.mark.parametrize("url", ["http://user:{}@127.0.0.1:1", "ftp://user:{}@host", "{}@host"])
def test_an_endpoint_that_holds_a_password_is_refused_without_repeating_it(
    bare_program: Program, url: str
) -> None:
    write_input(bare_program)
    by_flag = load(bare_program, "--endpoint-url", url.format(SECRET_KEY))
    assert by_flag.exit_code == 1
    assert_secret(by_flag)
    bare_program.env |= {"AWS_ENDPOINT_URL_S3VECTORS": url.format(SECRET_KEY)}
    by_environment = load(bare_program)
    assert by_environment.exit_code == 1
    assert "AWS_ENDPOINT_URL_S3VECTORS" in by_environment.stderr
    assert_secret(by_environment)
