"""Goal: what Spark writes is in the index, whole, whatever becomes of tasks and executors; what
cannot be is told. Method: a real local-cluster of two executors; boto3 and numpy say what is there.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyspark.errors
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from sinks import (
    DIMENSION,
    Killer,
    assert_holds,
    assert_verified,
    descendants,
    make_index,
    make_rows,
    rejected_keys,
    stored,
    write_parts,
)

import vecload
import vecload.spark
from vecload.testing import LocalS3Vectors

EXECUTOR = "CoarseGrainedExecutorBackend"


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    """Two executors, each a JVM of its own with one core."""
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "local"
    session = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.files.maxPartitionBytes", "128k")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.excludeOnFailure.enabled", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("FATAL")
    vecload.spark.register(session)
    yield session
    session.stop()


def write(frame: Any, server: LocalS3Vectors, **options: Any) -> None:
    """As a user would, but for the endpoint: executors outlive the servers of these tests."""
    chosen = {"index": "bucket/index", "endpoint_url": server.endpoint_url, "region": "us-east-1"}
    (
        frame.write.format("vecload")
        .options(**{name: str(value) for name, value in (chosen | options).items()})
        .mode("append")
        .save()
    )


def test_a_frame_is_in_the_index_whole(
    spark: SparkSession, server: LocalS3Vectors, rows: Any, tmp_path: Path
) -> None:
    frame = spark.read.parquet(str(write_parts(tmp_path / "in", rows, 6)))
    assert frame.rdd.getNumPartitions() > 2
    report = tmp_path / "report.json"
    write(frame, server, rows=rows.num_rows, report=report)
    assert_holds(server, rows)
    counts = json.loads(report.read_text())
    assert counts["rows"] == counts["vectors_acknowledged"] == rows.num_rows
    assert counts["vectors_rejected"] == counts["vectors_superseded"] == 0
    assert vecload.verify(tmp_path / "in", "bucket/index").equal


def test_a_killed_executor_loses_nothing(
    spark: SparkSession, server: LocalS3Vectors, rows: Any, tmp_path: Path
) -> None:
    frame = spark.read.parquet(str(write_parts(tmp_path / "in", rows, 6)))
    executors = {process.pid for process in descendants(EXECUTOR)}
    assert len(executors) == 2
    killer = Killer(server, lambda: descendants(EXECUTOR))
    # Slow enough that the kill is amid the write.
    write(frame, server, rows=rows.num_rows, rate_vectors=1000, report=tmp_path / "report.json")
    assert killer.join().pid in executors
    assert_holds(server, rows)
    counts = json.loads((tmp_path / "report.json").read_text())
    assert counts["rows"] == counts["vectors_acknowledged"] == rows.num_rows


def test_a_task_that_fails_midway_is_run_again(
    spark: SparkSession, server: LocalS3Vectors, rows: Any, tmp_path: Path
) -> None:
    frame = spark.read.parquet(str(write_parts(tmp_path / "in", rows, 2))).coalesce(2)
    marker = tmp_path / "failed-once"

    def fail_once(batches: Iterator[Any]) -> Iterator[Any]:
        for number, batch in enumerate(batches):
            if number == 1 and not marker.exists():
                marker.touch()
                raise RuntimeError("planted")
            yield batch

    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1000")
    write(frame.mapInArrow(fail_once, frame.schema), server, rows=rows.num_rows)
    assert marker.exists()
    assert_holds(server, rows)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_million_rows_and_a_killed_executor(spark: SparkSession, tmp_path: Path) -> None:
    with LocalS3Vectors() as server:
        make_index(server, 384)
        write_parts(tmp_path / "in", make_rows(1_000_000, 384), 8)
        spark.conf.set("spark.sql.files.maxPartitionBytes", "256m")
        frame = spark.read.parquet(str(tmp_path / "in"))
        killer = Killer(server, lambda: descendants(EXECUTOR))
        write(frame, server, rows=1_000_000, rate_vectors=50_000)
        killer.join()
        assert_verified(tmp_path / "in", tmp_path)


def with_bad_rows(frame: Any) -> Any:
    """Rows 0 and 100 get vectors of one element too few; row 7 of zeros."""
    short = F.slice("embedding", 1, DIMENSION - 1)
    zeros = F.array_repeat(F.lit(0.0).cast("float"), DIMENSION)
    return frame.withColumn(
        "embedding",
        F.when(F.col("id").isin("k0000000", "k0000100"), short)
        .when(F.col("id") == "k0000007", zeros)
        .otherwise(F.col("embedding")),
    )


def test_rejects_go_to_a_folder_or_fail_the_write(
    spark: SparkSession, server: LocalS3Vectors, tmp_path: Path
) -> None:
    rows = make_rows(1000)
    frame = with_bad_rows(spark.read.parquet(str(write_parts(tmp_path / "in", rows, 1))))
    with pytest.raises(Exception, match="give a folder for what is rejected") as failed:
        write(frame, server)
    assert "k000" in str(failed.value) or "row 0" in str(failed.value)

    write(frame, server, rejects=tmp_path / "rejects", report=tmp_path / "report.json")
    counts = json.loads((tmp_path / "report.json").read_text())
    assert (counts["rows"], counts["vectors_rejected"]) == (1000, 3)
    assert rejected_keys(tmp_path / "rejects") == ["k0000000", "k0000007", "k0000100"]
    assert len(stored(server)) == 997


def test_throttled_tasks_share_what_there_is(spark: SparkSession, tmp_path: Path) -> None:
    rows = make_rows(6000)
    with LocalS3Vectors(rate_vectors=1000) as server:
        frame = spark.read.parquet(str(write_parts(tmp_path / "in", rows, 6)))
        # The driver is wrong about the service's limit by half.
        write(frame, server, rate_vectors=2000, create_index=True, distance_metric="cosine",
              report=tmp_path / "report.json")  # fmt: skip
        assert_holds(server, rows)


def test_wrong_options_are_told_before_anything_is_sent(
    spark: SparkSession, server: LocalS3Vectors
) -> None:
    frame = spark.createDataFrame([("a", [1.0] * DIMENSION)], ["id", "embedding"])
    for options, message in (
        ({"index": ""}, "where to"),
        ({"colour": "red"}, "has no option 'colour'"),
        ({"tasks": "many"}, "'tasks' cannot be 'many'"),
        ({"tasks": "0"}, "'tasks' is more than 0"),
        ({"key": "name"}, "has no column 'name'"),
    ):
        with pytest.raises(pyspark.errors.PySparkException, match=message):
            write(frame, server, **options)
    with pytest.raises(pyspark.errors.PySparkException, match="does not empty an index"):
        frame.write.format("vecload").option("index", "bucket/index").mode("overwrite").save()
    assert stored(server) == {}


def test_a_frame_of_another_length_fails_the_write(
    spark: SparkSession, server: LocalS3Vectors
) -> None:
    vectors = np.eye(3, DIMENSION, dtype=np.float64).tolist()
    frame = spark.createDataFrame(list(zip("abc", vectors, strict=True)), ["id", "embedding"])
    with pytest.raises(pyspark.errors.PySparkException, match="has 4 rows, and the tasks had 3"):
        write(frame, server, rows=4)
    assert sorted(stored(server)) == ["a", "b", "c"]


def test_no_rows_are_no_error(spark: SparkSession, server: LocalS3Vectors) -> None:
    frame = spark.createDataFrame([("a", [1.0])], ["id", "embedding"]).limit(0)
    write(frame, server, rows=0)
    assert stored(server) == {}
