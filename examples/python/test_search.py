"""How to test a program that uses S3 Vectors: with pytest, and a server for each test.

pip install vecload[testing]
pytest test_search.py
"""

from typing import Any

import boto3
import numpy as np
import pytest

import vecload
from vecload.testing import LocalS3Vectors


class Search:
    """The program under test. It knows nothing of tests: boto3 finds its endpoint by itself."""

    def __init__(self, bucket: str, index: str) -> None:
        self._client: Any = boto3.client("s3vectors")
        self._index = {"vectorBucketName": bucket, "indexName": index}

    def nearest(self, vector: list[float]) -> str:
        found = self._client.query_vectors(**self._index, queryVector={"float32": vector}, topK=1)
        return found["vectors"][0]["key"]


def test_the_nearest_is_found(s3vectors: LocalS3Vectors) -> None:
    vecload.load(
        np.eye(3, dtype=np.float32), "shop/items", keys=["red", "green", "blue"],
        create_index=True, distance_metric="cosine",
    )  # fmt: skip
    assert Search("shop", "items").nearest([0.1, 0.9, 0.0]) == "green"


@pytest.mark.s3vectors(faults="seed=1,http503=0.5")
def test_a_storm_of_503s_is_survived(s3vectors: LocalS3Vectors) -> None:
    report = vecload.load(
        np.eye(64, dtype=np.float32), "shop/items", keys=[str(row) for row in range(64)],
        create_index=True, distance_metric="cosine", batch_vectors=4,
    )  # fmt: skip
    assert report.vectors_acknowledged == 64
