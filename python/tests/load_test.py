"""Goal: whatever gives Arrow is loaded bit for bit, and every row is accounted for.

Method: the installed package against its own local server; boto3 lists what arrived, numpy compares
bits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import vecload
from support.vectors import Floats, fixed_size_column, random_vectors, same_bits, stored
from vecload.testing import LocalS3Vectors

ROWS, DIMENSION = 1_234, 24
INDEX = "bucket/index"
NEW: Any = {"create_index": True, "distance_metric": "euclidean", "rate_vectors": "unlimited"}


def make_table(vectors: Floats) -> pa.Table:
    rows = len(vectors)
    return pa.table(
        {
            "id": [f"k{i:06d}" for i in range(rows)],
            "embedding": fixed_size_column(vectors),
            "year": list(range(rows)),
        }
    )


def assert_stored(server: LocalS3Vectors, vectors: Floats, metadata: bool = True) -> None:
    found = stored(server.client())
    assert sorted(found) == [f"k{i:06d}" for i in range(len(vectors))]
    for i, row in enumerate(vectors):
        one = found[f"k{i:06d}"]
        assert same_bits(one["data"], row)
        assert one["metadata"] == ({"year": i} if metadata else {})


def _as_pandas(table: pa.Table) -> Any:
    pandas = pytest.importorskip("pandas")
    frame = table.drop_columns(["embedding"]).to_pandas()
    frame["embedding"] = list(np.array(table["embedding"].to_pylist(), dtype=np.float32))
    assert isinstance(frame, pandas.DataFrame)
    return frame


def _as_polars(table: pa.Table) -> Any:
    import polars

    return polars.from_arrow(table)


def _as_relation(table: pa.Table) -> Any:
    import duckdb

    duckdb.register("source_table", table)
    return duckdb.sql("select id, embedding, year from source_table")


SOURCES: dict[str, Callable[[pa.Table], Any]] = {
    "Table": lambda table: table,
    "many chunks": lambda table: pa.concat_tables([table[:7], table[7:500], table[500:]]),
    "RecordBatch": lambda table: table.combine_chunks().to_batches()[0],
    "RecordBatchReader": lambda table: table.to_reader(max_chunksize=100),
    "Dataset": lambda table: ds.dataset(table),
    "Scanner": lambda table: ds.dataset(table).scanner(batch_size=100),
    "list column": lambda table: table.set_column(
        1, "embedding", table["embedding"].cast(pa.list_(pa.float32()))
    ),
    "pandas": _as_pandas,
    "polars": _as_polars,
    "DuckDB": _as_relation,
}


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES.keys())
def test_any_arrow_is_loaded_bit_for_bit(
    s3vectors: LocalS3Vectors, make: Callable[[pa.Table], Any]
) -> None:
    vectors = random_vectors(ROWS, DIMENSION)
    report = vecload.load(make(make_table(vectors)), INDEX, **NEW)
    assert report.status == "complete"
    assert report.exit_code == 0
    assert report.rows_total == report.vectors_acknowledged == ROWS
    assert (report.key_column, report.vector_column) == ("id", "embedding")
    assert report.journal == report.rejects == ""
    assert_stored(s3vectors, vectors)


def test_files_are_loaded_as_by_the_command_line(s3vectors: LocalS3Vectors) -> None:
    vectors = random_vectors(ROWS, DIMENSION)
    pq.write_table(make_table(vectors), "a.parquet")
    report = vecload.load(Path("a.parquet"), INDEX, **NEW)
    assert report.vectors_acknowledged == ROWS
    assert Path(report.journal).exists()
    assert_stored(s3vectors, vectors)
    again = vecload.load(["a.parquet"], INDEX, rate_vectors="unlimited")
    assert (again.vectors_acknowledged, again.vectors_resumed) == (0, ROWS)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8"])
def test_an_array_is_loaded_with_its_keys(s3vectors: LocalS3Vectors, dtype: str) -> None:
    vectors = (random_vectors(ROWS, DIMENSION) * 30).astype(dtype)
    report = vecload.load(
        vectors,
        INDEX,
        keys=[f"k{i:06d}" for i in range(ROWS)],
        metadata={"year": np.arange(ROWS)},
        **NEW,
    )
    assert report.vectors_acknowledged == ROWS
    assert_stored(s3vectors, vectors.astype(np.float32))


def test_an_array_that_is_no_block_of_memory_is_loaded_too(s3vectors: LocalS3Vectors) -> None:
    vectors = random_vectors(DIMENSION, ROWS).T
    vecload.load(vectors, INDEX, keys=[f"k{i:06d}" for i in range(ROWS)], **NEW)
    assert_stored(s3vectors, vectors, metadata=False)


def test_metadata_is_chosen(s3vectors: LocalS3Vectors) -> None:
    table = make_table(random_vectors(3, 4)).append_column("note", pa.array(["x", "y", "z"]))
    vecload.load(table, INDEX, metadata=["note"], **NEW)
    assert stored(s3vectors.client())["k000001"]["metadata"] == {"note": "y"}
    report = vecload.load(table, INDEX, metadata="none", rate_vectors="unlimited")
    assert report.metadata_columns == []
    assert stored(s3vectors.client())["k000001"]["metadata"] == {}


def test_shards_get_each_row_once(s3vectors: LocalS3Vectors) -> None:
    vectors = random_vectors(ROWS, DIMENSION)
    for source in (make_table(vectors), make_table(vectors).to_reader(max_chunksize=50)):
        report = vecload.load(source, INDEX, shards=4, **NEW)
        assert report.vectors_acknowledged == ROWS
        assert [shard.index for shard in report.shards] == [f"{INDEX}-000{i}" for i in range(4)]
        assert sum(shard.vectors_acknowledged for shard in report.shards) == ROWS
    shards = [stored(s3vectors.client(), f"{INDEX}-000{i}") for i in range(4)]
    assert sum(map(len, shards)) == ROWS
    found = {key: one for shard in shards for key, one in shard.items()}
    for i in range(ROWS):
        assert same_bits(found[f"k{i:06d}"]["data"], vectors[i])


@pytest.mark.s3vectors(latency_ms=10)
@pytest.mark.parametrize("kind", ["table", "stream"])
def test_a_shard_that_all_rows_come_for_at_once_loses_none(
    s3vectors: LocalS3Vectors, kind: str
) -> None:
    """The rows of shard 0 come first: it is blocked while shard 1 has nothing to send. Of a table
    they are set aside and read again; a stream that passes by once has to wait."""
    table = make_table(random_vectors(2_000, 4))
    vecload.load(table, "bucket/where", shards=2, **NEW)
    first = set(stored(s3vectors.client(), "bucket/where-0000"))
    order = sorted(range(2_000), key=lambda i: f"k{i:06d}" not in first)
    rows = table.take(order).combine_chunks()
    source = rows if kind == "table" else rows.to_reader(max_chunksize=64)
    report = vecload.load(source, INDEX, shards=2, max_in_flight=2, batch_vectors=50, **NEW)
    assert report.vectors_acknowledged == 2_000
    shards = [stored(s3vectors.client(), f"{INDEX}-000{i}") for i in range(2)]
    assert set(shards[0]) == first
    assert len(shards[1]) == 2_000 - len(first)


def test_of_a_table_one_row_of_a_key_is_chosen(s3vectors: LocalS3Vectors) -> None:
    vectors = random_vectors(4, 2)
    table = pa.table({"id": ["a", "b", "a", "c"], "embedding": fixed_size_column(vectors)})
    report = vecload.load(table, INDEX, on_duplicate="first", **NEW)
    assert (report.vectors_acknowledged, report.vectors_superseded) == (3, 1)
    assert same_bits(stored(s3vectors.client())["a"]["data"], vectors[0])
    with pytest.raises(vecload.InvalidArgumentError, match="passes by once"):
        vecload.load(table.to_reader(), INDEX, on_duplicate="first", **NEW)


def test_rejected_rows_are_told(s3vectors: LocalS3Vectors) -> None:
    vectors = random_vectors(4, 2)
    vectors[2, 1] = np.nan
    report = vecload.load(make_table(vectors), INDEX, **NEW)
    assert report.status == "finished_with_rejects"
    assert (report.vectors_acknowledged, report.vectors_rejected) == (3, 1)
    line = Path(report.rejects).read_text()
    assert '"file":"stream:Table"' in line.replace(" ", "")
    assert "vector_not_finite" in line
    assert report.to_dict()["status"] == "finished_with_rejects"
    assert list(Path().iterdir()) == [Path("index-rejects.jsonl")]


def test_without_rejects_no_file_is_left(s3vectors: LocalS3Vectors) -> None:
    vecload.load(make_table(random_vectors(4, 2)), INDEX, **NEW)
    assert list(Path().iterdir()) == []


def test_an_empty_table_is_complete(s3vectors: LocalS3Vectors) -> None:
    vecload.Index.create(INDEX, dimension=2, distance_metric="cosine")
    report = vecload.load(make_table(random_vectors(4, 2))[:0], INDEX)
    assert (report.status, report.rows_total) == ("complete", 0)


@pytest.mark.s3vectors(latency_ms=300)
def test_progress_comes_on_the_calling_thread(s3vectors: LocalS3Vectors) -> None:
    import threading

    seen: list[tuple[int, vecload.LoadProgress]] = []
    vecload.load(
        make_table(random_vectors(3_000, 4)),
        INDEX,
        on_progress=lambda now: seen.append((threading.get_ident(), now)),
        max_in_flight=1,
        **NEW,
    )
    assert {thread for thread, _ in seen} == {threading.get_ident()}
    done = [now.rows_done for _, now in seen]
    assert done == sorted(done)
    assert len(done) >= 3
    assert seen[-1][1].rows_total == done[-1] == 3_000


def test_a_bar_is_drawn(s3vectors: LocalS3Vectors, capsys: pytest.CaptureFixture[str]) -> None:
    vecload.load(make_table(random_vectors(300, 4)), INDEX, progress=True, **NEW)
    assert "300/300" in capsys.readouterr().err


def test_messages_are_logged(s3vectors: LocalS3Vectors, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vecload")
    vecload.load(make_table(random_vectors(3, 4)), INDEX, on_duplicate="last", **NEW)
    assert "reading keys of 3 rows" in caplog.text


def batches(vectors: Floats, size: int) -> Iterator[pa.RecordBatch]:
    yield from make_table(vectors).to_batches(max_chunksize=size)


def test_a_generator_of_unknown_length_is_counted_at_its_end(s3vectors: LocalS3Vectors) -> None:
    vectors = random_vectors(ROWS, DIMENSION)
    schema = make_table(vectors).schema
    reader = pa.RecordBatchReader.from_batches(schema, batches(vectors, 100))
    seen: list[vecload.LoadProgress] = []
    report = vecload.load(reader, INDEX, on_progress=seen.append, **NEW)
    assert (report.rows_total, report.rows_remaining) == (ROWS, 0)
    assert all(now.rows_total is not None and now.rows_total <= ROWS for now in seen)
    assert_stored(s3vectors, vectors)
