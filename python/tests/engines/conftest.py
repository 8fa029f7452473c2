"""Fixtures of the tests of the sinks, which run against the installed wheel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from sinks import make_index, make_rows

from vecload.testing import LocalS3Vectors


@pytest.fixture(autouse=True)
def _nothing_of_the_callers_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def server() -> Iterator[LocalS3Vectors]:
    """With bucket/index, empty."""
    with LocalS3Vectors() as running:
        make_index(running)
        yield running


@pytest.fixture
def rows() -> pa.Table:
    return make_rows(8000)
