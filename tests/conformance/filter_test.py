"""Goal: a filter lets through exactly the vectors that the filter language says, nearest first,
whatever was put, replaced and deleted before.

Method: seeded random metadata and filters; every answer is compared with a plain reference in
Python that knows nothing of how the server keeps metadata. A failure prints the filter.
"""

import random
from typing import Any

import pytest

from support.api import RawClient, operations
from support.servers import VecloadServer

OPERATIONS = operations()
INDEX = {"vectorBucketName": "bucket", "indexName": "index"}
Metadata = dict[str, Any]

KEYS = ["a", "b", "c", "number", "größe.x"]
TEXTS = ["", "x", "xy", "xyz", "1", "é", 'q"\\']
NUMBERS = [-1, 0, 0.5, 1, 2, 1e10, 2**53, 0.1]


# --- the reference


def same(left: Any, right: Any) -> bool:
    """Equal, and of one type: True is no 1."""
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def satisfies(operator: str, operand: Any, metadata: Metadata, key: str) -> bool:
    if operator == "$exists":
        return (key in metadata) == operand
    if operator == "$ne":
        return not satisfies("$eq", operand, metadata, key)
    if operator == "$nin":
        return not satisfies("$in", operand, metadata, key)
    if key not in metadata:
        return False
    value = metadata[key]
    for element in value if isinstance(value, list) else [value]:
        match operator:
            case "$eq":
                holds = same(element, operand)
            case "$in":
                holds = any(same(element, one) for one in operand)
            case "$startsWith":
                holds = isinstance(element, str) and element.startswith(operand)
            case "$gt":
                holds = is_number(element) and element > operand
            case "$gte":
                holds = is_number(element) and element >= operand
            case "$lt":
                holds = is_number(element) and element < operand
            case "$lte":
                holds = is_number(element) and element <= operand
            case _:
                raise ValueError(operator)
        if holds:
            return True
    return False


def lets_through(wanted: dict[str, Any], metadata: Metadata) -> bool:
    for key, condition in wanted.items():
        if key == "$and":
            holds = all(lets_through(one, metadata) for one in condition)
        elif key == "$or":
            holds = any(lets_through(one, metadata) for one in condition)
        elif isinstance(condition, dict):
            holds = all(satisfies(op, value, metadata, key) for op, value in condition.items())
        else:
            holds = satisfies("$eq", condition, metadata, key)
        if not holds:
            return False
    return True


# --- random metadata and filters


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def scalar(self) -> Any:
        return self.random.choice([*TEXTS, *NUMBERS, True, False])

    def value(self) -> Any:
        kind = self.random.random()
        if kind < 0.6:
            return self.scalar()
        return self.random.choices(TEXTS if kind < 0.8 else NUMBERS, k=self.random.randint(1, 4))

    def metadata(self) -> Metadata:
        keys = self.random.sample(KEYS, self.random.randint(0, len(KEYS)))
        # The index does not filter by "note", which must not disturb the rest.
        return {key: self.value() for key in keys} | {"note": "x" * self.random.randint(0, 3000)}

    def condition(self, prefixes: bool) -> Any:
        operators = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists"]
        operator = self.random.choice([*operators, "$startsWith"] if prefixes else operators)
        if operator in ("$in", "$nin"):
            return {operator: [self.scalar() for _ in range(self.random.randint(1, 4))]}
        if operator == "$exists":
            return {operator: self.random.random() < 0.5}
        if operator == "$startsWith":
            return {operator: self.random.choice(TEXTS)}
        if operator in ("$eq", "$ne"):
            return {operator: self.scalar()}
        return {operator: self.random.choice(NUMBERS)}

    def filter(self, depth: int = 0, prefixes: bool = True) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            kind = self.random.random()
            key = self.random.choice([*KEYS, "absent"])
            if kind < 0.35 and depth < 3:
                children = range(self.random.randint(1, 3))
                wanted[self.random.choice(["$and", "$or"])] = [
                    self.filter(depth + 1, prefixes) for _ in children
                ]
            elif kind < 0.5:
                wanted[key] = self.scalar()
            else:
                conditions = [self.condition(prefixes) for _ in range(self.random.randint(1, 2))]
                wanted[key] = {op: value for one in conditions for op, value in one.items()}
        return wanted


# --- the server


class Tried:
    """An index of points on a line, key "kN" at N, and what the reference knows of it."""

    def __init__(self, server: VecloadServer, mode: str) -> None:
        client = server.client()
        client.create_vector_bucket(vectorBucketName="bucket")
        client.put_vector_bucket_default_index_mode(
            vectorBucketName="bucket", defaultIndexMode=mode
        )
        client.create_index(
            **INDEX,
            dataType="float32",
            dimension=1,
            distanceMetric="euclidean",
            metadataConfiguration={"nonFilterableMetadataKeys": ["note"]},
        )
        assert client.get_index(**INDEX)["index"]["indexMode"] == mode
        self.raw = RawClient(server.port)
        self.stored: dict[int, Metadata] = {}

    def put(self, rows: dict[int, Metadata]) -> None:
        vectors = [
            {"key": f"k{n}", "data": {"float32": [n]}, "metadata": metadata}
            for n, metadata in rows.items()
        ]
        answer = self.raw.send(OPERATIONS["PutVectors"], INDEX | {"vectors": vectors})
        assert answer.status == 200, answer
        self.stored |= rows

    def delete(self, rows: list[int]) -> None:
        keys = [f"k{n}" for n in rows]
        answer = self.raw.send(OPERATIONS["DeleteVectors"], INDEX | {"keys": keys})
        assert answer.status == 200, answer
        for n in rows:
            self.stored.pop(n, None)

    def query(self, wanted: dict[str, Any], top_k: int) -> list[str]:
        """The keys of all pages."""
        request = INDEX | {"topK": top_k, "queryVector": {"float32": [-1]}, "filter": wanted}
        keys: list[str] = []
        while True:
            answer = self.raw.send(OPERATIONS["QueryVectors"], request)
            assert answer.status == 200, f"{wanted}: {answer}"
            keys += [vector["key"] for vector in answer.body["vectors"]]
            if "nextToken" not in answer.body:
                return keys
            request["nextToken"] = answer.body["nextToken"]

    def check(self, wanted: dict[str, Any], top_k: int) -> int:
        found = [f"k{n}" for n, m in sorted(self.stored.items()) if lets_through(wanted, m)]
        assert self.query(wanted, top_k) == found[:top_k], wanted
        return len(found)


@pytest.mark.parametrize("mode", ["ENHANCED", "CLASSIC"])
@pytest.mark.parametrize("seed", [1, 2])
def test_filters_agree_with_the_reference(server: VecloadServer, mode: str, seed: int) -> None:
    maker = Maker(seed)
    tried = Tried(server, mode)
    tried.put({n: maker.metadata() for n in range(300)})
    counts: list[int] = []
    for _ in range(200):
        wanted = maker.filter(prefixes=mode == "ENHANCED")
        counts.append(tried.check(wanted, maker.random.choice([1, 10, 150, 10_000])))
        # What is in memory must follow what is written.
        change = maker.random.random()
        rows = maker.random.sample(range(330), 3)
        if change < 0.3:
            tried.put({n: maker.metadata() for n in rows})
        elif change < 0.5:
            tried.delete(rows)
    # A reference that always says yes, or no, would prove nothing.
    assert sum(0 < count < len(tried.stored) for count in counts) > 70


def test_a_restart_changes_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("restart")
    data = str(folder / "data")
    maker = Maker(3)
    first = VecloadServer(folder / "first", "--data-dir", data)
    tried = Tried(first, "ENHANCED")
    tried.put({n: maker.metadata() for n in range(200)})
    first.stop()
    second = VecloadServer(folder / "second", "--data-dir", data)
    tried.raw = RawClient(second.port)
    for _ in range(50):
        tried.check(maker.filter(), 10_000)
    second.stop()


def test_an_enhanced_query_of_a_classic_index(server: VecloadServer) -> None:
    tried = Tried(server, "CLASSIC")
    tried.put({0: {"a": "xyz"}, 1: {"a": "abc"}})
    wanted = {"a": {"$startsWith": "x"}}
    request = INDEX | {"topK": 5, "queryVector": {"float32": [0]}, "filter": wanted}
    refused = tried.raw.send(OPERATIONS["QueryVectors"], request)
    assert (refused.code, refused.message) == ("ValidationException", "Invalid filter")
    answer = tried.raw.send(OPERATIONS["QueryVectors"], request | {"queryMode": "ENHANCED"})
    assert answer.body["vectors"] == [{"key": "k0"}]
