"""Goal: a filter lets through exactly the vectors that the filter language says, nearest first,
whatever was put, replaced and deleted before.

Method: seeded random metadata and filters; every answer is compared with a plain reference in
Python that knows nothing of how the server keeps metadata. A failure prints the filter.
"""

from typing import Any

import pytest

from support.api import RawClient, operations
from support.filters import Maker, Metadata, lets_through
from support.servers import VecloadServer

OPERATIONS = operations()
INDEX = {"vectorBucketName": "bucket", "indexName": "index"}


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
