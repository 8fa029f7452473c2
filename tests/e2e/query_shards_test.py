"""Goal: a query over 16 shards gives exactly what one index with all the vectors gives, names a
shard that fails, and shards are shown and deleted as one. Method: real embeddings and vectors full
of ties, put by boto3 into one index and by Python's xxhash into shards; boto3 asks the one index,
and numpy says what the distances are.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import xxhash

from support.program import ROOT, Outcome, Program
from support.proxy import CountingProxy
from support.servers import VecloadServer
from support.vectors import Floats

SHARDS = 16
PACKAGES = ROOT / "examples/data/debian-packages-small.parquet"


def shard_name(base: str, shard: int) -> str:
    return f"{base}-{shard:04d}"


def make_indexes(
    client: Any, dimension: int, metric: str, shards: int = SHARDS, base: str = "base"
) -> None:
    """bucket/one, and the shards of bucket/BASE."""
    client.create_vector_bucket(vectorBucketName="bucket")
    settings = {"dataType": "float32", "dimension": dimension, "distanceMetric": metric}
    client.create_index(vectorBucketName="bucket", indexName="one", **settings)
    for shard in range(shards):
        client.create_index(
            vectorBucketName="bucket", indexName=shard_name(base, shard), **settings,
            tags={"vecload:shard-scheme": "xxh3-64", "vecload:shards": str(shards),
                  "vecload:shard": str(shard)},
        )  # fmt: skip


def put(client: Any, index: str, vectors: Sequence[dict[str, Any]]) -> None:
    for begin in range(0, len(vectors), 500):
        client.put_vectors(
            vectorBucketName="bucket", indexName=index, vectors=vectors[begin : begin + 500]
        )


def fill(
    client: Any, keys: Sequence[str], vectors: Floats, metadata: Sequence[dict[str, Any]]
) -> None:
    """Puts everything into bucket/one, and each key into the shard that xxhash names."""
    records = [
        {"key": key, "data": {"float32": vector.tolist()}, "metadata": more}
        for key, vector, more in zip(keys, vectors, metadata, strict=True)
    ]
    put(client, "one", records)
    for shard in range(SHARDS):
        own = [
            record
            for record in records
            if xxhash.xxh3_64_intdigest(record["key"].encode()) % SHARDS == shard
        ]
        put(client, shard_name("base", shard), own)


def ask_one(client: Any, vector: Sequence[float], top_k: int, filter_: Any = None) -> Any:
    """What the one index gives: key, distance, metadata."""
    more = {"filter": filter_} if filter_ else {}
    pages = client.get_paginator("query_vectors").paginate(
        vectorBucketName="bucket", indexName="one", topK=top_k, returnDistance=True,
        returnMetadata=True, queryVector={"float32": list(vector)}, **more,
    )  # fmt: skip
    return [
        (match["key"], np.float32(match["distance"]), match["metadata"])
        for page in pages
        for match in page["vectors"]
    ]


def ask_shards(
    program: Program, vector: Sequence[float], top_k: int, filter_: Any = None, *flags: str
) -> Outcome:
    more = ("--filter", json.dumps(filter_)) if filter_ else ()
    return program.run("query", "--index", "bucket/base", "--vector", json.dumps(list(vector)),
                       "--top-k", str(top_k), *more, "--output", "json", *flags)  # fmt: skip


def told(done: Outcome) -> Any:
    return [
        (match["key"], np.float32(match["distance"]), match["metadata"])
        for match in done.json["neighbors"]
    ]


def cosine_distances(vectors: Floats, vector: Floats) -> Floats:
    wide = vectors.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1) * np.linalg.norm(vector.astype(np.float64))
    return (1 - wide @ vector.astype(np.float64) / norms).astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_real_embeddings_in_16_shards(program: Program, server: VecloadServer, metric: str) -> None:
    # All of them once; the other metric takes the same ways with fewer.
    table = pq.read_table(PACKAGES).slice(0, 4000 if metric == "cosine" else 1000)
    keys = table["package"].to_pylist()
    vectors = np.array(table["embedding"].to_pylist(), dtype=np.float32)
    sections = table["section"].to_pylist()
    sizes = table["installed_size_kb"].to_pylist()
    metadata: list[dict[str, Any]] = [
        {"section": section} | ({"size": size} if size is not None else {})
        for section, size in zip(sections, sizes, strict=True)
    ]
    client = server.client()
    make_indexes(client, vectors.shape[1], metric)
    fill(client, keys, vectors, metadata)
    filters: list[Any] = [
        None, {"section": "video"}, {"size": {"$gte": 5000}}, {"section": "nowhere"},
        {"$and": [{"section": {"$in": ["libs", "python"]}}, {"size": {"$lt": 300}}]},
    ]  # fmt: skip
    rows = np.random.default_rng(3).choice(len(keys), 4, replace=False)
    for number, row in enumerate(rows):
        for top_k in (1, 10, 100, 10_000) if number == 0 else (10, 250):
            for filter_ in filters:
                done = ask_shards(program, vectors[row].tolist(), top_k, filter_)
                assert done.exit_code == 0, done.stderr
                expected = ask_one(client, vectors[row].tolist(), top_k, filter_)
                assert told(done) == expected
                assert done.json["shards"] == SHARDS and done.json["shards_failed"] == []
    if metric == "cosine":
        done = ask_shards(program, vectors[rows[0]].tolist(), 50)
        distances = cosine_distances(vectors, vectors[rows[0]])
        nearest = np.sort(distances)[:50]
        np.testing.assert_allclose([found[1] for found in told(done)], nearest, atol=2e-6)


def test_ties_and_ten_thousand_of_more(program: Program, server: VecloadServer) -> None:
    client = server.client()
    make_indexes(client, 2, "euclidean")
    grid = np.random.default_rng(5).integers(-20, 20, (12_000, 2)).astype(np.float32)
    keys = [f"k\u00e9{row}" if row % 7 else f"{row}/\U0001f600" for row in range(len(grid))]
    fill(client, keys, grid, [{"even": row % 2 == 0} for row in range(len(grid))])
    for vector in ([0.0, 0.0], [30.0, 1.0]):
        for top_k in (1, 10, 100, 10_000):
            done = ask_shards(program, vector, top_k)
            assert told(done) == ask_one(client, vector, top_k), (vector, top_k)
    done = ask_shards(program, [0.5, 0.5], 10_000, {"even": True})
    assert told(done) == ask_one(client, [0.5, 0.5], 10_000, {"even": True})
    assert len(done.json["neighbors"]) == 6000


def test_like_takes_the_vector_from_the_keys_shard(program: Program, server: VecloadServer) -> None:
    client = server.client()
    make_indexes(client, 1, "euclidean")
    keys = [f"k{row}" for row in range(64)]
    fill(client, keys, np.arange(64, dtype=np.float32).reshape(-1, 1), [{}] * 64)
    for key in ("k0", "k31", "k63"):
        done = program.run("query", "--index", "bucket/base", "--like", key, "--top-k", "2",
                           "--output", "json")  # fmt: skip
        one = program.run("query", "--index", "bucket/one", "--like", key, "--top-k", "2",
                          "--output", "json")  # fmt: skip
        assert done.exit_code == 0, done.stderr
        assert done.json["neighbors"] == one.json["neighbors"]
        assert one.json["shards"] == 1
    text = program.run("query", "--index", "bucket/base", "--like", "k5", "--top-k", "2")
    assert len(text.stdout.splitlines()) == 3
    assert "16 of the 16 shards of bucket/base answered" in text.stderr
    absent = program.run("query", "--index", "bucket/base", "--like", "zzz")
    assert absent.exit_code == 1 and "bucket/base has no vector with this key" in absent.stderr


class RefusingProxy(CountingProxy):
    """Answers the queries of one index itself: AccessDenied, which is not tried again."""

    refused = b"base-0005"

    def answer_instead(self, request: bytes) -> bytes:
        if not request.startswith(b"POST /QueryVectors ") or self.refused not in request:
            return b""
        body = b'{"message":"not for you"}'
        return (
            b"HTTP/1.1 403 Forbidden\r\nx-amzn-ErrorType: AccessDeniedException\r\n"
            b"Content-Type: application/json\r\nContent-Length: "
            + str(len(body)).encode() + b"\r\n\r\n" + body
        )  # fmt: skip


@pytest.fixture
def refusing(program: Program, server: VecloadServer) -> Iterator[RefusingProxy]:
    proxy = RefusingProxy(server.port)
    program.env["AWS_ENDPOINT_URL_S3VECTORS"] = proxy.url
    yield proxy
    proxy.stop()


@pytest.mark.usefixtures("refusing")
def test_a_shard_that_fails_is_named(program: Program, server: VecloadServer) -> None:
    client = server.client()
    make_indexes(client, 1, "euclidean")
    keys = [f"k{row}" for row in range(200)]
    fill(client, keys, np.arange(200, dtype=np.float32).reshape(-1, 1), [{}] * 200)
    failed = ask_shards(program, [0.0], 200)
    assert failed.exit_code == 1 and failed.stdout == ""
    assert "bucket/base is divided into 16 shards, and one failed" in failed.stderr
    assert "bucket/base-0005" in failed.stderr and "not for you" in failed.stderr
    partial = ask_shards(program, [0.0], 200, None, "--allow-partial")
    assert partial.exit_code == 3
    assert "without shard bucket/base-0005" in partial.stderr
    assert [shard["index"] for shard in partial.json["shards_failed"]] == ["bucket/base-0005"]
    expected = [key for key in keys if xxhash.xxh3_64_intdigest(key.encode()) % SHARDS != 5]
    assert [match["key"] for match in partial.json["neighbors"]] == expected
    wrong = ask_shards(program, [0.0, 1.0], 5, None, "--allow-partial")
    assert wrong.exit_code == 1, "no shard can answer this"


def test_a_set_that_is_not_whole_or_not_alike(program: Program, server: VecloadServer) -> None:
    client = server.client()
    make_indexes(client, 1, "euclidean", shards=3)
    client.delete_index(vectorBucketName="bucket", indexName="base-0001")
    for command in (("query", "--vector", "[1]", "--index"), ("index", "show")):
        missing = program.run(*command, "bucket/base")
        assert missing.exit_code == 1 and "base-0001" in missing.stderr, command
    for dimension, metric, told_ in ((2, "euclidean", "dimension 2"), (1, "cosine", "metric")):
        client.create_index(vectorBucketName="bucket", indexName="base-0001", dataType="float32",
                            dimension=dimension, distanceMetric=metric)  # fmt: skip
        other = program.run("query", "--vector", "[1]", "--index", "bucket/base")
        assert other.exit_code == 1 and told_ in other.stderr and "base-0001" in other.stderr
        client.delete_index(vectorBucketName="bucket", indexName="base-0001")


def names(client: Any) -> list[str]:
    found = client.list_indexes(vectorBucketName="bucket")["indexes"]
    return sorted(index["indexName"] for index in found)


def test_shards_are_shown_and_deleted_by_their_base(
    program: Program, server: VecloadServer
) -> None:
    client = server.client()
    make_indexes(client, 3, "cosine")
    client.create_index(vectorBucketName="bucket", indexName="base-0099", dataType="float32",
                        dimension=3, distanceMetric="cosine")  # fmt: skip
    shown = program.run("index", "show", "bucket/base", "--output", "json").json
    assert (shown["index"], shown["shards"]) == ("bucket/base", SHARDS)
    assert (shown["dimension"], shown["distance_metric"]) == (3, "cosine")
    assert [index["index"] for index in shown["indexes"]] == [
        f"bucket/base-{shard:04d}" for shard in range(SHARDS)
    ]
    created = client.get_index(vectorBucketName="bucket", indexName="base-0007")["index"]
    # boto3 rounds to microseconds.
    assert abs(shown["indexes"][7]["creation_time_s"] - created["creationTime"].timestamp()) < 1e-5
    assert shown["indexes"][7]["arn"] == created["indexArn"]
    text = program.run("index", "show", "bucket/base").stdout
    assert "16: bucket/base-0000 to bucket/base-0015" in text
    # What an interrupted delete leaves behind, without its first shard too.
    for gone in ("base-0015", "base-0000"):
        client.delete_index(vectorBucketName="bucket", indexName=gone)
    done = program.run("index", "delete", "bucket/base")
    assert done.stdout == "deleted bucket/base (14 shards)\n", done.stderr
    assert names(client) == ["base-0099", "one"], "what is no shard is not touched"
    again = program.run("index", "delete", "bucket/base")
    assert again.exit_code == 1 and "bucket/base" in again.stderr
