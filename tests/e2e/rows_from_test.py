"""Goal: the rows that a rejects file lists can be loaded alone, once what was wrong is mended, and
nothing else is touched. Method: the real binary rejects rows, the files are mended, and boto3 tells
what a load of the listed rows adds.
"""

import json
from pathlib import Path

import numpy as np

from support.program import Outcome, Program, assert_accounts
from support.servers import RcloneServer, VecloadServer
from support.vectors import (
    Floats,
    make_index,
    random_vectors,
    same_bits,
    stored,
    stored_keys,
    write_vectors,
)

DIMENSION = 8
ROWS = 3000


def load(program: Program, *more: str | Path) -> Outcome:
    return program.run("load", *more, "--index", "bucket/index", "--output", "json",
                       "--rate-vectors", "unlimited")  # fmt: skip


def with_faults(vectors: Floats) -> Floats:
    bad = vectors.copy()
    bad[[0, 1, 2, 700, 1500, ROWS - 1]] = np.nan
    bad[2000:2100] = np.nan
    return bad


def journals(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob(".local/state/vecload/*")}


def test_mended_rows_are_loaded_alone(program: Program, server: VecloadServer) -> None:
    vectors = [random_vectors(ROWS, DIMENSION, seed) for seed in (1, 2)]
    keys = [[f"{name}{row}" for row in range(ROWS)] for name in "ab"]
    for name, rows, ids in zip("ab", vectors, keys, strict=True):
        write_vectors(program.folder / f"{name}.parquet", with_faults(rows), ids)
    make_index(server.client(), DIMENSION)
    first = load(program, "a.parquet", "b.parquet", "--rejects", "rejects.jsonl")
    assert first.exit_code == 3, first.stderr
    assert first.json["vectors_rejected"] == 212
    before = journals(program.folder)
    assert before

    for name, rows, ids in zip("ab", vectors, keys, strict=True):
        write_vectors(program.folder / f"{name}.parquet", rows, ids)
    listed = (program.folder / "rejects.jsonl").read_text()
    (program.folder / "twice.jsonl").write_text(listed + listed)
    # The lines name the files by relative paths, the command by absolute ones.
    second = load(program, program.folder / "*.parquet", "--rows-from", "twice.jsonl",
                  "--rejects", "left.jsonl")  # fmt: skip
    assert second.exit_code == 0, second.stderr
    report = second.json
    assert_accounts(report)
    assert (report["rows_total"], report["vectors_acknowledged"]) == (212, 212)
    assert "journal" not in report
    assert "the 212 rows" in second.stderr and "no journal is kept" in second.stderr
    assert journals(program.folder) == before
    assert (program.folder / "rejects.jsonl").read_text() == listed
    found = stored(server.client())
    assert len(found) == 2 * ROWS
    for rows, ids in zip(vectors, keys, strict=True):
        for key, vector in zip(ids, rows, strict=True):
            assert same_bits(found[key]["data"], vector), key


def test_only_the_listed_rows_are_sent_and_may_be_rejected_again(
    program: Program, server: VecloadServer
) -> None:
    vectors = random_vectors(ROWS, DIMENSION)
    vectors[17] = np.nan
    write_vectors(program.folder / "in.parquet", vectors)
    make_index(server.client(), DIMENSION)
    rows = [17, 5, 1000, 1001, 1002, ROWS - 1]
    lines = [json.dumps({"file": str(program.folder / "in.parquet"), "row": row}) for row in rows]
    (program.folder / "rows.jsonl").write_text("\n".join(lines))
    done = load(program, "in.parquet", "--rows-from", "rows.jsonl", "--rejects", "left.jsonl")
    assert done.exit_code == 3, done.stderr
    assert (done.json["rows_total"], done.json["vectors_acknowledged"]) == (6, 5)
    assert stored_keys(server.client()) == {f"k{row:06d}" for row in rows[1:]}
    assert [line["row"] for line in done.rejects("left.jsonl")] == [17]


def test_rows_of_s3_objects(
    program: Program, server: VecloadServer, s3: RcloneServer, s3_folder: Path
) -> None:
    program.env["AWS_ENDPOINT_URL_S3"] = s3.url
    (s3_folder / "data/set").mkdir(parents=True)
    vectors = random_vectors(ROWS, DIMENSION)
    for name in "ab":
        ids = [f"{name}{row}" for row in range(ROWS)]
        write_vectors(s3_folder / f"data/set/{name}.parquet", vectors, ids)
    make_index(server.client(), DIMENSION)
    lines = [{"file": "s3://data/set/b.parquet", "row": row} for row in (3, 2999)]
    (program.folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = load(program, "s3://data/set/", "--rows-from", "rows.jsonl")
    assert done.exit_code == 0, done.stderr
    assert stored_keys(server.client()) == {"b3", "b2999"}


def test_a_wrong_list_is_told_by_line_before_anything_begins(
    program: Program, server: VecloadServer
) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(10, DIMENSION))
    make_index(server.client(), DIMENSION)
    good = '{"file":"in.parquet","row":0}\n'
    for text, message in {
        good + "{": "rows.jsonl, line 2: not a JSON object",
        good + '{"file":"other.parquet","row":0}': 'line 2: file "other.parquet" is not among',
        good + '{"file":"in.parquet","row":10}': "line 2: there is no row 10 in in.parquet",
        "": "lists no row",
    }.items():
        (program.folder / "rows.jsonl").write_text(text)
        done = load(program, "in.parquet", "--rows-from", "rows.jsonl")
        assert done.exit_code == 1
        assert message in done.stderr
    assert stored_keys(server.client()) == set()


def test_the_list_is_never_overwritten(program: Program, server: VecloadServer) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(10, DIMENSION))
    make_index(server.client(), DIMENSION)
    line = '{"file":"in.parquet","row":0}\n'
    listed = program.folder / "rows.jsonl"
    listed.write_text(line)
    (program.folder / "link.jsonl").symlink_to(listed)
    (program.folder / "hard.jsonl").hardlink_to(listed)
    for rejects in ("rows.jsonl", "./x/../rows.jsonl", str(listed), "link.jsonl", "hard.jsonl"):
        done = load(program, "in.parquet", "--rows-from", "rows.jsonl", "--rejects", rejects)
        assert done.exit_code == 1, rejects
        assert "would overwrite" in done.stderr
        assert listed.read_text() == line
