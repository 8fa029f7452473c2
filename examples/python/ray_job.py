"""Writes a Ray dataset into an index: `ray job submit -- python ray_job.py BUCKET/INDEX`."""

import sys
from pathlib import Path

import ray

import vecload.ray

DATA = Path(__file__).parents[1] / "data/debian-packages-small.parquet"

ray.init()
sink = vecload.ray.S3VectorsSink(
    sys.argv[1],
    key="package",
    vector="embedding",
    metadata=["section", "priority"],
    create_index=True,
    distance_metric="cosine",
)
ray.data.read_parquet(str(DATA)).repartition(4).write_datasink(sink)
assert sink.counts is not None
print(f"{sink.counts.vectors_acknowledged} vectors are in {sys.argv[1]}")
