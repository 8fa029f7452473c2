"""Goal: what the service refuses, this server refuses, with the same error in the same place.

Method: the first half is generated. Each constraint of the service's model (length, range, pattern,
enum, required) is broken, one at a time, in a request that is valid otherwise, and must be answered
with ValidationException, 400, the service's wording and the member's path; at its bounds the same
constraint must not be complained of. The second half is by hand: the rules that the model does not
say, as they were seen on the live service or are documented.
"""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from support.api import (
    WELL_FORMED,
    Answer,
    Operation,
    Path,
    RawClient,
    bucket_arn,
    index_arn,
    operations,
    pointer,
    prepare,
    removed,
    replaced,
    walk,
)
from support.servers import VecloadServer

OPERATIONS = operations()
# The model has no maximum, the service's documents do.
MAXIMA = {"TopK": 10_000}
BODY_BYTES_MAX = 20_971_520


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VecloadServer]:
    server = VecloadServer(tmp_path_factory.mktemp("strictness") / "server", "--ephemeral")
    prepare(server.client())
    yield server
    server.stop()


@pytest.fixture(scope="module")
def raw(server: VecloadServer) -> Iterator[RawClient]:
    client = RawClient(server.port)
    yield client
    client.close()


# --- the model's constraints


@dataclass
class Case:
    """A request with one member changed, and what is said of it where that is a fault."""

    request: dict[str, Any]
    path: str
    complaint: str


def length_complaint(length: int, path: str, bounds: dict[str, Any]) -> str:
    return (
        f"Value with length {length} at '{path}' failed to satisfy constraint: Member must have "
        f"length between {bounds['min']} and {bounds['max']}, inclusive"
    )


def text_of(length: int) -> str:
    return "x" * length


def longer(value: list[Any], length: int) -> list[Any]:
    return (value * length)[:length]


def sized(shape: Any, value: Any, length: int) -> Any:
    return text_of(length) if shape.type_name == "string" else longer(value, length)


def pattern_of(shape: Any) -> str:
    """As the service writes it: for tags with the anchors that the model leaves out."""
    pattern: str = shape.metadata["pattern"]
    return f"^{pattern}$" if shape.name.startswith("Tag") else pattern


def broken(request: dict[str, Any], path: Path, shape: Any, value: Any) -> Iterator[Case]:
    """Each way to break the constraints of the member at the path."""
    at = pointer(path)
    bounds = shape.metadata | ({"max": MAXIMA[shape.name]} if shape.name in MAXIMA else {})

    def changed(new: Any, complaint: str) -> Case:
        return Case(replaced(request, path, new), at, complaint)

    if shape.type_name in ("string", "list") and "max" in bounds:
        lengths = [bounds["max"] + 1] + ([bounds["min"] - 1] if bounds["min"] > 0 else [])
        for length in lengths:
            yield changed(sized(shape, value, length), length_complaint(length, at, bounds))
    if shape.type_name == "integer":
        for number in (bounds["min"] - 1, bounds["max"] + 1):
            yield changed(
                number,
                f"Value at '{at}' failed to satisfy constraint: Member must be between "
                f"{bounds['min']} and {bounds['max']}, inclusive",
            )
    if "pattern" in bounds:
        yield changed(
            "!",
            f"Value at '{at}' failed to satisfy constraint: Member must satisfy regular "
            f"expression pattern: {pattern_of(shape)}",
        )
    if "enum" in bounds:
        values = ", ".join(bounds["enum"])
        yield changed(
            "nonsense",
            f"Value at '{at}' failed to satisfy constraint: Member must satisfy enum value "
            f"set: [{values}]",
        )
    if shape.type_name == "map":
        key_bounds = shape.key.metadata
        for key in ("", text_of(key_bounds["max"] + 1)):
            yield changed({key: ""}, length_complaint(len(key), at, key_bounds))
        yield changed({"!": ""}, f"regular expression pattern: {pattern_of(shape.key)}")
    if shape.type_name == "structure":
        yield from without_required(request, path, shape)


def without_required(request: dict[str, Any], path: Path, shape: Any) -> Iterator[Case]:
    for name in shape.required_members:
        if shape.members[name].serialization.get("location") == "uri":
            continue  # a request without it has another URL
        at = pointer((*path, name))
        complaint = f"Value at '{at}' failed to satisfy constraint: Member must not be null"
        yield Case(removed(request, (*path, name)), at, complaint)


def within_bounds(request: dict[str, Any], path: Path, shape: Any, value: Any) -> Iterator[Case]:
    """The same member at the ends of what is allowed, or with each value of its enum."""
    at = pointer(path)
    for one in shape.metadata.get("enum", []):
        yield Case(replaced(request, path, one), at, f"at '{at}' failed to satisfy constraint")
    bounds = shape.metadata | ({"max": MAXIMA[shape.name]} if shape.name in MAXIMA else {})
    for bound in ("min", "max"):
        if bound not in bounds:
            continue
        new = bounds[bound]
        if shape.type_name != "integer":
            new = sized(shape, value, new)
        # A text of this length need not have the right pattern.
        measure = "be between" if shape.type_name == "integer" else "have length"
        complaint = f"at '{at}' failed to satisfy constraint: Member must {measure}"
        yield Case(replaced(request, path, new), at, complaint)


def places(operation: Operation, name: str) -> Iterator[tuple[dict[str, Any], Path, Any, Any]]:
    """Each member of the valid requests, once."""
    seen: set[str] = set()
    for request in WELL_FORMED[name]:
        whole = request
        if "nextToken" in operation.input.members:
            whole = request | {"nextToken": "x"}
        for path, shape, value in walk(operation.input, whole):
            if pointer(path) not in seen:
                seen.add(pointer(path))
                yield whole, path, shape, value


def assert_complaint(answer: Answer, case: Case) -> None:
    assert (answer.status, answer.code) == (400, "ValidationException"), f"{case}: {answer}"
    assert case.complaint in answer.message, f"{case}: {answer}"
    count = len(answer.paths)
    errors = "error" if count == 1 else "errors"
    assert answer.message.startswith(f"{count} validation {errors} detected. "), answer
    assert case.path in answer.paths, f"{case}: {answer}"


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_constraint_of_the_model_is_kept(raw: RawClient, name: str) -> None:
    operation = OPERATIONS[name]
    cases = list(without_required(WELL_FORMED[name][0], (), operation.input))
    for request, path, shape, value in places(operation, name):
        cases += broken(request, path, shape, value)
    assert cases or name == "ListTagsForResource"
    for case in cases:
        assert_complaint(raw.send(operation, case.request), case)


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_constraint_is_stricter_than_the_models(raw: RawClient, name: str) -> None:
    operation = OPERATIONS[name]
    for request, path, shape, value in places(operation, name):
        for case in within_bounds(request, path, shape, value):
            answer = raw.send(operation, case.request)
            assert case.complaint not in answer.message, f"{case}: {answer}"
            assert answer.code != "SerializationException", f"{case}: {answer}"


def test_all_faults_are_told_at_once(raw: RawClient) -> None:
    request = {"vectorBucketName": "ab", "maxResults": 0, "prefix": ""}
    answer = raw.send(OPERATIONS["ListIndexes"], request)
    assert answer.message.startswith("3 validation errors detected. Value ")
    assert set(answer.paths) == {"/vectorBucketName", "/maxResults", "/prefix"}


# --- a target in exactly one of two ways

BY_NAME = {"vectorBucketName": "bucket", "indexName": "index"}
NOT_AN_INDEX = "Must specify either indexArn or both vectorBucketName and indexName"
NOT_A_BUCKET = "Must specify either vectorBucketName or vectorBucketArn but not both"


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_target_is_named_in_exactly_one_way(raw: RawClient, name: str) -> None:
    operation = OPERATIONS[name]
    ways = {"vectorBucketName", "indexName", "indexArn", "vectorBucketArn"}
    ways &= set(operation.input.members) - set(operation.input.required_members)
    if not ways or name == "CreateVectorBucket":
        return
    rest = {k: v for k, v in WELL_FORMED[name][0].items() if k not in ways}
    if "indexArn" in ways:
        arn = {"indexArn": index_arn("bucket", "index")}
        targets = [{}, {"vectorBucketName": "bucket"}, {"indexName": "index"}, arn | BY_NAME]
        targets.append(arn | {"indexName": "index"})
        message = NOT_AN_INDEX
    else:
        targets = [{}, {"vectorBucketName": "bucket", "vectorBucketArn": bucket_arn("bucket")}]
        message = NOT_A_BUCKET
    for target in targets:
        answer = raw.send(operation, rest | target)
        assert (answer.status, answer.code) == (400, "ValidationException"), answer
        assert answer.message == message


# --- rules that the model does not say


def put(metadata: Any = None, **members: Any) -> tuple[str, dict[str, Any]]:
    vector = {"key": "k", "data": {"float32": [1, 2]}} | members
    if metadata is not None:
        vector["metadata"] = metadata
    return "PutVectors", BY_NAME | {"vectors": [vector]}


def query(**members: Any) -> tuple[str, dict[str, Any]]:
    return "QueryVectors", BY_NAME | {"topK": 1, "queryVector": {"float32": [1, 2]}} | members


def create_index(**members: Any) -> tuple[str, dict[str, Any]]:
    whole = {
        "vectorBucketName": "bucket",
        "indexName": "fresh",
        "dataType": "float32",
        "dimension": 2,
        "distanceMetric": "cosine",
    }
    return "CreateIndex", whole | members


def encrypted(**members: str) -> tuple[str, dict[str, Any]]:
    return create_index(encryptionConfiguration=members)


def record(rule: str) -> str:
    return f"Invalid record for key 'k': {rule}"


KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"
TYPES = "Metadata values must be strings, numbers, booleans, or arrays"
TOO_MANY_TAGS = {"tags": {str(n): "" for n in range(51)}}
# (request, message, paths)
REFUSED: dict[str, tuple[tuple[str, dict[str, Any]], str, list[str]]] = {
    "key of 1025 bytes": (
        put(key="é" * 513),
        "Record key length exceeds the maximum allowed",
        ["/vectors/0/key"],
    ),
    "vector too short": (
        put(data={"float32": [1]}),
        record("vector must have length 2, but has length 1"),
        ["vectors[0].data"],
    ),
    "beyond float32": (
        put(data={"float32": [1, 3.40282357e38]}),
        record("vector contains NaNs or Infs"),
        ["vectors[0].data"],
    ),
    "NaN as text": (
        put(data={"float32": [1, "NaN"]}),
        record("vector contains NaNs or Infs"),
        ["vectors[0].data"],
    ),
    "zero under cosine": (
        put(data={"float32": [0, 1e-60]}),
        record("cosine distance does not support vectors with zero norm"),
        ["vectors[0].data"],
    ),
    "null": (put({"a": None}), record(TYPES), ["vectors[0].metadata"]),
    "null under a non-filterable key": (
        put({"note": None}),
        record(TYPES),
        ["vectors[0].metadata"],
    ),
    "nested object": (put({"a": {"b": 1}}), record(TYPES), ["vectors[0].metadata"]),
    "array of booleans": (
        put({"a": [True]}),
        record("Metadata array values must be strings or numbers"),
        ["vectors[0].metadata"],
    ),
    "empty array": (
        put({"a": []}),
        record("Empty arrays are not allowed in metadata"),
        ["vectors[0].metadata"],
    ),
    "51 metadata keys": (
        put({f"k{n}": 1 for n in range(51)}),
        record("Metadata object must have at most 50 keys"),
        ["vectors[0].metadata"],
    ),
    # 4 + 8 + 1 for the key
    "2,049 filterable bytes": (
        put({"a": "x" * (2049 - 13)}),
        record("Filterable metadata must have at most 2048 bytes"),
        ["vectors[0].metadata"],
    ),
    "40,961 bytes": (
        put({"note": "x" * (40_961 - 16)}),
        record("Metadata object must have at most 40960 bytes"),
        ["vectors[0].metadata"],
    ),
    "query too short": (
        query(queryVector={"float32": [1]}),
        "Query vector contains invalid values or is invalid for this index",
        ["queryVector"],
    ),
    "zero query": (
        query(queryVector={"float32": [0, 0]}),
        "Query vector contains invalid values or is invalid for this index",
        ["queryVector"],
    ),
    "CLASSIC query of an ENHANCED index": (
        query(queryMode="CLASSIC"),
        "An ENHANCED index cannot be queried in CLASSIC mode",
        ["queryMode"],
    ),
    "text under a key that is not searchable": (
        query(queryTexts=[{"text": "a", "metadataKey": "other"}]),
        "The metadata key other has no text search configuration",
        ["queryTexts"],
    ),
    "foreign token": (
        query(nextToken="AAAA"),
        "The specified nextToken is not valid",
        ["nextToken"],
    ),
    "repeated keys": (
        ("DeleteVectors", BY_NAME | {"keys": ["a", "a"]}),
        "Request must not contain duplicate keys",
        ["keys"],
    ),
    "one segment member alone": (
        ("ListVectors", BY_NAME | {"segmentCount": 2}),
        "segmentCount and segmentIndex must be given together",
        ["segmentIndex"],
    ),
    "segment out of range": (
        ("ListVectors", BY_NAME | {"segmentCount": 2, "segmentIndex": 2}),
        "segmentIndex must be less than segmentCount",
        ["segmentIndex"],
    ),
    "bucket name": (
        ("CreateVectorBucket", {"vectorBucketName": "under_score"}),
        "Invalid vector bucket name",
        ["vectorBucketName"],
    ),
    "index name": (create_index(indexName="-dash"), "Invalid index name", ["indexName"]),
    "key with AES256": (
        encrypted(sseType="AES256", kmsKeyArn=KMS_KEY),
        "kmsKeyArn must not be specified when sseType is AES256.",
        ["EncryptionConfiguration"],
    ),
    "key without a type": (
        encrypted(kmsKeyArn=KMS_KEY),
        "kmsKeyArn must not be specified when sseType is AES256.",
        ["EncryptionConfiguration"],
    ),
    "aws:kms without a key": (
        encrypted(sseType="aws:kms"),
        "kmsKeyArn must be specified when sseType is set to aws:kms",
        ["EncryptionConfiguration"],
    ),
    "51 tags": (create_index(**TOO_MANY_TAGS), "Too many tags specified", ["tags"]),
    "system tag": (
        create_index(tags={"aws:owner": "x"}),
        "System tags cannot be added/updated by requester",
        ["tags"],
    ),
    "system tag in upper case": (
        create_index(tags={"AWS:owner": "x"}),
        'Invalid System Tag: AWS:owner must be prefixed with "aws:" in lowercase.',
        ["tags"],
    ),
    "no ARN": (
        ("ListTagsForResource", {"resourceArn": "x"}),
        "Invalid resource ARN",
        ["resourceArn"],
    ),
    "policy that is no JSON": (
        ("PutVectorBucketPolicy", {"vectorBucketName": "bucket", "policy": "{"}),
        "The policy must be a JSON object of at most 20480 bytes",
        ["policy"],
    ),
    "neither add nor delete": (
        ("UpdateMetadataConfiguration", BY_NAME),
        "Must specify either add or delete but not both",
        [],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_rules_beyond_the_model(raw: RawClient, case: str) -> None:
    (name, request), message, paths = REFUSED[case]
    answer = raw.send(OPERATIONS[name], request)
    assert (answer.status, answer.code) == (400, "ValidationException"), answer
    assert answer.message == message
    assert answer.paths == paths


@pytest.mark.parametrize(
    "accepted",
    [
        put({"": 1, "$eq": "x", "a.b": [1, 2.5], "x" * 1024: True}),
        put({"a": "x" * (2048 - 13)}),
        put({"note": "x" * (40_960 - 16)}),
        put(key="é" * 512),
        put({f"k{n}": 1 for n in range(50)}),
        put(data={"float32": [3.4028234663852886e38, 1e-45]}),
        put(unknown={"a": [None]}),
        query(filter={"a.b": 1}, unknown=5),
        create_index(indexName="tags", tags={"Ünï cödé_.:/=+-@9": "välue", "k\U0001d49c": "aws:x"}),
        create_index(indexName="many-tags", tags={str(n): "" for n in range(50)}),
        create_index(indexName="aes", encryptionConfiguration={"sseType": "AES256"}),
        create_index(indexName="1.a-b", tags={}),
    ],
    ids=str,
)
def test_what_is_allowed_is_taken(raw: RawClient, accepted: tuple[str, dict[str, Any]]) -> None:
    name, request = accepted
    answer = raw.send(OPERATIONS[name], request)
    assert answer.status == 200, answer


NOT_FILTERS: list[Any] = [
    {}, "x", 1, [], {"g": None}, {"g": []}, {"g": {}}, {"g": {"x": 1}}, {"g": {"$eg": "a"}},
    {"g": {"$schema": "https://example.com"}}, {"g": {"$in": []}}, {"g": {"$in": "a"}},
    {"g": {"$nin": []}}, {"g": {"$eq": [1]}}, {"g": {"$gt": "a"}}, {"g": {"$lte": True}},
    {"g": {"$exists": 1}}, {"g": {"$startsWith": 1}}, {"g": {"$and": [{"g": 1}]}},
    {"$and": []}, {"$or": []}, {"$or": {"g": 1}}, {"$and": [{}]}, {"$not": {"g": 1}}, {"$eq": 1},
    {"note": "x"}, {"$or": [{"g": 1}, {"note": {"$exists": True}}]},
    {"$and": [{"g": n} for n in range(101)]},
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_FILTERS, ids=lambda value: json.dumps(value)[:60])
def test_what_is_no_filter(raw: RawClient, text: Any) -> None:
    name, request = query(filter=text)
    answer = raw.send(OPERATIONS[name], request)
    assert (answer.status, answer.code) == (400, "ValidationException"), answer
    assert answer.body == {
        "message": "Invalid filter",
        "fieldList": [{"path": "filter", "message": "Invalid filter"}],
    }


# --- bodies


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        '"x"',
        '{"topK":1,}',
        b'{"vectorBucketName":"\xff\xfe\xfd"}',
        '{"vectors":[{"key":"\\ud800","data":{"float32":[1,2]}}]}',
        json.dumps(BY_NAME)[:-1] + ',"vectors":[{"key":"k","data":{"float32":[1,2]},'
        '"metadata":{"a":"\\udfff"}}]}',
    ],
)
def test_what_cannot_be_read(raw: RawClient, body: str | bytes) -> None:
    answer = raw.send_text("POST", "/PutVectors", body)
    assert (answer.status, answer.code) == (400, "SerializationException"), answer
    assert answer.message == "UnknownError"


def test_a_body_of_the_largest_size_is_read(raw: RawClient) -> None:
    body = json.dumps(BY_NAME | {"keys": ["absent"]})
    answer = raw.send_text("POST", "/GetVectors", body + " " * (BODY_BYTES_MAX - len(body)))
    assert answer.status == 200, answer


def test_a_larger_body_is_refused_before_it_is_sent(server: VecloadServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("POST", "/PutVectors")
    connection.putheader("Content-Length", str(BODY_BYTES_MAX + 1))
    connection.endheaders()
    reply = connection.getresponse()  # no byte of the body was sent
    assert reply.status == 400
    assert reply.headers["x-amzn-ErrorType"] == "ValidationException"
    assert json.loads(reply.read())["message"] == "Request body exceeds max allowed size"
    connection.close()
