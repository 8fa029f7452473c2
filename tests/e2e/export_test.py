"""Goal: an export holds exactly what the index holds, whatever that is and however often the export
was stopped, strangers read it, and loading it gives the same index again. Method: the real binary
and its server; what boto3 reads of the index is compared, bit by bit, with what pyarrow, DuckDB and
polars read of the files and with a second index that the files were loaded into. Kills happen at
chosen requests, in a proxy between the two.
"""

import json
import resource
import signal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash

from support.interruption import Interruption
from support.program import ROOT, Outcome, Program
from support.servers import MotoServer, VecloadServer
from support.vectors import Floats, make_index, random_vectors, same_bits, stored

DIMENSION = 8
INDEX = "bucket/index"
TARGET = {"vectorBucketName": "bucket", "indexName": "index"}
PACKAGES = ROOT / "examples/data/debian-packages-small.parquet"
Vectors = dict[str, dict[str, Any]]


def export(program: Program, out: str, *more: str, index: str = INDEX, **run: Any) -> Outcome:
    return program.run("export", out, "--index", index, "--output", "json", *more, **run)


def load(program: Program, source: str | Path, index: str, *more: str) -> None:
    done = program.run("load", source, "--index", index, "--output", "json",
                       "--rate-vectors", "unlimited", *more)  # fmt: skip
    assert done.exit_code == 0, done.stderr + done.stdout


def verify(program: Program, index: str) -> Outcome:
    return program.run("verify", PACKAGES, "--index", index, "--key-column", "package")


def create(client: Any, name: str, like: str = "index", **more: Any) -> None:
    found = client.get_index(vectorBucketName="bucket", indexName=like)["index"]
    for setting in ("dimension", "distanceMetric", "metadataConfiguration"):
        if setting in found:
            more.setdefault(setting, found[setting])
    client.create_index(vectorBucketName="bucket", indexName=name, dataType="float32", **more)


def put(client: Any, vectors: list[dict[str, Any]], index: str = "index") -> None:
    for begin in range(0, len(vectors), 200):
        client.put_vectors(vectorBucketName="bucket", indexName=index,
                           vectors=vectors[begin : begin + 200])  # fmt: skip


def vector(key: str, data: Floats, /, **metadata: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"key": key, "data": {"float32": [float(value) for value in data]}}
    return made | ({"metadata": metadata} if metadata else {})


def fill(client: Any, rows: int, blob: int = 0) -> None:
    """bucket/index with that many vectors and a little metadata, or, since pages are of bytes, as
    many pages of it as the blobs make.
    """
    make_index(client, DIMENSION, non_filterable=["blob"])
    data = random_vectors(rows, DIMENSION)
    more = {"blob": "x" * blob} if blob else {}
    put(client, [vector(f"k{i:06d}", data[i], n=i, s=f"text {i}", **more) for i in range(rows)])


# With these pages of its vectors (some 24, and one at least for each of 16 segments) there is
# enough to be stopped in.
LONG = {"rows": 3000, "blob": 8000}


def read_json(*files: Path) -> Vectors:
    """What an export with JSON holds, as pyarrow reads it."""
    found: Vectors = {}
    for file in files:
        table = pq.read_table(file)
        assert table.schema.field("vector").type.value_type == pa.float32()
        for row in table.to_pylist():
            assert row["key"] not in found, "a key twice"
            found[row["key"]] = {
                "data": np.array(row["vector"], dtype=np.float32),
                "metadata": json.loads(row["metadata"] or "{}"),
            }
    return found


def assert_same(left: Vectors, right: Vectors) -> None:
    assert left.keys() == right.keys()
    for key, one in left.items():
        assert same_bits(one["data"], right[key]["data"]), key
        assert one["metadata"] == right[key]["metadata"], key


def nothing_left(program: Program, out: str) -> bool:
    return not (program.folder / f"{out}.part").exists()


# What may be in an index and is easily lost on the way.
ODD_FLOATS = np.array(
    [-0.0, 1e-45, 1.17549435e-38, 3.4028235e38, -1e-40, 0.1, 16777217, 1 / 3], dtype=np.float32
)
ODD_KEYS = ["k", "\u00e9" * 512, 'quote " and \\', "new\nline", "\U0001f600" * 256, "\u0000", " "]


@pytest.fixture
def odd(server: VecloadServer) -> Any:
    """An index of odd keys, floats and metadata; each metadata key has values of one type."""
    client = server.client()
    make_index(client, DIMENSION, non_filterable=["blob"])
    metadata: list[dict[str, Any]] = [
        {},
        {"text": 'a "\u00e9"\n', "flag": True, "count": -3, "ratio": 0.1},
        {"tags": ["x", "\U0001f600"], "counts": [1, 2], "ratios": [0.5, 1]},
        {"ratio": 5, "count": 2**53, "a.b": "dots", "Text": "case"},
        {"blob": "x" * 40_000, "text": ""},
        {"ratio": -0.0, "flag": False},
        {"ratio": 1e300, "count": 0},
    ]
    put(client, [vector(key, np.roll(ODD_FLOATS, i), **metadata[i])
                 for i, key in enumerate(ODD_KEYS)])  # fmt: skip
    return client


def test_load_of_an_export_is_the_same_index(program: Program, odd: Any) -> None:
    before = stored(odd)
    done = export(program, "out.parquet")
    assert done.exit_code == 0, done.stderr
    assert done.json["vectors"] == len(before) == len(ODD_KEYS)
    assert_same(read_json(program.folder / "out.parquet"), before)
    assert nothing_left(program, "out.parquet")
    create(odd, "copy")
    load(program, "out.parquet", "bucket/copy")
    assert_same(stored(odd, "bucket/copy"), before)


def test_load_of_a_typed_export_is_the_same_index(program: Program, odd: Any) -> None:
    before = stored(odd)
    done = export(program, "typed.parquet", "--typed")
    assert done.exit_code == 0, done.stderr
    assert (done.json["keys_without_column"], done.json["metadata_json"]) == ({}, False)
    schema = pq.read_schema(program.folder / "typed.parquet")
    types = {name: schema.field(name).type for name in schema.names[2:]}
    whole, number, text = pa.int64(), pa.float64(), pa.string()
    assert {name: type for name, type in types.items() if not pa.types.is_list(type)} == {
        "Text": text, "a.b": text, "blob": text, "count": whole, "flag": pa.bool_(),
        "ratio": number, "text": text,
    }  # fmt: skip
    lists = {name: type.value_type for name, type in types.items() if pa.types.is_list(type)}
    assert lists == {"counts": whole, "ratios": number, "tags": text}
    create(odd, "copy")
    load(program, "typed.parquet", "bucket/copy")
    assert_same(stored(odd, "bucket/copy"), before)


def test_what_has_no_column_is_in_the_json_and_said(
    program: Program, server: VecloadServer
) -> None:
    client = server.client()
    make_index(client, DIMENSION)
    data = random_vectors(4, DIMENSION)
    put(client, [vector("a", data[0], mixed="text", id="i1", year=1),
                 vector("b", data[1], mixed=5, id="i2", vector="v"),
                 vector("c", data[2], **{"": "empty name", "metadata": "own", "key": "mine"}),
                 vector("d", data[3])])  # fmt: skip
    before = stored(client)
    done = export(program, "out.parquet", "--typed")
    assert done.exit_code == 0, done.stderr
    without = done.json["keys_without_column"]
    assert without.keys() == {"mixed", "", "metadata", "key", "vector"}
    assert without["mixed"] == "several types: string, integer"
    assert_same(read_json(program.folder / "out.parquet"), before)
    names = pq.read_schema(program.folder / "out.parquet").names
    assert names == ["key", "vector", "metadata", "id", "year"]
    create(client, "copy")
    load(program, "out.parquet", "bucket/copy")
    assert_same(stored(client, "bucket/copy"), before)


def test_strangers_read_the_same_bits(program: Program, server: VecloadServer) -> None:
    client = server.client()
    fill(client, 900)
    before = stored(client)
    one = export(program, "one.parquet", "--row-group", "8KiB")
    many = export(program, "many", "--row-group", "8KiB", "--file-size", "16KiB")
    typed = export(program, "typed", "--typed", "--codec", "zstd")
    assert (one.exit_code, many.exit_code, typed.exit_code) == (0, 0, 0), many.stderr
    assert one.json["row_groups"] > 1 and len(many.json["files"]) > 1
    assert Path(many.json["files"][0]).name == "part-00000.parquet"
    for where in ("one.parquet", "many/*.parquet", "typed/*.parquet"):
        path = str(program.folder / where)
        rows = duckdb.execute("select key, vector from read_parquet(?)", [path]).fetchall()
        frame = pl.read_parquet(path)
        for pairs in (rows, zip(frame["key"], frame["vector"], strict=True)):
            found = {key: np.array(data, dtype=np.float32) for key, data in pairs}
            assert found.keys() == before.keys()
            assert all(same_bits(found[key], before[key]["data"]) for key in before)
    asked = f"select s from '{program.folder}/typed/*.parquet' where n = 17"
    assert duckdb.execute(asked).fetchall() == [("text 17",)]
    notes = pq.read_schema(program.folder / "one.parquet").metadata
    assert notes[b"vecload.distance_metric"] == b"cosine"
    assert notes[b"vecload.index_arn"].endswith(b":bucket/bucket/index/index")


def test_real_data_comes_back_equal(program: Program, server: VecloadServer) -> None:
    client = server.client()
    client.create_vector_bucket(vectorBucketName="bucket")
    create_flags = ("--create-index", "--distance-metric", "cosine")
    load(program, PACKAGES, INDEX, *create_flags, "--key-column", "package")
    assert export(program, "json.parquet", "--row-group", "256KiB").exit_code == 0
    assert export(program, "typed", "--typed").exit_code == 0
    load(program, "json.parquet", "bucket/one", *create_flags)
    load(program, "typed", "bucket/two", *create_flags)
    assert_same(read_json(program.folder / "json.parquet"), stored(client))
    for name in ("one", "two"):
        assert verify(program, f"bucket/{name}").exit_code == 0


def test_an_index_without_vectors(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    for out in ("none.parquet", "none", "typed.parquet"):
        done = export(program, out, *(["--typed"] if out.startswith("typed") else []))
        assert done.exit_code == 0 and done.json["vectors"] == 0, done.stderr
        table = pq.read_table(program.folder / out)
        assert table.num_rows == 0 and table.schema.names[:2] == ["key", "vector"]


def test_another_server_that_knows_no_segments_is_exported_once(
    bare_program: Program, moto: MotoServer
) -> None:
    bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = moto.url
    client = moto.client()
    fill(client, 1200)
    done = export(bare_program, "out.parquet")
    assert done.exit_code == 0, done.stderr
    assert "does not list by segments" in done.stderr
    assert_same(read_json(bare_program.folder / "out.parquet"), stored(client))


# --- stopped and gone on with


@pytest.mark.parametrize("out", ["out.parquet", "out"])
def test_kills_lose_nothing_and_write_nothing_twice(
    program: Program, server: VecloadServer, interruption: Interruption, out: str
) -> None:
    client = server.client()
    fill(client, **LONG)
    small = ["--row-group", "64KiB", "--file-size", "2MiB"]
    command = ["export", out, "--index", INDEX, "--output", "json", *small]
    written = []
    for at in (1, 11, 14, 14):
        killed = interruption.run(program, *command, at=at, number=signal.SIGKILL)
        assert killed.exit_code == -signal.SIGKILL, killed.stderr
        assert not (program.folder / out).exists()
        journal = program.folder / f"{out}.part" / "_journal"
        written.append(journal.read_text().count('"rows":') if journal.exists() else 0)
    assert written == sorted(written) and written[1] < written[3], "each goes on"
    done = program.run(*command)
    assert done.exit_code == 0, done.stderr
    assert "going on with the export" in done.stderr
    assert 0 < done.json["vectors_resumed"] < done.json["vectors"] == 3000
    files = sorted((program.folder / out).glob("*")) if out == "out" else [program.folder / out]
    assert len(files) == len(done.json["files"])
    assert_same(read_json(*files), stored(client))
    assert nothing_left(program, out)


@pytest.mark.parametrize("at", [10, 50])
def test_a_signal_stops_either_pass_and_the_same_command_goes_on(
    program: Program, server: VecloadServer, interruption: Interruption, at: int
) -> None:
    client = server.client()
    fill(client, **LONG)
    command = ["export", "out.parquet", "--index", INDEX, "--output", "json", "--typed",
               "--row-group", "64KiB"]  # fmt: skip
    stopped = interruption.run(program, *command, at=at, number=signal.SIGINT)
    assert stopped.exit_code == 4, stopped.stderr + stopped.stdout
    assert stopped.json["status"] == "stopped" and stopped.json["files"] == []
    assert not (program.folder / "out.parquet").exists()
    journal = (program.folder / "out.parquet.part" / "_journal").read_text()
    assert ('"kind":"columns"' in journal) == ('"kind":"rows"' in journal) == (at == 50)
    done = program.run(*command)
    assert done.exit_code == 0, done.stderr
    table = pq.read_table(program.folder / "out.parquet")
    assert sorted(table["key"].to_pylist()) == sorted(stored(client))


def forge_tokens(journal: Path) -> int:
    """Makes each token one that the server refuses; returns how many there were."""
    lines = []
    forged = 0
    for line in journal.read_text().splitlines():
        entry = json.loads(line[17:])
        if entry.get("next"):
            entry["next"] = "expired"
            forged += 1
        text = json.dumps(entry, separators=(",", ":"))
        lines.append(f"{xxhash.xxh3_64_hexdigest(text.encode())} {text}\n")
    journal.write_text("".join(lines))
    return forged


def test_a_segment_whose_token_is_refused_is_read_again(
    program: Program, server: VecloadServer, interruption: Interruption
) -> None:
    client = server.client()
    fill(client, **LONG)
    command = ["export", "out.parquet", "--index", INDEX, "--output", "json",
               "--row-group", "64KiB", "--threads", "1"]  # fmt: skip
    killed = interruption.run(program, *command, at=4, number=signal.SIGKILL)
    assert killed.exit_code == -signal.SIGKILL
    assert forge_tokens(program.folder / "out.parquet.part" / "_journal") > 0
    done = program.run(*command)
    assert done.exit_code == 0, done.stderr
    assert "is read again from its begin" in done.stderr
    assert done.json["segments_restarted"] == 1
    assert_same(read_json(program.folder / "out.parquet"), stored(client))


@pytest.mark.parametrize("out", ["out.parquet", "out"])
def test_a_full_disk_is_told_and_can_be_gone_on_from(
    program: Program, server: VecloadServer, out: str
) -> None:
    client = server.client()
    fill(client, **LONG)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000_000, 9_000_000))

    small = ["--row-group", "64KiB", "--codec", "none"]
    full = export(program, out, *small, preexec_fn=limit)
    assert full.exit_code == 4, full.stderr
    assert f"{out}.part/_data/part-00000.parquet: cannot be written" in full.stderr
    assert "make room there" in full.stderr
    assert full.json["code"] == "io" and 0 < full.json["vectors"] < 3000
    assert not (program.folder / out).exists()
    done = export(program, out, *small)
    assert done.exit_code == 0, done.stderr
    assert done.json["vectors_resumed"] >= full.json["vectors"]
    files = sorted((program.folder / out).glob("*")) if out == "out" else [program.folder / out]
    assert_same(read_json(*files), stored(client))


def test_two_at_once_do_not_write_into_one_another(
    program: Program, server: VecloadServer, interruption: Interruption
) -> None:
    fill(server.client(), 100)
    second: list[Outcome] = []
    interruption.action = lambda: second.append(export(program, "out.parquet"))
    interruption.at = 3
    assert export(program, "out.parquet").exit_code == 0
    assert second[0].exit_code == 1
    assert "is in use: another export is writing there" in second[0].stderr


# --- what cannot be done


def refused(done: Outcome, message: str) -> None:
    assert done.exit_code == 1, done.stderr
    assert message in done.stderr, done.stderr
    assert done.stdout == ""


def test_what_exists_is_kept(program: Program, server: VecloadServer) -> None:
    client = server.client()
    fill(client, 50)
    out = program.folder / "out.parquet"
    out.write_text("precious")
    refused(export(program, "out.parquet"), "out.parquet exists")
    assert out.read_text() == "precious" and nothing_left(program, "out.parquet")
    assert export(program, "out.parquet", "--overwrite").exit_code == 0
    assert len(read_json(out)) == 50

    folder = program.folder / "out"
    folder.mkdir()
    assert export(program, "out").exit_code == 0, "an empty folder is as good as none"
    refused(export(program, "out"), "out exists")
    (folder / "mine.txt").write_text("precious")
    refused(export(program, "out", "--overwrite"), "holds mine.txt, which no export has written")
    (folder / "mine.txt").rename(program.folder / "mine.txt")
    client.delete_vectors(**TARGET, keys=["k000007"])
    assert export(program, "out", "--overwrite").exit_code == 0
    assert len(read_json(*folder.glob("*"))) == 49
    folder.rename(program.folder / "folder.parquet")
    refused(export(program, "folder.parquet", "--overwrite"), "is a folder")
    refused(export(program, "no/out.parquet"), "is no folder")
    refused(export(program, "s3://bucket/out.parquet"), "written to this machine")


def test_an_unfinished_export_of_something_else_is_kept(
    program: Program, server: VecloadServer, interruption: Interruption
) -> None:
    client = server.client()
    fill(client, **LONG)
    command = ["export", "out.parquet", "--index", INDEX, "--row-group", "64KiB"]
    interruption.run(program, *command, at=8, number=signal.SIGKILL)
    refused(export(program, "out.parquet", "--typed"), 'metadata there: "json", now: "typed"')
    create(client, "other")
    refused(export(program, "out.parquet", index="bucket/other"), 'now: "bucket/other"')
    client.delete_index(**TARGET)
    create(client, "index", like="other")
    put(client, [vector("only", random_vectors(1, DIMENSION)[0])])
    refused(export(program, "out.parquet"), "creation time there")
    done = export(program, "out.parquet", "--restart")
    assert done.exit_code == 0 and done.json["vectors"] == 1, done.stderr
    assert read_json(program.folder / "out.parquet").keys() == {"only"}


def test_an_index_made_again_meanwhile_is_no_export(
    program: Program, server: VecloadServer, interruption: Interruption
) -> None:
    client = server.client()
    fill(client, 100)

    def make_again() -> None:
        client.delete_index(**TARGET)
        create(client, "index", dimension=DIMENSION, distanceMetric="cosine", like="other")

    create(client, "other")
    interruption.action, interruption.at = make_again, 8
    done = export(program, "out.parquet", "--threads", "1")
    assert done.exit_code == 4 and "was deleted and made again" in done.stderr, done.stderr
    assert not (program.folder / "out.parquet").exists()


def test_a_value_that_fits_no_column_any_more_is_told(
    program: Program, server: VecloadServer, interruption: Interruption
) -> None:
    client = server.client()
    fill(client, 100)
    changed = vector("k000099", random_vectors(1, DIMENSION)[0], n="a text now")
    # After two pages that ask whether there are segments, and the 16 of the first pass.
    interruption.action, interruption.at = lambda: put(client, [changed]), 19
    done = export(program, "out.parquet", "--typed", "--threads", "1")
    assert done.exit_code == 4, done.stdout
    assert '"n" of vector "k000099" is string, and was integer everywhere' in done.stderr
    assert not (program.folder / "out.parquet").exists()
    assert export(program, "out.parquet", "--typed", "--restart").exit_code == 0


# --- shards


def make_shards(client: Any, keys: list[str], data: Floats) -> None:
    client.create_vector_bucket(vectorBucketName="bucket")
    for shard in range(3):
        client.create_index(
            vectorBucketName="bucket", indexName=f"base-{shard:04d}", dataType="float32",
            dimension=DIMENSION, distanceMetric="cosine",
            tags={"vecload:shard-scheme": "xxh3-64", "vecload:shards": "3",
                  "vecload:shard": str(shard)},
        )  # fmt: skip
        put(client, [vector(key, data[i], i=i) for i, key in enumerate(keys)
                     if xxhash.xxh3_64_intdigest(key.encode()) % 3 == shard],
            index=f"base-{shard:04d}")  # fmt: skip


def test_all_shards_are_one_export_or_none(program: Program, server: VecloadServer) -> None:
    client = server.client()
    data = random_vectors(300, DIMENSION)
    make_shards(client, [f"k{i:06d}" for i in range(300)], data)
    done = export(program, "out.parquet", index="bucket/base")
    assert done.exit_code == 0 and done.json["shards"] == 3, done.stderr
    found = read_json(program.folder / "out.parquet")
    assert len(found) == 300
    assert all(same_bits(one["data"], data[one["metadata"]["i"]]) for one in found.values())
    client.delete_index(vectorBucketName="bucket", indexName="base-0001")
    refused(export(program, "none.parquet", index="bucket/base"), "base-0001")
    client.create_index(
        vectorBucketName="bucket", indexName="base-0001", dataType="float32",
        dimension=DIMENSION + 1, distanceMetric="cosine",
    )  # fmt: skip
    refused(export(program, "none.parquet", index="bucket/base"), "base-0001 has dimension 9")
    refused(export(program, "none.parquet", index="bucket/absent"), "absent")
    assert not list(program.folder.glob("none*"))
