"""Goal: sources are read from a real S3 server: objects, prefixes, globs and hive partitions.

Method: rclone serves a folder over S3; the real binary reads it with AWS's own settings.
"""

from pathlib import Path
from typing import Any

import pytest

from support.program import Program
from support.servers import RcloneServer, VecloadServer
from support.vectors import make_index, random_vectors, same_bits, stored, write_vectors

VECTORS = random_vectors(40, 8, seed=5)


@pytest.fixture
def s3_program(program: Program, s3: RcloneServer, s3_folder: Path) -> Program:
    """The binary, with a bucket `data` of four files, two partitions and a note."""
    program.env["AWS_ENDPOINT_URL_S3"] = s3.url
    for part in range(4):
        folder = s3_folder / f"data/set/year={2023 + part // 2}"
        folder.mkdir(parents=True, exist_ok=True)
        rows = range(part * 10, part * 10 + 10)
        keys = [f"k{row}" for row in rows]
        write_vectors(folder / f"part-{part}.parquet", VECTORS[rows], keys)
    (s3_folder / "data/set/_SUCCESS").touch()
    (s3_folder / "data/other").mkdir()
    write_vectors(s3_folder / "data/other/x.parquet", VECTORS[:1], ["other"])
    return program


def load(program: Program, server: VecloadServer, *sources: str) -> dict[str, dict[str, Any]]:
    index = make_index(server.client(), 8)
    done = program.run("load", *sources, "--index", index)
    assert done.exit_code == 0, done.stderr
    return stored(server.client())


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("s3://data/set/year=2023/part-1.parquet", range(10, 20)),
        ("s3://data/set/", range(40)),
        ("s3://data/set", range(40)),
        ("s3://data/set/year=2024/", range(20, 40)),
        ("s3://data/set/*/part-[02].parquet", [*range(10), *range(20, 30)]),
        ("s3://data/set/year=*/*.parquet", range(40)),
    ],
)
def test_sources(s3_program: Program, server: VecloadServer, source: str, rows: list[int]) -> None:
    found = load(s3_program, server, source)
    assert set(found) == {f"k{row}" for row in rows}
    for row in rows:
        vector = found[f"k{row}"]
        assert same_bits(vector["data"], VECTORS[row])
        assert str(vector["metadata"]["year"]) == str(2023 + row // 20), "from the path"


def test_s3_and_local_files_together(s3_program: Program, server: VecloadServer) -> None:
    write_vectors(s3_program.folder / "local.parquet", VECTORS[:2], ["l0", "l1"])
    found = load(s3_program, server, "s3://data/other/x.parquet", "local.parquet")
    assert set(found) == {"other", "l0", "l1"}


def test_a_large_object_is_read_in_ranges(
    s3_program: Program, server: VecloadServer, s3_folder: Path
) -> None:
    vectors = random_vectors(20_000, 128, seed=6)
    write_vectors(s3_folder / "data/large.parquet", vectors)
    index = make_index(server.client(), 128)
    done = s3_program.run("load", "s3://data/large.parquet", "--index", index, "--rate-vectors",
                          "unlimited", "--rate-requests", "unlimited")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    found = stored(server.client())
    assert len(found) == 20_000
    assert all(same_bits(found[f"k{r:06d}"]["data"], vectors[r]) for r in range(0, 20_000, 37))


@pytest.mark.parametrize(
    "source", ["s3://data/absent.parquet", "s3://data/absent/", "s3://data/set/*.nothing",
               "s3://absent-bucket/x.parquet"]
)  # fmt: skip
def test_what_is_not_there_is_named(
    s3_program: Program, server: VecloadServer, source: str
) -> None:
    make_index(server.client(), 8)
    done = s3_program.run("load", source, "--index", "bucket/index", timeout=60)
    assert done.exit_code == 1
    assert source.rstrip("/").removeprefix("s3://") in done.stderr


def test_wrong_keys_are_told_as_denied(s3_program: Program, server: VecloadServer) -> None:
    make_index(server.client(), 8)
    done = s3_program.run(
        "load", "s3://data/set/", "--index", "bucket/index",
        env={"AWS_SECRET_ACCESS_KEY": "wrong"}, timeout=60,
    )  # fmt: skip
    assert done.exit_code == 1
    assert "s3://data/set" in done.stderr
