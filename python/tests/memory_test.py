"""Goal: what lies in memory is planned, verified and deleted as files are; what passes by once is
refused before anything is read of it.

Method: the installed package against its own local server; boto3 says what is left in the index.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import vecload
from support.vectors import fixed_size_column, random_vectors, stored_keys
from vecload.testing import LocalS3Vectors

pandas: Any = importlib.import_module("pandas")  # the checker's environment has none

INDEX = "bucket/index"
ROWS = 1_300
VECTORS = random_vectors(ROWS, 8)
KEYS = [f"k{i:06d}" for i in range(ROWS)]
NEW: Any = {"create_index": True, "distance_metric": "euclidean", "rate_vectors": "unlimited"}


@pytest.fixture
def table() -> pa.Table:
    return pa.table(
        {"id": KEYS, "embedding": fixed_size_column(VECTORS), "year": list(range(ROWS))}
    )


def test_a_table_is_planned_as_its_file_is(s3vectors: LocalS3Vectors, table: pa.Table) -> None:
    pq.write_table(table, "a.parquet")
    of_file, of_table = vecload.plan("a.parquet", INDEX), vecload.plan(table, INDEX)
    different = {"row_groups", "source_bytes"}
    file_values, table_values = of_file.to_dict(), of_table.to_dict()
    assert {name for name in file_values if file_values[name] != table_values[name]} <= different
    assert (of_table.rows, of_table.dimension, of_table.key_column) == (ROWS, 8, "id")
    repeated = vecload.plan(pa.concat_tables([table, table[:2]]), check_keys=True).repeated_keys
    assert repeated is not None
    assert (repeated.keys, repeated.rows) == (2, 2)
    assert [place.row for place in repeated.shown[0].rows] == [0, ROWS]
    assert vecload.plan(VECTORS, keys=KEYS).rows == ROWS


@pytest.mark.parametrize("kind", [pa.table, polars.from_arrow, pa.Table.to_pandas])
def test_a_table_is_verified(s3vectors: LocalS3Vectors, table: pa.Table, kind: Any) -> None:
    if kind is pa.Table.to_pandas:
        frame = table.drop_columns(["embedding"]).to_pandas()
        frame["embedding"] = list(VECTORS)
    else:
        frame = table if kind is pa.table else kind(table)
    vecload.load(frame, INDEX, **NEW)
    assert vecload.verify(frame, INDEX).equal
    client = s3vectors.client()
    client.delete_vectors(vectorBucketName="bucket", indexName="index", keys=["k000700"])
    client.put_vectors(
        vectorBucketName="bucket",
        indexName="index",
        vectors=[{"key": "more", "data": {"float32": [1.0] * 8}}],
    )
    report = vecload.verify(frame, INDEX)
    assert (report.missing, report.extra, report.different_vector) == (1, 1, 0)
    told = Path(report.differences).read_text()
    assert '"stream:' in told and '"row":700,' in told


def test_an_array_is_verified_but_for_what_was_rejected(s3vectors: LocalS3Vectors) -> None:
    vectors = VECTORS.copy()
    vectors[5] = np.nan
    options: Any = {"keys": KEYS, "name": "mine", "rejects": "rejects.jsonl"}
    report = vecload.load(vectors, INDEX, **NEW, **options)
    assert (report.vectors_acknowledged, report.vectors_rejected) == (ROWS - 1, 1)
    found = vecload.verify(vectors, INDEX, **options)
    assert found.equal
    assert found.rows_rejected == 1
    assert vecload.verify(vectors, INDEX, keys=KEYS, sample=100).sampled_rows > 0


@pytest.mark.parametrize("call", [vecload.plan, vecload.verify])
def test_what_passes_by_once_is_refused(
    s3vectors: LocalS3Vectors, table: pa.Table, call: Any
) -> None:
    vecload.load(table, INDEX, **NEW)
    reader = table.to_reader()
    for source in (reader, ds.dataset(table)):
        with pytest.raises(vecload.InvalidArgumentError, match="this stream passes by once"):
            call(source, INDEX)
    assert reader.read_all().num_rows == ROWS, "nothing is taken of it"
    with pytest.raises(vecload.InvalidArgumentError, match="which is of files"):
        call(table, INDEX, shard_by="year")
    with pytest.raises(TypeError, match="not int"):
        call(42, INDEX)


# --- delete

GONE = KEYS[100:700]
LISTS: dict[str, Any] = {
    "list": GONE,
    "tuple": tuple(GONE),
    "Arrow array": pa.array(GONE),
    "Arrow chunks": pa.chunked_array([GONE[:50], GONE[50:]]),
    "NumPy texts": np.array(GONE),
    "NumPy objects": np.array(GONE, dtype=object),
    "pandas Series": pandas.Series(GONE, name="any name"),
    "polars Series": polars.Series("any name", GONE),
    "table": pa.table({"id": GONE, "other": list(range(len(GONE)))}),
    "frame": polars.DataFrame({"id": GONE, "other": GONE}),
}


@pytest.mark.parametrize("keys", LISTS.values(), ids=LISTS.keys())
def test_keys_in_memory_are_deleted(s3vectors: LocalS3Vectors, table: pa.Table, keys: Any) -> None:
    vecload.load(table, INDEX, **NEW)
    seen: list[vecload.LoadProgress] = []
    report = vecload.delete(keys, INDEX, rate_vectors="unlimited", on_progress=seen.append)
    assert report.status == "complete"
    assert report.rows_total == report.vectors_acknowledged == len(GONE)
    assert report.to_dict()["vectors_acknowledged"] == len(GONE)
    assert (report.journal, report.rejects) == ("", "")
    assert stored_keys(s3vectors.client()) == set(KEYS) - set(GONE)
    assert seen[-1].rows_done == len(GONE)


def test_keys_that_files_list_are_deleted(s3vectors: LocalS3Vectors, table: pa.Table) -> None:
    vecload.load(table, INDEX, shards=3, **NEW)
    extra = vecload.verify(table[:1_000], INDEX).extra_keys
    report = vecload.delete(extra, INDEX, rate_vectors="unlimited")
    assert (report.vectors_acknowledged, len(report.shards)) == (300, 3)
    assert Path(report.journal).exists()
    assert vecload.verify(table[:1_000], INDEX).equal
    again = vecload.delete([Path(extra)], INDEX)
    assert (again.vectors_acknowledged, again.vectors_resumed) == (0, 300)
    with pytest.raises(vecload.InvalidArgumentError, match=r"pathlib\.Path objects"):
        vecload.delete([extra], INDEX)
    with pytest.raises(vecload.NotFoundError, match="nowhere"):
        vecload.delete("nowhere.jsonl", INDEX)


def test_keys_that_cannot_be_are_told(s3vectors: LocalS3Vectors, table: pa.Table) -> None:
    vecload.load(table, INDEX, **NEW)
    bad: Any = ["k000001", None, "", "k" * 2_000]
    report = vecload.delete(bad, INDEX, rejects="r.jsonl")
    assert (report.vectors_acknowledged, report.vectors_rejected) == (1, 3)
    assert (report.status, report.exit_code) == ("finished_with_rejects", 3)
    assert len(Path("r.jsonl").read_text().splitlines()) == 3
    assert vecload.delete([], INDEX).rows_total == 0
    for keys, says in (
        ([1, "a"], "all texts, or all integers"),
        (np.eye(2), "one dimension"),
        (pa.table({"a": [1.5]}), "key="),
    ):
        with pytest.raises(vecload.InvalidArgumentError, match=says):
            vecload.delete(keys, INDEX)
    with pytest.raises(vecload.InvalidArgumentError, match="stream"):
        vecload.delete(KEYS[:2], INDEX, part=(1, 2))
    assert len(stored_keys(s3vectors.client())) == ROWS - 1


@pytest.mark.s3vectors(faults="seed=7,http503=1")
def test_a_deletion_that_stops_tells_how_far_it_was(s3vectors: LocalS3Vectors) -> None:
    vecload.Index.create(INDEX, dimension=8, distance_metric="euclidean")
    with pytest.raises(vecload.UnavailableError) as raised:
        vecload.delete(["a", "b"], INDEX, give_up_after=1)
    assert isinstance(raised.value.report, vecload.DeleteReport)
    assert raised.value.report.rows_remaining == 2


def test_a_deletion_of_keys_in_memory_goes_on(s3vectors: LocalS3Vectors, table: pa.Table) -> None:
    vecload.load(table, INDEX, **NEW)
    options: Any = {"journal": "j", "name": "gone"}

    def stop(progress: vecload.LoadProgress) -> None:
        if progress.vectors_acknowledged:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough") as raised:
        vecload.delete(KEYS, INDEX, rate_vectors=400, batch_vectors=50, on_progress=stop, **options)
    assert "rows are done" in raised.value.__notes__[0]
    report = vecload.delete(KEYS, INDEX, rate_vectors="unlimited", **options)
    assert report.vectors_resumed > 0
    assert report.vectors_resumed + report.vectors_acknowledged == ROWS
    assert stored_keys(s3vectors.client()) == set()
