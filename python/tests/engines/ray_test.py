"""Goal: what Ray writes is in the index, whole, whatever becomes of its workers; what cannot be is
told. Method: a real local cluster; boto3 and numpy say what is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pytest
import ray
import ray.data
from sinks import (
    DIMENSION,
    Killer,
    assert_holds,
    assert_verified,
    make_index,
    make_rows,
    rejected_keys,
    stored,
    write_parts,
)

import vecload
import vecload.ray
from vecload.testing import LocalS3Vectors


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "local"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


def sink(server: LocalS3Vectors, **more: Any) -> vecload.ray.S3VectorsSink:
    """Workers outlive the servers of these tests, so that they are told where it is."""
    return vecload.ray.S3VectorsSink(
        "bucket/index", endpoint_url=server.endpoint_url, region="us-east-1", **more
    )


def dataset(rows: pa.Table, blocks: int) -> ray.data.Dataset:
    size = -(-rows.num_rows // blocks)
    return ray.data.from_arrow([rows.slice(block * size, size) for block in range(blocks)])


def test_a_dataset_is_in_the_index_whole(server: LocalS3Vectors, rows: pa.Table) -> None:
    to = sink(server)
    dataset(rows, 6).write_datasink(to)
    assert_holds(server, rows)
    assert to.counts is not None
    assert to.counts.rows == to.counts.vectors_acknowledged == rows.num_rows


def writers() -> list[psutil.Process]:
    """Workers that have a write task."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter(["cmdline"]):
        title = " ".join(process.info["cmdline"] or [])
        if title.startswith("ray::") and "Write" in title:
            found.append(process)
    return found


def test_a_killed_worker_loses_nothing(server: LocalS3Vectors, rows: pa.Table) -> None:
    killer = Killer(server, writers)
    to = sink(server, rate_vectors=1000)  # slow enough that the kill is amid the write
    dataset(rows, 6).write_datasink(to)
    killer.join()
    assert_holds(server, rows)
    assert to.counts is not None and to.counts.rows == rows.num_rows


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_million_rows_and_a_killed_worker(tmp_path: Path) -> None:
    with LocalS3Vectors() as server:
        make_index(server, 384)
        source = write_parts(tmp_path / "in", make_rows(1_000_000, 384), 8)
        killer = Killer(server, writers)
        to = sink(server, rate_vectors=50_000)
        ray.data.read_parquet(str(source)).write_datasink(to)
        killer.join()
        assert to.counts is not None and to.counts.rows == 1_000_000
        assert_verified(source, tmp_path)


def test_numpy_columns_and_pandas_blocks(server: LocalS3Vectors) -> None:
    vectors = np.random.default_rng(3).standard_normal((500, DIMENSION)).astype(np.float32)
    keys = [f"k{row}" for row in range(500)]
    frame = ray.data.from_items(
        [{"id": key, "v": vector} for key, vector in zip(keys, vectors, strict=True)]
    )
    frame.map_batches(lambda batch: batch, batch_format="pandas").write_datasink(
        sink(server, key="id", vector="v")
    )
    found = stored(server)
    assert sorted(found) == sorted(keys)
    for key, vector in zip(keys, vectors, strict=True):
        assert np.array_equal(np.array(found[key]["data"]["float32"], np.float32), vector)


def test_rejects_go_to_a_folder_or_fail_the_write(server: LocalS3Vectors, tmp_path: Path) -> None:
    rows = make_rows(1000)
    lists = rows["embedding"].to_pylist()
    lists[100] = lists[100][:-1]
    lists[7] = [0.0] * DIMENSION
    bad = rows.set_column(1, "embedding", pa.array(lists, pa.list_(pa.float32())))
    with pytest.raises(Exception, match="give a folder for what is rejected"):
        dataset(bad, 2).write_datasink(sink(server))
    to = sink(server, rejects=str(tmp_path / "rejects"))
    dataset(bad, 2).write_datasink(to)
    assert to.counts is not None
    assert (to.counts.rows, to.counts.vectors_rejected) == (1000, 2)
    assert rejected_keys(tmp_path / "rejects") == ["k0000007", "k0000100"]
    assert len(stored(server)) == 998


def test_wrong_arguments_are_told_at_once(server: LocalS3Vectors) -> None:
    with pytest.raises(vecload.InvalidArgumentError, match="more than 0"):
        sink(server, tasks=0)
    with pytest.raises(Exception, match="no column"):
        dataset(make_rows(10), 1).write_datasink(sink(server, key="name"))
    assert stored(server) == {}
