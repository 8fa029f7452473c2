"""Goal: our server is S3 Vectors to a stranger: boto3, which carries the service's own model.

Method: boto3 drives the operations; every reply is held against the model's members, types and
bounds, and errors against what the live service was seen to answer.
"""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from support.servers import VecloadServer
from support.vectors import make_index, random_vectors, same_bits, stored, stored_keys

INDEX = {"vectorBucketName": "bucket", "indexName": "index"}
ACCOUNT = "000000000000"


def refused(call: Callable[[], Any]) -> tuple[int, str, str]:
    """Makes a call that must fail; returns (status, code, message)."""
    with pytest.raises(ClientError) as caught:
        call()
    response: Any = caught.value.response
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    return status, response["Error"]["Code"], response["Error"]["Message"]


def vector(key: str, *values: float, **metadata: Any) -> dict[str, Any]:
    return {"key": key, "data": {"float32": list(values)}, "metadata": metadata}


def put(client: Any, *vectors: dict[str, Any]) -> None:
    client.put_vectors(**INDEX, vectors=list(vectors))


# --- buckets


def test_bucket_life(client: Any) -> None:
    made = client.create_vector_bucket(vectorBucketName="my-bucket")
    arn = f"arn:aws:s3vectors:us-east-1:{ACCOUNT}:bucket/my-bucket"
    assert made["vectorBucketArn"] == arn
    for name in ({"vectorBucketName": "my-bucket"}, {"vectorBucketArn": arn}):
        bucket = client.get_vector_bucket(**name)["vectorBucket"]
        assert bucket["vectorBucketName"] == "my-bucket"
        assert bucket["vectorBucketArn"] == arn
        assert bucket["encryptionConfiguration"]["sseType"] == "AES256"
        age = datetime.datetime.now(datetime.UTC) - bucket["creationTime"]
        assert datetime.timedelta(-1) < age < datetime.timedelta(minutes=5)
    client.delete_vector_bucket(vectorBucketName="my-bucket")
    assert client.list_vector_buckets()["vectorBuckets"] == []


def test_bucket_listing_pages_and_prefix(client: Any) -> None:
    names = [f"b{i:02d}" for i in range(25)]
    for name in reversed(names):
        client.create_vector_bucket(vectorBucketName=name)
    pages = list(
        client.get_paginator("list_vector_buckets").paginate(PaginationConfig={"PageSize": 7})
    )
    assert [len(page["vectorBuckets"]) for page in pages] == [7, 7, 7, 4]
    assert [b["vectorBucketName"] for page in pages for b in page["vectorBuckets"]] == names
    some = client.list_vector_buckets(prefix="b1")["vectorBuckets"]
    assert [b["vectorBucketName"] for b in some] == names[10:20]


def test_bucket_errors(client: Any) -> None:
    client.create_vector_bucket(vectorBucketName="bucket")
    assert refused(lambda: client.create_vector_bucket(vectorBucketName="bucket")) == (
        409, "ConflictException", "A vector bucket with the specified name already exists",
    )  # fmt: skip
    for call in (client.get_vector_bucket, client.delete_vector_bucket, client.list_indexes):
        assert refused(lambda call=call: call(vectorBucketName="absent")) == (
            404, "NotFoundException", "The specified vector bucket could not be found",
        )  # fmt: skip
    make_index_in(client, "bucket")
    assert refused(lambda: client.delete_vector_bucket(vectorBucketName="bucket")) == (
        409, "ConflictException", "The specified vector bucket is not empty",
    )  # fmt: skip
    status, code, message = refused(lambda: client.create_vector_bucket(vectorBucketName="A_b"))
    assert (status, code) == (400, "ValidationException")
    assert message


# --- indexes


def make_index_in(client: Any, bucket: str, name: str = "index", dimension: int = 3) -> str:
    made = client.create_index(
        vectorBucketName=bucket,
        indexName=name,
        dataType="float32",
        dimension=dimension,
        distanceMetric="cosine",
    )
    arn: str = made["indexArn"]
    return arn


def test_index_life(client: Any) -> None:
    client.create_vector_bucket(vectorBucketName="bucket")
    made = client.create_index(
        vectorBucketName="bucket",
        indexName="my-index",
        dataType="float32",
        dimension=4096,
        distanceMetric="euclidean",
        metadataConfiguration={"nonFilterableMetadataKeys": ["text", "größe"]},
    )
    arn = f"arn:aws:s3vectors:us-east-1:{ACCOUNT}:bucket/bucket/index/my-index"
    assert made["indexArn"] == arn
    names: list[dict[str, str]] = [
        {"vectorBucketName": "bucket", "indexName": "my-index"},
        {"indexArn": arn},
    ]
    for name in names:
        index = client.get_index(**name)["index"]
        assert index["vectorBucketName"] == "bucket"
        assert index["indexName"] == "my-index"
        assert index["indexArn"] == arn
        assert index["dataType"] == "float32"
        assert index["dimension"] == 4096
        assert index["distanceMetric"] == "euclidean"
        assert index["metadataConfiguration"]["nonFilterableMetadataKeys"] == ["text", "größe"]
    client.delete_index(**names[0])
    assert client.list_indexes(vectorBucketName="bucket")["indexes"] == []


def test_index_listing_pages_and_prefix(client: Any) -> None:
    client.create_vector_bucket(vectorBucketName="bucket")
    names = [f"ix{i:02d}" for i in range(25)]
    for name in names:
        make_index_in(client, "bucket", name)
    pages = list(
        client.get_paginator("list_indexes").paginate(
            vectorBucketName="bucket", PaginationConfig={"PageSize": 10}
        )
    )
    assert [len(page["indexes"]) for page in pages] == [10, 10, 5]
    assert [index["indexName"] for page in pages for index in page["indexes"]] == names
    some = client.list_indexes(vectorBucketName="bucket", prefix="ix2")["indexes"]
    assert [index["indexName"] for index in some] == names[20:]


def test_index_errors(client: Any) -> None:
    client.create_vector_bucket(vectorBucketName="bucket")
    make_index_in(client, "bucket")
    assert refused(lambda: make_index_in(client, "bucket")) == (
        409, "ConflictException", "An index with the specified name already exists",
    )  # fmt: skip
    assert refused(lambda: make_index_in(client, "absent"))[:2] == (404, "NotFoundException")
    absent = {"vectorBucketName": "bucket", "indexName": "absent"}
    for call in (
        lambda: client.get_index(**absent),
        lambda: client.delete_index(**absent),
        lambda: client.put_vectors(**absent, vectors=[vector("a", 1, 2, 3)]),
        lambda: client.get_vectors(**absent, keys=["a"]),
        lambda: client.list_vectors(**absent),
        lambda: client.delete_vectors(**absent, keys=["a"]),
        lambda: client.query_vectors(**absent, topK=1, queryVector={"float32": [1, 2, 3]}),
    ):
        assert refused(call) == (
            404, "NotFoundException", "The specified index could not be found",
        )  # fmt: skip
    assert refused(lambda: client.get_index(indexName="index"))[:2] == (400, "ValidationException")
    assert refused(lambda: make_index_in(client, "bucket", "Bad_Name"))[:2] == (
        400, "ValidationException",
    )  # fmt: skip


def test_an_index_made_again_is_empty_and_another_one(client: Any) -> None:
    make_index(client, 2)
    first = client.get_index(**INDEX)["index"]["creationTime"]
    put(client, vector("a", 1, 2))
    client.delete_index(**INDEX)
    make_index_in(client, "bucket", dimension=3)
    assert stored_keys(client) == set()
    assert client.get_index(**INDEX)["index"]["creationTime"] > first


# --- vectors


def test_put_get_list_delete(client: Any) -> None:
    make_index(client, 3)
    metadata = {
        "text": 'quo"te\\ \n ü 𝄞',
        "number": -0.1,
        "large": 2**53,
        "flag": True,
        "words": ["a", "b"],
        "numbers": [1, 2.5],
    }
    put(client, vector("a", 0.1, -2, 3e-30, **metadata), vector("b", 4, 5, 6))

    got = client.get_vectors(
        **INDEX, keys=["b", "a", "absent"], returnData=True, returnMetadata=True
    )["vectors"]
    by_key = {v["key"]: v for v in got}
    assert set(by_key) == {"a", "b"}
    assert by_key["a"]["metadata"] == metadata
    assert by_key["b"]["metadata"] == {}
    data = np.array(by_key["a"]["data"]["float32"], dtype=np.float64)
    assert same_bits(data.astype(np.float32), np.array([0.1, -2, 3e-30], dtype=np.float32))

    (bare,) = client.get_vectors(**INDEX, keys=["a"])["vectors"]
    assert set(bare) == {"key"}
    listed = client.list_vectors(**INDEX)["vectors"]
    assert sorted(v["key"] for v in listed) == ["a", "b"]
    assert all(set(v) == {"key"} for v in listed)

    client.delete_vectors(**INDEX, keys=["a", "never-there"])
    assert stored_keys(client) == {"b"}


def test_put_replaces_the_whole_vector(client: Any) -> None:
    make_index(client, 2)
    put(client, vector("a", 1, 2, old=1, both=1))
    put(client, {"key": "a", "data": {"float32": [3, 4]}})
    found = stored(client)["a"]
    assert found["data"].tolist() == [3, 4]
    assert found["metadata"] == {}


def test_vectors_by_index_arn(client: Any) -> None:
    make_index(client, 2)
    arn = client.get_index(**INDEX)["index"]["indexArn"]
    client.put_vectors(indexArn=arn, vectors=[vector("a", 1, 2)])
    assert client.get_vectors(indexArn=arn, keys=["a"])["vectors"] == [{"key": "a"}]
    assert client.list_vectors(indexArn=arn)["vectors"] == [{"key": "a"}]
    answer = client.query_vectors(indexArn=arn, topK=1, queryVector={"float32": [1, 2]})
    assert answer["vectors"] == [{"key": "a"}]
    client.delete_vectors(indexArn=arn, keys=["a"])
    assert stored_keys(client) == set()


def test_list_vectors_pages_through_everything_once(client: Any) -> None:
    make_index(client, 8)
    vectors = random_vectors(1700, 8)
    for begin in range(0, 1700, 500):
        rows = range(begin, min(begin + 500, 1700))
        put(client, *[vector(f"k{i}", *map(float, vectors[i]), n=i) for i in rows])
    for size in (None, 1, 300, 1000):
        if size == 1:
            page = client.list_vectors(**INDEX, maxResults=1)
            assert len(page["vectors"]) == 1
            assert page["nextToken"]
            continue
        pages = client.get_paginator("list_vectors").paginate(
            **INDEX, returnMetadata=True, PaginationConfig={"PageSize": size}
        )
        seen = [v for page in pages for v in page["vectors"]]
        assert len(seen) == 1700
        assert {v["key"]: v["metadata"]["n"] for v in seen} == {f"k{i}": i for i in range(1700)}
    found = stored(client)
    assert all(same_bits(found[f"k{i}"]["data"], vectors[i]) for i in range(1700))


def test_a_page_holds_at_most_a_megabyte(client: Any) -> None:
    make_index(client, 4096)
    vectors = random_vectors(120, 4096)
    for begin in range(0, 120, 60):
        put(client, *[vector(f"k{i}", *map(float, vectors[i])) for i in range(begin, begin + 60)])
    page = client.list_vectors(**INDEX, maxResults=1000, returnData=True)
    assert 1 <= len(page["vectors"]) <= 64, "64 of them are 1 MiB"
    assert page["nextToken"]
    assert len(stored(client)) == 120


def test_special_floats_come_back_bit_for_bit(client: Any) -> None:
    make_index(client, 8)
    values = np.array(
        [0.0, -0.0, 1e-45, 1.17549435e-38, 3.4028234663852886e38, 16777217, 0.1, -1 / 3],
        dtype=np.float32,
    )
    put(client, vector("a", *map(float, values)))
    assert same_bits(stored(client)["a"]["data"], values)


# (dimension 2, cosine) each fails the whole call
BAD_PUTS: dict[str, tuple[Callable[[], list[dict[str, Any]]], str]] = {
    "wrong length": (
        lambda: [vector("a", 1, 2), vector("b", 1)],
        "vector must have length 2, but has length 1",
    ),
    "beyond float32": (lambda: [vector("a", 1e39, 1)], "NaN"),
    "zero norm": (lambda: [vector("a", 0, 1e-60)], "zero norm"),
    "empty key": (lambda: [vector("", 1, 2)], "between 1 and 1024"),
    "key of 1025": (lambda: [vector("x" * 1025, 1, 2)], "between 1 and 1024"),
    "key of 1026 bytes": (lambda: [vector("ä" * 513, 1, 2)], "key length"),
    "metadata of 2049": (lambda: [vector("a", 1, 2, t="x" * 2036)], "at most 2048 bytes"),
    "metadata of 40961": (
        lambda: [vector("a", 1, 2, note="x" * 40_945)], "at most 40960 bytes",
    ),
    "51 keys": (lambda: [vector("a", 1, 2, **{f"k{i}": 1 for i in range(51)})], "at most 50 keys"),
    "null metadata": (lambda: [vector("a", 1, 2, n=None)], "must be strings, numbers, booleans"),
    "nested metadata": (lambda: [vector("a", 1, 2, n={"m": 1})], "must be strings, numbers"),
    "empty array": (lambda: [vector("a", 1, 2, n=[])], "mpty array"),
    "array of bools": (lambda: [vector("a", 1, 2, n=[True])], "must be strings or numbers"),
    "mixed array": (lambda: [vector("a", 1, 2, n=[1, "a"])], ""),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_PUTS)
def test_one_bad_vector_fails_the_whole_call(client: Any, name: str) -> None:
    make_index(client, 2, non_filterable=["note"])
    vectors, message = BAD_PUTS[name]
    status, code, told = refused(lambda: put(client, vector("good", 1, 2), *vectors()))
    assert (status, code) == (400, "ValidationException"), told
    assert message in told
    assert stored_keys(client) == set()


def test_limits_that_are_just_met(client: Any) -> None:
    make_index(client, 2, non_filterable=["note"])
    put(
        client,
        vector("x" * 1024, 1, 2, t="x" * 2035),
        vector("ä" * 512, 1, 2, note="x" * 40_944),
        vector("k", 1, 2, **{f"k{i}": 1 for i in range(50)}),
        vector("max", 3.4028234663852886e38, 1e-45),
    )
    assert len(stored_keys(client)) == 4


def test_delete_refuses_repeated_keys(client: Any) -> None:
    make_index(client, 2)
    put(client, vector("a", 1, 2))
    status, code, message = refused(lambda: client.delete_vectors(**INDEX, keys=["a", "a"]))
    assert (status, code) == (400, "ValidationException")
    assert "duplicate keys" in message
    assert stored_keys(client) == {"a"}


# --- queries


def query(client: Any, values: list[float], top_k: int, **more: Any) -> Any:
    return client.query_vectors(
        **INDEX, topK=top_k, queryVector={"float32": values}, returnDistance=True, **more
    )


def test_query_returns_what_was_asked_for(client: Any) -> None:
    make_index(client, 2)
    put(client, vector("a", 1, 0, n=1), vector("b", 0, 2, n=2), vector("c", -3, 0, n=3))
    answer = query(client, [5, 0], 3, returnMetadata=True)
    assert answer["distanceMetric"] == "cosine"
    assert [v["key"] for v in answer["vectors"]] == ["a", "b", "c"]
    assert [v["metadata"]["n"] for v in answer["vectors"]] == [1, 2, 3]
    assert [v["distance"] for v in answer["vectors"]] == pytest.approx([0, 1, 2], abs=1e-6)
    bare = client.query_vectors(**INDEX, topK=1, queryVector={"float32": [5, 0]})
    assert bare["vectors"] == [{"key": "a"}]


def test_query_pages_of_a_hundred(client: Any) -> None:
    make_index(client, 1, "euclidean")
    put(client, *[vector(f"k{i}", i) for i in range(250)])
    pages = client.get_paginator("query_vectors").paginate(
        **INDEX, topK=230, queryVector={"float32": [0]}
    )
    sizes, keys = [], []
    for page in pages:
        sizes.append(len(page["vectors"]))
        keys += [v["key"] for v in page["vectors"]]
    assert keys == [f"k{i}" for i in range(230)]
    assert max(sizes) <= 100


def test_ten_thousand_neighbours_in_a_hundred_pages(client: Any) -> None:
    make_index(client, 1, "euclidean")
    for begin in range(0, 10_500, 500):
        put(client, *[vector(f"k{i}", i) for i in range(begin, begin + 500)])
    pages = client.get_paginator("query_vectors").paginate(
        **INDEX, topK=10_000, queryVector={"float32": [0]}
    )
    keys = [[v["key"] for v in page["vectors"]] for page in pages]
    assert [len(page) for page in keys] == [100] * 100
    assert [key for page in keys for key in page] == [f"k{i}" for i in range(10_000)]


def test_query_errors(client: Any) -> None:
    make_index(client, 2)
    put(client, vector("a", 1, 2))
    for call in (
        lambda: query(client, [1, 2, 3], 1),
        lambda: query(client, [0, 0], 1),
        lambda: query(client, [1e39, 0], 1),
        lambda: query(client, [1, 2], 10_001),
    ):
        assert refused(call)[:2] == (400, "ValidationException")


# --- durability


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_everything_survives_a_restart(tmp_path: Path, how: str) -> None:
    data = str(tmp_path / "data")
    first = VecloadServer(tmp_path / "first", "--data-dir", data)
    client = first.client()
    vectors = random_vectors(500, 16)
    make_index(client, 16, "euclidean", non_filterable=["note"])
    put(client, *[vector(f"k{i}", *map(float, row), n=i) for i, row in enumerate(vectors)])
    client.delete_vectors(**INDEX, keys=[f"k{i}" for i in range(100)])
    put(client, vector("k100", *map(float, vectors[0]), n=-1))
    before = client.get_index(**INDEX)["index"]
    answer = query(client, [1.0] * 16, 20)["vectors"]
    if how == "kill":
        first.kill()
    else:
        first.stop()

    second = VecloadServer(tmp_path / "second", "--data-dir", data)
    try:
        client = second.client()
        assert client.get_index(**INDEX)["index"] == before
        found = stored(client)
        assert set(found) == {f"k{i}" for i in range(100, 500)}
        assert found["k100"]["metadata"] == {"n": -1}
        assert same_bits(found["k100"]["data"], vectors[0])
        assert all(same_bits(found[f"k{i}"]["data"], vectors[i]) for i in range(101, 500))
        assert query(client, [1.0] * 16, 20)["vectors"] == answer
    finally:
        second.stop()
