"""Goal: the examples do what they say. Method: run as a reader would run them, against the local
server; boto3 counts what is there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbclient  # pyright: ignore[reportMissingImports]
import nbformat  # pyright: ignore[reportMissingImports]
import pytest

from vecload.testing import LocalS3Vectors

EXAMPLES = Path(__file__).parents[2] / "examples/python"
PACKAGES = 4000


def run(name: str, *arguments: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def keys_in(server: LocalS3Vectors) -> int:
    pages = (
        server.client()
        .get_paginator("list_vectors")
        .paginate(vectorBucketName="bucket", indexName="index")
    )
    return sum(len(page["vectors"]) for page in pages)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("from_pandas.py", range(1000, 1001)),
        ("from_polars.py", range(2, PACKAGES)),
        ("from_duckdb.py", range(2, PACKAGES)),
        ("from_npy.py", range(25_000, 25_001)),
    ],
)
def test_what_an_example_loads_is_there(s3vectors: LocalS3Vectors, name: str, rows: range) -> None:
    told = run(name, "bucket/index")
    found = keys_in(s3vectors)
    assert found in rows
    assert told == f"{found} vectors are in bucket/index\n"


def test_langchain_finds_what_was_loaded(s3vectors: LocalS3Vectors) -> None:
    told = run("from_langchain.py", "bucket/index").splitlines()
    assert told == [
        "1001 vectors are in bucket/index",
        "doc-1000 a cat sleeps {'year': 2000}",
    ]
    assert keys_in(s3vectors) == 1001


def test_the_example_of_a_test_passes() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    done = subprocess.run(
        [*command, str(EXAMPLES / "test_search.py")], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_notebook_runs(tmp_path: Path) -> None:
    """Executed in a copy of its folder, since it writes a file."""
    folder = tmp_path / "examples/python"
    folder.mkdir(parents=True)
    (folder.parent / "data").symlink_to(EXAMPLES.parent / "data")
    notebook = nbformat.read(EXAMPLES / "tour.ipynb", as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    done = nbclient.NotebookClient(notebook, timeout=100, resources=resources).execute()
    told = [
        output["data"]["text/plain"]
        for cell in done.cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "execute_result"
    ]
    assert told[:3] == ["(4000, 384, 8, 1.6)", "('complete', 4000)", "True"]
    assert "ffmpeg" in told[3] and "shape: (3, " in told[4]
