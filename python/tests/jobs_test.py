"""Goal: plan, verify, export and Index give what the command line gives, as Python values.

Method: the installed package against its own local server; pyarrow reads what was exported.
"""

from __future__ import annotations

import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import vecload
from support.vectors import fixed_size_column, random_vectors, same_bits
from vecload.testing import LocalS3Vectors

INDEX = "bucket/index"
ROWS = 700
VECTORS = random_vectors(ROWS, 8)
NEW: Any = {"create_index": True, "distance_metric": "euclidean", "rate_vectors": "unlimited"}


@pytest.fixture
def file() -> str:
    table = pa.table(
        {
            "id": [f"k{i:06d}" for i in range(ROWS)],
            "embedding": fixed_size_column(VECTORS),
            "year": list(range(ROWS)),
        }
    )
    pq.write_table(table, "a.parquet")
    return "a.parquet"


def test_a_plan_without_an_index_calls_nobody(file: str) -> None:
    plan = vecload.plan(file, shards=2)
    assert (plan.files, plan.rows, plan.dimension, plan.shards) == (1, ROWS, 8, 2)
    assert plan.metadata_columns == ["year"]
    assert plan.repeated_keys is None
    assert plan.sample_rows_read == plan.sample_rows == ROWS and plan.sample_rejects == []
    assert plan.vector_reason.startswith("the only list")
    assert [time.shards for time in plan.by_shards] == [1]
    assert Decimal(plan.cost.load) > 0 and plan.cost.verify_lists is None
    assert plan.to_dict()["cost"]["currency"] == "USD"
    assert plan.to_dict()["rows"] == ROWS


def test_a_plan_names_keys_that_come_twice(s3vectors: LocalS3Vectors, file: str) -> None:
    plan = vecload.plan([file, file + ""], INDEX, check_keys=True)
    assert not plan.index_exists
    assert plan.repeated_keys is not None
    assert plan.repeated_keys.keys == 0, "a file that is named twice is one"
    pq.write_table(pq.read_table(file)[3:5], "b.parquet")
    repeated = vecload.plan(["a.parquet", "b.parquet"], check_keys=True).repeated_keys
    assert repeated is not None
    assert (repeated.keys, repeated.rows) == (2, 2)
    assert [(place.row) for place in repeated.shown[0].rows] == [3, 0]


def test_one_index_for_each_value(s3vectors: LocalS3Vectors, file: str) -> None:
    table = pq.read_table(file)
    tenants = pa.array([("acme", "b c")[row % 2] for row in range(ROWS)])
    pq.write_table(table.append_column("tenant", tenants), file)
    plan = vecload.plan(file, INDEX, shard_by="tenant")
    assert plan.shards == 2
    assert [(value.value, value.rows) for value in plan.values] == [
        ("acme", ROWS / 2),
        ("b c", ROWS / 2),
    ]
    assert plan.values[0].index is not None and plan.values[0].index.startswith(f"{INDEX}-acme")
    assert plan.rows_without_value == 0
    assert vecload.plan(file, shard_by="tenant").values[0].index is None
    report = vecload.load(file, INDEX, shard_by="tenant", **NEW)
    assert [shard.value for shard in report.shards] == ["acme", "b c"]
    assert [shard.vectors_acknowledged for shard in report.shards] == [ROWS / 2, ROWS / 2]
    assert len({shard.index for shard in report.shards}) == 2
    assert vecload.verify(file, INDEX, shard_by="tenant").equal
    with pytest.raises(vecload.InvalidArgumentError, match="which is of files"):
        vecload.load(table, INDEX, shard_by="year")


def test_verify_finds_what_differs(s3vectors: LocalS3Vectors, file: str) -> None:
    vecload.load(file, INDEX, **NEW)
    seen: list[vecload.VerifyProgress] = []
    report = vecload.verify(file, INDEX, on_progress=seen.append)
    assert report
    assert report.equal
    assert (report.source_rows, report.index_vectors) == (ROWS, ROWS)
    assert report.differences == report.extra_keys == ""
    assert seen
    index = vecload.Index(INDEX)
    index.delete(["k000001"])
    index.put(["more"], np.ones((1, 8)))
    report = vecload.verify(file, INDEX)
    assert not report
    assert (report.missing, report.extra) == (1, 1)
    assert '"k000001"' in Path(report.differences).read_text()
    assert '"more"' in Path(report.extra_keys).read_text()
    mended = vecload.load(file, INDEX, rows_from=report.differences, rate_vectors="unlimited")
    assert mended.vectors_acknowledged == 1


def test_an_export_is_the_index(s3vectors: LocalS3Vectors, file: str) -> None:
    vecload.load(file, INDEX, shards=2, **NEW)
    report = vecload.export(INDEX, "out.parquet")
    assert (report.vectors, report.shards) == (ROWS, 2)
    table = pq.read_table("out.parquet").sort_by("key")
    found = np.array(table["vector"].to_pylist(), dtype=np.float32)
    assert same_bits(found, VECTORS)
    with pytest.raises(vecload.ConflictError, match="overwrite="):
        vecload.export(INDEX, "out.parquet")


def test_an_index_is_asked_and_changed(s3vectors: LocalS3Vectors) -> None:
    index = vecload.Index.create(INDEX, dimension=8, distance_metric="euclidean")
    keys = [f"k{i}" for i in range(ROWS)]
    index.put(keys, VECTORS, [{"n": i} if i else {} for i in range(ROWS)])
    assert (index.name, index.dimension, index.is_sharded) == (INDEX, 8, False)
    near = index.query(VECTORS[5], top_k=3)
    expected = np.argsort(((VECTORS - VECTORS[5]) ** 2).sum(axis=1))[:3]
    assert [neighbor.key for neighbor in near] == [keys[i] for i in expected]
    assert near[0].distance == 0
    assert near[0].metadata == {"n": 5}
    only = index.query(VECTORS[5], top_k=3, filter={"n": {"$gt": 600}}, metadata=False)
    assert all(int(neighbor.key[1:]) > 600 and not neighbor.metadata for neighbor in only)
    assert vecload.query(INDEX, list(VECTORS[5]), 1)[0].key == "k5"
    found = index.get(["k7", "none", "k0"])
    assert [vector.key for vector in found] == ["k7", "k0"]
    assert same_bits(found[0].data, VECTORS[7])
    assert [vector.metadata for vector in found] == [{"n": 7}, {}]
    index.delete(["k7", "never"])
    assert index.get(["k7"], data=False) == []
    with pytest.raises(vecload.ConflictError, match="not divided"):
        vecload.ShardedIndex(INDEX)
    assert vecload.Index.drop(INDEX) == 1


def test_shards_are_one_index(s3vectors: LocalS3Vectors, file: str) -> None:
    vecload.load(file, INDEX, shards=3, **NEW)
    index = vecload.ShardedIndex(INDEX)
    assert (index.shards, index.is_sharded) == (3, True)
    assert [info.name for info in index.indexes] == [f"{INDEX}-000{i}" for i in range(3)]
    near = index.query(VECTORS[5], top_k=4)
    expected = np.argsort(((VECTORS - VECTORS[5]) ** 2).sum(axis=1))[:4]
    assert [neighbor.key for neighbor in near] == [f"k{i:06d}" for i in expected]
    assert vecload.Index.drop(INDEX) == 3


def test_a_report_travels(s3vectors: LocalS3Vectors, file: str) -> None:
    report = vecload.load(file, INDEX, **NEW)
    assert pickle.loads(pickle.dumps(report)) == report
