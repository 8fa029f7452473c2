"""S3 Vectors as botocore's model describes it, and requests that no client would check first."""

import http.client
import json
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session

ACCOUNT = "000000000000"
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Operation:
    method: str
    uri: str
    input: Any  # a botocore Shape
    output: Any  # a botocore Shape, or None


def operations() -> dict[str, Operation]:
    """The operations of the installed botocore's model, by name."""
    service: Any = botocore.session.get_session().get_service_model("s3vectors")
    models = {name: service.operation_model(name) for name in service.operation_names}
    return {
        name: Operation(
            model.http["method"], model.http["requestUri"], model.input_shape, model.output_shape
        )
        for name, model in models.items()
    }


@dataclass
class Answer:
    status: int
    code: str  # of the error; empty for a success
    body: dict[str, Any]

    @property
    def message(self) -> str:
        return self.body.get("message", "")

    @property
    def paths(self) -> list[str]:
        return [field["path"] for field in self.body.get("fieldList", [])]


class RawClient:
    """Sends members as they are: no client-side checks, no retries."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def send(self, operation: Operation, members: dict[str, Any]) -> Answer:
        """Puts each member where the model wants it: path, query or JSON body."""
        uri = operation.uri
        query: list[tuple[str, str]] = []
        body: dict[str, Any] = {}
        for name, value in members.items():
            shape = operation.input.members.get(name)
            place = shape.serialization if shape is not None else {}
            location = place.get("location")
            if location == "uri":
                uri = uri.replace("{" + place["name"] + "}", urllib.parse.quote(value, ""))
            elif location == "querystring":
                query += [(place["name"], item) for item in value]
            else:
                body[name] = value
        if query:
            uri += "?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        return self.send_text(operation.method, uri, json.dumps(body))

    def send_text(self, method: str, uri: str, body: str | bytes) -> Answer:
        self._connection.request(method, uri, body, {"Content-Type": "application/json"})
        reply = self._connection.getresponse()
        text = reply.read()
        return Answer(
            reply.status, reply.headers.get("x-amzn-ErrorType", ""), json.loads(text or b"{}")
        )


def walk(shape: Any, value: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """Every place of `value` that a botocore Shape describes: (path, shape, value)."""
    if path:
        yield path, shape, value
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                yield from walk(member, value[name], (*path, name))
    elif shape.type_name == "list":
        for number, item in enumerate(value):
            yield from walk(shape.member, item, (*path, number))
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from walk(shape.value, item, (*path, key))


def members(shape: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every member that a shape can have; lists and maps add no step of their own."""
    if shape is None:
        return
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield (*path, name)
            yield from members(member, (*path, name))
    elif shape.type_name == "list":
        yield from members(shape.member, path)


def pointer(path: Path) -> str:
    """As the service writes a path in its messages."""
    return "".join(f"/{step}" for step in path)


def _copied(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else list(value)


def replaced(value: Any, path: Path, new: Any) -> Any:
    """A copy of `value` with `new` at the path."""
    if not path:
        return new
    copy = _copied(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


def removed(value: Any, path: Path) -> Any:
    """A copy of `value` without the member at the path."""
    copy = _copied(value)
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = removed(copy[path[0]], path[1:])
    return copy


# --- valid requests


def bucket_arn(bucket: str) -> str:
    return f"arn:aws:s3vectors:us-east-1:{ACCOUNT}:bucket/{bucket}"


def index_arn(bucket: str, index: str) -> str:
    return f"{bucket_arn(bucket)}/index/{index}"


_BUCKET = {"vectorBucketName": "bucket"}
_BY_BUCKET_ARN = {"vectorBucketArn": bucket_arn("bucket")}
_INDEX = {"vectorBucketName": "bucket", "indexName": "index"}
_BY_INDEX_ARN = {"indexArn": index_arn("bucket", "index")}
_ENCRYPTION = {
    "sseType": "aws:kms",
    "kmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/1234abcd",
}
_TAGS = {"tags": {"team": "search"}}
_VECTOR = {"float32": [1.0, 2.0]}
_TEXT_SEARCH = {"metadataKey": "title", "language": "en", "status": "ACTIVE"}
_NEW_INDEX = {
    "indexName": "made",
    "dataType": "float32",
    "dimension": 2,
    "distanceMetric": "cosine",
    "metadataConfiguration": {
        "nonFilterableMetadataKeys": ["note"],
        "textSearchConfigurations": [_TEXT_SEARCH],
    },
    "encryptionConfiguration": _ENCRYPTION,
    **_TAGS,
}
_LISTING = {"maxResults": 1, "prefix": "b"}
_READ = {"returnData": True, "returnMetadata": True}
_QUERY = {
    "topK": 101,
    "queryVector": _VECTOR,
    "filter": {"n": {"$gte": 0}},
    "queryMode": "ENHANCED",
    "returnMetadata": True,
    "returnDistance": True,
    "returnScores": True,
}

# Requests that are valid in the order in which they stand here, on a server of the test's making
# (prepare); for each operation they have, together, every member that the model knows, but for
# nextToken.
VALID: dict[str, list[dict[str, Any]]] = {
    "CreateVectorBucket": [
        {"vectorBucketName": "made", "encryptionConfiguration": _ENCRYPTION, **_TAGS}
    ],
    "CreateIndex": [
        {**_BUCKET, **_NEW_INDEX},
        {**_BY_BUCKET_ARN, **_NEW_INDEX, "indexName": "made-too"},
    ],
    "GetVectorBucket": [{"vectorBucketName": "made"}, _BY_BUCKET_ARN],
    "ListVectorBuckets": [_LISTING],
    "PutVectorBucketPolicy": [
        {**target, "policy": '{"Version":"2012-10-17","Statement":[]}'}
        for target in (_BUCKET, _BY_BUCKET_ARN)
    ],
    "GetVectorBucketPolicy": [_BUCKET, _BY_BUCKET_ARN],
    "DeleteVectorBucketPolicy": [_BUCKET, _BY_BUCKET_ARN],
    "PutVectorBucketDefaultIndexMode": [
        {**target, "defaultIndexMode": "ENHANCED"} for target in (_BUCKET, _BY_BUCKET_ARN)
    ],
    "GetIndex": [{"vectorBucketName": "bucket", "indexName": "made"}, _BY_INDEX_ARN],
    "ListIndexes": [{**_BUCKET, "maxResults": 1, "prefix": "m"}, {**_BY_BUCKET_ARN, **_LISTING}],
    "UpdateIndexMode": [{**target, "indexMode": "ENHANCED"} for target in (_INDEX, _BY_INDEX_ARN)],
    "UpdateMetadataConfiguration": [
        {**_INDEX, "add": {"textSearchConfigurations": [_TEXT_SEARCH]}},
        {**_BY_INDEX_ARN, "delete": {"textSearchConfigurations": [{"metadataKey": "title"}]}},
    ],
    "PutVectors": [
        {**target, "vectors": [{"key": f"k{n}", "data": _VECTOR, "metadata": {"n": n}}]}
        for n, target in enumerate((_INDEX, _BY_INDEX_ARN))
    ],
    "GetVectors": [{**target, "keys": ["k0"], **_READ} for target in (_INDEX, _BY_INDEX_ARN)],
    "ListVectors": [
        {**target, "maxResults": 1, "segmentCount": 1, "segmentIndex": 0, **_READ}
        for target in (_INDEX, _BY_INDEX_ARN)
    ],
    "QueryVectors": [{**target, **_QUERY} for target in (_INDEX, _BY_INDEX_ARN)],
    "DeleteVectors": [{**target, "keys": ["k0"]} for target in (_INDEX, _BY_INDEX_ARN)],
    "TagResource": [{"resourceArn": index_arn("bucket", "index"), **_TAGS}],
    "ListTagsForResource": [{"resourceArn": index_arn("bucket", "index")}],
    "UntagResource": [{"resourceArn": index_arn("bucket", "index"), "tagKeys": ["team"]}],
    "DeleteIndex": [
        {"vectorBucketName": "bucket", "indexName": "made"},
        {"indexArn": index_arn("bucket", "made-too")},
    ],
    "DeleteVectorBucket": [
        {"vectorBucketName": "made"},
        {"vectorBucketArn": bucket_arn("bucket-too")},
    ],
}

# Well-formed, though this server answers them with the one error that says it cannot.
TEXT_QUERY = {
    **_INDEX,
    "topK": 1,
    "queryTexts": [{"text": "some words", "metadataKey": "body"}],
}
WELL_FORMED = VALID | {"QueryVectors": [*VALID["QueryVectors"], TEXT_QUERY]}


def prepare(client: Any) -> None:
    """Makes what the valid requests are about: bucket/index with 110 vectors, and bucket-too."""
    client.create_vector_bucket(vectorBucketName="bucket")
    client.create_vector_bucket(vectorBucketName="bucket-too")
    for name in ("index", "made-before"):
        client.create_index(
            **_BUCKET,
            indexName=name,
            dataType="float32",
            dimension=2,
            distanceMetric="cosine",
            metadataConfiguration={
                "nonFilterableMetadataKeys": ["note"],
                "textSearchConfigurations": [{"metadataKey": "body"}],
            },
        )
    client.put_vectors(
        **_INDEX,
        vectors=[{"key": f"v{n}", "data": _VECTOR, "metadata": {"n": n}} for n in range(110)],
    )
