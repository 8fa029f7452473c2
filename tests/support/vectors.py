"""Tables to load, and what an index holds as boto3 reads it back."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Floats = npt.NDArray[np.float32]


def random_vectors(rows: int, dimension: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).standard_normal((rows, dimension), dtype=np.float32)


def fixed_size_column(vectors: Floats) -> pa.FixedSizeListArray:
    """float32 rows as fixed_size_list."""
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])


def write_vectors(
    path: Path, vectors: Floats, keys: Sequence[str] | None = None, **columns: Any
) -> Path:
    """Writes the plain case: string `id`, `embedding`, and more columns as metadata."""
    names = list(keys) if keys is not None else [f"k{i:06d}" for i in range(len(vectors))]
    table = pa.table(
        {"id": pa.array(names, pa.string()), "embedding": fixed_size_column(vectors), **columns}
    )
    pq.write_table(table, path)
    return path


def make_index(
    client: Any, dimension: int, metric: str = "cosine", non_filterable: Iterable[str] = ()
) -> str:
    """Makes bucket/index and returns the name as the command line takes it."""
    client.create_vector_bucket(vectorBucketName="bucket")
    return create_index(client, dimension, metric, non_filterable)


def create_index(
    client: Any, dimension: int, metric: str = "cosine", non_filterable: Iterable[str] = ()
) -> str:
    """As make_index, in a bucket that is there."""
    more: dict[str, Any] = {}
    if keys := list(non_filterable):
        more["metadataConfiguration"] = {"nonFilterableMetadataKeys": keys}
    client.create_index(
        vectorBucketName="bucket",
        indexName="index",
        dataType="float32",
        dimension=dimension,
        distanceMetric=metric,
        **more,
    )
    return "bucket/index"


def stored(client: Any, index: str = "bucket/index") -> dict[str, dict[str, Any]]:
    """Everything in the index by key: {"data": float32 array, "metadata": dict}."""
    bucket, name = index.split("/")
    pages = client.get_paginator("list_vectors").paginate(
        vectorBucketName=bucket, indexName=name, returnData=True, returnMetadata=True
    )
    found: dict[str, dict[str, Any]] = {}
    for page in pages:
        for vector in page["vectors"]:
            assert vector["key"] not in found, "listed twice"
            data = np.array(vector["data"]["float32"], dtype=np.float64).astype(np.float32)
            found[vector["key"]] = {"data": data, "metadata": vector.get("metadata", {})}
    return found


def stored_keys(client: Any, index: str = "bucket/index") -> set[str]:
    bucket, name = index.split("/")
    pages = client.get_paginator("list_vectors").paginate(vectorBucketName=bucket, indexName=name)
    return {vector["key"] for page in pages for vector in page["vectors"]}


def same_bits(left: Floats, right: Floats) -> bool:
    """Equality that tells -0 from 0 and does not tell NaN from itself."""
    return left.shape == right.shape and bool(
        np.array_equal(left.view(np.uint32), right.view(np.uint32))
    )
