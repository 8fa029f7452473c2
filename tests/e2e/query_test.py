"""Goal: `vecload query` finds what is near, in the form that was asked for.

Method: an index filled by boto3 whose distances are plain to see.
"""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.program import BINARY, Program
from support.servers import VecloadServer
from support.vectors import make_index


@pytest.fixture
def filled(server: VecloadServer) -> str:
    index = make_index(server.client(), 2, "euclidean")
    points = {"a": (0, 0), "b": (1, 0), "c": (0, 3), "d": (10, 10), "new\nline": (4, 0)}
    server.client().put_vectors(
        vectorBucketName="bucket",
        indexName="index",
        vectors=[
            {"key": key, "data": {"float32": list(point)}, "metadata": {"name": f"point {key}"}}
            for key, point in points.items()
        ],
    )
    return index


def keys(answer: Any) -> list[str]:
    return [neighbor["key"] for neighbor in answer["neighbors"]]


def test_by_vector(program: Program, filled: str) -> None:
    done = program.run("query", "--index", filled, "--vector", "[0.1, 0]", "--top-k", "3",
                       "--output", "json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert keys(done.json) == ["a", "b", "c"]
    assert done.json["index"] == filled
    first = done.json["neighbors"][0]
    assert first["metadata"] == {"name": "point a"}
    assert first["distance"] == pytest.approx(0.1, abs=1e-6)


def test_like_leaves_the_key_itself_out(program: Program, filled: str) -> None:
    done = program.run("query", "--index", filled, "--like", "a", "--top-k", "2", "--output",
                       "json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert keys(done.json) == ["b", "c"]


def test_top_k_beyond_the_index(program: Program, filled: str) -> None:
    done = program.run("query", "--index", filled, "--like", "a", "--top-k", "500", "--output",
                       "json")  # fmt: skip
    assert keys(done.json) == ["b", "c", "new\nline", "d"]


def test_a_filter(program: Program, filled: str) -> None:
    wanted = '{"name": {"$in": ["point d", "point c"]}}'
    done = program.run("query", "--index", filled, "--vector", "[0, 0]", "--filter", wanted,
                       "--output", "json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert keys(done.json) == ["c", "d"]
    bad = program.run("query", "--index", filled, "--vector", "[0, 0]", "--filter", '{"a": {}}')
    assert bad.exit_code != 0
    assert "Invalid filter" in bad.stderr


def test_more_neighbours_than_a_page(program: Program, server: VecloadServer) -> None:
    index = make_index(server.client(), 1, "euclidean")
    server.client().put_vectors(
        vectorBucketName="bucket",
        indexName="index",
        vectors=[{"key": f"k{i}", "data": {"float32": [i]}} for i in range(350)],
    )
    done = program.run("query", "--index", index, "--vector", "[0]", "--top-k", "333", "--output",
                       "json")  # fmt: skip
    assert keys(done.json) == [f"k{i}" for i in range(333)]


def test_text_is_a_table_of_one_line_a_neighbour(program: Program, filled: str) -> None:
    done = program.run("query", "--index", filled, "--vector", "[0,0]")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["distance", "key", "metadata"]
    assert len(lines) == 6
    assert lines[1].split()[:2] == ["0.000000", "a"]
    assert '"new\\nline"' in done.stdout


def test_like_a_key_that_is_not_there(program: Program, filled: str) -> None:
    done = program.run("query", "--index", filled, "--like", "zzz")
    assert done.exit_code == 1
    assert "zzz" in done.stderr
    assert filled in done.stderr


def test_a_vector_of_another_length(program: Program, filled: str) -> None:
    done = program.run("query", "--index", filled, "--vector", "[1,2,3]")
    assert done.exit_code == 1
    assert done.stderr.startswith("vecload: query: ")


def test_a_missing_index(program: Program, server: VecloadServer) -> None:
    done = program.run("query", "--index", "bucket/nothing", "--vector", "[1]")
    assert done.exit_code == 1
    assert "bucket/nothing" in done.stderr


def test_stdout_that_cannot_be_written_is_an_error(program: Program, filled: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [BINARY, "query", "--index", filled, "--like", "a"],
            env=program.env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert "stdout" in done.stderr
