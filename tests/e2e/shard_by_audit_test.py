"""Goal: plan tells how the rows of a column's values are divided before anything is made, and
verify proves that each value's index has its rows and no others. Method: the real binary; numpy
counts; boto3 takes away, moves and adds vectors.
"""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from support.program import Outcome, Program
from support.servers import VecloadServer
from support.shard_by import CREATE, assert_refused, create, index_of, load, tags_of, write
from support.vectors import random_vectors, stored_keys, write_vectors

TENANTS = (["big"] * 7 + ["b", "", "Ü"]) * 100


@pytest.fixture
def client(server: VecloadServer) -> Any:
    made = server.client()
    made.create_vector_bucket(vectorBucketName="bucket")
    return made


def plan(program: Program, *flags: str) -> Outcome:
    return program.run("plan", "in.parquet", "--shard-by", "tenant", "--output", "json", *flags)


def verify(program: Program, *flags: str) -> Outcome:
    return program.run("verify", "in.parquet", "--index", "bucket/base", "--shard-by", "tenant",
                       "--output", "json", *flags)  # fmt: skip


def test_plan_counts_the_rows_of_each_value(bare_program: Program) -> None:
    write(bare_program, [*TENANTS, None])
    done = plan(bare_program)
    assert done.exit_code == 0, done.stderr
    values, counts = np.unique(TENANTS, return_counts=True)
    assert {value["value"]: value["rows"] for value in done.json["values"]} == dict(
        zip(values.tolist(), counts.tolist(), strict=True)
    )
    assert (done.json["rows"], done.json["rows_without_value"]) == (1001, 1)
    assert (done.json["shard_by"], done.json["shards"]) == ("tenant", 4)
    # 700 rows in two requests, and 100 in one each; the largest one's time.
    assert done.json["requests"] == 2 + 3
    assert done.json["load_s"] == pytest.approx(700 / 2500)
    text = bare_program.run("plan", "in.parquet", "--shard-by", "tenant")
    assert "4 of tenant" in text.stdout and "700 (big)" in text.stdout, text.stdout


def test_plan_names_the_indexes_and_sees_those_that_cannot_be(
    program: Program, client: Any
) -> None:
    write(program, TENANTS)
    done = plan(program, "--index", "bucket/base")
    assert done.exit_code == 0, done.stderr
    assert done.json["index_exists"] is False
    for value in done.json["values"]:
        assert value["index"] == f"bucket/{index_of(value['value'])}"
    create(client, index_of("b"), tags_of("b"))
    assert plan(program, "--index", "bucket/base").json["index_exists"] is False
    assert load(program, *CREATE).exit_code == 0
    assert plan(program, "--index", "bucket/base").json["index_exists"] is True
    client.delete_index(vectorBucketName="bucket", indexName=index_of("b"))
    create(client, index_of("b"), tags_of("c"))
    assert_refused(plan(program, "--index", "bucket/base"), 1, index_of("b"))


def test_keys_that_come_twice_are_those_of_one_value(bare_program: Program) -> None:
    vectors = random_vectors(5, 8)
    tenants = pa.array(["a", "b", "a", "b", "c"])
    keys = ["k", "k", "k", "l", "l"]
    write_vectors(bare_program.folder / "in.parquet", vectors, keys=keys, tenant=tenants)
    done = plan(bare_program, "--check-keys")
    assert done.exit_code == 5, done.stderr
    assert (done.json["repeated_keys"]["keys"], done.json["repeated_keys"]["rows"]) == (1, 1)
    assert [row["row"] for row in done.json["repeated_keys"]["shown"][0]["rows"]] == [0, 2]


def test_what_was_loaded_is_equal(program: Program, client: Any) -> None:
    write(program, [*TENANTS, None])
    done = load(program, *CREATE, "--rejects", "rows.jsonl")
    assert done.exit_code == 3, done.stderr
    for flags in ((), ("--keys-only",), ("--sample", "300"), ("--rejects", "rows.jsonl")):
        compared = verify(program, *flags)
        assert compared.exit_code == 0, compared.stdout + compared.stderr
        assert compared.json["shards"] == 4
    assert verify(program).json["rows_unloadable"] == 1


def test_a_key_that_two_values_have_is_compared_in_each(program: Program, client: Any) -> None:
    vectors = random_vectors(4, 8)
    tenants = pa.array(["a", "b", "c", "c"])
    write_vectors(program.folder / "in.parquet", vectors, keys=["k", "k", "k", "l"], tenant=tenants)
    assert load(program, *CREATE).exit_code == 0
    assert verify(program).exit_code == 0
    client.delete_vectors(vectorBucketName="bucket", indexName=index_of("b"), keys=["k"])
    compared = verify(program, "--differences", "rows.jsonl")
    assert (compared.exit_code, compared.json["missing"]) == (5, 1)
    line = json.loads((program.folder / "rows.jsonl").read_text())
    assert (line["row"], line["difference"]) == (1, "missing")


def test_a_vector_in_another_values_index_is_found_and_mended(
    program: Program, client: Any
) -> None:
    write(program, TENANTS)
    assert load(program, *CREATE).exit_code == 0
    moved = client.get_vectors(vectorBucketName="bucket", indexName=index_of("big"),
                               keys=["k000001"], returnData=True, returnMetadata=True)  # fmt: skip
    client.put_vectors(vectorBucketName="bucket", indexName=index_of("b"),
                       vectors=moved["vectors"])  # fmt: skip
    client.delete_vectors(vectorBucketName="bucket", indexName=index_of("big"), keys=["k000001"])
    compared = verify(program, "--differences", "rows.jsonl", "--extra", "extra.jsonl")
    assert compared.exit_code == 5
    assert (compared.json["missing"], compared.json["extra"]) == (1, 1)
    extra = json.loads((program.folder / "extra.jsonl").read_text())
    assert extra == {"key": "k000001", "index": f"bucket/{index_of('b')}"}
    client.delete_vectors(vectorBucketName="bucket", indexName=index_of("b"), keys=["k000001"])
    assert load(program, "--rows-from", "rows.jsonl").exit_code == 0
    assert verify(program).exit_code == 0
    assert "k000001" in stored_keys(client, f"bucket/{index_of('big')}")


def test_an_index_that_is_missing_or_anothers_is_named(program: Program, client: Any) -> None:
    write(program, TENANTS)
    assert load(program, *CREATE).exit_code == 0
    client.delete_index(vectorBucketName="bucket", indexName=index_of("b"))
    assert_refused(verify(program), 1, "of 4 values 1 have no index", index_of("b"))
    create(client, index_of("b"), {})
    assert_refused(verify(program), 1, "has not the tags", index_of("b"))
