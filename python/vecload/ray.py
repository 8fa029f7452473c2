"""A sink for Ray Data: ``ds.write_datasink(vecload.ray.S3VectorsSink("my-bucket/my-index"))``.

Each write task runs one native loader over its blocks and keeps no journal: a task that Ray runs
again sends its blocks again, which the service takes as if nothing had been before.
"""

# The engines are not in the environment that types are checked in.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import ray
from ray.data.block import BlockAccessor
from ray.data.datasource.datasink import Datasink, WriteResult

from vecload._errors import InvalidArgumentError, VecloadError
from vecload._sink import MEMORY, RATE_VECTORS, Counts, Sink


class S3VectorsSink(Datasink[Counts]):
    """Writes a dataset into an index. Every row is acknowledged, rejected (and told in ``rejects``)
    or superseded by one of the same key, or the write fails.

    Args:
        index: ``"BUCKET/INDEX"`` or an index ARN.
        key: The column of keys, as of :func:`vecload.load`, and so are the next three.
        vector: The column of vectors; tensors are vectors.
        metadata: The columns that become metadata, ``"all"`` or ``"none"``.
        metadata_json: The column of JSON objects.
        rejects: A folder that all workers see, or its URI, for the rows that the index cannot take:
            one file a task. Without it such a row fails its task, and in the end the write.
        tasks: How many write tasks run at once; by default as many as the cluster has CPUs. A task
            starts at ``rate_vectors / tasks`` vectors a second, goes up from there, and down by
            what is throttled.
        rate_vectors: Of the index, in all.
        shards: As of :func:`vecload.load`, and so are the next two.
        create_index: Make bucket and index where they are absent.
        distance_metric: Of an index that is made.
        memory: Bytes of a task for rows and requests.
        give_up_after: Seconds without progress after which a task fails.
        endpoint_url: Where S3 Vectors answers.
        region: By default AWS_REGION, then the profile's.
        profile: By default AWS_PROFILE. Keys come from the worker's own chain.

    Attributes:
        counts: What became of the rows; None before the write has ended.
    """

    def __init__(
        self,
        index: str,
        *,
        key: str | None = None,
        vector: str | None = None,
        metadata: Sequence[str] | Literal["all", "none"] | None = None,
        metadata_json: str | None = None,
        rejects: str | None = None,
        tasks: int | None = None,
        rate_vectors: float = RATE_VECTORS,
        shards: int | None = None,
        create_index: bool = False,
        distance_metric: Literal["cosine", "euclidean"] | None = None,
        memory: int = MEMORY,
        give_up_after: float | None = None,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
    ) -> None:
        if rate_vectors <= 0 or (tasks is not None and tasks <= 0):
            raise InvalidArgumentError("rate_vectors= and tasks= are more than 0")
        self.counts: Counts | None = None
        self._sink = Sink(
            index=index,
            settings={
                "key": key,
                "vector": vector,
                "metadata": metadata,
                "metadata_json": metadata_json,
                "shards": shards,
                "create_index": create_index,
                "distance_metric": distance_metric,
                "memory": memory,
                "encoders": 1,
                "give_up_after": give_up_after,
                "endpoint_url": endpoint_url,
                "region": region,
                "profile": profile,
            },
            tasks=tasks or _cpus(),
            rate_vectors=rate_vectors,
            rejects=rejects,
        )

    def write(self, blocks: Iterable[Any], ctx: Any) -> Counts:
        """In a task: loads its blocks."""
        return self._sink.load(_batches(blocks), ctx.task_idx)

    def on_write_complete(self, write_result: WriteResult[Counts]) -> None:
        """On the driver: all rows of the dataset must have an account."""
        counts = Counts()
        for one in write_result.write_returns:
            counts += one
        if counts.rows != write_result.num_rows:
            raise VecloadError(
                f"the dataset has {write_result.num_rows} rows, and the tasks account for "
                f"{counts.rows}; write again"
            )
        self.counts = counts

    def get_name(self) -> str:
        return "S3Vectors"


def _cpus() -> int:
    if not ray.is_initialized():
        ray.init()
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _batches(blocks: Iterable[Any]) -> Iterator[Any]:
    for block in blocks:
        yield from BlockAccessor.for_block(block).to_arrow().to_batches()
