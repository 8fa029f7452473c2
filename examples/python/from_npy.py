"""Loads a .npy file, mapped and not read into memory, with keys that are made on the way."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

import vecload

ROWS_A_BATCH = 10_000


def batches(vectors: np.ndarray, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for begin in range(0, len(vectors), ROWS_A_BATCH):
        part = vectors[begin : begin + ROWS_A_BATCH]
        keys = [f"row-{begin + row}" for row in range(len(part))]
        lists = pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), part.shape[1])
        yield pa.record_batch([pa.array(keys), lists], schema=schema)


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "embeddings.npy"
    np.save(path, np.random.default_rng(1).standard_normal((25_000, 32), dtype=np.float32))

    vectors = np.load(path, mmap_mode="r")
    schema = pa.schema([("key", pa.string()), ("vector", pa.list_(pa.float32(), vectors.shape[1]))])
    report = vecload.load(
        pa.RecordBatchReader.from_batches(schema, batches(vectors, schema)),
        sys.argv[1],
        create_index=True,
        distance_metric="euclidean",
        rate_vectors="unlimited",
    )
print(f"{report.vectors_acknowledged} vectors are in {report.index}")
