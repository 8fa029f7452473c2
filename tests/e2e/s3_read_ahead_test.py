"""Goal: a source on S3 that answers after 50 ms is read with several requests on their way, each
byte of the needed columns once, within the memory budget; and not where it changed since the plan.

Method: a proxy that delays and writes down every request stands before a real S3 server (rclone).
The bound: 16 requests ahead and the reader's own, in an eighth of --memory, which is 256 MiB here.
"""

import itertools
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from support.delaying_proxy import DelayingProxy, Get
from support.program import Program, is_sanitized
from support.servers import RcloneServer, ScriptedServer, VecloadServer
from support.vectors import make_index, random_vectors, same_bits, stored, write_vectors

LATENCY_S = 0.05
REQUESTS_MAX = 17
READ_AHEAD_BYTES = 32 << 20
UNLIMITED = ("--rate-vectors", "unlimited", "--rate-requests", "unlimited")


@pytest.fixture
def far(bare_program: Program, s3: RcloneServer) -> Iterator[DelayingProxy]:
    """What stands before the S3 server of `bare_program`."""
    proxy = DelayingProxy(s3.port, LATENCY_S)
    bare_program.env["AWS_ENDPOINT_URL_S3"] = proxy.url
    yield proxy
    proxy.stop()


def column_bytes(path: Path, *columns: str) -> int:
    metadata = pq.read_metadata(path)
    return sum(
        group.column(column).total_compressed_size
        for group in map(metadata.row_group, range(metadata.num_row_groups))
        for column in range(metadata.num_columns)
        if group.column(column).path_in_schema.split(".")[0] in columns
    )


def of_columns(proxy: DelayingProxy, path: Path) -> list[Get]:
    """The GETs of a file's rows, in the order of the file: not its first bytes and its footer."""
    metadata = pq.read_metadata(path)
    last = metadata.row_group(metadata.num_row_groups - 1)
    end = max(
        chunk.data_page_offset + chunk.total_compressed_size
        for chunk in map(last.column, range(metadata.num_columns))
    )
    found = [get for get in proxy.gets if get.path.endswith(path.name)]
    rows = [get for get in found if get.end - get.begin != 8 and get.begin < end]
    return sorted(
        (get for get in rows if get.end != path.stat().st_size), key=lambda get: get.begin
    )


@pytest.mark.parametrize("row_group_rows", [30_000, 4_000])
def test_a_large_file_is_read_in_several_ranges_at_once_and_each_byte_once(
    bare_program: Program,
    scripted: Callable[..., ScriptedServer],
    far: DelayingProxy,
    s3_folder: Path,
    row_group_rows: int,
) -> None:
    rows, dimension = 20_000, 768
    (s3_folder / "data").mkdir()
    path = s3_folder / "data/large.parquet"
    table = pq.read_table(
        write_vectors(
            bare_program.folder / "x.parquet",
            random_vectors(rows, dimension),
            note=[note.tobytes().hex() for note in random_vectors(rows, 32, seed=2)],
        )
    )
    pq.write_table(table, path, row_group_size=row_group_rows)
    scripted(dimension)
    done = bare_program.run("load", "s3://data/large.parquet", "--index", "bucket/index",
                            "--metadata-columns", "none", "--output", "json",
                            *UNLIMITED)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert done.json["vectors_acknowledged"] == rows
    assert 4 < far.gets_at_once_max <= REQUESTS_MAX
    assert far.bytes_at_once_max <= READ_AHEAD_BYTES
    gets = of_columns(far, path)
    assert all(a.end <= b.begin for a, b in itertools.pairwise(gets)), "a byte was fetched twice"
    needed = column_bytes(path, "id", "embedding")
    assert sum(get.end - get.begin for get in gets) == needed
    assert column_bytes(path, "note") > 0.05 * needed, "which nobody asked for"
    assert sum(get.end - get.begin for get in far.gets) < 1.03 * needed
    if not is_sanitized():
        assert done.json["rss_bytes_max"] < 350 << 20


def test_many_small_files_are_on_their_way_at_once(
    program: Program, server: VecloadServer, s3: RcloneServer, s3_folder: Path
) -> None:
    (s3_folder / "data").mkdir()
    files, rows = 60, 20
    vectors = random_vectors(files * rows, 8)
    for i in range(files):
        part = range(i * rows, i * rows + rows)
        write_vectors(s3_folder / f"data/{i:03}.parquet", vectors[part], [f"k{r}" for r in part])
    proxy = DelayingProxy(s3.port, LATENCY_S)
    program.env["AWS_ENDPOINT_URL_S3"] = proxy.url
    try:
        done = program.run("load", "s3://data/", "--index", make_index(server.client(), 8),
                           "--output", "json", *UNLIMITED)  # fmt: skip
    finally:
        proxy.stop()
    assert done.exit_code == 0, done.stderr
    found = stored(server.client())
    assert len(found) == files * rows
    assert all(same_bits(found[f"k{r}"]["data"], vectors[r]) for r in range(files * rows))
    # One after the other they would take three requests each.
    assert done.json["read_s"] < files * 3 * LATENCY_S / 2
    # 8 first bytes and a footer at the plan; the footer again, and one range of rows.
    assert len(proxy.gets) <= 4 * files


def test_a_file_that_was_replaced_since_the_plan_is_not_read(
    bare_program: Program,
    scripted: Callable[..., ScriptedServer],
    far: DelayingProxy,
    s3_folder: Path,
) -> None:
    assert far.requests == 0
    (s3_folder / "data").mkdir()
    path = write_vectors(s3_folder / "data/in.parquet", random_vectors(50, 4, seed=1))
    service = scripted(4)

    def replace_once_planned(operation: str, _number: int) -> None:
        if operation == "GetIndex":
            write_vectors(path, random_vectors(50, 4, seed=2))  # of as many rows and bytes

    service.script = replace_once_planned
    done = bare_program.run("load", "s3://data/in.parquet", "--index", "bucket/index")
    assert done.exit_code == 4, done.stderr
    assert "s3://data/in.parquet: the file has changed since the job was planned" in done.stderr
    assert not service.bodies


def test_a_failed_range_names_the_file_and_the_bytes(
    bare_program: Program,
    scripted: Callable[..., ScriptedServer],
    far: DelayingProxy,
    s3_folder: Path,
) -> None:
    (s3_folder / "data").mkdir()
    path = write_vectors(s3_folder / "data/in.parquet", random_vectors(20_000, 256))
    far.refuses = lambda get: 4 << 20 <= get.begin < path.stat().st_size - (1 << 20)
    scripted(256)
    done = bare_program.run("load", "s3://data/in.parquet", "--index", "bucket/index")
    assert done.exit_code == 4, done.stderr
    assert "s3://data/in.parquet: " in done.stderr and "bytes " in done.stderr
    assert "AWS Error" in done.stderr


@pytest.mark.slow
def test_a_stop_is_heeded_while_s3_is_silent(
    bare_program: Program,
    scripted: Callable[..., ScriptedServer],
    far: DelayingProxy,
    s3_folder: Path,
) -> None:
    (s3_folder / "data").mkdir()
    write_vectors(s3_folder / "data/in.parquet", random_vectors(40_000, 768))
    service = scripted(768)
    with bare_program.start("load", "s3://data/in.parquet", "--index", "bucket/index",
                            "--rate-vectors", "500") as load:  # fmt: skip
        try:
            deadline = time.monotonic() + 30
            while not service.bodies and time.monotonic() < deadline:
                time.sleep(0.02)
            far.is_answering.clear()
            load.send_signal(signal.SIGTERM)
            _, stderr = load.communicate(timeout=60)
        finally:
            load.kill()
    assert load.returncode == 4, stderr
