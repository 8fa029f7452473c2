"""Our signatures are botocore's, byte for byte.

Requests are generated from a seed over everything that a signature depends on, signed by botocore
and by vecload::auth::Sign, and the headers that signing adds are compared.
"""

import datetime
import random
import string
import subprocess
import urllib.parse
from dataclasses import dataclass, field

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from conformance.sigv4.programs import program

SEED = 20261124
COUNT = 600

UNICODE = "äßñ€中文🎉\u0301"
ADDED = ["x-amz-date", "x-amz-security-token", "authorization"]


@dataclass
class Case:
    access_key: str
    secret_key: str
    token: str
    region: str
    service: str
    time: datetime.datetime
    method: str
    path: str
    query: str
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)

    def line(self) -> str:
        seconds = int(self.time.timestamp())
        fields = [self.access_key, self.secret_key, self.token, self.region, self.service]
        fields += [str(seconds), self.method, self.path, self.query]
        raw = [text.encode() for text in fields] + [self.body]
        for name, value in self.headers:
            raw += [name.encode(), value.encode()]
        return "\t".join(text.hex() for text in raw)


def text(rng: random.Random, alphabet: str, low: int, high: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(low, high)))


def make_path(rng: random.Random) -> str:
    kind = rng.randrange(4)
    if kind == 0:
        return "/" + rng.choice(["PutVectors", "GetVectors", "QueryVectors", ""])
    if kind == 1:
        arn = "arn:aws:s3vectors:us-east-1:000000000000:bucket/my-bucket/index/" + text(
            rng, string.ascii_lowercase, 3, 12
        )
        return "/tags/" + urllib.parse.quote(arn, safe="")
    parts = [
        rng.choice([".", "..", "", text(rng, string.ascii_letters + "-_.~ :+@!$'()*,;=", 1, 8)])
        if kind == 2
        else text(rng, UNICODE + "ab/%", 1, 5)
        for _ in range(rng.randint(0, 6))
    ]
    return "/" + "/".join(urllib.parse.quote(part, safe="-_.~:+@!$'()*,;=") for part in parts)


def make_query(rng: random.Random) -> str:
    pairs = []
    for _ in range(rng.choice([0, 0, 1, 2, 5])):
        name = urllib.parse.quote(text(rng, "abAB-_~. " + UNICODE, 1, 4), safe="-_.~")
        value = urllib.parse.quote(text(rng, "01xyXY/=&+ " + UNICODE, 0, 6), safe="-_.~")
        pairs.append(rng.choice([f"{name}={value}", f"{name}={value}", name, f"{name}="]))
    return "&".join(pairs)


def make_headers(rng: random.Random) -> list[tuple[str, str]]:
    headers = [("Host", rng.choice(["s3vectors.us-east-1.api.aws", "localhost:8080", "[::1]:1"]))]
    if rng.random() < 0.7:
        headers.append((rng.choice(["Content-Type", "content-type"]), "application/json"))
    for _ in range(rng.randint(0, 5)):
        name = "x-" + text(rng, string.ascii_letters + "-", 1, 6)
        if name.lower() in ADDED:
            continue
        words = [text(rng, string.ascii_letters + "\"',;:=" + UNICODE, 0, 6) for _ in range(4)]
        value = rng.choice(["", " ", "\t", "   "])
        value += rng.choice([" ", "  ", " \t ", ","]).join(words)
        headers += [(name, value + rng.choice(["", "  ", "\t"]))] * rng.choice([1, 1, 1, 2])
    for name in ["User-Agent", "X-Amzn-Trace-Id", "Expect", "Transfer-Encoding"]:
        if rng.random() < 0.2:
            headers.append((name, text(rng, string.ascii_letters, 1, 5)))
    if rng.random() < 0.2:
        headers.append(("amz-sdk-invocation-id", text(rng, "0123456789abcdef", 32, 32)))
    if rng.random() < 0.1:
        headers += [("X-Amz-Date", "20200101T000000Z"), ("X-Amz-Security-Token", "old")]
        headers.append(("Authorization", "old"))
    rng.shuffle(headers)
    return headers


def make_case(rng: random.Random) -> Case:
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    key_letters = string.ascii_letters + string.digits + "/+="
    token = rng.choice(["", "", text(rng, key_letters, 20, 700)])
    headers = make_headers(rng)
    if not token:
        # Neither side is to be asked what a token means to keys that have none.
        headers = [h for h in headers if h[0] != "X-Amz-Security-Token"]
    return Case(
        access_key=rng.choice(["AKIA", "ASIA"]) + text(rng, string.ascii_uppercase, 16, 16),
        secret_key=text(rng, key_letters, 1, 120),
        token=token,
        region=rng.choice(["us-east-1", "eu-west-3", "ap-southeast-2", "us-gov-west-1"]),
        service=rng.choice(["s3vectors", "s3vectors", "sts"]),
        time=epoch + datetime.timedelta(seconds=rng.randrange(0, 4_102_444_800)),
        method=rng.choice(["POST", "POST", "GET", "DELETE", "PUT", "PATCH", "HEAD"]),
        path=make_path(rng),
        query=make_query(rng),
        body=rng.choice([b"", b"{}", rng.randbytes(rng.randrange(1, 3000)), UNICODE.encode()]),
        headers=headers,
    )


def sign_by_botocore(case: Case, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: case.time)
    url = f"https://host{case.path}" + (f"?{case.query}" if case.query else "")
    request = AWSRequest(method=case.method, url=url, data=case.body)
    for name, value in case.headers:
        request.headers.add_header(name, value)
    credentials = Credentials(case.access_key, case.secret_key, case.token or None)
    botocore.auth.SigV4Auth(credentials, case.service, case.region).add_auth(request)
    return {name: request.headers[name] for name in ADDED if name in request.headers}


def sign_by_vecload(cases: list[Case]) -> list[dict[str, str]]:
    result = subprocess.run(
        [program("sign_requests")],
        input="".join(case.line() + "\n" for case in cases).encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    lines = result.stdout.decode().splitlines()
    return [dict(pair.split(": ", 1) for pair in line.split("\t")) for line in lines]


def test_signatures_equal_botocores(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(SEED)
    cases = [make_case(rng) for _ in range(COUNT)]
    ours = sign_by_vecload(cases)
    assert len(ours) == COUNT
    for number, (case, signed) in enumerate(zip(cases, ours, strict=True)):
        expected = sign_by_botocore(case, monkeypatch)
        assert signed == expected, f"seed {SEED}, case {number}: {case}"


def test_the_generator_reaches_what_it_should() -> None:
    rng = random.Random(SEED)
    cases = [make_case(rng) for _ in range(COUNT)]
    assert any("%2F" in case.path for case in cases)
    assert any("/../" in case.path and "//" in case.path for case in cases)
    assert any(case.query.count("&") > 2 for case in cases)
    assert any(not case.body for case in cases)
    assert any(case.token for case in cases)
    assert any("€" in value for case in cases for _, value in case.headers)
    assert any("\t" in value for case in cases for _, value in case.headers)
    assert any(len({n.lower() for n, _ in c.headers}) < len(c.headers) for c in cases)
    assert len({case.method for case in cases}) == 6


def test_another_request_has_another_signature() -> None:
    case = make_case(random.Random(SEED))
    other = make_case(random.Random(SEED))
    other.body += b" "
    first, second = sign_by_vecload([case, other])
    assert first["authorization"] != second["authorization"]
