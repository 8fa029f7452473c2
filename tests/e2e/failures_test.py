"""Goal: whatever goes wrong between loader and service, no row is lost, the load ends as it should,
and it says why. Method: each failure really happens on a socket, once for good, which must stop the
load resumable, and once passing, which must leave no trace but more attempts. A scripted server
tells what it was sent and when.
"""

import concurrent.futures
import dataclasses
import itertools
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.program import ACCESS_KEY, SECRET_KEY, Outcome, Program, assert_accounts
from support.servers import Answer, Broken, ScriptedServer, free_port
from support.vectors import random_vectors, write_vectors

Scripted = Callable[..., ScriptedServer]
Failure = tuple[int, str, str] | Answer | Broken

ROWS = 600
BATCH = 50
HTML = {"Content-Type": "text/html"}


def load(program: Program, *more: str | Path, batch: int = BATCH, **options: Any) -> Outcome:
    return program.run("load", "in.parquet", "--index", "bucket/index", "--output", "json",
                       "--rate-vectors", "unlimited", "--batch-vectors", str(batch),
                       "--rejects", "rejects.jsonl", *more, **options)  # fmt: skip


def last_message(stopped: Outcome) -> str:
    """Why a load stopped: the line before the one that says how to go on."""
    message, advice = stopped.stderr.splitlines()[-2:]
    assert advice == "vecload: load: run the same command again to go on"
    return message


def accepted_keys(service: ScriptedServer) -> list[str]:
    """Of every PutVectors that was answered with success."""
    return [vector["key"] for body in service.bodies for vector in json.loads(body)["vectors"]]


def assert_all_accepted_once(service: ScriptedServer, rows: int = ROWS) -> None:
    assert sorted(accepted_keys(service)) == [f"k{i:06d}" for i in range(rows)]


def fail_puts(service: ScriptedServer, failure: Failure, numbers: range) -> None:
    service.script = lambda operation, number: (
        failure if operation == "PutVectors" and number in numbers else None
    )


# --- what passes, and what may pass


@dataclasses.dataclass
class Passing:
    failure: Failure
    words: tuple[str, ...]  # in the message of a load that gave up


def refused(status: int, code: str, *words: str) -> Passing:
    return Passing((status, code, "said the service"), (str(status), code, *words))


PASSING = {
    "408": refused(408, "RequestTimeoutException", "said the service"),
    "429": refused(429, "TooManyRequestsException", "--rate-vectors"),
    "500": refused(500, "InternalServerException", "said the service"),
    "502 of a proxy": Passing(Answer(502, b"<h1>Bad Gateway</h1>", HTML), ("502", "Bad Gateway")),
    "503": refused(503, "ServiceUnavailableException", "said the service"),
    "504 of a proxy": Passing(Answer(504, b"", {}), ("504",)),
    "500 in HTML": Passing(Answer(500, b"<html>\xff", HTML), ("500",)),
    "reset before the reply": Passing(Broken.RESET, ("connection",)),
    "closed without a reply": Passing(Broken.CLOSED, ("connection",)),
    "a reply cut in its head": Passing(Broken.CUT_IN_HEAD, ("reply was cut short",)),
    "a reply cut in its body": Passing(Broken.CUT_IN_BODY, ("reply was cut short",)),
    "200 in HTML": Passing(Answer(200, b"<html>Log in</html>", HTML), ("no JSON", "proxy")),
    "200 with half its JSON": Passing(Answer(200, b'{"a":'), ("no JSON",)),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_may_pass_is_waited_for_and_then_left_resumable(
    bare_program: Program, scripted: Scripted, name: str
) -> None:
    service = scripted(4)
    write_vectors(bare_program.folder / "in.parquet", random_vectors(ROWS, 4))
    failure = PASSING[name].failure

    fail_puts(service, failure, range(2, 1_000_000))
    stopped = load(bare_program, "--give-up-after", "1s", "--max-in-flight", "2")
    assert stopped.exit_code == 4, stopped.stderr
    message = last_message(stopped)
    for word in ("no batch was acknowledged for", "--give-up-after", *PASSING[name].words):
        assert word in message, (word, message)
    assert_accounts(stopped.json)
    assert stopped.json["vectors_acknowledged"] == 2 * BATCH
    assert stopped.json["attempts"] == len(service.puts())
    assert len(service.puts()) < 100, "without a pause there would be thousands"

    tried = len(service.puts())
    fail_puts(service, failure, range(tried + 1, tried + 4))
    done = load(bare_program)
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    assert done.json["vectors_resumed"] == 2 * BATCH
    assert done.json["attempts"] == done.json["requests"] + 3
    assert_all_accepted_once(service)


def test_a_connection_reset_while_the_body_is_sent(
    bare_program: Program, scripted: Scripted
) -> None:
    rows, dimension = 1200, 2048
    service = scripted(dimension)
    write_vectors(bare_program.folder / "in.parquet", random_vectors(rows, dimension))
    service.resets_body = lambda operation, _number: operation == "PutVectors"
    batch = 500  # 10 MB, more than the sockets' buffers hold
    stopped = load(bare_program, "--give-up-after", "1s", batch=batch)
    assert stopped.exit_code == 4, stopped.stderr
    assert "the connection broke while sending" in stopped.stderr
    assert stopped.json["rows_remaining"] == rows
    tried = len(service.puts())
    service.resets_body = lambda operation, number: operation == "PutVectors" and number < tried + 2
    done = load(bare_program, batch=batch)
    assert done.exit_code == 0, done.stderr
    assert done.json["attempts"] == done.json["requests"] + 2
    assert_all_accepted_once(service, rows)


def test_retry_after_is_waited_for(bare_program: Program, scripted: Scripted) -> None:
    service = scripted(4)
    write_vectors(bare_program.folder / "in.parquet", random_vectors(BATCH, 4))
    fail_puts(service, Answer(503, b"{}", {"Retry-After": "2"}), range(1))
    done = load(bare_program)
    assert done.exit_code == 0, done.stderr
    first, second = service.puts()
    assert 2.0 <= second.begun - first.ended < 10.0, "the jitter alone ends within 0.1 s"


def test_pauses_between_tries_grow(bare_program: Program, scripted: Scripted) -> None:
    service = scripted(4)
    write_vectors(bare_program.folder / "in.parquet", random_vectors(BATCH, 4))
    fail_puts(service, (500, "InternalServerException", "no"), range(1_000_000))
    stopped = load(bare_program, "--give-up-after", "4s")
    assert stopped.exit_code == 4, stopped.stderr
    # Ceilings of 0.1, 0.2, 0.4, 0.8, 1.6 and 3.2 s, half of each on average: about 6 tries in 4 s.
    assert 3 <= len(service.puts()) < 25


def test_when_everything_fails_one_probe_at_a_time_goes_out(
    bare_program: Program, scripted: Scripted
) -> None:
    service = scripted(4)
    service.delay_s = 0.05
    write_vectors(bare_program.folder / "in.parquet", random_vectors(5000, 4))
    fail_puts(service, (500, "InternalServerException", "no"), range(1_000_000))
    stopped = load(bare_program, "--give-up-after", "3s")
    assert stopped.exit_code == 4, stopped.stderr
    puts = service.puts()
    storm, probes = puts[:24], puts[24:]  # 16 failures, and what was under way at the 16th
    assert any(a.ended > b.begun for a, b in itertools.pairwise(storm)), "all at once"
    assert len(probes) > 5
    for before, after in itertools.pairwise(probes):
        assert before.ended <= after.begun, "two probes at a time"


def test_a_server_that_comes_up_late_is_waited_for(
    bare_program: Program, scripted: Scripted
) -> None:
    service = scripted(4, listen=False)  # its port is taken, and refuses
    write_vectors(bare_program.folder / "in.parquet", random_vectors(ROWS, 4))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(load, bare_program)
        time.sleep(1)  # for how long it is away is what is tried
        assert not running.done()
        service.listen()
        done = running.result(timeout=60)
    assert done.exit_code == 0, done.stderr
    assert_all_accepted_once(service)


def test_endpoints_that_are_not_there_are_told_before_the_job(tmp_path: Path) -> None:
    """Each takes as long as the preflight's patience, so all three at once."""
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        endpoints = {
            f"http://127.0.0.1:{free_port()}": "connection refused",
            "http://vecload-test.invalid": "DNS",
            f"http://127.0.0.1:{silent.getsockname()[1]}": "nothing moved for 30 s",
        }
        folders = [tmp_path / str(number) for number in range(len(endpoints))]

        def run(folder: Path, endpoint: str) -> Outcome:
            folder.mkdir()
            write_vectors(folder / "in.parquet", random_vectors(2, 4))
            loud = Program(folder, AWS_LOG_LEVEL="trace", ARROW_S3_LOG_LEVEL="TRACE")
            return load(loud, "--endpoint-url", endpoint, timeout=60)

        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            outcomes = list(pool.map(run, folders, endpoints))
        assert time.monotonic() - begin < 45
    for done, (endpoint, words) in zip(outcomes, endpoints.items(), strict=True):
        assert done.exit_code == 1, done.stderr
        assert done.stdout == ""
        message = done.stderr.splitlines()[-1]
        for word in (endpoint, words, "--endpoint-url"):
            assert word in message, message
        assert not list(done.folder.glob("*.jsonl")), "nothing begun"
        assert ACCESS_KEY not in done.stderr and SECRET_KEY not in done.stderr


# --- what no repetition mends


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (400, "KmsDisabledException", "KMS"),
        (400, "KmsInvalidKeyUsageException", "KMS"),
        (400, "KmsInvalidStateException", "KMS"),
        (400, "KmsNotFoundException", "KMS"),
        (402, "ServiceQuotaExceededException", "quota"),
        (403, "AccessDeniedException", "permissions"),
        (403, "UnrecognizedClientException", "credentials"),
        (404, "NotFoundException", "region"),
        (409, "ConflictException", "said the service"),
        (400, "SomethingNewException", "said the service"),
    ],
)
def test_what_is_final_stops_after_one_attempt_and_is_resumable(
    bare_program: Program, scripted: Scripted, status: int, code: str, advice: str
) -> None:
    service = scripted(4)
    write_vectors(bare_program.folder / "in.parquet", random_vectors(ROWS, 4))
    fail_puts(service, (status, code, "said the service"), range(2, 1_000_000))
    stopped = load(bare_program, "--max-in-flight", "1")
    assert stopped.exit_code == 4, stopped.stderr
    message = last_message(stopped)
    for word in (str(status), code, "said the service", advice):
        assert word in message, (word, message)
    assert_accounts(stopped.json)
    assert stopped.json["attempts"] == len(service.puts()) == 3, "never tried again, never halved"
    assert stopped.json["vectors_acknowledged"] == 2 * BATCH
    assert stopped.json["vectors_rejected"] == 0

    service.script = lambda _operation, _number: None
    done = load(bare_program)
    assert done.exit_code == 0, done.stderr
    assert done.json["vectors_resumed"] == 2 * BATCH
    assert_all_accepted_once(service)


def test_a_certificate_that_nobody_vouches_for(bare_program: Program, scripted: Scripted) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl program")
    certificate, key = bare_program.folder / "cert.pem", bare_program.folder / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=vecload-test",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    service = scripted(4)
    service.use_tls(certificate, key)
    bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = service.url
    write_vectors(bare_program.folder / "in.parquet", random_vectors(ROWS, 4))
    begin = time.monotonic()
    done = load(bare_program)
    assert done.exit_code == 1, done.stderr
    assert time.monotonic() - begin < 10, "waiting mends no certificate"
    for word in ("certificate", "AWS_CA_BUNDLE"):
        assert word in done.stderr
    assert service.operations == [], "nothing was sent to a stranger"

    trusting = load(bare_program, env={"AWS_CA_BUNDLE": str(certificate)})
    assert trusting.exit_code == 0, trusting.stderr
    assert_all_accepted_once(service)


# --- rows that the service refuses


def names_the_bad(body: bytes, bad: set[str]) -> Answer | None:
    """What the service says of a batch with bad records: a field list that names each."""
    keys = [vector["key"] for vector in json.loads(body)["vectors"]]
    # Both forms that the service writes paths in.
    paths = [("vectors[%d].metadata", "/vectors/%d/key")[n % 2] % n
             for n, key in enumerate(keys) if key in bad]  # fmt: skip
    if not paths:
        return None
    fields = [{"path": path, "message": "too odd"} for path in paths]
    body = json.dumps({"message": "Invalid record", "fieldList": fields}).encode()
    return Answer(400, body, {"x-amzn-ErrorType": "ValidationException"})


def test_named_records_are_rejected_and_the_rest_is_sent_again(
    bare_program: Program, scripted: Scripted
) -> None:
    service = scripted(4)
    write_vectors(bare_program.folder / "in.parquet", random_vectors(ROWS, 4))
    bad_rows = [3, 4, 77, 599]
    bad = {f"k{row:06d}" for row in bad_rows}
    service.script = lambda operation, _number: (
        names_the_bad(service.last_body, bad) if operation == "PutVectors" else None
    )
    done = load(bare_program)
    assert done.exit_code == 3, done.stderr
    assert_accounts(done.json)
    assert sorted(reject["row"] for reject in done.rejects()) == bad_rows
    assert all("Invalid record" in reject["message"] for reject in done.rejects())
    assert done.json["attempts"] == done.json["requests"] + 3, "once more for each batch with some"
    assert sorted(accepted_keys(service)) == sorted(
        f"k{row:06d}" for row in range(ROWS) if row not in bad_rows
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "ValidationException"), (400, "SerializationException"), (400, "")],
)
def test_records_that_nobody_names_are_found_by_halving(
    bare_program: Program, scripted: Scripted, status: int, code: str
) -> None:
    service = scripted(4)
    write_vectors(bare_program.folder / "in.parquet", random_vectors(ROWS, 4))
    bad_rows = [0, 321]
    service.script = lambda operation, _number: (
        (status, code, "UnknownError")
        if operation == "PutVectors"
        and any(b'"k%06d"' % row in service.last_body for row in bad_rows)
        else None
    )
    done = load(bare_program)
    assert done.exit_code == 3, done.stderr
    assert_accounts(done.json)
    assert sorted(reject["row"] for reject in done.rejects()) == bad_rows
    # From 50 rows to one: six refusals on the way and the last, for each of the two.
    assert done.json["attempts"] - len(service.bodies) <= 2 * 7
    assert sorted(accepted_keys(service)) == sorted(
        f"k{row:06d}" for row in range(ROWS) if row not in bad_rows
    )


def test_a_proxy_that_takes_no_large_bodies_gets_smaller_ones(
    bare_program: Program, scripted: Scripted
) -> None:
    service = scripted(4)
    write_vectors(bare_program.folder / "in.parquet", random_vectors(ROWS, 4))
    service.script = lambda operation, _number: (
        Answer(413, b"<h1>Too large</h1>", HTML)
        if operation == "PutVectors" and len(service.last_body) > 2000
        else None
    )
    done = load(bare_program)
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    assert_all_accepted_once(service)


# --- keys and clocks


def write_profile(program: Program, generation: int) -> None:
    (program.folder / "credentials").write_text(
        f"[default]\naws_access_key_id = AKID{generation}\n"
        f"aws_secret_access_key = secret{generation}\naws_session_token = token{generation}\n"
    )


def use_profile(program: Program) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del program.env[name]
    program.env["AWS_SHARED_CREDENTIALS_FILE"] = str(program.folder / "credentials")


def test_expired_keys_are_read_anew_and_the_load_goes_on(
    bare_program: Program, scripted: Scripted
) -> None:
    service = scripted(4)
    write_vectors(bare_program.folder / "in.parquet", random_vectors(ROWS, 4))
    use_profile(bare_program)
    write_profile(bare_program, 1)
    expired = 0

    def script(operation: str, number: int) -> tuple[int, str, str] | None:
        nonlocal expired
        if operation != "PutVectors" or number < 4:
            return None
        if service.last_headers["x-amz-security-token"] == "token2":
            return None
        write_profile(bare_program, 2)
        expired += 1
        return 403, "ExpiredTokenException", "The security token included in the request is expired"

    service.script = script
    done = load(bare_program)
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    assert expired > 0
    assert done.json["attempts"] == done.json["requests"] + expired
    assert_all_accepted_once(service)


def test_expired_keys_that_nothing_renews_stop_it_resumable(
    bare_program: Program, scripted: Scripted
) -> None:
    service = scripted(4)
    write_vectors(bare_program.folder / "in.parquet", random_vectors(ROWS, 4))
    use_profile(bare_program)
    write_profile(bare_program, 1)
    fail_puts(service, (403, "ExpiredTokenException", "is expired"), range(2, 1_000_000))
    stopped = load(bare_program, "--max-in-flight", "1")
    assert stopped.exit_code == 4, stopped.stderr
    assert "log in again" in stopped.stderr
    assert stopped.json["attempts"] == 4, "once more, with the keys read anew"
    service.script = lambda _operation, _number: None
    assert load(bare_program).exit_code == 0
    assert_all_accepted_once(service)


@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "InvalidSignatureException"])
def test_a_clock_that_is_off_is_mended_from_the_reply(
    bare_program: Program, scripted: Scripted, code: str
) -> None:
    service = scripted(4)
    write_vectors(bare_program.folder / "in.parquet", random_vectors(ROWS, 4))
    ahead_s = 7200  # of the service, from the second batch on

    def script(operation: str, number: int) -> Answer | None:
        if operation != "PutVectors" or number < 2:
            return None
        now = time.time() + ahead_s
        signed = np.datetime64(_iso(service.last_headers["x-amz-date"]), "s")
        if abs(float(signed.astype("int64")) - now) < 300:
            return None
        headers = {"x-amzn-ErrorType": code, "Date": formatdate(now, usegmt=True)}
        return Answer(403, b'{"message":"Signature expired"}', headers)

    service.script = script
    done = load(bare_program, "--max-in-flight", "1")
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    assert done.json["attempts"] == done.json["requests"] + 1, "learned once, for all that follow"
    assert_all_accepted_once(service)


def _iso(basic: str) -> str:
    """20261124T231500Z as numpy reads it."""
    day, clock = basic.rstrip("Z").split("T")
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}"
