"""Goal: a deletion removes the vectors of exactly the keys that it was given, from where they are,
whatever breaks or stops it, and refuses every list that could be meant for another index. Method:
the real binary; boto3 lists what is left, xxhash says which shard a key is of, and the lists are
those that verify and load write.
"""

import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
import xxhash

from support.program import Outcome, Program, assert_accounts
from support.proxy import CountingProxy
from support.servers import RcloneServer, ScriptedServer, VecloadServer
from support.vectors import (
    fixed_size_column,
    make_index,
    random_vectors,
    stored_keys,
    write_vectors,
)

DIMENSION = 4
ROWS = 3000
SHARDS = 4
TARGET = {"vectorBucketName": "bucket", "indexName": "index"}
UNLIMITED = ("--rate-vectors", "unlimited", "--rate-requests", "unlimited")
FAULTS = "http503=0.01,http429=0.01,http500=0.01,reset=0.005,cut=0.005,slow=0.01,lost=0.005"


def delete(
    program: Program, *source: str | Path, index: str = "bucket/index", **options: Any
) -> Outcome:
    """`source` may have further flags behind it."""
    return program.run("delete", "--index", index, "--output", "json", *UNLIMITED,
                       "--keys-from", *source, **options)  # fmt: skip


def key(row: int) -> str:
    return f"k{row:06d}"


def keys(*rows: int) -> set[str]:
    return {key(row) for row in rows}


def write_keys(path: Path, values: Any, name: str = "id") -> Path:
    pq.write_table(pa.table({name: values}), path)
    return path


def write_lines(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def put(client: Any, index: str, *names: str) -> None:
    client.put_vectors(vectorBucketName="bucket", indexName=index,
                       vectors=[{"key": name, "data": {"float32": [1.0] * DIMENSION}}
                                for name in names])  # fmt: skip


def assert_refused(done: Outcome, *words: str) -> None:
    assert done.exit_code == 1, (done.exit_code, done.stdout, done.stderr)
    assert done.stdout == ""
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("vecload: delete: "), message
    for word in words:
        assert word in message, (word, message)


def assert_deleted(done: Outcome, acknowledged: int, **counts: int) -> None:
    assert done.exit_code == (3 if counts.get("vectors_rejected") else 0), done.stderr
    assert_accounts(done.json)
    assert done.json["job"] == "delete"
    assert done.json["rows_remaining"] == 0
    assert done.json["vectors_acknowledged"] == acknowledged, done.json
    for name, count in counts.items():
        assert done.json[name] == count, (name, done.json)


@pytest.fixture
def loaded(program: Program, server: VecloadServer) -> Any:
    """in.parquet, loaded whole into bucket/index."""
    write_vectors(program.folder / "in.parquet", random_vectors(ROWS, DIMENSION))
    client = server.client()
    make_index(client, DIMENSION)
    done = program.run("load", "in.parquet", "--index", "bucket/index", *UNLIMITED)
    assert done.exit_code == 0, done.stderr
    return client


# --- sources


def test_keys_of_parquet_and_no_others_are_deleted(program: Program, loaded: Any) -> None:
    # More than two requests, in an order of their own.
    gone = list(range(0, ROWS, 2))
    random.Random(1).shuffle(gone)
    write_keys(program.folder / "gone.parquet", [key(row) for row in gone])
    done = delete(program, "gone.parquet")
    assert_deleted(done, ROWS // 2)
    assert done.json["requests"] == 3, "at most 500 keys a request"
    assert done.json["key_column"] == "id"
    assert stored_keys(loaded) == keys(*range(1, ROWS, 2))


def test_the_file_that_was_loaded_is_a_list_too(program: Program, loaded: Any) -> None:
    put(loaded, "index", "another")
    assert_deleted(delete(program, "in.parquet"), ROWS)
    assert stored_keys(loaded) == {"another"}


@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
def test_keys_of_arrow_ipc(program: Program, loaded: Any, stream: bool) -> None:
    put(loaded, "index", "17", "-4", "18446744073709551615")
    table = pa.table({
        "note": pa.array(["x"] * 3),
        "number": pa.array([17, 0, 2**64 - 1], pa.uint64()),
    })  # fmt: skip
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(str(program.folder / "gone.arrow"), table.schema) as writer:
        writer.write_table(table)
    assert_deleted(delete(program, "gone.arrow", "--key-column", "number"), 3)
    assert stored_keys(loaded) == keys(*range(ROWS)) | {"-4"}


def test_what_verify_names_as_extra_is_healed(program: Program, loaded: Any) -> None:
    strangers = ['say "hi"', "two\nlines", "größe 😀", "\u0001", "k" * 1024, "back\\slash", "{}"]
    put(loaded, "index", *strangers)
    verify = ("verify", "in.parquet", "--index", "bucket/index", "--extra", "extra.jsonl")
    different = program.run(*verify)
    assert different.exit_code == 5, different.stderr
    assert_deleted(delete(program, "extra.jsonl"), len(strangers))
    healed = program.run(*verify)
    assert healed.exit_code == 0, healed.stdout + healed.stderr


def test_the_keys_of_a_rejects_file_are_deleted(program: Program, loaded: Any) -> None:
    """Rows that the new load refuses are still there in their old version."""
    names = [key(1), key(2), None, key(3)]
    vectors = random_vectors(4, DIMENSION)
    vectors[1:] = 0  # which cosine does not take
    pq.write_table(pa.table({"id": names, "embedding": fixed_size_column(vectors)}),
                   program.folder / "new.parquet")  # fmt: skip
    rejecting = program.run("load", "new.parquet", "--index", "bucket/index", "--rejects",
                            "rejects.jsonl")  # fmt: skip
    assert rejecting.exit_code == 3, rejecting.stderr
    done = delete(program, "rejects.jsonl", "--rejects", "no-keys.jsonl")
    assert_deleted(done, 2, vectors_rejected=1)
    assert [line["rule"] for line in done.rejects("no-keys.jsonl")] == ["key_missing"]
    assert stored_keys(loaded) == keys(*range(ROWS)) - keys(2, 3)


def test_files_in_s3_are_lists_too(
    program: Program, loaded: Any, s3: RcloneServer, s3_folder: Path
) -> None:
    program.env["AWS_ENDPOINT_URL_S3"] = s3.url
    (s3_folder / "data/lists").mkdir(parents=True)
    # Some chunks of JSON Lines long, so that they are read ahead.
    write_lines(s3_folder / "data/lists/a.jsonl",
                *({"key": key(row), "pad": "x" * 4000} for row in range(2000)))  # fmt: skip
    write_lines(s3_folder / "data/lists/b.jsonl", {"key": key(2500)})
    write_keys(s3_folder / "data/more.parquet", [key(row) for row in range(2000, 2100)])
    assert (s3_folder / "data/lists/a.jsonl").stat().st_size > 7 << 20
    assert_deleted(delete(program, "s3://data/lists/*.jsonl"), 2001)
    assert stored_keys(loaded) == keys(*range(2000, ROWS)) - keys(2500)
    assert_deleted(delete(program, "s3://data/more.parquet"), 100)
    assert stored_keys(loaded) == keys(*range(2100, ROWS)) - keys(2500)


def test_folders_and_several_sources(program: Program, loaded: Any) -> None:
    (program.folder / "lists/deep").mkdir(parents=True)
    write_keys(program.folder / "lists/a.parquet", [key(1)])
    write_keys(program.folder / "lists/deep/b.parquet", [key(2)])
    write_keys(program.folder / "c.parquet", [key(3)])
    assert_deleted(delete(program, "lists", "c.parquet"), 3)
    assert stored_keys(loaded) == keys(*range(ROWS)) - keys(1, 2, 3)


# --- keys


def test_keys_that_are_not_there_are_no_error(program: Program, loaded: Any) -> None:
    write_keys(program.folder / "gone.parquet", [key(1), "never", key(ROWS)])
    assert_deleted(delete(program, "gone.parquet"), 3)
    assert stored_keys(loaded) == keys(*range(ROWS)) - keys(1)


def test_what_is_no_key_is_rejected_and_the_others_are_deleted(
    program: Program, loaded: Any
) -> None:
    values = [b"k000001", None, b"", b"\xff\xfe", b"x" * 1025, "é".encode() * 513, b"k000002"]
    write_keys(program.folder / "gone.parquet", pa.array(values, pa.binary()))
    done = delete(program, "gone.parquet", "--rejects", "rejects.jsonl", "--report", "r.json")
    assert_deleted(done, 2, vectors_rejected=5)
    rules = {line["row"]: line["rule"] for line in done.rejects()}
    assert rules == {1: "key_missing", 2: "key_length", 3: "key_not_utf8", 4: "key_length",
                     5: "key_length"}  # fmt: skip
    assert json.loads((program.folder / "r.json").read_text())["vectors_rejected"] == 5
    assert stored_keys(loaded) == keys(*range(ROWS)) - keys(1, 2)
    # The same of JSON Lines: its rejects are a list again, of nothing that could be deleted.
    again = delete(program, "rejects.jsonl", "--rejects", "again.jsonl")
    assert_deleted(again, 0, vectors_rejected=5)
    kept = [(line["rule"], line.get("key_base64")) for line in again.rejects("again.jsonl")]
    assert kept == [("key_missing", None), ("key_length", None), ("key_not_utf8", "//4="),
                    ("key_length", None), ("key_length", None)]  # fmt: skip


def test_a_key_that_comes_twice_is_sent_once_a_request(program: Program, loaded: Any) -> None:
    names = [key(row) for row in (*range(100), *range(50))]
    write_keys(program.folder / "gone.parquet", names)
    assert_deleted(delete(program, "gone.parquet"), 100, vectors_superseded=50, requests=1)
    assert stored_keys(loaded) == keys(*range(100, ROWS))


def test_too_many_rejects_stop_it(program: Program, loaded: Any) -> None:
    write_keys(program.folder / "gone.parquet", [None] * 20 + [key(row) for row in range(ROWS)])
    done = program.run("delete", "--index", "bucket/index", "--keys-from", "gone.parquet",
                       "--max-rejects", "10", "--rate-vectors", "500", "--batch-vectors", "50",
                       "--output", "json")  # fmt: skip
    assert done.exit_code == 4, done.stderr
    assert "--max-rejects 10" in done.stderr
    assert_accounts(done.json)
    assert done.json["rows_remaining"] > 0


# --- what is refused before anything is deleted


@pytest.mark.parametrize("place", [0, 1500, ROWS - 1])
def test_the_list_of_another_index_is_refused(program: Program, loaded: Any, place: int) -> None:
    lines = [{"key": key(row), "index": "bucket/index"} for row in range(ROWS)]
    lines[place]["index"] = "bucket/other"
    write_lines(program.folder / "extra.jsonl", *lines)
    before = sorted(program.folder.rglob("*"))
    done = delete(program, "extra.jsonl")
    assert_refused(done, f"extra.jsonl, line {place + 1}: ", "bucket/other", "nothing was deleted")
    assert stored_keys(loaded) == keys(*range(ROWS))
    assert sorted(program.folder.rglob("*")) == before, "neither journal nor rejects"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"key":"k000001"}\n{"key":"k000002"\n', ("line 2", "not a JSON object")),
        ('{"key":17}\n', ("line 1", "not a JSON object")),
        ('{"key":"a","key":"b"}\n', ("line 1", "two keys")),
        ('{"id":"k000001"}\n', ("lists no key", '"key"')),
        ("k000001\nk000002\n", ("neither Parquet nor Arrow IPC nor JSON Lines",)),
        ("", ("empty",)),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(
    program: Program, loaded: Any, text: str, words: tuple[str, ...]
) -> None:
    (program.folder / "list.jsonl").write_text(text)
    assert_refused(delete(program, "list.jsonl"), "list.jsonl", *words)
    assert stored_keys(loaded) == keys(*range(ROWS))


def test_a_wrong_column_is_refused(program: Program, loaded: Any) -> None:
    table = pa.table({"a": [key(1)], "b": [key(2)], "score": [0.5]})
    pq.write_table(table, program.folder / "gone.parquet")
    assert_refused(delete(program, "gone.parquet"), "several columns", "--key-column", "a (string)")
    for column in ("score", "none"):
        assert_refused(delete(program, "gone.parquet", "--key-column", column), column)
    # A column of the right type that holds no key.
    write_keys(program.folder / "gone.parquet", [""] * 10_000)
    done = delete(program, "gone.parquet")
    assert done.exit_code == 4, done.stderr
    assert "the first 10000 rows were all rejected" in done.stderr
    assert "--key-column" in done.stderr and "--vector-column" not in done.stderr
    assert stored_keys(loaded) == keys(*range(ROWS))


def test_an_empty_list_deletes_nothing(program: Program, loaded: Any) -> None:
    write_keys(program.folder / "gone.parquet", pa.array([], pa.string()))
    assert_deleted(delete(program, "gone.parquet"), 0, rows_total=0, requests=0)
    (program.folder / "empty").mkdir()
    assert_refused(delete(program, "empty"), "empty")
    assert stored_keys(loaded) == keys(*range(ROWS))


def test_an_index_that_is_not_there(program: Program, loaded: Any) -> None:
    write_keys(program.folder / "gone.parquet", [key(1)])
    assert_refused(delete(program, "gone.parquet", index="bucket/nowhere"), "nowhere")


def test_rejects_never_overwrite_the_list(program: Program, loaded: Any) -> None:
    path = write_lines(program.folder / "rejects.jsonl", {"key": key(1)})
    os.link(path, program.folder / "linked.jsonl")
    for rejects in ("rejects.jsonl", "./rejects.jsonl", "linked.jsonl"):
        done = delete(program, "rejects.jsonl", "--rejects", rejects)
        assert_refused(done, "rejects.jsonl", "--rejects")
    assert path.read_text() == json.dumps({"key": key(1)}) + "\n"
    assert stored_keys(loaded) == keys(*range(ROWS))


def test_a_dry_run_only_counts(program: Program, loaded: Any) -> None:
    values = [*(key(row) for row in range(1200)), None, key(1199)]
    write_keys(program.folder / "gone.parquet", values)
    before = sorted(program.folder.rglob("*"))
    done = delete(program, "gone.parquet", "--dry-run")
    assert done.exit_code == 0, done.stderr
    counts = {name: done.json[name] for name in ("rows", "keys", "rejected", "superseded",
                                                 "requests", "shards")}  # fmt: skip
    assert counts == {"rows": 1202, "keys": 1200, "rejected": 1, "superseded": 1, "requests": 3,
                      "shards": 1}  # fmt: skip
    text = program.run("delete", "--index", "bucket/index", "--keys-from", "gone.parquet",
                       "--dry-run")  # fmt: skip
    assert text.exit_code == 0 and "1,200 would be deleted" in text.stdout
    assert stored_keys(loaded) == keys(*range(ROWS))
    assert sorted(program.folder.rglob("*")) == before, "neither journal nor rejects"


# --- shards


def shard_of(name: str, shards: int = SHARDS) -> int:
    return xxhash.xxh3_64_intdigest(name.encode()) % shards


def left_in_shards(client: Any, shards: int = SHARDS) -> set[str]:
    left: set[str] = set()
    for shard in range(shards):
        own = stored_keys(client, f"bucket/base-{shard:04}")
        assert {shard_of(name, shards) for name in own} <= {shard}
        left |= own
    return left


@pytest.fixture
def sharded(program: Program, server: VecloadServer) -> Any:
    """in.parquet, loaded whole into the shards of bucket/base."""
    write_vectors(program.folder / "in.parquet", random_vectors(ROWS, DIMENSION))
    client = server.client()
    client.create_vector_bucket(vectorBucketName="bucket")
    done = program.run("load", "in.parquet", "--index", "bucket/base", "--shards", str(SHARDS),
                       "--create-index", "--distance-metric", "cosine", *UNLIMITED)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    return client


def test_each_key_is_deleted_from_its_shard(program: Program, sharded: Any) -> None:
    gone = keys(*range(0, ROWS, 3))
    write_keys(program.folder / "gone.parquet", sorted(gone))
    done = delete(program, "gone.parquet", index="bucket/base")
    assert_deleted(done, len(gone))
    for shard, told in enumerate(done.json["shards"]):
        own = {name for name in gone if shard_of(name) == shard}
        assert (told["index"], told["vectors_acknowledged"]) == (f"bucket/base-{shard:04}",
                                                                 len(own))  # fmt: skip
    assert left_in_shards(sharded) == keys(*range(ROWS)) - gone


def test_a_key_in_another_shard_than_its_own_is_not_deleted_where_it_belongs(
    program: Program, sharded: Any
) -> None:
    name, extra = key(17), "stranger"
    wrong = (shard_of(name) + 1) % SHARDS
    put(sharded, f"base-{wrong:04}", name)
    put(sharded, f"base-{shard_of(extra):04}", extra)
    verify = ("verify", "in.parquet", "--index", "bucket/base", "--extra", "extra.jsonl")
    assert program.run(*verify).exit_code == 5
    done = delete(program, "extra.jsonl", index="bucket/base")
    assert_refused(done, f"bucket/base-{wrong:04}", f"bucket/base-{shard_of(name):04}", "--index")
    assert name in stored_keys(sharded, f"bucket/base-{shard_of(name):04}")
    assert extra in stored_keys(sharded, f"bucket/base-{shard_of(extra):04}")
    # As the message says.
    for line in (program.folder / "extra.jsonl").read_text().splitlines():
        named = json.loads(line)
        write_lines(program.folder / f"{named['key']}.jsonl", named)
        assert_deleted(delete(program, f"{named['key']}.jsonl", index=named["index"]), 1)
    assert program.run(*verify).exit_code == 0
    assert left_in_shards(sharded) == keys(*range(ROWS))


def test_extra_keys_of_shards_are_healed(program: Program, sharded: Any) -> None:
    strangers = [f"stranger {number}" for number in range(40)]
    for name in strangers:
        put(sharded, f"base-{shard_of(name):04}", name)
    verify = ("verify", "in.parquet", "--index", "bucket/base", "--extra", "extra.jsonl")
    assert program.run(*verify).exit_code == 5
    assert_deleted(delete(program, "extra.jsonl", index="bucket/base"), 40)
    assert program.run(*verify).exit_code == 0


# --- what breaks, and goes on


def keys_left(folder: Path, data: str, names: list[str]) -> set[str]:
    """Without faults, so that boto3 can read all of it."""
    server = VecloadServer(folder, "--data-dir", data)
    try:
        client = server.client()
        return {name for index in names for name in stored_keys(client, f"bucket/{index}")}
    finally:
        server.stop()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shards", [0, 5])
def test_killed_amid_faults_exactly_the_listed_keys_are_gone(
    bare_program: Program, tmp_path: Path, shards: int
) -> None:
    program = bare_program
    seed = int(os.environ.get("VECLOAD_TEST_SEED", time.time_ns() % 1_000_000))
    print(f"VECLOAD_TEST_SEED={seed}")
    rows, data = 100_000, str(tmp_path / "data")
    write_vectors(program.folder / "in.parquet", random_vectors(rows, DIMENSION))
    names = [f"base-{shard:04}" for shard in range(shards)] or ["base"]
    server = VecloadServer(tmp_path / "first", "--data-dir", data)
    program.env["AWS_ENDPOINT_URL_S3VECTORS"] = server.url
    done = program.run("load", "in.parquet", "--index", "bucket/base", "--create-index",
                       "--distance-metric", "cosine", *UNLIMITED,
                       *(("--shards", str(shards)) if shards else ()))  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert server.stop() == 0
    # Every other one, and some lines of a reject's kind among them.
    lines: list[dict[str, Any]] = [{"key": key(row)} for row in range(0, rows, 2)]
    lines[1000:1000] = [{"row": 7, "rule": "key_missing"}] * 3
    write_lines(program.folder / "gone.jsonl", *lines)

    server = VecloadServer(tmp_path / "second", "--data-dir", data, "--faults",
                           f"seed={seed},{FAULTS}")  # fmt: skip
    # What the journal took for done before its answer would be left over.
    proxy = CountingProxy(server.port, latency_s=0.01)
    program.env["AWS_ENDPOINT_URL_S3VECTORS"] = proxy.url
    batch, in_flight = 20, 16
    # A limit far above what is reached: each 429 and 503 takes away a part of it.
    command = ("delete", "--index", "bucket/base", "--keys-from", "gone.jsonl", "--rate-vectors",
               "200000", "--rate-requests", "20000", "--batch-vectors", str(batch),
               "--max-in-flight", str(in_flight), "--rejects", "rejects.jsonl", "--output",
               "json")  # fmt: skip
    moments = random.Random(seed)
    try:
        for proxy.run in range(8):
            process = program.start(*command)
            # The moment is what is varied: from before the first answer to some commits later.
            wait_for_acknowledged(proxy, moments.randrange(5_000))
            process.kill()
            process.communicate(timeout=30)
        proxy.run = 8
        finished = program.run(*command, timeout=200)
        assert finished.exit_code == 3, finished.stderr
        assert_accounts(finished.json)
        report = finished.json
        assert report["rows_remaining"] == 0 and report["vectors_rejected"] == 3
        assert report["vectors_acknowledged"] + report["vectors_resumed"] == rows // 2
        assert report["vectors_resumed"] > 0, "some kill came after the first commit"
        assert len(finished.rejects()) == 3, "each once, over all runs"
        again = sent_again(proxy)
        assert max(again) <= (64 + 2 * in_flight) * batch, again
    finally:
        proxy.stop()
        server.stop()
    assert keys_left(tmp_path / "third", data, names) == keys(*range(1, rows, 2))


def wait_for_acknowledged(proxy: CountingProxy, count: int) -> None:
    """Until as many keys were in this run."""
    deadline = time.monotonic() + 60
    while len(proxy.acknowledged.get(proxy.run, ())) < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def sent_again(proxy: CountingProxy) -> list[int]:
    """For each run, how many keys it sent although an earlier run had its answer for them."""
    known: set[bytes] = set()
    again = []
    for run in range(proxy.run + 1):
        again.append(len(proxy.sent.get(run, set()) & known))
        known |= proxy.acknowledged.get(run, set())
    return again


def test_throttling_by_the_server_loses_nothing(
    bare_program: Program, start_server: Callable[..., VecloadServer]
) -> None:
    server = start_server("--rate-vectors", "1500", "--rate-requests", "100")
    program = bare_program
    program.env["AWS_ENDPOINT_URL_S3VECTORS"] = server.url
    client = server.client()
    make_index(client, DIMENSION)
    put(client, "index", *keys(*range(500)))
    write_keys(program.folder / "gone.parquet", [key(row) for row in range(1, 6000)])
    done = delete(program, "gone.parquet")
    assert_deleted(done, 5999)
    assert done.json["throttled"] > 0, "the server's limit must have been met"
    assert done.json["attempts"] > done.json["requests"]
    assert stored_keys(client) == keys(0)


def test_the_default_pace_is_that_of_a_load(
    bare_program: Program, start_server: Callable[..., VecloadServer]
) -> None:
    server = start_server("--rate-vectors", "2500", "--rate-requests", "1000")
    program = bare_program
    program.env["AWS_ENDPOINT_URL_S3VECTORS"] = server.url
    make_index(server.client(), DIMENSION)
    write_keys(program.folder / "gone.parquet", [key(row) for row in range(10_000)])
    done = program.run("delete", "--index", "bucket/index", "--keys-from", "gone.parquet",
                       "--output", "json")  # fmt: skip
    assert_deleted(done, 10_000, throttled=0)
    assert 2000 < done.json["vectors_per_s"] < 3500
    assert done.json["bottleneck"] == "service_limit"


def test_a_signal_drains_and_the_same_command_goes_on(program: Program, loaded: Any) -> None:
    write_keys(program.folder / "gone.parquet", [key(row) for row in range(2, ROWS)])
    command = ("delete", "--index", "bucket/index", "--keys-from", "gone.parquet",
               "--batch-vectors", "50", "--output", "json")  # fmt: skip
    with program.start(*command, "--rate-vectors", "500", "--progress", "json") as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if json.loads(line)["vectors_acknowledged"] > 0:
                    break
            process.terminate()
            stdout, stderr = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 4, stderr
    report = json.loads(stdout)
    assert_accounts(report)
    assert report["rows_remaining"] > 0 and report["vectors_acknowledged"] > 0
    assert len(stored_keys(loaded)) == ROWS - report["vectors_acknowledged"]
    done = program.run(*command)
    assert_deleted(done, report["rows_remaining"], vectors_resumed=report["vectors_acknowledged"])
    assert stored_keys(loaded) == keys(0, 1)


def test_a_finished_deletion_sends_nothing_again_until_restarted(
    program: Program, loaded: Any
) -> None:
    write_keys(program.folder / "gone.parquet", [key(row) for row in range(1000)])
    assert_deleted(delete(program, "gone.parquet"), 1000)
    put(loaded, "index", key(1))
    again = delete(program, "gone.parquet")
    assert_deleted(again, 0, vectors_resumed=1000, requests=0)
    assert "complete since" in again.stderr and "--restart" in again.stderr
    assert_deleted(delete(program, "gone.parquet", "--restart"), 1000)
    assert stored_keys(loaded) == keys(*range(1000, ROWS))


def test_parts_of_a_deletion_add_up_to_it(program: Program, loaded: Any) -> None:
    for number in range(8):
        write_keys(program.folder / f"gone{number}.parquet",
                   [key(row) for row in range(number, ROWS - 5, 8)])  # fmt: skip
    parts = [delete(program, "gone*.parquet", "--part", f"{part}/3") for part in (1, 2, 3)]
    assert [done.exit_code for done in parts] == [0, 0, 0]
    assert sum(done.json["vectors_acknowledged"] for done in parts) == ROWS - 5
    assert stored_keys(loaded) == keys(*range(ROWS - 5, ROWS))


def test_the_journal_of_a_load_is_not_a_deletions(program: Program, loaded: Any) -> None:
    load = ("load", "in.parquet", "--index", "bucket/index", "--journal", "job.journal")
    journal = program.folder / "job.journal"
    assert program.run(*load, *UNLIMITED).exit_code == 0
    before = journal.read_bytes()
    refused = delete(program, "in.parquet", "--journal", "job.journal")
    assert_refused(refused, "job.journal", "operation (journal: load, this delete: delete)")
    assert journal.read_bytes() == before
    assert stored_keys(loaded) == keys(*range(ROWS))
    journal.unlink()
    assert delete(program, "in.parquet", "--journal", "job.journal").exit_code == 0
    before = journal.read_bytes()
    refused = program.run(*load)
    assert refused.exit_code == 1
    assert "operation (journal: delete, this load: load)" in refused.stderr, refused.stderr
    assert journal.read_bytes() == before
    assert stored_keys(loaded) == set()
    shown = program.run("journal", "show", "job.journal", "--output", "json")
    assert shown.json["job"]["operation"] == "delete"


def test_deletions_and_loads_keep_journals_of_their_own(program: Program, loaded: Any) -> None:
    assert_deleted(delete(program, "in.parquet"), ROWS)
    assert len(list(program.folder.glob(".local/state/vecload/*.journal"))) == 2


def test_a_list_that_changed_since_is_refused(program: Program, loaded: Any) -> None:
    write_lines(program.folder / "gone.jsonl", {"key": key(1)})
    assert_deleted(delete(program, "gone.jsonl"), 1)
    write_lines(program.folder / "gone.jsonl", {"key": key(1)}, {"key": key(2)})
    assert_refused(delete(program, "gone.jsonl"), "gone.jsonl changed", "--restart")
    assert_deleted(delete(program, "gone.jsonl", "--restart"), 2)


def test_no_permission_stops_it_and_it_can_go_on(
    bare_program: Program, scripted: Callable[..., ScriptedServer]
) -> None:
    service = scripted(DIMENSION)
    service.script = lambda name, number: (
        (403, "AccessDeniedException", "no") if name == "DeleteVectors" and number >= 2 else None
    )
    write_keys(bare_program.folder / "gone.parquet", [key(row) for row in range(2000)])
    stopped = delete(bare_program, "gone.parquet", "--max-in-flight", "1")
    assert stopped.exit_code == 4, stopped.stderr
    assert "DeleteVectors" in stopped.stderr and "bucket/index" in stopped.stderr
    assert "run the same command again" in stopped.stderr
    assert_accounts(stopped.json)
    assert stopped.json["vectors_acknowledged"] == 1000
    service.script = lambda _name, _number: None
    done = delete(bare_program, "gone.parquet")
    assert_deleted(done, 1000, vectors_resumed=1000)
    assert set(service.operations) == {"GetIndex", "DeleteVectors"}


def test_it_gives_up_when_nothing_is_acknowledged(
    bare_program: Program, scripted: Callable[..., ScriptedServer]
) -> None:
    service = scripted(DIMENSION)
    service.script = lambda name, _number: (
        (500, "InternalServerException", "no") if name == "DeleteVectors" else None
    )
    write_keys(bare_program.folder / "gone.parquet", [key(1)])
    stopped = delete(bare_program, "gone.parquet", "--give-up-after", "1s")
    assert stopped.exit_code == 4, stopped.stderr
    assert "no batch was acknowledged" in stopped.stderr
    assert stopped.json["rows_remaining"] == 1
