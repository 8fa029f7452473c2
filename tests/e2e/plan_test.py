"""Goal: `vecload plan` tells what a load then takes and costs, names bad input and keys that come
twice, and changes nothing; `load --dry-run` is the same of the load itself. Method: the same source
is planned, loaded and verified, and the figures are held against each other; a Python dict says
which keys come twice, Python's decimals what it costs, boto3 that nothing was made.
"""

import json
from decimal import ROUND_HALF_UP, Decimal
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
    lines = dict(line.split(maxsplit=1) for line in text.splitlines() if line[0] != " ")
    assert lines["rows"] == "100"
    assert lines["key"] == "id (the only column with a key's name)"
    assert lines["vector"] == "embedding, 8-d (the only list of floats)"
    assert lines["metadata"] == "none"
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


def write_files(folder: Path, rows: list[int], dimension: int, **columns: Any) -> None:
    """One file for each number; columns are functions of a row's number."""
    folder.mkdir()
    begin = 0
    for number, count in enumerate(rows):
        numbers = range(begin, begin + count)
        vectors = random_vectors(count, dimension, seed=number)
        values = {name: pa.array([make(row) for row in numbers]) for name, make in columns.items()}
        write_vectors(folder / f"{number:04d}.parquet", vectors, [f"k{n}" for n in numbers],
                      **values)  # fmt: skip
        begin += count


SHAPES: dict[str, tuple[list[int], int, dict[str, Any], list[str]]] = {
    "many small files": ([7] * 600, 16, {}, []),
    "large": ([20_000], 64, {}, []),
    "metadata": ([3_000, 2_000], 32, {"title": lambda n: "t" * (n % 97), "year": lambda n: n}, []),
    "shards": ([5_000] * 3, 24, {}, ["--shards", "4"]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_figures_are_within_two_percent_of_the_report(
    program: Program, server: VecloadServer, shape: str
) -> None:
    rows, dimension, columns, flags = SHAPES[shape]
    write_files(program.folder / "in", rows, dimension, **columns)
    command = ("load", "in", "--index", "bucket/index", *flags, "--create-index",
               "--distance-metric", "cosine", "--output", "json", "--rate-vectors", "unlimited",
               "--rate-requests", "unlimited")  # fmt: skip
    planned = plan(program, "in", *flags).json
    dry = program.run(*command, "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    assert dry.json["requests"] == planned["requests"]
    assert dry.json["body_bytes"] == planned["body_bytes"]
    done = program.run(*command, "--report", "report.json")
    assert done.exit_code == 0, done.stderr
    report = json.loads((program.folder / "report.json").read_text())
    assert planned["rows"] == report["vectors_acknowledged"] == sum(rows)
    assert planned["requests"] == pytest.approx(report["requests"], rel=0.02)
    assert planned["body_bytes"] == pytest.approx(report["bytes_sent"], rel=0.02)
    keys = sum(len(f"k{n}") for n in range(sum(rows)))
    metadata = sum(4 + 8 + 5 + n % 97 + 8 + 4 + 4 for n in range(sum(rows))) if columns else 0
    logical = sum(rows) * 4 * dimension + keys + metadata
    assert planned["logical_bytes"] == pytest.approx(logical, rel=0.02)


def half_up(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.000001"), ROUND_HALF_UP)


def costs(done: Outcome) -> dict[str, Any]:
    """As the text has them: a float would round."""
    parsed: dict[str, Any] = json.loads(done.stdout, parse_float=Decimal)["cost"]
    return parsed


def test_costs_are_exact_decimals(program: Program) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(5_000, 512))
    done = plan(program, "in.parquet")
    cost, planned = costs(done), done.json
    gb = Decimal(2**30)
    billed = max(planned["logical_bytes"], planned["requests"] * 131_072)
    assert billed == planned["logical_bytes"], "more than the least a request"
    assert cost["load"] == half_up(Decimal(billed) / gb * Decimal("0.20"))
    assert cost["storage_month"] == half_up(
        Decimal(planned["logical_bytes"]) / gb * Decimal("0.06")
    )
    assert cost["queries_1000"] == Decimal("0.0025")
    assert cost["verify_lists"] is None, "AWS's list has no price of it"
    assert (cost["currency"], cost["region"]) == ("USD", "us-east-1")
    text = program.run("plan", "in.parquet").stdout
    assert "us-east-1, https://aws.amazon.com/s3/pricing/" in text


def test_small_requests_cost_what_the_least_does(program: Program) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(5_000, 8))
    cost = costs(plan(program, "in.parquet"))
    assert cost["load"] == half_up(Decimal(10 * 131_072) / Decimal(2**30) * Decimal("0.20"))


PRICES = {
    "region": "eu-central-1", "source": "a contract", "date": "2026-10-01", "currency": "EUR",
    "gb_bytes": 1_000_000_000, "put_bytes_min": 0, "put_per_gb": 0.3,
    "storage_per_gb_month": "0.1", "queries_per_million": 1e-5, "lists_per_million": "55",
}  # fmt: skip


def test_prices_of_a_file(program: Program) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(5_000, 512))
    (program.folder / "prices.json").write_text(json.dumps(PRICES))
    done = plan(program, "in.parquet", "--prices", "prices.json")
    cost, planned = costs(done), done.json
    gb = Decimal(10**9)
    assert cost["load"] == half_up(Decimal(planned["logical_bytes"]) / gb * Decimal("0.3"))
    assert cost["storage_month"] == half_up(Decimal(planned["logical_bytes"]) / gb * Decimal("0.1"))
    assert cost["queries_1000"] == Decimal("0.00")
    lists = Decimal(planned["verify_list_calls"]) * Decimal("55") / 10**6
    assert cost["verify_lists"] == half_up(lists)
    assert (cost["currency"], cost["prices_source"]) == ("EUR", "a contract")
    assert "EUR " in program.run("plan", "in.parquet", "--prices", "prices.json").stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"put_per_gb": "0,20"}, '"put_per_gb" is no price'),
        ({"put_per_gb": -1}, '"put_per_gb" is no price'),
        ({"put_per_gb": "0.0000000001"}, '"put_per_gb" is no price'),
        ({"gb_bytes": 1000}, '"gb_bytes" is no number of bytes'),
        ({"gb_bytes": 1_000_000_000.5}, '"gb_bytes" is no number of bytes'),
        ({"put": 1}, '"put" is not known'),
        ({"date": None}, '"date" is missing'),
        ({"region": 7}, '"region" is no text'),
    ],
)
def test_prices_that_are_none(program: Program, change: dict[str, Any], message: str) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(10, 4))
    (program.folder / "prices.json").write_text(json.dumps(PRICES | change))
    done = plan(program, "in.parquet", "--prices", "prices.json")
    assert done.exit_code == 1 and done.stdout == ""
    assert "prices.json" in done.stderr and message in done.stderr


def test_files_of_prices_that_cannot_be_read(program: Program) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(10, 4))
    for text in ("", "[1]", '{"region":', "nonsense"):
        (program.folder / "prices.json").write_text(text)
        done = plan(program, "in.parquet", "--prices", "prices.json")
        assert done.exit_code == 1 and "no JSON object" in done.stderr, text
    assert "No such file" in plan(program, "in.parquet", "--prices", "none.json").stderr


def test_why_columns_were_chosen(program: Program) -> None:
    table = {"doc": ["a", "b"], "v": [[1.0, 2.0], [3.0, 4.0]], "n": [1, 2]}
    pq.write_table(pa.table(table | {"n": [0.5, 0.25]}), program.folder / "in.parquet")
    planned = plan(program, "in.parquet").json
    assert planned["key_reason"] == "the only column of text, bytes or integers"
    assert planned["metadata_reason"] == "every other column"
    pq.write_table(pa.table(table), program.folder / "in.parquet")
    named = plan(program, "in.parquet", "--key-column", "doc", "--vector-column", "v",
                 "--metadata-columns", "n").json  # fmt: skip
    assert (named["key_reason"], named["vector_reason"], named["metadata_reason"]) == (
        "named by --key-column", "named by --vector-column", "by --metadata-columns"
    )  # fmt: skip


def test_rows_that_would_be_rejected(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), 4)
    (program.folder / "in").mkdir()
    for number in range(40):
        vectors = random_vectors(500, 4, seed=number)
        if number == 30:
            vectors[5] = 0
            vectors[7, 2] = np.inf
            vectors[9, 2] = np.nan
        write_vectors(program.folder / "in" / f"{number:02d}.parquet", vectors)
    planned = plan(program, "in", "--index", "bucket/index").json
    assert planned["sample_rows_read"] == 10_000
    assert planned["sample_rows"] == 9_997
    # The very same a second time: nothing is left to chance.
    assert plan(program, "in", "--index", "bucket/index").json == planned
    bad = str(program.folder / "in" / "30.parquet")
    found = {reject["rule"]: reject for reject in planned["sample_rejects"]}
    assert {rule: (r["rows"], r["row"]) for rule, r in found.items()} == {
        "vector_zero_norm": (1, 5), "vector_not_finite": (2, 7)
    }  # fmt: skip
    assert all(bad.endswith(reject["file"]) for reject in found.values())
    text = program.run("plan", "in", "--index", "bucket/index").stdout
    assert "3 of 10,000 rows read" in text
    assert "vector_not_finite: 2 rows, like row 7 of" in text
    # What is not known of an index that is not there: whether it takes zeros.
    assert len(plan(program, "in").json["sample_rejects"]) == 1
    few = plan(program, "in", "--sample", "100").json
    assert few["sample_rows_read"] == 100
    # The load finds the same, and no more.
    report = load(program, "in").json
    assert report["vectors_rejected"] == 3


def test_times_by_shards(program: Program) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(400_000, 1))
    planned = plan(program, "in.parquet").json
    assert [time["shards"] for time in planned["by_shards"]] == [1, 2, 4]
    assert [time["load_s"] for time in planned["by_shards"]] == pytest.approx([160, 80, 40])
    done = program.run("plan", "in.parquet")
    assert "shards  requests  time" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def dry_run(program: Program, *arguments: str) -> Outcome:
    return program.run("load", "in.parquet", "--index", "bucket/index", "--dry-run", *arguments)


def test_a_dry_run_makes_nothing(program: Program, server: VecloadServer) -> None:
    client = server.client()
    vectors = random_vectors(1_200, 8)
    vectors[3] = 0
    write_vectors(program.folder / "in.parquet", vectors)
    program.env["XDG_STATE_HOME"] = str(program.folder / "state")
    before = sorted(program.folder.iterdir())
    for more in ((), ("--shards", "3"),
                 ("--rejects", "x.jsonl", "--journal", "j", "--report", "r.json")):  # fmt: skip
        done = dry_run(program, "--create-index", "--distance-metric", "cosine", *more)
        assert done.exit_code == 0, done.stderr
        assert "not there yet" in done.stdout
        assert "vector_zero_norm: 1 row, like row 3" in done.stdout
        assert sorted(program.folder.iterdir()) == before
        assert client.list_vector_buckets()["vectorBuckets"] == []
    make_index(client, 8)
    done = dry_run(program, "--output", "json")
    assert done.exit_code == 0, done.stderr
    assert done.json["index_exists"] is True
    assert client.list_vectors(vectorBucketName="bucket", indexName="index")["vectors"] == []
    assert sorted(program.folder.iterdir()) == before
    fewer = dry_run(program, "--output", "json", "--batch-vectors", "100").json
    assert (fewer["batch_vectors"], fewer["requests"]) == (100, 12)


def test_a_dry_run_of_a_share(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), 8)
    write_vectors(program.folder / "in.parquet", random_vectors(40_000, 8))
    done = dry_run(program, "--part", "2/4", "--output", "json")
    assert done.exit_code == 0, done.stderr
    assert done.json["rows"] == 10_000 and done.json["requests"] == 20
    assert done.json["load_s"] == pytest.approx(16), "a quarter of the rate is this part's"
    lines = [json.dumps({"file": str(program.folder / "in.parquet"), "row": row}) for row in (1, 9)]
    (program.folder / "some.jsonl").write_text("\n".join(lines) + "\n")
    some = dry_run(program, "--rows-from", "some.jsonl", "--output", "json")
    assert some.exit_code == 0, some.stderr
    assert some.json["rows"] == 2


def test_a_dry_run_fails_as_the_load_would(program: Program, server: VecloadServer) -> None:
    client = server.client()
    write_vectors(program.folder / "in.parquet", random_vectors(10, 8))

    def refusal(*arguments: str) -> str:
        done = dry_run(program, *arguments)
        assert done.exit_code == 1 and done.stdout == ""
        really = program.run("load", "in.parquet", "--index", "bucket/index", *arguments)
        assert really.exit_code == 1, "the load itself refuses too"
        return done.stderr

    client.create_vector_bucket(vectorBucketName="bucket")
    assert "--create-index" in refusal()
    make_shard(client, 0, 1)
    client.create_index(vectorBucketName="bucket", indexName="index", dataType="float32",
                        dimension=8, distanceMetric="euclidean")  # fmt: skip
    assert "distance metric euclidean" in refusal("--create-index", "--distance-metric", "cosine")
    assert "not divided" in refusal(
        "--shards", "2", "--create-index", "--distance-metric", "cosine"
    )
    write_vectors(program.folder / "in.parquet", random_vectors(10, 4))
    assert "length 4" in refusal()
    assert program.run("load", "in.parquet", "--index", "b/index", "--prices", "x").exit_code == 2
