"""Goal: `vecload plan` tells what a load then takes, names bad input and keys that come twice, and
changes nothing. Method: the same source is planned, loaded and verified, and the figures are held
against each other; a Python dict says which keys come twice.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.program import ROOT, Outcome, Program
from support.servers import VecloadServer
from support.vectors import make_index, random_vectors, write_vectors

PACKAGES = ROOT / "examples/data/debian-packages-small.parquet"


def plan(program: Program, *arguments: str | Path) -> Outcome:
    return program.run("plan", *arguments, "--output", "json")


def load(program: Program, *arguments: str | Path) -> Outcome:
    return program.run("load", *arguments, "--index", "bucket/index", "--output", "json",
                       "--rate-vectors", "unlimited", "--rate-requests", "unlimited")  # fmt: skip


def test_the_plan_is_what_the_load_takes(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), 384)
    source = (PACKAGES, "--key-column", "package")
    done = plan(program, *source, "--index", "bucket/index")
    assert done.exit_code == 0, done.stderr
    planned = done.json
    assert (planned["files"], planned["row_groups"], planned["rows"]) == (1, 1, 4000)
    assert planned["source_bytes"] == PACKAGES.stat().st_size
    assert (planned["key_column"], planned["vector_column"]) == ("package", "embedding")
    assert planned["dimension"] == 384 and planned["index_exists"] is True
    assert planned["load_s"] == pytest.approx(1.6)
    loaded = load(program, *source).json
    assert planned["requests"] == loaded["requests"]
    assert planned["body_bytes"] == pytest.approx(loaded["bytes_sent"], rel=0.03)
    verified = program.run("verify", *source, "--index", "bucket/index", "--output", "json")
    assert verified.exit_code == 0, verified.stderr
    calls = verified.json["list_calls"]
    assert planned["verify_list_calls"] == pytest.approx(calls, abs=1)


# (rows of each file, rows of a row group)
@pytest.mark.parametrize(
    ("files", "group"),
    [([1200], 100), ([3] * 40, 1000), ([700, 20, 20, 20, 900], 256), ([499, 1, 1], 1000)],
)
def test_requests_of_small_files(
    program: Program, server: VecloadServer, files: list[int], group: int
) -> None:
    make_index(server.client(), 8)
    (program.folder / "in").mkdir()
    vectors = random_vectors(sum(files), 8)
    begin = 0
    for number, rows in enumerate(files):
        path = program.folder / "in" / f"{number:03d}.parquet"
        keys = [f"k{row}" for row in range(begin, begin + rows)]
        write_vectors(path, vectors[begin : begin + rows], keys)
        pq.write_table(pq.read_table(path), path, row_group_size=group)
        begin += rows
    planned = plan(program, "in").json
    assert planned["requests"] == load(program, "in").json["requests"]
    assert planned["files"] == len(files)


def test_long_vectors_make_smaller_requests(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), 4096)
    write_vectors(program.folder / "in.parquet", random_vectors(1000, 4096))
    planned = plan(program, "in.parquet").json
    assert planned["batch_vectors"] < 500
    loaded = load(program, "in.parquet").json
    assert planned["requests"] == pytest.approx(loaded["requests"], abs=1)
    assert planned["body_bytes"] == pytest.approx(loaded["bytes_sent"], rel=0.01)


def test_without_an_index_no_call_is_made_and_no_keys_are_needed(bare_program: Program) -> None:
    write_vectors(bare_program.folder / "in.parquet", random_vectors(100, 8))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        del bare_program.env[name]
    done = plan(bare_program, "in.parquet", "--shards", "16")
    assert done.exit_code == 0, done.stderr
    assert done.json["shards"] == 16 and "index" not in done.json
    assert done.json["logical_bytes"] == 100 * (4 * 8 + len("k000000"))
    text = bare_program.run("plan", "in.parquet").stdout
    lines = dict(line.split(maxsplit=1) for line in text.splitlines())
    assert lines["rows"] == "100"
    assert lines["columns"] == "key id, vector embedding (8-d), metadata none"
    assert lines["requests"] == "1 of at most 500 vectors"


def test_metadata_counts_by_the_services_model(program: Program) -> None:
    write_vectors(
        program.folder / "in.parquet", random_vectors(50, 4), title=pa.array(["x" * 100] * 50)
    )
    planned = plan(program, "in.parquet").json
    assert planned["sample_rows"] == 50
    assert planned["metadata_bytes_mean"] >= 105
    mean = 4 * 4 + planned["key_bytes_mean"] + planned["metadata_bytes_mean"]
    assert planned["logical_bytes"] == pytest.approx(50 * mean)


def test_a_sample_without_a_row_that_can_be_loaded(program: Program) -> None:
    vectors = random_vectors(10, 4)
    vectors[:] = np.nan
    write_vectors(program.folder / "in.parquet", vectors)
    assert plan(program, "in.parquet").json["sample_rows"] == 0
    text = program.run("plan", "in.parquet").stdout
    assert "without keys and metadata: no row of the sample can be loaded" in text


def make_shard(client: Any, shard: int, shards: int, dimension: int = 8) -> None:
    client.create_index(
        vectorBucketName="bucket", indexName=f"base-{shard:04d}", dataType="float32",
        dimension=dimension, distanceMetric="cosine",
        tags={"vecload:shard-scheme": "xxh3-64", "vecload:shards": str(shards),
              "vecload:shard": str(shard)},
    )  # fmt: skip


def test_indexes_and_shards_that_are_there_or_not(program: Program, server: VecloadServer) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(100, 8))
    client = server.client()
    absent = plan(program, "in.parquet", "--index", "bucket/base")
    assert absent.exit_code == 0, absent.stderr
    assert absent.json["index_exists"] is False and absent.json["shards"] == 1
    assert "not there yet" in program.run("plan", "in.parquet", "--index", "bucket/base").stdout
    client.create_vector_bucket(vectorBucketName="bucket")
    for shard in range(3):
        make_shard(client, shard, 3)
    there = plan(program, "in.parquet", "--index", "bucket/base").json
    assert (there["index_exists"], there["shards"]) == (True, 3)
    assert there["verify_list_calls"] == 3
    assert plan(program, "in.parquet", "--index", "bucket/base", "--shards", "3").json == there
    new = plan(program, "in.parquet", "--index", "bucket/other", "--shards", "4").json
    assert (new["index_exists"], new["shards"]) == (False, 4)


def test_bad_input_is_named(program: Program, server: VecloadServer) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(10, 8))
    client = server.client()
    client.create_vector_bucket(vectorBucketName="bucket")
    for shard in range(3):
        make_shard(client, shard, 3)

    def refusal(*arguments: str) -> str:
        done = plan(program, "in.parquet", *arguments)
        assert done.exit_code == 1 and done.stdout == ""
        return done.stderr

    assert "divided into 3 shards, not 4" in refusal("--index", "bucket/base", "--shards", "4")
    assert "59 characters" in refusal("--index", "bucket/" + "x" * 59, "--shards", "2")
    assert "No_Name" in refusal("--index", "bucket/No_Name")
    client.delete_index(vectorBucketName="bucket", indexName="base-0002")
    assert "base-0002" in refusal("--index", "bucket/base")
    assert "base-0002" in refusal("--index", "bucket/base", "--shards", "3")
    make_shard(client, 2, 3, dimension=9)
    assert "bucket/base-0002 has dimension 9" in refusal("--index", "bucket/base")
    client.create_index(vectorBucketName="bucket", indexName="index", dataType="float32",
                        dimension=5, distanceMetric="cosine")  # fmt: skip
    assert "length 8" in refusal("--index", "bucket/index")
    assert program.run("plan", "in.parquet", "--shards", "1001").exit_code == 2
    assert program.run("plan", "in.parquet", "--duplicates", "x").exit_code == 2
    assert "nothing.parquet" in program.run("plan", "nothing.parquet").stderr


def test_keys_that_come_twice_are_named(program: Program) -> None:
    random = np.random.default_rng(11)
    numbers = random.integers(0, 60_000, 90_000)
    keys = [f"k\u00e9{number}" for number in numbers]
    (program.folder / "in").mkdir()
    vectors = random_vectors(30_000, 2)
    for part in range(3):
        own = keys[part * 30_000 : (part + 1) * 30_000]
        write_vectors(program.folder / "in" / f"{part}.parquet", vectors, own)
    rows: dict[str, list[tuple[str, int]]] = {}
    for row, key in enumerate(keys):
        path = program.folder / "in" / f"{row // 30_000}.parquet"
        rows.setdefault(key, []).append((str(path.resolve()), row % 30_000))
    twice = {key: places for key, places in rows.items() if len(places) > 1}
    done = plan(program, "in", "--check-keys", "--memory", "1MiB", "--duplicates", "twice.jsonl")
    assert done.exit_code == 5, done.stderr
    found = done.json["repeated_keys"]
    assert found["keys"] == len(twice)
    assert found["rows"] == sum(len(places) - 1 for places in twice.values())
    told: dict[str, list[tuple[str, int]]] = {}
    for line in (program.folder / "twice.jsonl").read_text().splitlines():
        entry = json.loads(line)
        assert entry["occurrence"] == ("again" if entry["key"] in told else "first")
        told.setdefault(entry["key"], []).append((entry["file"], entry["row"]))
    assert told == twice
    for shown in found["shown"]:
        places = [(row["file"], row["row"]) for row in shown["rows"]]
        assert places == twice[shown["key"]][: len(places)] and len(places) > 1
        assert shown["count"] == len(twice[shown["key"]])
    assert sum(len(shown["rows"]) for shown in found["shown"]) <= 1000
    text = program.run("plan", "in", "--check-keys")
    assert text.exit_code == 5
    assert len(text.stdout.splitlines()) < 1030
    assert "name a file with --duplicates" in text.stdout


def test_keys_that_come_once(program: Program) -> None:
    path = write_vectors(program.folder / "in.parquet", random_vectors(1000, 2))
    before = path.read_bytes()
    done = plan(program, "in.parquet", "--check-keys", "--duplicates", "twice.jsonl")
    assert done.exit_code == 0, done.stderr
    assert done.json["repeated_keys"] == {
        "keys": 0, "rows": 0, "shown": [], "duplicates": "twice.jsonl"
    }  # fmt: skip
    assert (program.folder / "twice.jsonl").read_text() == ""
    own = plan(program, "in.parquet", "--check-keys", "--duplicates", "in.parquet")
    assert own.exit_code == 1 and "must not be overwritten" in own.stderr
    assert path.read_bytes() == before
