"""Goal: a server with keys takes what botocore signs with them, and nothing else.

Method: boto3 signs; what it signed is then changed on its way by botocore's own hooks, one thing at
a time, and the error is the one that AWS's services name.
"""

import datetime
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.auth
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from support.program import ACCESS_KEY, SECRET_KEY
from support.servers import VecloadServer
from support.vectors import make_index, random_vectors, stored_keys

OTHER_KEY, OTHER_SECRET, OTHER_TOKEN = "ASIAOTHERKEY00000000", "other/secret+0123", "a/token=="


@pytest.fixture
def keyed(start_server: Callable[..., VecloadServer], tmp_path: Path) -> VecloadServer:
    """A server that knows a key from its flags, and a temporary one from a file."""
    path = tmp_path / "server-credentials"
    path.write_text(
        f"[ci]\naws_access_key_id = {OTHER_KEY}\naws_secret_access_key = {OTHER_SECRET}\n"
        f"aws_session_token = {OTHER_TOKEN}\n"
    )
    flags = ["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]
    return start_server(*flags, "--credentials-file", str(path))


def refusal(client: Any) -> tuple[int, str, str]:
    """What a small call is refused with: (status, code, message)."""
    with pytest.raises(ClientError) as caught:
        client.create_vector_bucket(vectorBucketName="bucket")
    response: Any = caught.value.response
    error = response["Error"]
    return response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"]


def on_send(client: Any, change: Callable[[Any], None]) -> Any:
    """Lets `change` have each request after it was signed."""
    client.meta.events.register("before-send.s3vectors", lambda request, **_: change(request))
    return client


def test_takes_every_kind_of_request_that_boto3_signs(keyed: VecloadServer) -> None:
    client = keyed.client()
    index = make_index(client, 512)
    data = random_vectors(400, 512)
    vectors = [
        {"key": f"ä {i}/+%", "data": {"float32": row.tolist()}} for i, row in enumerate(data)
    ]
    client.put_vectors(vectorBucketName="bucket", indexName="index", vectors=vectors)
    assert len(stored_keys(client, index)) == 400
    # ARNs in paths, and queries that need escapes: where canonical forms differ.
    arn = client.get_index(vectorBucketName="bucket", indexName="index")["index"]["indexArn"]
    tags = {"a b": "x/y", "k=+@": "z:é", "_.-": ""}
    client.tag_resource(resourceArn=arn, tags=tags)
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == tags
    client.untag_resource(resourceArn=arn, tagKeys=list(tags))
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {}


def test_takes_temporary_keys_with_their_token_only(keyed: VecloadServer) -> None:
    keys = {"aws_access_key_id": OTHER_KEY, "aws_secret_access_key": OTHER_SECRET}
    keyed.client(**keys, aws_session_token=OTHER_TOKEN).list_vector_buckets()
    for token in (None, "another"):
        status, code, _ = refusal(keyed.client(**keys, aws_session_token=token))
        assert (status, code) == (403, "UnrecognizedClientException")


def test_names_what_is_wrong_with_the_keys(keyed: VecloadServer) -> None:
    status, code, message = refusal(keyed.client(aws_secret_access_key="wrong"))
    assert (status, code) == (403, "InvalidSignatureException")
    assert SECRET_KEY not in message and "wrong" not in message
    status, code, _ = refusal(keyed.client(aws_access_key_id="AKIAUNKNOWN"))
    assert (status, code) == (403, "UnrecognizedClientException")
    status, code, _ = refusal(keyed.client(signature=UNSIGNED))
    assert (status, code) == (403, "MissingAuthenticationTokenException")
    status, code, message = refusal(keyed.client(region_name="eu-west-1"))
    assert (status, code) == (403, "InvalidSignatureException")
    assert "us-east-1" in message


@pytest.mark.parametrize(("minutes", "ok"), [(-6, False), (-4, True), (4, True), (6, False)])
def test_a_clock_may_be_five_minutes_off(
    keyed: VecloadServer, monkeypatch: pytest.MonkeyPatch, minutes: int, ok: bool
) -> None:
    real = botocore.auth.get_current_datetime
    off = datetime.timedelta(minutes=minutes)
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *args, **more: real(*args, **more) + off
    )
    if ok:
        keyed.client().list_vector_buckets()
        return
    status, code, message = refusal(keyed.client())
    assert (status, code) == (403, "InvalidSignatureException")
    assert message.startswith("Signature expired: " if minutes < 0 else "Signature not yet")


def _put(name: str, value: str) -> Callable[[Any], None]:
    """Sets the header, in place of what was there."""
    return lambda request: request.headers.__setitem__(name, value)


def _tamper_with_the_body(request: Any) -> None:
    request.body = request.body.replace(b"bucket", b"bucked")


@pytest.mark.parametrize(
    "change",
    [
        _tamper_with_the_body,
        lambda request: setattr(request, "url", request.url.replace("Create", "Delete")),
        lambda request: setattr(request, "url", request.url + "?x=1"),
        _put("Content-Type", "text/plain"),
        _put("Host", "s3vectors.us-east-1.api.aws"),
        lambda request: request.headers.__delitem__("Content-Type"),
        _put("X-Amz-Injected", "1"),
    ],
    ids=["body", "path", "query", "header", "host", "header missing", "x-amz header added"],
)
def test_what_was_signed_cannot_be_changed(
    keyed: VecloadServer, change: Callable[[Any], None]
) -> None:
    status, code, _ = refusal(on_send(keyed.client(), change))
    assert (status, code) == (403, "InvalidSignatureException")
    assert keyed.client().list_vector_buckets()["vectorBuckets"] == []


def test_what_was_not_signed_may_be(keyed: VecloadServer) -> None:
    def add(request: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = "Root=1-x"
        request.headers["Via"] = "1.1 proxy"

    on_send(keyed.client(), add).list_vector_buckets()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("X-Amz-Date", "IncompleteSignatureException"),
        ("Authorization", "MissingAuthenticationTokenException"),
    ],
)
def test_a_header_that_signing_needs_is_missing(keyed: VecloadServer, name: str, code: str) -> None:
    client = on_send(keyed.client(), lambda request: request.headers.__delitem__(name))
    assert refusal(client)[:2] == (403, code)


def test_presigned_urls_are_refused_in_so_many_words(keyed: VecloadServer) -> None:
    request = AWSRequest(method="POST", url=f"{keyed.url}/ListVectorBuckets")
    keys = Credentials(ACCESS_KEY, SECRET_KEY)
    botocore.auth.SigV4QueryAuth(keys, "s3vectors", "us-east-1").add_auth(request)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(request.url or "", data=b""), timeout=20)
    assert caught.value.code == 403
    assert caught.value.headers["x-amzn-ErrorType"] == "IncompleteSignatureException"
    assert b"resigned" in caught.value.read()


class UnsignedPayload(botocore.auth.SigV4Auth):
    def payload(self, request: Any) -> str:
        return "UNSIGNED-PAYLOAD"


@pytest.mark.parametrize("signer", [botocore.auth.SigV4Auth, UnsignedPayload])
def test_unsigned_payloads_are_not_taken(
    keyed: VecloadServer, signer: type[botocore.auth.SigV4Auth]
) -> None:
    def sign_again(request: Any) -> None:
        del request.headers["Authorization"], request.headers["X-Amz-Date"]
        headers = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        again = AWSRequest(request.method, request.url, headers, request.body)
        signer(Credentials(ACCESS_KEY, SECRET_KEY), "s3vectors", "us-east-1").add_auth(again)
        for name in ("Authorization", "X-Amz-Date"):
            request.headers[name] = again.headers[name]

    client = on_send(keyed.client(), sign_again)
    if signer is not UnsignedPayload:
        client.create_vector_bucket(vectorBucketName="bucket")
        return
    assert refusal(client)[:2] == (403, "InvalidSignatureException")
