"""Goal: a load with --shard-by puts every row into the index of its value and no other, under a
name that anybody can compute, whatever stops it and whatever values come later; an index that is
not for the value is never written to. Method: the real binary; xxhash's Python package and a slug
of our own name the indexes; boto3 makes, tags and reads them.
"""

import os
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.program import Program, assert_accounts
from support.servers import VecloadServer
from support.shard_by import (
    CREATE,
    DIMENSION,
    assert_refused,
    create,
    index_of,
    load,
    tags_of,
    write,
)
from support.vectors import (
    Floats,
    fixed_size_column,
    random_vectors,
    same_bits,
    stored,
    stored_keys,
    write_vectors,
)

FAULTS = "http503=0.01,http429=0.01,http500=0.01,reset=0.005,cut=0.005,slow=0.01,lost=0.005"

LONG = "x" * 100 + "\u00fc" * 100
STRINGS = [
    "acme",
    "Acme",
    "ACME!",
    "",
    "  two  words  ",
    "M\u00fcller & S\u00f6hne",
    "\U0001f600",
    "\U0001f600\U0001f600",
    "\u212aelvin",
    "a=b;c",
    "joe@example.com",
    "-",
    "0001",
    LONG,
    LONG + "y",
]


def indexes(client: Any, bucket: str = "bucket") -> set[str]:
    pages = client.get_paginator("list_indexes").paginate(vectorBucketName=bucket)
    return {index["indexName"] for page in pages for index in page["indexes"]}


def assert_divided(
    client: Any, tenants: list[str | None], vectors: Floats, keys: list[str] | None = None
) -> None:
    """Each value's index has its rows, bit for bit, and there is no other index."""
    names = keys or [f"k{row:06}" for row in range(len(tenants))]
    expected: dict[str, dict[str, int]] = {}
    for row, value in enumerate(tenants):
        if value is not None:
            expected.setdefault(index_of(value), {})[names[row]] = row
    assert indexes(client) == set(expected)
    for name, rows in expected.items():
        own = stored(client, f"bucket/{name}")
        assert set(own) == set(rows)
        assert same_bits(np.stack([own[key]["data"] for key in rows]), vectors[[*rows.values()]])


@pytest.fixture
def client(server: VecloadServer) -> Any:
    made = server.client()
    made.create_vector_bucket(vectorBucketName="bucket")
    return made


def test_each_row_is_in_the_index_of_its_value(program: Program, client: Any) -> None:
    tenants = [STRINGS[row * row % len(STRINGS)] for row in range(2000)]
    tenants[: len(STRINGS)] = STRINGS
    vectors = write(program, tenants)
    done = load(program, *CREATE, "--tag", "team=search")
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    assert_divided(client, list(tenants), vectors)
    assert len({index_of(value) for value in STRINGS}) == len(STRINGS)
    assert done.json["shard_by"] == "tenant"
    shards = {shard["value"]: shard for shard in done.json["shards"]}
    assert set(shards) == set(STRINGS)
    for value in STRINGS:
        assert shards[value]["index"] == f"bucket/{index_of(value)}"
        assert shards[value]["vectors_acknowledged"] == tenants.count(value)
        arn = client.get_index(vectorBucketName="bucket", indexName=index_of(value))["index"]
        tags = client.list_tags_for_resource(resourceArn=arn["indexArn"])["tags"]
        assert tags == tags_of(value) | {"team": "search"}
        for text in tags.values():  # what the API's model allows
            assert re.fullmatch(r"[A-Za-z0-9 _.:/=+\-@]{0,256}", text), text
    one = stored(client, f"bucket/{index_of('Acme')}")
    assert {vector["metadata"]["tenant"] for vector in one.values()} == {"Acme"}


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([3, -7, 2**63 - 1, 3]), ["3", "-7", str(2**63 - 1), "3"]),
        (pa.array([2**64 - 1, 0], pa.uint64()), [str(2**64 - 1), "0"]),
        (pa.array([1, None, -1], pa.int8()), ["1", None, "-1"]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array(["x", "y"], pa.large_string()), ["x", "y"]),
        (pa.array(["x", "y", "x"]).dictionary_encode(), ["x", "y", "x"]),
        (pa.array([5, 6, 5]).dictionary_encode(), ["5", "6", "5"]),
    ],
    ids=["int64", "uint64", "int8", "bool", "large_string", "dictionary", "numbers"],
)
@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_values_of_every_type(
    program: Program, client: Any, column: pa.Array, values: list[str | None], kind: str
) -> None:
    vectors = random_vectors(len(column), DIMENSION)
    if kind == "parquet":
        write(program, column)
    else:
        table = pa.table({"id": [f"k{row:06}" for row in range(len(column))],
                          "embedding": fixed_size_column(vectors), "tenant": column})  # fmt: skip
        with pa.ipc.new_file(program.folder / "in.arrow", table.schema) as writer:
            writer.write_table(table)
    # Not as metadata, which cannot hold all of these numbers.
    done = load(program, *CREATE, "--metadata-columns", "none", source=f"in.{kind}")
    assert done.exit_code == (3 if None in values else 0), done.stderr
    assert_divided(client, values, vectors)


def test_rows_without_a_value_are_rejected_and_may_come_later(
    program: Program, client: Any
) -> None:
    tenants: list[str | None] = ["a", None, "b", "a", None, ""] * 50
    vectors = write(program, tenants)
    done = load(program, *CREATE, "--rejects", "rows.jsonl")
    assert (done.exit_code, done.json["vectors_rejected"]) == (3, 100), done.stderr
    assert_accounts(done.json)
    rejects = done.rejects("rows.jsonl")
    assert [reject["row"] for reject in rejects] == [
        row for row, value in enumerate(tenants) if value is None
    ]
    assert {reject["rule"] for reject in rejects} == {"shard_value_missing"}
    assert '"tenant"' in rejects[0]["message"]
    assert_divided(client, tenants, vectors)

    mended = [value if value is not None else "a late one" for value in tenants]
    write(program, mended)
    healed = load(program, *CREATE, "--rows-from", "rows.jsonl")
    assert (healed.exit_code, healed.json["vectors_acknowledged"]) == (0, 100), healed.stderr
    assert_divided(client, list(mended), vectors)


def test_text_that_is_not_utf8_is_rejected(program: Program, client: Any) -> None:
    broken = pa.Array.from_buffers(
        pa.string(), 2, pa.array([b"ok", b"\xff\xfe"], pa.binary()).buffers()
    )
    write(program, broken)
    done = load(program, *CREATE, "--metadata-columns", "none", "--rejects", "rows.jsonl")
    assert done.exit_code == 3, done.stderr
    assert [reject["rule"] for reject in done.rejects("rows.jsonl")] == ["shard_value_not_utf8"]
    assert indexes(client) == {index_of("ok")}


def test_hive_partitions_divide_too(program: Program, client: Any) -> None:
    folders = {"tenant=Acme": "Acme", "tenant=a%20b": "a b", "tenant=007": "007",
               "tenant=__HIVE_DEFAULT_PARTITION__": None, "other": None}  # fmt: skip
    vectors: list[Floats] = []
    tenants: list[str | None] = []
    keys: list[str] = []
    for number, folder in enumerate(sorted(folders)):
        path = program.folder / "in" / folder
        path.mkdir(parents=True)
        names = [f"{number}-{row}" for row in range(100)]
        vectors.append(random_vectors(100, DIMENSION, seed=number))
        write_vectors(path / "part.parquet", vectors[-1], keys=names)
        tenants += [folders[folder]] * 100
        keys += names
    done = load(program, *CREATE, source="in")
    assert (done.exit_code, done.json["vectors_rejected"]) == (3, 200), done.stderr
    assert_divided(client, tenants, np.concatenate(vectors), keys)
    again = load(program, source="in")
    assert (again.exit_code, again.json["requests"]) == (3, 0), again.stderr


def test_the_column_need_not_be_metadata(program: Program, client: Any) -> None:
    vectors = write(program, ["a", "b"] * 10, title=pa.array(["t"] * 20))
    assert load(program, *CREATE, "--metadata-columns", "title").exit_code == 0
    assert_divided(client, ["a", "b"] * 10, vectors)
    own = stored(client, f"bucket/{index_of('a')}")
    assert next(iter(own.values()))["metadata"] == {"title": "t"}


def test_one_key_may_be_in_many_indexes_and_is_chosen_in_each(
    program: Program, client: Any
) -> None:
    tenants = ["a", "b", "a", "c", "b"]
    vectors = random_vectors(5, DIMENSION)
    write_vectors(program.folder / "in.parquet", vectors, keys=["k"] * 5, tenant=pa.array(tenants))
    refused = load(program, *CREATE, "--on-duplicate", "error")
    assert refused.exit_code == 1
    assert "2 of 5 rows" in refused.stderr, refused.stderr
    for choice, rows in (("first", (0, 1, 3)), ("last", (2, 4, 3))):
        done = load(program, "--on-duplicate", choice, "--restart")
        assert done.exit_code == 0, done.stderr
        assert (done.json["vectors_acknowledged"], done.json["vectors_superseded"]) == (3, 2)
        for value, row in zip("abc", rows, strict=True):
            own = stored(client, f"bucket/{index_of(value)}")
            assert same_bits(own["k"]["data"], vectors[row])


@pytest.mark.parametrize("order", ["mixed", "sorted"])
@pytest.mark.timeout(200)
def test_killed_amid_faults_every_row_is_there_once(
    bare_program: Program, tmp_path: Path, order: str
) -> None:
    program = bare_program
    seed = int(os.environ.get("VECLOAD_TEST_SEED", time.time_ns() % 1_000_000))
    print(f"VECLOAD_TEST_SEED={seed}")
    moments = random.Random(seed)
    rows = 40_000
    # Most are one tenant's; of the smallest there are a few rows.
    tenants = [STRINGS[min(moments.getrandbits(10).bit_length(), 8)] for _ in range(rows)]
    if order == "sorted":
        tenants.sort()
    vectors = write(program, tenants)
    data = str(tmp_path / "data")
    server = VecloadServer(tmp_path / "first", "--data-dir", data, "--latency-ms", "5",
                           "--faults", f"seed={seed},{FAULTS}")  # fmt: skip
    program.env["AWS_ENDPOINT_URL_S3VECTORS"] = server.url
    command = ("load", "in.parquet", "--index", "bucket/base", "--shard-by", "tenant", *CREATE,
               "--rate-vectors", "100000", "--rate-requests", "20000",
               "--batch-vectors", "40", "--output", "json")  # fmt: skip
    try:
        done = program.run_through_kills(*command, moments=moments)
        assert done.exit_code == 0, done.stderr
        assert_accounts(done.json)
        assert done.json["rows_remaining"] == 0
    finally:
        server.stop()
    server = VecloadServer(tmp_path / "second", "--data-dir", data)
    try:
        assert_divided(server.client(), list(tenants), vectors)
    finally:
        server.stop()


def test_values_that_come_later_get_an_index_and_nothing_is_sent_again(
    program: Program, client: Any
) -> None:
    folder = program.folder / "in"
    folder.mkdir()
    write_vectors(
        folder / "1.parquet", random_vectors(300, DIMENSION), tenant=["m", "b", "z"] * 100
    )
    assert load(program, *CREATE, source="in").exit_code == 0
    # Before, among and behind those that are there.
    keys = [f"l{row}" for row in range(300)]
    write_vectors(folder / "0.parquet", random_vectors(300, DIMENSION), keys=keys,
                  tenant=["a", "b", "n"] * 100)  # fmt: skip
    done = load(program, *CREATE, source="in")
    assert done.exit_code == 0, done.stderr
    assert "resuming" in done.stderr and "1 new file" in done.stderr
    assert (done.json["vectors_resumed"], done.json["vectors_acknowledged"]) == (300, 300)
    assert_accounts(done.json)
    for value, count in {"m": 100, "z": 100, "b": 200, "a": 100, "n": 100}.items():
        assert len(stored_keys(client, f"bucket/{index_of(value)}")) == count
    again = load(program, source="in")
    assert (again.exit_code, again.json["requests"]) == (0, 0)
    assert "complete since" in again.stderr

    # A value whose files are gone, and whose index is deleted, binds nobody.
    (folder / "1.parquet").unlink()
    client.delete_index(vectorBucketName="bucket", indexName=index_of("m"))
    write_vectors(folder / "2.parquet", random_vectors(50, DIMENSION), tenant=["q"] * 50)
    done = load(program, *CREATE, source="in")
    assert done.exit_code == 0, done.stderr
    assert done.json["vectors_acknowledged"] == 50
    assert {shard["value"] for shard in done.json["shards"]} == {"a", "b", "n", "q"}
    assert index_of("m") not in indexes(client)


def test_an_interrupted_job_goes_on_with_more_values(program: Program, client: Any) -> None:
    folder = program.folder / "in"
    folder.mkdir()
    first = [value for value in ("m", "z") for _ in range(2000)]
    write_vectors(folder / "1.parquet", random_vectors(4000, DIMENSION), tenant=first)
    slow = ("--rate-vectors", "1000", "--batch-vectors", "50")
    process = program.start("load", "in", "--index", "bucket/base", "--shard-by", "tenant",
                            *CREATE, *slow, "--progress", "none")  # fmt: skip
    while len(indexes(client)) < 2 or not stored_keys(client, f"bucket/{index_of('m')}"):
        assert process.poll() is None
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 4
    keys = [f"l{row}" for row in range(1000)]
    write_vectors(folder / "0.parquet", random_vectors(1000, DIMENSION), keys=keys,
                  tenant=["a"] * 500 + ["m"] * 500)  # fmt: skip
    done = load(program, *CREATE, source="in")
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    assert done.json["vectors_resumed"] > 0
    for value, count in {"m": 2500, "z": 2000, "a": 500}.items():
        assert len(stored_keys(client, f"bucket/{index_of(value)}")) == count


def test_parts_of_a_job_share_the_indexes(program: Program, client: Any) -> None:
    tenants = ["a", "b", "c"] * 8000
    vectors = write(program, tenants)
    for part in ("1/2", "2/2"):
        done = load(program, *CREATE, "--part", part)
        assert (done.exit_code, done.json["vectors_acknowledged"]) == (0, 12_000), done.stderr
    assert_divided(client, list(tenants), vectors)


def test_an_index_that_is_not_for_the_value_is_left_alone(program: Program, client: Any) -> None:
    write(program, ["a", "b", "c"] * 10)
    name = index_of("b")
    for tags, words in [
        ({}, ("has not the tags", name, "vecload:shard-value=b", '"b"')),
        (tags_of("B"), (name, "another base")),
        (tags_of("b", column="customer"), (name, "customer", "another base")),
        ({"vecload:shard-scheme": "xxh3-64", "vecload:shards": "1", "vecload:shard": "0"}, (name,)),
    ]:
        create(client, name, tags)
        assert_refused(load(program, *CREATE), 1, *words)
        assert indexes(client) == {name}, "nothing is made where one cannot be used"
        assert stored_keys(client, f"bucket/{name}") == set()
        client.delete_index(vectorBucketName="bucket", indexName=name)
    # Tagged as the message says, it is used.
    create(client, name, tags_of("b"))
    assert load(program, *CREATE).exit_code == 0
    assert len(stored_keys(client, f"bucket/{name}")) == 10


def test_making_the_indexes_goes_on_where_it_was_interrupted(program: Program, client: Any) -> None:
    vectors = write(program, ["a", "b", "c"] * 10)
    create(client, index_of("c"), tags_of("c"))
    done = load(program)
    assert_refused(done, 1, "of 3 values 2 have no index", index_of("a"), "--create-index")
    assert load(program, *CREATE).exit_code == 0
    assert_divided(client, ["a", "b", "c"] * 10, vectors)
    client.delete_index(vectorBucketName="bucket", indexName=index_of("c"))
    create(client, index_of("c"), tags_of("c"), distanceMetric="euclidean")
    assert_refused(load(program), 1, index_of("c"), "euclidean")
    client.delete_index(vectorBucketName="bucket", indexName=index_of("c"))
    again = load(program, *CREATE)
    assert again.exit_code == 0 and "deleted and made again" in again.stderr, again.stderr
    assert_divided(client, ["a", "b", "c"] * 10, vectors)


def test_a_thousand_values_and_not_one_more(program: Program, client: Any) -> None:
    tenants = [str(row) for row in range(1000)]
    vectors = write(program, [*tenants, "1000"])
    assert_refused(load(program, *CREATE), 1, "more than 1000 values", '"tenant"', "--shards")
    assert indexes(client) == set()
    vectors = write(program, [*tenants, "7"])
    done = load(program, *CREATE)
    assert done.exit_code == 0, done.stderr
    assert_divided(client, [*tenants, "7"], vectors)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([0.5]), ("double", "cast")),
        (pa.array([["a"]]), ("list", "cast")),
        (pa.array([b"a"], pa.binary()), ("binary", "cast")),
        (pa.array([1], pa.timestamp("s")), ("timestamp", "cast")),
        (pa.array([None], pa.string()), ("no value in any of 1 rows",)),
        (pa.array([None], pa.null()), ("no value in any of 1 rows",)),
    ],
    ids=["double", "list", "binary", "timestamp", "null", "nulls"],
)
def test_columns_that_cannot_divide_are_refused(
    program: Program, client: Any, column: pa.Array, words: tuple[str, ...]
) -> None:
    write(program, column)
    done = load(program, *CREATE, "--metadata-columns", "none")
    assert_refused(done, 1, '"tenant"', "--shard-by", *words)
    assert indexes(client) == set()


@pytest.mark.parametrize(
    ("flags", "exit_code", "words"),
    [
        (("--index", "bucket/" + "b" * 49, "--shard-by", "tenant"), 1, ("49 characters", "48")),
        (("--index", "bucket/base", "--shard-by", "x"), 1, ('no column "x"', "tenant")),
        (("--index", "bucket/base", "--shard-by", ""), 2, ("--shard-by",)),
        (("--index", "bucket/base", "--shard-by", "tenant", "--shards", "2"), 2, ("--shards",)),
    ],
)
def test_what_cannot_be_is_said(
    program: Program, client: Any, flags: tuple[str, ...], exit_code: int, words: tuple[str, ...]
) -> None:
    write(program, ["a"])
    assert_refused(program.run("load", "in.parquet", *flags, *CREATE), exit_code, *words)
    assert indexes(client) == set()


def test_the_longest_base_leaves_room(program: Program, client: Any) -> None:
    write(program, ["Acme", ""])
    base = "b" * 48
    done = program.run("load", "in.parquet", "--index", f"bucket/{base}", "--shard-by", "tenant",
                       *CREATE)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert indexes(client) == {index_of("Acme", base), index_of("", base)}
    assert f"{base}-a-" in index_of("Acme", base)


def test_files_that_disagree_on_the_column_are_refused(program: Program, client: Any) -> None:
    (program.folder / "in").mkdir()
    write(program, ["a"], name="in/0.parquet")
    write(program, pa.array([1]), name="in/1.parquet")
    done = load(program, *CREATE, "--metadata-columns", "none", source="in")
    assert_refused(done, 1, "tenant", "string", "int64")


def test_a_tenant_that_is_throttled_slows_only_itself(
    program: Program, start_server: Callable[..., VecloadServer]
) -> None:
    server = start_server("--rate-vectors", "2000")
    program.env["AWS_ENDPOINT_URL_S3VECTORS"] = server.url
    # Of the big one there are 30 times as many rows as of each other, in the same blocks.
    tenants = (["big"] * 30 + ["a", "b", "c"]) * 200
    vectors = write(program, tenants)
    done = program.run("load", "in.parquet", "--index", "bucket/base", "--shard-by", "tenant",
                       *CREATE, "--output", "json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    shards = {shard["value"]: shard for shard in done.json["shards"]}
    seconds = {
        value: shard["vectors_acknowledged"] / shard["vectors_per_s"]
        for value, shard in shards.items()
    }
    # 6,000 vectors at 2,000 a second take it two seconds and more; others are done at once.
    assert seconds["big"] > 1.5
    assert max(seconds[value] for value in "abc") < seconds["big"] / 2
    assert_divided(server.client(), list(tenants), vectors)


@pytest.mark.parametrize("layout", ["file", "folders"])
def test_values_that_come_one_after_the_other_are_loaded_at_once(
    program: Program, client: Any, layout: str
) -> None:
    """Each alone takes 3 s at its pace, the five in turn 15; few rows of each are held at once."""
    values, rows = "abcde", 12_000
    vectors = random_vectors(rows * len(values), DIMENSION)
    tenants = [value for value in values for _ in range(rows)]
    if layout == "file":
        write_vectors(program.folder / "in.parquet", vectors, tenant=pa.array(tenants))
    for number, value in enumerate(values if layout == "folders" else ""):
        path = program.folder / "in" / f"tenant={value}"
        path.mkdir(parents=True)
        own = slice(number * rows, (number + 1) * rows)
        keys = [f"k{row:06}" for row in range(own.start, own.stop)]
        write_vectors(path / "0.parquet", vectors[own], keys=keys)
    done = program.run("load", "in" if layout == "folders" else "in.parquet", "--index",
                       "bucket/base", "--shard-by", "tenant", *CREATE, "--rate-vectors", "4000",
                       "--batch-vectors", "100", "--encoders", "1", "--max-in-flight", "10",
                       "--output", "json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    assert done.json["wall_s"] < 8
    assert_divided(client, list(tenants), vectors)


def test_the_report_names_what_is_slowest_within_a_line(program: Program, client: Any) -> None:
    write(program, [LONG, "a"] * 50)
    done = program.run("load", "in.parquet", "--index", "bucket/base", "--shard-by", "tenant",
                       *CREATE)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert all(len(text) <= 80 for text in done.stdout.splitlines()), done.stdout
    assert "2 values" in done.stderr


def test_the_journal_of_another_column_is_refused(program: Program, client: Any) -> None:
    write(program, ["a", "b"], other=pa.array(["a", "b"]))
    assert load(program, *CREATE, "--journal", "j").exit_code == 0
    plain = program.run("load", "in.parquet", "--index", "bucket/base", "--shard-by", "other",
                        "--journal", "j")  # fmt: skip
    assert_refused(plain, 1, index_of("a"), "tenant")
    by_key = program.run("load", "in.parquet", "--index", "bucket/base", "--shards", "2",
                         "--journal", "j", *CREATE)  # fmt: skip
    assert_refused(by_key, 1, "another job's", "shard scheme")


def test_a_file_whose_values_changed_is_noticed(program: Program, client: Any) -> None:
    folder = program.folder / "in"
    folder.mkdir()
    for number in range(2):
        keys = [f"{number}-{row}" for row in range(100)]
        vectors = random_vectors(100, DIMENSION)
        write_vectors(folder / f"{number}.parquet", vectors, keys=keys, tenant=["a"] * 100)
    assert load(program, *CREATE, source="in").exit_code == 0
    table = pq.read_table(folder / "1.parquet").set_column(2, "tenant", pa.array(["b"] * 100))
    pq.write_table(table, folder / "1.parquet")
    assert_refused(load(program, *CREATE, source="in"), 1, "changed since this job began")
    assert len(stored_keys(client, f"bucket/{index_of('a')}")) == 200
