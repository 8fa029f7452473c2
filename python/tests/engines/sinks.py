"""What the tests of the sinks share: rows, what boto3 finds of them in an index, and a killer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

import vecload
from vecload.testing import LocalS3Vectors

DIMENSION = 16
WAIT_S = 120.0


def make_rows(count: int, dimension: int = DIMENSION) -> pa.Table:
    """Columns id, embedding, year."""
    vectors = np.random.default_rng(7).standard_normal((count, dimension), dtype=np.float32)
    return pa.table(
        {
            "id": [f"k{row:07}" for row in range(count)],
            "embedding": pa.FixedSizeListArray.from_arrays(
                pa.array(vectors.reshape(-1)), dimension
            ),
            "year": pa.array(np.arange(count) % 100),
        }
    )


def write_parts(folder: Path, rows: pa.Table, parts: int) -> Path:
    folder.mkdir()
    size = -(-rows.num_rows // parts)
    for part in range(parts):
        pq.write_table(rows.slice(part * size, size), folder / f"{part:03}.parquet")
    return folder


def stored(server: LocalS3Vectors, index: str = "index") -> dict[str, dict[str, Any]]:
    pages = (
        server.client()
        .get_paginator("list_vectors")
        .paginate(vectorBucketName="bucket", indexName=index, returnData=True, returnMetadata=True)
    )
    return {vector["key"]: vector for page in pages for vector in page["vectors"]}


def assert_holds(server: LocalS3Vectors, rows: pa.Table) -> None:
    """The index has these rows and no others, bit by bit, as boto3 and numpy see it."""
    found = stored(server)
    assert sorted(found) == sorted(rows["id"].to_pylist())
    vectors = np.asarray(rows["embedding"].combine_chunks().flatten()).reshape(rows.num_rows, -1)
    years = rows["year"].to_pylist()
    for row, key in enumerate(rows["id"].to_pylist()):
        data = np.array(found[key]["data"]["float32"], dtype=np.float32)
        assert np.array_equal(data.view(np.uint32), vectors[row].view(np.uint32)), key
        assert found[key]["metadata"] == {"year": years[row]}


class Killer:
    """Kills one process, -9, once the index holds some vectors of the write that is under way."""

    def __init__(self, server: LocalS3Vectors, find: Callable[[], list[psutil.Process]]) -> None:
        self._server = server
        self._find = find
        self.killed: psutil.Process | None = None
        self._thread = threading.Thread(target=self._wait_and_kill, daemon=True)
        self._thread.start()

    def _wait_and_kill(self) -> None:
        client = self._server.client()
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            page = client.list_vectors(vectorBucketName="bucket", indexName="index", maxResults=1)
            victims = self._find() if page["vectors"] else []
            if victims:
                self.killed = victims[0]
                os.kill(victims[0].pid, signal.SIGKILL)
                return
            time.sleep(0.05)

    def join(self) -> psutil.Process:
        self._thread.join(WAIT_S)
        assert self.killed is not None, "nothing was there to kill"
        return self.killed


def make_index(server: LocalS3Vectors, dimension: int = DIMENSION) -> None:
    client = server.client()
    client.create_vector_bucket(vectorBucketName="bucket")
    client.create_index(
        vectorBucketName="bucket", indexName="index", dataType="float32",
        dimension=dimension, distanceMetric="cosine",
    )  # fmt: skip


def assert_verified(source: Path, folder: Path) -> None:
    """`vecload verify` finds source and index equal."""
    program = Path(vecload.__file__).parent / "bin/vecload"
    verify = [program, "verify", source, "--index", "bucket/index"]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=300, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def rejected_keys(folder: Path) -> list[str]:
    """What the rejects files in a folder tell of."""
    lines = [line for file in folder.iterdir() for line in file.read_text().splitlines()]
    return sorted(json.loads(line)["key"] for line in lines)


def descendants(words: str) -> list[psutil.Process]:
    """Processes that this one started, directly or not, with these words in their command."""
    found: list[psutil.Process] = []
    for process in psutil.Process().children(recursive=True):
        try:
            if words in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue  # it ended meanwhile
    return found
