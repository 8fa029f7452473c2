"""Goal: whatever ends a load early says why, hangs nothing, and leaves a journal that goes on.

Method: generators that raise, callbacks that raise, SIGINT to a real process; the second run must
send what the first one did not, and boto3 must find every row.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

import vecload
from support.vectors import fixed_size_column, random_vectors, stored_keys
from vecload.testing import LocalS3Vectors

INDEX = "bucket/index"
ROWS = 5_000
NEW: Any = {"create_index": True, "distance_metric": "euclidean", "rate_vectors": "unlimited"}
KEYS = {f"k{i:06d}" for i in range(ROWS)}


class OutOfCheeseError(Exception):
    pass


def make_table() -> pa.Table:
    return pa.table({"id": sorted(KEYS), "embedding": fixed_size_column(random_vectors(ROWS, 4))})


def reader(fails_after: int | None = None) -> pa.RecordBatchReader:
    """All rows, or a failure behind some of them."""

    def batches() -> Iterator[pa.RecordBatch]:
        for begin in range(0, ROWS, 250):
            if fails_after is not None and begin >= fails_after:
                raise OutOfCheeseError("no more of it")
            yield from make_table()[begin : begin + 250].to_batches()

    return pa.RecordBatchReader.from_batches(make_table().schema, batches())


def test_what_a_generator_raises_is_the_cause_and_what_it_gave_is_kept(
    s3vectors: LocalS3Vectors,
) -> None:
    job: Any = {"name": "orders", "journal": "orders.journal", **NEW}
    with pytest.raises(vecload.IoError, match="stream:orders: failed after 3000 rows") as raised:
        vecload.load(reader(fails_after=3_000), INDEX, **job)
    assert isinstance(raised.value.__cause__, OutOfCheeseError)
    report = raised.value.report
    assert isinstance(report, vecload.LoadReport)
    assert (report.status, report.exit_code) == ("stopped", 4)
    assert report.vectors_acknowledged == report.rows_total == 3_000
    assert len(stored_keys(s3vectors.client())) == 3_000
    again = vecload.load(reader(), INDEX, **job)
    assert (again.vectors_resumed, again.vectors_acknowledged) == (3_000, 2_000)
    assert again.rows_total == ROWS
    assert stored_keys(s3vectors.client()) == KEYS
    # Complete: nothing is sent, and all is known.
    third = vecload.load(reader(), INDEX, **job)
    assert (third.vectors_resumed, third.vectors_acknowledged, third.requests) == (ROWS, 0, 0)


def test_a_stream_that_became_shorter_is_told(s3vectors: LocalS3Vectors) -> None:
    job: Any = {"name": "orders", "journal": "orders.journal", **NEW}
    vecload.load(reader(), INDEX, **job)
    shorter = make_table()[:1_000].to_reader()
    with pytest.raises(vecload.ConflictError, match="ended after 1000 rows"):
        vecload.load(shorter, INDEX, **job)


def test_a_table_resumes_under_its_name(s3vectors: LocalS3Vectors) -> None:
    job: Any = {"name": "orders", "journal": "orders.journal", **NEW}
    assert vecload.load(make_table(), INDEX, **job).vectors_acknowledged == ROWS
    assert vecload.load(make_table(), INDEX, **job).vectors_resumed == ROWS
    with pytest.raises(vecload.VecloadError, match="stream:orders"):
        vecload.load(make_table()[:10], INDEX, **job)


def test_a_job_of_one_stream_is_not_anothers(s3vectors: LocalS3Vectors) -> None:
    with pytest.raises(vecload.IoError):
        vecload.load(reader(fails_after=1_000), INDEX, name="orders", journal="j", **NEW)
    with pytest.raises(vecload.NotFoundError, match="stream:orders is gone"):
        vecload.load(reader(), INDEX, name="others", journal="j", **NEW)


@pytest.mark.s3vectors(latency_ms=200)
def test_what_a_callback_raises_stops_the_load(s3vectors: LocalS3Vectors) -> None:
    def full(_now: vecload.LoadProgress) -> None:
        raise OutOfCheeseError("the disk of the dashboard is full")

    with pytest.raises(OutOfCheeseError) as raised:
        vecload.load(make_table(), INDEX, on_progress=full, max_in_flight=1, **NEW)
    assert any("rows are done" in note for note in raised.value.__notes__)
    assert len(stored_keys(s3vectors.client())) < ROWS


def stored_anything(server: LocalS3Vectors) -> bool:
    try:
        return bool(stored_keys(server.client()))
    except ClientError:  # the index is not there yet
        return False


SCRIPT = """
import sys, vecload
sys.path[:0] = sys.argv[1:3]
import stop_test
try:
    vecload.load(
        stop_test.reader() if sys.argv[3] == "stream" else stop_test.make_table(),
        stop_test.INDEX, name="orders", journal="orders.journal",
        max_in_flight=1, batch_vectors=100, **stop_test.NEW)
except KeyboardInterrupt as interruption:
    print("interrupted", *interruption.__notes__, flush=True)
    raise SystemExit(7)
"""


@pytest.mark.parametrize("kind", ["stream", "table"])
@pytest.mark.s3vectors(latency_ms=150)
def test_ctrl_c_stops_cleanly_and_the_journal_goes_on(s3vectors: LocalS3Vectors, kind: str) -> None:
    here = Path(__file__).parent
    folders = [str(here), str(here.parent.parent / "tests")]
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *folders, kind], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        # No callback of Python's runs in there, which would see the signal by itself.
        while not stored_anything(s3vectors):
            assert process.poll() is None
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(timeout=30) == 7
        assert time.monotonic() - begin < 5
    assert "interrupted" in rest
    assert "orders.journal" in rest
    sent = stored_keys(s3vectors.client())
    assert 0 < len(sent) < ROWS
    source = reader() if kind == "stream" else make_table()
    report = vecload.load(source, INDEX, name="orders", journal="orders.journal", **NEW)
    assert report.vectors_resumed == len(sent), "drained: what was in flight is in the journal"
    assert report.vectors_acknowledged == ROWS - len(sent)
    assert stored_keys(s3vectors.client()) == KEYS


def test_other_threads_run_while_a_load_does(s3vectors: LocalS3Vectors) -> None:
    import threading

    counted = 0
    ended = threading.Event()

    def count() -> None:
        nonlocal counted
        while not ended.wait(0.001):
            counted += 1

    thread = threading.Thread(target=count)
    thread.start()
    report = vecload.load(make_table(), INDEX, **{**NEW, "rate_vectors": 10_000})
    ended.set()
    thread.join()
    assert counted > report.wall_s / 0.001 / 10
