"""Goal: a load over shards puts every vector into the index that its key names, once, whatever
stops it, and refuses every set of indexes in which keys would be in another place. Method: the real
binary; xxhash's Python package says which shard a key is of; boto3 makes, tags and reads indexes.
"""

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xxhash

from support.program import Outcome, Program, assert_accounts
from support.servers import VecloadServer
from support.vectors import Floats, random_vectors, same_bits, stored, stored_keys, write_vectors

DIMENSION = 8
ROWS = 5000
SHARDS = 4
CREATE = ("--create-index", "--distance-metric", "cosine")
UNLIMITED = ("--rate-vectors", "unlimited", "--rate-requests", "unlimited")
FAULTS = "http503=0.01,http429=0.01,http500=0.01,reset=0.005,cut=0.005,slow=0.01,lost=0.005"


def load(program: Program, *flags: str | Path, shards: int = SHARDS, **options: Any) -> Outcome:
    return program.run("load", "in.parquet", "--index", "bucket/base", "--shards", str(shards),
                       "--output", "json", *UNLIMITED, *flags, **options)  # fmt: skip


def shard_of(key: str, shards: int = SHARDS) -> int:
    return xxhash.xxh3_64_intdigest(key.encode()) % shards


def create_shard(client: Any, shard: int, of: int = SHARDS, **changed: Any) -> None:
    settings = {
        "dataType": "float32",
        "dimension": DIMENSION,
        "distanceMetric": "cosine",
        "tags": {
            "vecload:shard-scheme": "xxh3-64",
            "vecload:shards": str(of),
            "vecload:shard": str(shard),
        },
    }
    client.create_index(
        vectorBucketName="bucket", indexName=f"base-{shard:04}", **(settings | changed)
    )


@pytest.fixture
def vectors(program: Program) -> Floats:
    """in.parquet; every eleventh key is beyond ASCII."""
    made = random_vectors(ROWS, DIMENSION)
    keys = [f"k{row:06}" if row % 11 else f"k{row:06}\u00e9\U0001f600" for row in range(ROWS)]
    write_vectors(program.folder / "in.parquet", made, keys=keys)
    return made


@pytest.fixture
def client(server: VecloadServer) -> Any:
    made = server.client()
    made.create_vector_bucket(vectorBucketName="bucket")
    return made


def test_each_vector_is_in_the_index_that_its_key_names(
    program: Program, client: Any, vectors: Floats
) -> None:
    done = load(program, *CREATE, "--tag", "team=search")
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    found: dict[str, Floats] = {}
    for shard in range(SHARDS):
        name = f"base-{shard:04}"
        index = client.get_index(vectorBucketName="bucket", indexName=name)["index"]
        assert client.list_tags_for_resource(resourceArn=index["indexArn"])["tags"] == {
            "vecload:shard-scheme": "xxh3-64",
            "vecload:shards": str(SHARDS),
            "vecload:shard": str(shard),
            "team": "search",
        }
        own = stored(client, f"bucket/{name}")
        assert {shard_of(key) for key in own} == {shard}
        report = done.json["shards"][shard]
        assert (report["index"], report["vectors_acknowledged"]) == (f"bucket/{name}", len(own))
        found |= {key: vector["data"] for key, vector in own.items()}
    assert same_bits(np.stack([found[key] for key in sorted(found)]), vectors)
    verified = program.run("verify", "in.parquet", "--index", "bucket/base", "--output", "json")
    assert verified.exit_code == 0, verified.stdout + verified.stderr


def test_the_same_key_put_again_is_an_update(
    program: Program, client: Any, vectors: Floats
) -> None:
    assert load(program, *CREATE).exit_code == 0
    keys = [f"k{row:06}" for row in range(1, 11)]
    changed = random_vectors(10, DIMENSION, seed=2)
    write_vectors(program.folder / "in.parquet", changed, keys=keys)
    assert load(program, "--restart").exit_code == 0
    found: dict[str, Any] = {}
    for shard in range(SHARDS):
        found |= stored(client, f"bucket/base-{shard:04}")
    assert len(found) == ROWS
    assert same_bits(np.stack([found[key]["data"] for key in keys]), changed)


@pytest.mark.timeout(200)
def test_killed_amid_faults_every_row_is_there_once(bare_program: Program, tmp_path: Path) -> None:
    program = bare_program
    seed = int(os.environ.get("VECLOAD_TEST_SEED", time.time_ns() % 1_000_000))
    print(f"VECLOAD_TEST_SEED={seed}")
    rows, shards = 60_000, 7
    vectors = random_vectors(rows, DIMENSION)
    write_vectors(program.folder / "in.parquet", vectors)
    data = str(tmp_path / "data")
    server = VecloadServer(tmp_path / "first", "--data-dir", data, "--latency-ms", "5",
                           "--faults", f"seed={seed},{FAULTS}")  # fmt: skip
    program.env["AWS_ENDPOINT_URL_S3VECTORS"] = server.url
    command = ("load", "in.parquet", "--index", "bucket/base", "--shards", str(shards), *CREATE,
               "--rate-vectors", "200000", "--rate-requests", "20000",
               "--batch-vectors", "40", "--output", "json")  # fmt: skip
    try:
        done = program.run_through_kills(*command, moments=random.Random(seed))
        assert done.exit_code == 0, done.stderr
        assert_accounts(done.json)
        assert done.json["rows_remaining"] == 0
    finally:
        server.stop()
    found: dict[str, Any] = {}
    server = VecloadServer(tmp_path / "second", "--data-dir", data)
    try:
        client = server.client()
        for shard in range(shards):
            own = stored(client, f"bucket/base-{shard:04}")
            assert {shard_of(key, shards) for key in own} == {shard}
            found |= own
    finally:
        server.stop()
    assert len(found) == rows
    assert same_bits(np.stack([found[key]["data"] for key in sorted(found)]), vectors)


def test_a_load_that_is_repeated_sends_nothing(
    program: Program, client: Any, vectors: Floats
) -> None:
    assert load(program, *CREATE).exit_code == 0
    again = load(program)
    assert again.exit_code == 0
    assert "complete since" in again.stderr
    assert (again.json["vectors_resumed"], again.json["requests"]) == (ROWS, 0)


def test_the_rows_of_a_rejects_file_go_to_their_shards(program: Program, client: Any) -> None:
    made = random_vectors(ROWS, DIMENSION)
    made[[3, 400, 4999]] = 0  # which cosine does not take
    write_vectors(program.folder / "in.parquet", made)
    done = load(program, *CREATE, "--rejects", "rows.jsonl")
    assert (done.exit_code, done.json["vectors_rejected"]) == (3, 3)
    made[[3, 400, 4999]] = 1
    write_vectors(program.folder / "in.parquet", made)
    healed = load(program, "--rows-from", "rows.jsonl")
    assert (healed.exit_code, healed.json["vectors_acknowledged"]) == (0, 3), healed.stderr
    keys: set[str] = set()
    for shard in range(SHARDS):
        own = stored_keys(client, f"bucket/base-{shard:04}")
        assert {shard_of(key) for key in own} == {shard}
        keys |= own
    assert len(keys) == ROWS


def test_parts_of_a_job_share_the_shards(program: Program, client: Any, vectors: Floats) -> None:
    for part in ("1/2", "2/2"):
        done = load(program, *CREATE, "--part", part)
        assert done.exit_code == 0, done.stderr
    assert sum(len(stored_keys(client, f"bucket/base-{shard:04}")) for shard in range(4)) == ROWS


def test_making_the_set_goes_on_where_it_was_interrupted(
    program: Program, client: Any, vectors: Floats
) -> None:
    create_shard(client, 2)
    assert load(program, *CREATE).exit_code == 0
    assert sum(len(stored_keys(client, f"bucket/base-{shard:04}")) for shard in range(4)) == ROWS


def assert_refused(done: Outcome, exit_code: int, *words: str) -> None:
    assert done.exit_code == exit_code, done.stdout + done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert done.stdout == ""


def test_a_set_in_which_keys_would_be_elsewhere_is_refused(
    program: Program, client: Any, vectors: Floats
) -> None:
    assert load(program, *CREATE).exit_code == 0
    for flags in (CREATE, ()):
        done = load(program, *flags, shards=5)
        assert_refused(done, 1, "divided into 4 shards, not 5", "--shards 4")
    plain = program.run("load", "in.parquet", "--index", "bucket/base")
    assert_refused(plain, 1, "divided into 4 shards", "--shards 4")

    client.delete_index(vectorBucketName="bucket", indexName="base-0002")
    assert_refused(load(program), 1, "base-0002", "4 shards")
    create_shard(client, 2, dimension=DIMENSION + 1)
    assert_refused(load(program), 1, "bucket/base-0002", "dimension 9, not 8")
    client.delete_index(vectorBucketName="bucket", indexName="base-0002")
    create_shard(client, 2, distanceMetric="euclidean")
    assert_refused(load(program), 1, "bucket/base-0002", "euclidean")


@pytest.mark.parametrize(
    ("shards", "tags", "words"),
    [
        (0, {}, ("base-0000", "vecload:shards")),
        (0, {"vecload:shard-scheme": "md5"}, ("base-0000", "md5")),
        (1, {"vecload:shards": "9"}, ("base-0001", "shard 1 of 9", "another base")),
    ],
)
def test_an_index_of_another_kind_is_not_taken_for_a_shard(
    program: Program, client: Any, vectors: Floats, shards: int, tags: dict, words: tuple
) -> None:
    own = {"vecload:shard-scheme": "xxh3-64", "vecload:shards": "4", "vecload:shard": str(shards)}
    create_shard(client, shards, tags=(own | tags) if tags else {})
    assert_refused(load(program, *CREATE), 1, *words)
    names = client.list_indexes(vectorBucketName="bucket")["indexes"]
    assert "base-0000" not in [index["indexName"] for index in names] or shards == 0


def test_a_base_that_is_an_index_itself_is_refused(
    program: Program, client: Any, vectors: Floats
) -> None:
    client.create_index(vectorBucketName="bucket", indexName="base", dataType="float32",
                        dimension=DIMENSION, distanceMetric="cosine")  # fmt: skip
    assert_refused(load(program, *CREATE), 1, "bucket/base", "not divided")
    assert len(client.list_indexes(vectorBucketName="bucket")["indexes"]) == 1


@pytest.mark.parametrize(
    ("flags", "exit_code", "words"),
    [
        (("--index", "bucket/" + "b" * 59, "--shards", "2"), 1, ("59 characters", "58")),
        (("--index", "bucket/base", "--shards", "1001"), 2, ("--shards", "1001")),
        (("--index", "bucket/base", "--shards", "0"), 2, ("--shards",)),
        (("--index", "bucket/base", "--shards", "2"), 1, ("base-0000", "--create-index")),
    ],
)
def test_what_cannot_be_is_said(
    program: Program, client: Any, vectors: Floats, flags: tuple, exit_code: int, words: tuple
) -> None:
    done = program.run("load", "in.parquet", *flags)
    assert_refused(done, exit_code, *words)
    assert client.list_indexes(vectorBucketName="bucket")["indexes"] == []


def test_one_shard_and_three_hundred(program: Program, client: Any, vectors: Floats) -> None:
    for shards, base in ((1, "one"), (300, "many")):
        done = program.run("load", "in.parquet", "--index", f"bucket/{base}", "--shards",
                           str(shards), *CREATE, *UNLIMITED, "--output", "json")  # fmt: skip
        assert done.exit_code == 0, done.stderr
        assert len(done.json["shards"]) == shards
        assert sum(s["vectors_acknowledged"] for s in done.json["shards"]) == ROWS
        keys = stored_keys(client, f"bucket/{base}-0000")
        assert keys and {shard_of(key, shards) for key in keys} == {0}


def test_the_report_tells_the_slowest_shard(program: Program, client: Any, vectors: Floats) -> None:
    done = program.run("load", "in.parquet", "--index", "bucket/base", "--shards", "4", *CREATE)
    assert done.exit_code == 0, done.stderr
    line = next(text for text in done.stdout.splitlines() if text.strip().startswith("shards"))
    assert " 4: " in line and "(base-000" in line and line.endswith("vectors/s")
    assert all(len(text) <= 80 for text in done.stdout.splitlines()), done.stdout
    assert json.loads(load(program, "--restart").stdout)["shards"]
