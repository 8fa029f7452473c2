"""The pytest plugin: the fixture and the marker `s3vectors`. Apart from the package, so that a run
that does not use them does not pay for importing it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from vecload.testing import LocalS3Vectors


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "s3vectors(**options): options of the fixture s3vectors, as of LocalS3Vectors"
    )


@pytest.fixture
def s3vectors(request: pytest.FixtureRequest) -> Generator[LocalS3Vectors]:
    """S3 Vectors on this machine, empty and one's own; boto3 and vecload find it by themselves."""
    from vecload.testing import LocalS3Vectors

    marker: pytest.Mark | None = request.node.get_closest_marker("s3vectors")  # pyright: ignore
    with LocalS3Vectors(**(marker.kwargs if marker else {})) as server:
        yield server
