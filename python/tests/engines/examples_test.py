"""Goal: the examples of the sinks do what they say. Method: as python/tests/examples_test.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vecload.testing import LocalS3Vectors

EXAMPLES = Path(__file__).parents[3] / "examples/python"


@pytest.mark.parametrize("name", ["spark_job.py", "ray_job.py"])
def test_what_an_example_writes_is_there(s3vectors: LocalS3Vectors, name: str) -> None:
    command = [sys.executable, str(EXAMPLES / name), "bucket/index"]
    # As whoever has Spark in an environment that is not activated.
    env = os.environ | dict.fromkeys(("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"), sys.executable)
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4000 vectors are in bucket/index" in done.stdout
    pages = (
        s3vectors.client()
        .get_paginator("list_vectors")
        .paginate(vectorBucketName="bucket", indexName="index")
    )
    assert sum(len(page["vectors"]) for page in pages) == 4000
