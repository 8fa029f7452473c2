"""Loads a polars DataFrame: what is left of a Parquet file after a filter."""

import sys
from pathlib import Path

import polars as pl

import vecload

DATA = Path(__file__).parents[1] / "data/debian-packages-small.parquet"

frame = (
    pl.scan_parquet(DATA)
    .filter(pl.col("section") == "python")
    .select("package", "installed_size_kb", "embedding")
    .collect()
)

report = vecload.load(
    frame, sys.argv[1], key="package", create_index=True, distance_metric="cosine"
)
print(f"{report.vectors_acknowledged} vectors are in {report.index}")
