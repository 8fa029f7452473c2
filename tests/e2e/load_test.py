"""Goal: `vecload load` moves whole, real sources into an index and tells the truth about it.

Method: the real binary against the real server; boto3 reads back what arrived.
"""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from support.program import ROOT, Program, assert_accounts
from support.servers import VecloadServer
from support.vectors import (
    fixed_size_column,
    make_index,
    random_vectors,
    same_bits,
    stored,
    stored_keys,
    write_vectors,
)

REPORT_MEMBERS = (
    "status", "exit_code", "rows_total", "vectors_acknowledged", "vectors_resumed",
    "vectors_rejected", "vectors_superseded", "rows_remaining", "requests", "attempts",
    "throttled", "bytes_sent", "wall_s", "vectors_per_s", "cpu_s", "cpu_us_per_vector",
    "rss_bytes_max", "read_s", "encode_s", "wait_tokens_s", "wait_memory_s", "journal_s", "put_s",
    "put_latency_ms", "bottleneck", "projected_1b_s",
)  # fmt: skip
PACKAGES = ROOT / "examples/data/debian-packages-small.parquet"


@pytest.mark.tsan_smoke
def test_plain_file_arrives_bit_for_bit(program: Program, server: VecloadServer) -> None:
    vectors = random_vectors(1200, 16)
    path = write_vectors(program.folder / "in.parquet", vectors, year=np.arange(1200))
    index = make_index(server.client(), 16)

    done = program.run("load", path, "--index", index, "--output", "json")

    assert done.exit_code == 0, done.stderr
    report = done.json
    assert_accounts(report)
    assert report["status"] == "complete"
    assert report["rows_total"] == report["vectors_acknowledged"] == 1200
    assert report["requests"] >= 3  # 500 a request at most
    found = stored(server.client())
    assert len(found) == 1200
    for row in range(1200):
        assert same_bits(found[f"k{row:06d}"]["data"], vectors[row])
        assert found[f"k{row:06d}"]["metadata"] == {"year": row}
    assert not list(program.folder.glob("*rejects*")), "no rejects, no file"


def test_real_embeddings_load_and_find_the_published_neighbours(
    program: Program, server: VecloadServer
) -> None:
    done = program.run(
        "load", PACKAGES, "--index", "demo/packages", "--create-index",
        "--distance-metric", "cosine", "--key-column", "package", "--rate-vectors", "unlimited",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    source = pq.read_table(PACKAGES, columns=["package"])
    names = set(source["package"].to_pylist())
    assert stored_keys(server.client(), "demo/packages") == names

    found = program.run("query", "--index", "demo/packages", "--like", "ffmpeg", "--top-k", "5",
                        "--output", "json")  # fmt: skip
    assert found.exit_code == 0, found.stderr
    neighbors = found.json["neighbors"]
    assert [n["key"] for n in neighbors] == [
        "vlc", "moc-ffmpeg-plugin", "mjpegtools", "ffcvt", "streamlink",
    ]  # fmt: skip
    published = [0.394698, 0.402266, 0.411464, 0.412051, 0.426358]
    assert np.allclose([n["distance"] for n in neighbors], published, atol=2e-6)


def test_create_index_makes_bucket_and_index_with_what_was_asked(
    program: Program, server: VecloadServer
) -> None:
    path = write_vectors(program.folder / "in.parquet", random_vectors(3, 5), note=["x", "y", "z"])
    arguments = (
        "load", path, "--index", "made/here", "--create-index", "--distance-metric", "euclidean",
        "--non-filterable", "note,other", "--tag", "team=search",
    )  # fmt: skip
    assert program.run(*arguments).exit_code == 0
    index = server.client().get_index(vectorBucketName="made", indexName="here")["index"]
    assert index["dimension"] == 5
    assert index["distanceMetric"] == "euclidean"
    keys = index["metadataConfiguration"]["nonFilterableMetadataKeys"]
    assert sorted(keys) == ["note", "other"]
    assert program.run(*arguments).exit_code == 0, "an index that is there is used"
    assert stored_keys(server.client(), "made/here") == {"k000000", "k000001", "k000002"}


def test_create_index_refuses_an_index_of_another_metric(
    program: Program, server: VecloadServer
) -> None:
    make_index(server.client(), 5, "euclidean")
    path = write_vectors(program.folder / "in.parquet", random_vectors(3, 5))
    done = program.run("load", path, "--index", "bucket/index", "--create-index",
                       "--distance-metric", "cosine")  # fmt: skip
    assert done.exit_code == 1
    assert "euclidean" in done.stderr
    assert "cosine" in done.stderr
    assert stored_keys(server.client()) == set()


def test_index_may_be_named_by_its_arn(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), 4)
    arn = server.client().get_index(vectorBucketName="bucket", indexName="index")["index"][
        "indexArn"
    ]
    path = write_vectors(program.folder / "in.parquet", random_vectors(2, 4))
    assert program.run("load", path, "--index", arn).exit_code == 0
    assert len(stored_keys(server.client())) == 2


def test_globs_directories_and_hive_partitions_expand_in_order(
    program: Program, server: VecloadServer
) -> None:
    vectors = random_vectors(30, 4)
    for part, year in enumerate((2022, 2023, 2024)):
        folder = program.folder / f"data/year={year}"
        folder.mkdir(parents=True)
        rows = slice(part * 10, part * 10 + 10)
        keys = [f"k{i}" for i in range(part * 10, part * 10 + 10)]
        write_vectors(folder / "part.parquet", vectors[rows], keys)
    for name, source, count in (
        ("directory", "data", 30),
        ("glob", "data/*/part.parquet", 30),
        ("some", "data/year=202[34]/*.parquet", 20),
    ):
        done = program.run("load", source, "--index", f"bkt/{name}", "--create-index",
                           "--distance-metric", "cosine", "--output", "json")  # fmt: skip
        assert done.exit_code == 0, done.stderr
        found = stored(server.client(), f"bkt/{name}")
        assert len(found) == count
        assert same_bits(found["k25"]["data"], vectors[25])
        assert str(found["k25"]["metadata"]["year"]) == "2024"


@pytest.mark.parametrize("kind", ["stream", "file"])
def test_arrow_ipc_is_a_source_too(program: Program, server: VecloadServer, kind: str) -> None:
    vectors = random_vectors(700, 8)
    table = pa.table({"id": [f"k{i}" for i in range(700)], "embedding": fixed_size_column(vectors)})
    path = program.folder / "in.arrow"
    if kind == "file":
        feather.write_feather(table, path, compression="zstd")
    else:
        with pa.ipc.new_stream(path, table.schema) as writer:
            writer.write_table(table)
    index = make_index(server.client(), 8)
    done = program.run("load", path, "--index", index)
    assert done.exit_code == 0, done.stderr
    found = stored(server.client())
    assert len(found) == 700
    assert same_bits(found["k699"]["data"], vectors[699])


@pytest.mark.parametrize(
    "name", ["list_float32", "large_list_float64", "fixed_float16", "list_int32", "binary"]
)
def test_vector_columns_of_every_type(program: Program, server: VecloadServer, name: str) -> None:
    small = np.round(random_vectors(20, 6) * 8).astype(np.float32) / 4
    columns = {
        "list_float32": (pa.array(list(small), pa.list_(pa.float32())), small),
        "large_list_float64": (
            pa.array(list(small.astype(np.float64) / 3), pa.large_list(pa.float64())),
            (small.astype(np.float64) / 3).astype(np.float32),
        ),
        "fixed_float16": (
            pa.FixedSizeListArray.from_arrays(pa.array(small.reshape(-1).astype(np.float16)), 6),
            small,
        ),
        "list_int32": (
            pa.array(list((small * 4).astype(np.int32)), pa.list_(pa.int32())), small * 4
        ),
        "binary": (
            pa.array([row.tobytes() for row in small], pa.binary(24)), small
        ),
    }  # fmt: skip
    column, expected = columns[name]
    keys = [f"k{i}" for i in range(20)]
    pq.write_table(pa.table({"id": keys, "v": column}), program.folder / "in.parquet")
    index = make_index(server.client(), 6, "euclidean")
    done = program.run("load", "in.parquet", "--index", index, "--key-column", "id",
                       "--vector-column", "v")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    found = stored(server.client())
    for row, key in enumerate(keys):
        assert same_bits(found[key]["data"] + 0, expected[row] + 0)


@pytest.mark.parametrize("kind", ["int64", "uint8", "binary", "uuid"])
def test_key_columns_of_every_type(program: Program, server: VecloadServer, kind: str) -> None:
    uuid = bytes(range(16))
    column, expected = {
        "int64": (pa.array([-5, 2**62], pa.int64()), {"-5", str(2**62)}),
        "uint8": (pa.array([0, 255], pa.uint8()), {"0", "255"}),
        "binary": (pa.array(["größe".encode(), b"b"], pa.binary()), {"größe", "b"}),
        "uuid": (
            pa.ExtensionArray.from_storage(pa.uuid(), pa.array([uuid, bytes(16)], pa.binary(16))),
            {"00010203-0405-0607-0809-0a0b0c0d0e0f", "00000000-0000-0000-0000-000000000000"},
        ),
    }[kind]  # fmt: skip
    table = pa.table({"id": column, "embedding": fixed_size_column(random_vectors(2, 3))})
    pq.write_table(table, program.folder / "in.parquet")
    index = make_index(server.client(), 3)
    done = program.run("load", "in.parquet", "--index", index, "--key-column", "id")
    assert done.exit_code == 0, done.stderr
    assert stored_keys(server.client()) == expected


def test_large_vectors_are_cut_by_bytes(program: Program, server: VecloadServer) -> None:
    vectors = random_vectors(500, 4096)
    path = write_vectors(program.folder / "in.parquet", vectors)
    index = make_index(server.client(), 4096)
    done = program.run("load", path, "--index", index, "--output", "json")
    assert done.exit_code == 0, done.stderr
    assert done.json["requests"] >= 2, "500 vectors of 4,096 are more than 20 MiB"
    found = stored(server.client())
    assert len(found) == 500
    assert all(same_bits(found[f"k{row:06d}"]["data"], vectors[row]) for row in range(0, 500, 97))


def test_many_small_files_share_batches(program: Program, server: VecloadServer) -> None:
    (program.folder / "many").mkdir()
    for part in range(40):
        keys = [f"f{part}-{i}" for i in range(10)]
        write_vectors(program.folder / f"many/{part:02d}.parquet", random_vectors(10, 4), keys)
    index = make_index(server.client(), 4)
    done = program.run("load", "many", "--index", index, "--output", "json")
    assert done.exit_code == 0, done.stderr
    assert done.json["requests"] <= 4, "each request is charged for 128 KB at least"
    assert len(stored_keys(server.client())) == 400


def test_batch_vectors_bounds_a_request(program: Program, server: VecloadServer) -> None:
    path = write_vectors(program.folder / "in.parquet", random_vectors(100, 4))
    index = make_index(server.client(), 4)
    done = program.run("load", path, "--index", index, "--batch-vectors", "7", "--output", "json")
    assert done.exit_code == 0, done.stderr
    assert done.json["requests"] >= 15


def test_report_has_every_member_and_the_file_has_all_of_stdout(
    program: Program, server: VecloadServer
) -> None:
    path = write_vectors(program.folder / "in.parquet", random_vectors(50, 4))
    index = make_index(server.client(), 4)
    done = program.run("load", path, "--index", index, "--report", "r.json", "--output", "json")
    assert done.exit_code == 0, done.stderr
    report = json.loads((program.folder / "r.json").read_text())
    # Beside it: when, by what command, on what machine, and the course (report_test.py).
    assert {name: report[name] for name in done.json} == done.json
    assert_accounts(report)
    for name in REPORT_MEMBERS:
        assert name in report, name
    assert {"p50", "p95", "p99"} <= set(report["put_latency_ms"])
    assert report["bottleneck"] in {
        "service_limit", "service_latency", "client_cpu", "source_read", "network",
        "memory_budget",
    }  # fmt: skip
    assert report["exit_code"] == 0
    assert report["bytes_sent"] > 50 * 4


def test_text_report_says_where_the_rows_went(program: Program, server: VecloadServer) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(3000, 4))
    index = make_index(server.client(), 4)
    done = program.run("load", "in.parquet", "--index", index)
    assert done.exit_code == 0, done.stderr
    assert re.search(r"^ +acknowledged +3,000$", done.stdout, re.M), done.stdout
    assert re.search(r"^ +bottleneck +service_limit", done.stdout, re.M), done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.slow
def test_progress_without_a_terminal_is_plain_lines(
    program: Program, server: VecloadServer
) -> None:
    path = write_vectors(program.folder / "in.parquet", random_vectors(6000, 4))
    index = make_index(server.client(), 4)
    done = program.run("load", path, "--index", index, "--rate-vectors", "500")
    assert done.exit_code == 0, done.stderr
    assert re.search(r"^ *[0-9.]+ %  [0-9,]+ of 6,000 rows  [0-9,]+ vectors/s", done.stderr, re.M)
    assert "\r" not in done.stderr and "\x1b" not in done.stderr, "which a log can hold"


def test_progress_on_a_terminal_is_one_line(program: Program, server: VecloadServer) -> None:
    path = write_vectors(program.folder / "in.parquet", random_vectors(3000, 4))
    index = make_index(server.client(), 4)
    done = program.run("load", path, "--index", index, "--rate-vectors", "1000",
                       "--progress", "bar")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count("\r") >= 2
    assert done.stderr.endswith("\n")
    assert done.stderr.count("\n") == 1


def test_json_progress_is_one_object_a_line(program: Program, server: VecloadServer) -> None:
    path = write_vectors(program.folder / "in.parquet", random_vectors(3000, 4))
    index = make_index(server.client(), 4)
    done = program.run("load", path, "--index", index, "--rate-vectors", "1000",
                       "--progress", "json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert events
    assert all(event["rows_total"] == 3000 for event in events)
    assert [e["rows_done"] for e in events] == sorted(e["rows_done"] for e in events)


def test_no_progress_leaves_stderr_empty(program: Program, server: VecloadServer) -> None:
    path = write_vectors(program.folder / "in.parquet", random_vectors(10, 4))
    index = make_index(server.client(), 4)
    done = program.run("load", path, "--index", index, "--progress", "none")
    assert done.exit_code == 0
    assert done.stderr == ""


def test_report_in_a_missing_folder_fails_before_the_job(
    program: Program, server: VecloadServer
) -> None:
    path = write_vectors(program.folder / "in.parquet", random_vectors(10, 4))
    index = make_index(server.client(), 4)
    done = program.run("load", path, "--index", index, "--report", "nowhere/r.json")
    assert done.exit_code == 1
    assert "nowhere" in done.stderr
    assert stored_keys(server.client()) == set()


def test_generated_source_loads_and_is_unit_length(
    program: Program, server: VecloadServer, tmp_path: Path
) -> None:
    made = program.run("generate", "g.parquet", "--rows", "300", "--dimension", "8",
                       "--files", "3", "--seed", "7", "--output", "json")  # fmt: skip
    assert made.exit_code == 0, made.stderr
    assert made.json["files"] == [f"g-{i:04d}.parquet" for i in range(3)]
    table = pq.read_table([program.folder / name for name in made.json["files"]])
    assert table.num_rows == 300
    assert table.schema.names == ["id", "embedding", "category", "year"]
    assert table["id"][42].as_py() == "v-000000042"
    assert len(set(table["category"].to_pylist())) <= 17
    norms = np.linalg.norm(np.array(table["embedding"].to_pylist()), axis=1)
    assert np.allclose(norms, 1, atol=1e-6)

    again = program.run("generate", "h.parquet", "--rows", "300", "--dimension", "8",
                        "--files", "3", "--seed", "7")  # fmt: skip
    assert again.exit_code == 0
    for part in range(3):
        left, right = (program.folder / f"{name}-{part:04d}.parquet" for name in "gh")
        assert left.read_bytes() == right.read_bytes(), "same seed, same bytes"

    index = make_index(server.client(), 8)
    assert program.run("load", "g-*.parquet", "--index", index).exit_code == 0
    found = stored(server.client())
    assert len(found) == 300
    assert set(found["v-000000042"]["metadata"]) == {"category", "year"}
