"""Goal: keys that change while a load runs are followed, whole: never the parts of two sets in one
request, never a secret in what is written. Method: a credential_process whose keys live for three
seconds, and moto's STS for a role; a server that looks every request's keys up among those that
were given out and has botocore sign it again.
"""

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.sts.models import sts_backends

from support.program import Outcome, Program, assert_accounts
from support.servers import ScriptedServer
from support.vectors import random_vectors, write_vectors

LIFE_S = 3
# Gives out a set of keys for as long as it lives, then another, and keeps a record of all. One that
# made new ones at each call would not do: in the last minutes of keys the AWS SDK calls anew for
# each of the three parts.
PROCESS = """#!{python} -IS
import datetime, fcntl, json, os, time
with open("{ledger}", "a+") as ledger:
    fcntl.flock(ledger, fcntl.LOCK_EX)
    ledger.seek(0)
    lines = ledger.read().splitlines()
    keys = json.loads(lines[-1]) if lines else {{"ExpiresAt": 0}}
    if keys["ExpiresAt"] <= time.time():
        name = "%04d%d" % (len(lines), os.getpid())
        at = int(time.time()) + {life}
        expires = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
        keys = dict(Version=1, AccessKeyId="ASIAVECLOAD" + name, ExpiresAt=at,
                    SecretAccessKey="SECRETVECLOAD" + name, SessionToken="TOKENVECLOAD" + name,
                    Expiration=expires.strftime("%Y-%m-%dT%H:%M:%SZ"))
        ledger.write(json.dumps(keys) + "\\n")
print(json.dumps(keys))
"""
ROLE = "arn:aws:iam::123456789012:role/loader"


@dataclasses.dataclass
class Keys:
    secret: str
    token: str
    expires_at: float


class KeyChecker:
    """Judges requests by the sets of keys that were given out."""

    def __init__(self, given_out: Callable[[], dict[str, Keys]]) -> None:
        self.given_out = given_out
        self.accepted: set[str] = set()
        self.expired = 0
        self.wrong: list[str] = []

    def judge(self, service: ScriptedServer, operation: str) -> tuple[int, str, str] | None:
        headers = service.last_headers
        access_key = headers["authorization"].partition("Credential=")[2].partition("/")[0]
        keys = self.given_out().get(access_key)
        if keys is None:
            return self._refuse("an unknown access key")
        if headers.get("x-amz-security-token") != keys.token:
            return self._refuse("another set's token")
        if not signed_with(keys.secret, operation, headers, service.last_body):
            return self._refuse("another set's secret")
        if keys.expires_at <= time.time():
            self.expired += 1
            return 403, "ExpiredTokenException", "The security token in the request is expired"
        self.accepted.add(access_key)
        return None

    def _refuse(self, why: str) -> tuple[int, str, str]:
        self.wrong.append(why)
        return 403, "InvalidSignatureException", why


def signed_with(secret: str, operation: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether botocore's signer comes to the same signature."""
    authorization = headers["authorization"]
    signed_headers = authorization.partition("SignedHeaders=")[2].partition(",")[0]
    request = AWSRequest("POST", f"http://{headers['host']}/{operation}", data=body)
    for name in signed_headers.split(";"):
        request.headers[name] = headers[name]
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials("any", secret), "s3vectors", "us-east-1")
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(text, request) == authorization.partition("Signature=")[2]


def write_config(program: Program, text: str) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del program.env[name]
    config = program.folder / "config"
    config.write_text(text)
    program.env["AWS_CONFIG_FILE"] = str(config)


def assert_unseen(done: Outcome, secrets: list[str], *skip: Path) -> None:
    written = [done.stdout.encode(), done.stderr.encode()]
    written += [
        path.read_bytes() for path in done.folder.rglob("*") if path.is_file() and path not in skip
    ]
    assert len(written) > 3, "a journal, at least"
    for secret in secrets:
        assert not any(secret.encode() in text for text in written)


def load(program: Program, *more: str) -> Outcome:
    return program.run("load", "in.parquet", "--index", "bucket/index", "--output", "json",
                       "--report", "report.json", "--journal", "job.journal", *more)  # fmt: skip


def test_keys_of_three_seconds_are_followed_whole(
    bare_program: Program, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    program = bare_program
    process, ledger = tmp_path / "keys", tmp_path / "ledger"
    process.write_text(PROCESS.format(python=sys.executable, life=LIFE_S, ledger=ledger))
    process.chmod(0o700)
    write_config(program, f"[default]\ncredential_process = {process}\n")

    def given_out() -> dict[str, Keys]:
        return {
            keys["AccessKeyId"]: Keys(
                keys["SecretAccessKey"], keys["SessionToken"], keys["ExpiresAt"]
            )
            for keys in map(json.loads, ledger.read_text().splitlines())
        }

    checker = KeyChecker(given_out)
    service = scripted(4)
    service.script = lambda operation, _number: checker.judge(service, operation)
    rows = 2400
    write_vectors(program.folder / "in.parquet", random_vectors(rows, 4))

    done = load(program, "--rate-vectors", "200", "--batch-vectors", "10")

    assert checker.wrong == []
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    assert done.json["vectors_acknowledged"] == rows
    assert checker.expired >= 3, "the service must have refused some, again and again"
    assert len(checker.accepted) >= 4, "four sets of keys in twelve seconds"
    assert done.json["attempts"] == done.json["requests"] + checker.expired
    assert_unseen(done, [*secrets_of(given_out())])


def test_a_load_under_a_role_that_sts_gave(
    bare_program: Program, scripted: Callable[..., ScriptedServer], sts: str
) -> None:
    program = bare_program
    write_config(
        program,
        f"[profile loader]\nrole_arn = {ROLE}\nsource_profile = base\n"
        "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = BASESECRETUNSEEN\n",
    )
    program.env |= {"AWS_ENDPOINT_URL_STS": sts, "AWS_PROFILE": "loader"}

    def given_out() -> dict[str, Keys]:
        return {
            role.access_key_id: Keys(role.secret_access_key, role.session_token, float("inf"))
            for role in sts_backends["123456789012"]["global"].assumed_roles
            if role.role_arn == ROLE
        }

    checker = KeyChecker(given_out)
    service = scripted(4)
    service.script = lambda operation, _number: checker.judge(service, operation)
    write_vectors(program.folder / "in.parquet", random_vectors(300, 4))

    done = load(program, "--batch-vectors", "50")

    assert checker.wrong == []
    assert done.exit_code == 0, done.stderr
    assert done.json["vectors_acknowledged"] == 300
    assert len(checker.accepted) == 1
    assert_unseen(done, [*secrets_of(given_out()), "BASESECRETUNSEEN"], program.folder / "config")


def secrets_of(keys: dict[str, Keys]) -> Iterator[str]:
    for each in keys.values():
        yield each.secret
        yield each.token
