"""Loads what a DuckDB query gives, batch by batch, while the query runs."""

import sys
from pathlib import Path

import duckdb

import vecload

DATA = Path(__file__).parents[1] / "data/debian-packages-small.parquet"

query = duckdb.sql(
    f"""
    SELECT package, section, len(depends) AS dependencies, embedding
    FROM '{DATA}'
    WHERE priority = 'optional' AND installed_size_kb < 10000
    """
)

report = vecload.load(
    query, sys.argv[1], key="package", create_index=True, distance_metric="cosine"
)
print(f"{report.vectors_acknowledged} vectors are in {report.index}")
