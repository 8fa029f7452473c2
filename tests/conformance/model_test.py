"""Goal: the server handles every operation and every member of the service's model, and a newer
model with more of them makes this fail.

Method: the model itself is walked. Each operation must answer a valid request; together the valid
requests must hold every input member, and the answers every output member. That a member is read,
rather than passed over as an unknown one, shows when its value has the wrong JSON type: only who
reads it can refuse it.
"""

import re
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

import pytest
from botocore.model import Shape

from support.api import (
    TEXT_QUERY,
    VALID,
    WELL_FORMED,
    RawClient,
    members,
    operations,
    pointer,
    prepare,
    replaced,
    walk,
)
from support.servers import VecloadServer

OPERATIONS = operations()
# What a reply would say of text search, which this server answers with an error instead.
OUTPUT_NEVER_SENT = {
    ("vectors", "scores"),
    ("vectors", "scores", "fused"),
    ("vectors", "scores", "bm25Scores"),
    ("vectors", "scores", "bm25Scores", "metadataKey"),
    ("vectors", "scores", "bm25Scores", "score"),
    ("vectors", "scores", "vectorDistance"),
}


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawClient]:
    folder: FilePath = tmp_path_factory.mktemp("model")
    server = VecloadServer(folder / "server", "--ephemeral")
    prepare(server.client())
    client = RawClient(server.port)
    yield client
    client.close()
    server.stop()


def without_numbers(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return tuple(step for step in path if isinstance(step, str))


def present(shape: Shape | None, value: Any) -> set[tuple[str | int, ...]]:
    if shape is None:
        return set()
    # A map's keys are the user's, not the model's.
    return {without_numbers(path) for path, _, _ in walk(shape, value)}


def test_the_requests_cover_the_model() -> None:
    assert set(VALID) == set(OPERATIONS)
    for name, operation in OPERATIONS.items():
        known = set(members(operation.input)) - {("nextToken",)}
        covered: set[tuple[str | int, ...]] = set()
        for request in WELL_FORMED[name]:
            covered |= present(operation.input, request)
        assert known <= covered, f"{name}: {known - covered}"


def test_every_operation_answers_with_every_member(raw: RawClient) -> None:
    for name, requests in VALID.items():
        operation = OPERATIONS[name]
        seen: set[tuple[str | int, ...]] = set()
        for request in requests:
            answer = raw.send(operation, request)
            assert answer.status == 200, f"{name}: {answer}"
            seen |= present(operation.output, answer.body)
            if token := answer.body.get("nextToken"):
                following = raw.send(operation, request | {"nextToken": token})
                assert following.status == 200, f"{name}: {following}"
        known = set(members(operation.output)) - OUTPUT_NEVER_SENT
        assert known <= seen, f"{name} answers without {known - seen}"


def wrong_type(shape: Shape) -> Any:
    return 5 if shape.type_name == "string" else "text"


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_member_is_read(raw: RawClient, name: str) -> None:
    operation = OPERATIONS[name]
    checked: set[tuple[str | int, ...]] = set()
    for request in WELL_FORMED[name]:
        for path, shape, _ in walk(operation.input, request | {"nextToken": "x"}):
            if without_numbers(path) in checked:
                continue
            if operation.input.members[str(path[0])].serialization.get("location"):
                continue  # part of a URL, where all is text; strictness_test.py breaks these
            checked.add(without_numbers(path))
            broken = replaced(request | {"nextToken": "x"}, path, wrong_type(shape))
            answer = raw.send(operation, broken)
            assert answer.status == 400, f"{path}: {answer}"
            if getattr(shape, "is_document_type", False):
                assert answer.code == "ValidationException", f"{path}: {answer}"
                continue
            assert answer.code == "SerializationException", f"{path}: {answer}"
            named = re.sub(r"/\d+", "", answer.message)
            assert f"'{pointer(without_numbers(path))}' must be" in named, f"{path}: {answer}"


def test_unknown_operations_are_told_as_such(raw: RawClient) -> None:
    for method, uri in (("POST", "/NoSuchOperation"), ("PUT", "/tags/x"), ("GET", "/PutVectors")):
        answer = raw.send_text(method, uri, "{}")
        assert (answer.status, answer.code) == (404, "UnknownOperationException")


def test_a_query_by_text_gets_one_clear_error(raw: RawClient) -> None:
    answer = raw.send(OPERATIONS["QueryVectors"], TEXT_QUERY)
    assert (answer.status, answer.code) == (400, "ValidationException")
    assert "does not rank by text" in answer.message
    assert answer.paths == ["queryTexts"]
