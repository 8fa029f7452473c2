"""Goal: verify finds every difference between source and index, names it exactly, accuses nobody
falsely, and what it names can be loaded again. Method: the real binary; faults are planted with
boto3, one at a time, and verify's words are held against what was planted.
"""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash

from support.interruption import Interruption
from support.program import Outcome, Program
from support.proxy import CountingProxy
from support.servers import RcloneServer, VecloadServer
from support.vectors import Floats, make_index, random_vectors, write_vectors

DIMENSION = 8
ROWS = 3000
TARGET = {"vectorBucketName": "bucket", "indexName": "index"}


def verify(program: Program, *more: str | Path) -> Outcome:
    return program.run("verify", *more, "--index", "bucket/index", "--output", "json",
                       "--differences", "differences.jsonl", "--extra", "extra.jsonl")  # fmt: skip


def load(program: Program, *more: str | Path) -> Outcome:
    return program.run("load", *more, "--index", "bucket/index", "--output", "json",
                       "--rate-vectors", "unlimited")  # fmt: skip


def lines(program: Program, name: str) -> list[dict[str, Any]]:
    path = program.folder / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def counts(done: Outcome) -> tuple[int, int, int, int]:
    found = done.json
    return (found["missing"], found["extra"], found["different_vector"],
            found["different_metadata"])  # fmt: skip


@pytest.fixture
def vectors() -> Floats:
    made = random_vectors(ROWS, DIMENSION)
    made[5, 3] = -0.0
    return made


@pytest.fixture
def loaded(program: Program, server: VecloadServer, vectors: Floats) -> Any:
    """in.parquet, loaded whole; its metadata has texts, floats and integers."""
    write_vectors(
        program.folder / "in.parquet",
        vectors,
        title=pa.array([f'title "{row}" \u00e9' for row in range(ROWS)]),
        year=pa.array([1900 + row % 100 for row in range(ROWS)]),
        score=pa.array(np.linspace(0, 1, ROWS)),
    )
    client = server.client()
    make_index(client, DIMENSION)
    done = load(program, "in.parquet")
    assert done.exit_code == 0, done.stderr
    return client


def get(client: Any, key: str) -> dict[str, Any]:
    found = client.get_vectors(**TARGET, keys=[key], returnData=True, returnMetadata=True)
    return found["vectors"][0]


def put(client: Any, *vectors: dict[str, Any]) -> None:
    client.put_vectors(**TARGET, vectors=list(vectors))


def flip_bit(client: Any) -> None:
    vector = get(client, "k000017")
    data = np.array(vector["data"]["float32"], dtype=np.float32)
    data.view(np.uint32)[3] ^= 1
    put(client, vector | {"data": {"float32": [float(value) for value in data]}})


def swap(client: Any) -> None:
    one, other = get(client, "k000001"), get(client, "k002000")
    put(client, one | {"key": other["key"]}, other | {"key": one["key"]})


def change_metadata(client: Any) -> None:
    vector = get(client, "k000017")
    put(client, vector | {"metadata": vector["metadata"] | {"year": 1}})


def add_extra(client: Any) -> None:
    put(client, get(client, "k000017") | {"key": "stranger"})


def remove(client: Any) -> None:
    client.delete_vectors(**TARGET, keys=["k000017"])


def test_what_was_loaded_is_equal(program: Program, loaded: Any) -> None:
    for flags in ([], ["--keys-only"], ["--sample", "500"], ["--metadata-numbers", "float32"]):
        done = verify(program, "in.parquet", *flags)
        assert done.exit_code == 0, done.stderr + done.stdout
        assert done.json["equal"] is True
        assert done.json["source_rows"] == ROWS
    assert not lines(program, "differences.jsonl") and not lines(program, "extra.jsonl")


@pytest.mark.parametrize(
    ("plant", "expected", "rows"),
    [
        (flip_bit, (0, 0, 1, 0), {17: "vector"}),
        (swap, (0, 0, 2, 0), {1: "vector", 2000: "vector"}),
        (change_metadata, (0, 0, 0, 1), {17: "metadata"}),
        (remove, (1, 0, 0, 0), {17: "missing"}),
        (add_extra, (0, 1, 0, 0), {}),
    ],
)
def test_each_planted_fault_is_named_and_mended(
    program: Program,
    loaded: Any,
    plant: Callable[[Any], None],
    expected: tuple[int, int, int, int],
    rows: dict[int, str],
) -> None:
    plant(loaded)
    done = verify(program, "in.parquet")
    assert done.exit_code == 5, done.stderr
    assert counts(done) == expected
    found = lines(program, "differences.jsonl")
    assert {line["row"]: line["difference"] for line in found} == rows
    assert all(line["key"] == f"k{line['row']:06d}" for line in found)
    if rows:
        healed = load(program, "in.parquet", "--rows-from", "differences.jsonl")
        assert healed.exit_code == 0, healed.stderr
    extra = lines(program, "extra.jsonl")
    assert [line["key"] for line in extra] == (["stranger"] if expected[1] else [])
    if extra:
        loaded.delete_vectors(**TARGET, keys=[line["key"] for line in extra])
    assert verify(program, "in.parquet").exit_code == 0


def test_another_index_differs_in_every_key_within_little_memory(
    program: Program, loaded: Any, vectors: Floats
) -> None:
    write_vectors(program.folder / "other.parquet", vectors[::-1].copy())
    done = verify(program, "other.parquet", "--memory", "64KiB")
    assert done.exit_code == 5, done.stderr
    assert counts(done) == (0, 0, ROWS, 0)
    assert {line["row"] for line in lines(program, "differences.jsonl")} == set(range(ROWS))


def test_rejected_and_unloadable_rows_are_expected_absent(
    program: Program, server: VecloadServer, vectors: Floats
) -> None:
    vectors[[3, 700]] = np.nan
    write_vectors(program.folder / "in.parquet", vectors)
    make_index(server.client(), DIMENSION)
    assert load(program, "in.parquet", "--rejects", "rejects.jsonl").exit_code == 3
    listed = verify(program, "in.parquet", "--rejects", "rejects.jsonl")
    assert listed.exit_code == 0, listed.stderr
    assert (listed.json["rows_rejected"], listed.json["rows_unloadable"]) == (2, 0)
    bare = verify(program, "in.parquet")
    assert bare.exit_code == 0
    assert (bare.json["rows_rejected"], bare.json["rows_unloadable"]) == (0, 2)


def test_rows_with_one_key_follow_the_loads_rule(program: Program, server: VecloadServer) -> None:
    vectors = random_vectors(4, DIMENSION)
    write_vectors(program.folder / "in.parquet", vectors, ["a", "b", "a", "c"])
    make_index(server.client(), DIMENSION)
    assert load(program, "in.parquet", "--on-duplicate", "first").exit_code == 0
    assert verify(program, "in.parquet").exit_code == 0
    assert verify(program, "in.parquet", "--on-duplicate", "first").exit_code == 0
    wrong = verify(program, "in.parquet", "--on-duplicate", "last")
    assert wrong.exit_code == 5
    assert [line["row"] for line in lines(program, "differences.jsonl")] == [2]


def test_what_cannot_be_compared_is_said_at_once(program: Program, server: VecloadServer) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(4, DIMENSION + 1))
    absent = verify(program, "in.parquet")
    assert absent.exit_code == 1 and "could not compare" in absent.stderr
    make_index(server.client(), DIMENSION)
    other = verify(program, "in.parquet")
    assert other.exit_code == 1 and "have length 9" in other.stderr
    assert other.stdout == ""


def test_a_key_in_another_shard_is_missing_there_and_extra_here(
    program: Program, server: VecloadServer, vectors: Floats
) -> None:
    keys = [f"k{row:06d}" for row in range(200)]
    write_vectors(program.folder / "in.parquet", vectors[:200], keys)
    client = server.client()
    client.create_vector_bucket(vectorBucketName="bucket")
    shard_of = {key: xxhash.xxh3_64_intdigest(key.encode()) % 2 for key in keys}
    shard_of[keys[9]] = 1 - shard_of[keys[9]]
    for shard in range(2):
        client.create_index(
            vectorBucketName="bucket", indexName=f"index-{shard:04d}", dataType="float32",
            dimension=DIMENSION, distanceMetric="cosine",
            tags={"vecload:shard-scheme": "xxh3-64", "vecload:shards": "2",
                  "vecload:shard": str(shard)},
        )  # fmt: skip
        client.put_vectors(
            vectorBucketName="bucket", indexName=f"index-{shard:04d}",
            vectors=[{"key": key, "data": {"float32": vectors[row].tolist()}}
                     for row, key in enumerate(keys) if shard_of[key] == shard],
        )  # fmt: skip
    done = verify(program, "in.parquet")
    assert done.exit_code == 5, done.stderr
    assert counts(done) == (1, 1, 0, 0)
    assert [line["row"] for line in lines(program, "differences.jsonl")] == [9]
    client.delete_index(vectorBucketName="bucket", indexName="index-0001")
    broken = verify(program, "in.parquet")
    assert broken.exit_code == 1 and "index-0001" in broken.stderr
    client.create_index(
        vectorBucketName="bucket", indexName="index-0001", dataType="float32",
        dimension=DIMENSION, distanceMetric="euclidean",
    )  # fmt: skip
    mixed = verify(program, "in.parquet")
    assert mixed.exit_code == 1 and "bucket/index-0001 has distance metric" in mixed.stderr
    assert mixed.stdout == ""


def test_only_whole_files_of_differences_are_left(
    program: Program, server: VecloadServer, loaded: Any
) -> None:
    kept = program.folder / "differences.jsonl"
    kept.write_text("of an earlier run\n")
    assert verify(program, "in.parquet").exit_code == 0
    assert not kept.exists(), "what it says is not so any more"
    remove(loaded)
    kept.mkdir()  # a name under which no file can be
    failed = verify(program, "in.parquet")
    assert failed.exit_code == 1 and "differences.jsonl: cannot be written" in failed.stderr
    assert not [path for path in program.folder.iterdir() if path.suffix == ".part"]


def test_metadata_means_the_same_however_it_is_written(
    program: Program, server: VecloadServer
) -> None:
    vectors = random_vectors(2, DIMENSION)
    table = pa.table({
        "id": ["a", "b"],
        "embedding": pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIMENSION),
        "meta": ['{"x": 1.0, "a": "\\u00e9", "n": [1, 2.50]}', '{"x": 0.1}'],
    })  # fmt: skip
    pq.write_table(table, program.folder / "in.parquet")
    client = server.client()
    make_index(client, DIMENSION)
    rounded = float(np.float32(0.1))
    metadata = [{"a": "\u00e9", "n": [1.0, 2.5], "x": 1}, {"x": rounded}]
    put(client, *[{"key": key, "data": {"float32": row.tolist()}, "metadata": one}
                  for key, row, one in zip("ab", vectors, metadata, strict=True)])  # fmt: skip
    narrow = ["in.parquet", "--metadata-json", "meta"]
    assert verify(program, *narrow, "--metadata-numbers", "float32").exit_code == 0
    wide = verify(program, *narrow)
    assert wide.exit_code == 5 and counts(wide) == (0, 0, 0, 1)
    assert [line["row"] for line in lines(program, "differences.jsonl")] == [1]


def test_an_index_that_is_written_meanwhile_is_no_difference(
    program: Program, server: VecloadServer, loaded: Any
) -> None:
    remove(loaded)
    proxy = CountingProxy(int(server.url.rsplit(":", 1)[1]))
    pages = 0

    def mend_before_the_second_pass(request: bytes) -> None:
        nonlocal pages
        pages += 1 if request.startswith(b"POST /ListVectors ") else 0
        # The first pass takes a page of each of four segments.
        if pages == 5:
            put(loaded, get(loaded, "k000018") | {"key": "k000017"})

    proxy.on_request = mend_before_the_second_pass
    done = verify(program, "in.parquet", "--endpoint-url", proxy.url, "--threads", "1")
    proxy.stop()
    assert pages > 5
    assert done.exit_code == 1, done.stdout
    assert "was written to while it was compared" in done.stderr
    assert done.stdout == "" and not lines(program, "differences.jsonl")


@pytest.mark.parametrize("at", [2, 6])
def test_a_signal_stops_either_pass_and_accuses_nobody(
    program: Program, loaded: Any, interruption: Interruption, at: int
) -> None:
    remove(loaded)  # so that there is a second pass, from page 5 on
    command = ["verify", "in.parquet", "--index", "bucket/index", "--threads", "1"]
    stopped = interruption.run(program, *command, at=at, number=signal.SIGINT)
    assert stopped.exit_code == 4, stopped.stderr
    assert stopped.stdout == "" and "stopped on request" in stopped.stderr
    assert not list(program.folder.glob("*.jsonl"))
    done = program.run(*command)
    assert done.exit_code == 5, done.stderr


def test_a_source_on_s3_is_compared(
    program: Program, loaded: Any, s3: RcloneServer, s3_folder: Path
) -> None:
    (s3_folder / "data").mkdir()
    (program.folder / "in.parquet").rename(s3_folder / "data" / "in.parquet")
    program.env["AWS_ENDPOINT_URL_S3"] = s3.url
    equal = verify(program, "s3://data/")
    assert equal.exit_code == 0 and equal.json["source_rows"] == ROWS, equal.stderr
    swap(loaded)
    remove(loaded)
    done = verify(program, "s3://data/in.parquet")
    assert done.exit_code == 5 and counts(done) == (1, 0, 2, 0)
    named = lines(program, "differences.jsonl")
    assert {line["file"] for line in named} == {"s3://data/in.parquet"}
    mended = load(program, "s3://data/in.parquet", "--rows-from", "differences.jsonl")
    assert mended.exit_code == 0 and mended.json["vectors_acknowledged"] == 3, mended.stderr
    assert verify(program, "s3://data/in.parquet").exit_code == 0
