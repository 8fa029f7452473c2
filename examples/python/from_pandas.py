"""Loads a pandas DataFrame."""

import sys

import numpy as np
import pandas as pd

import vecload

rng = np.random.default_rng(1)
frame = pd.DataFrame(
    {
        "id": [f"doc-{number}" for number in range(1000)],
        "embedding": list(rng.standard_normal((1000, 64), dtype=np.float32)),
        "year": rng.integers(1990, 2026, 1000),
        "title": [f"Document {number}" for number in range(1000)],
    }
)

report = vecload.load(
    frame,
    sys.argv[1],
    key="id",
    vector="embedding",
    create_index=True,
    distance_metric="cosine",
    non_filterable=["title"],
)
print(f"{report.vectors_acknowledged} vectors are in {report.index}")
