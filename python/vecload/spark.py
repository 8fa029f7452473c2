"""A sink for Spark: ``df.write.format("vecload")``.

    vecload.spark.register(spark)
    (
        df.write.format("vecload")
        .option("index", "my-bucket/my-index")
        .option("rejects", "s3://my-bucket/rejects/")
        .mode("append")
        .save()
    )

Each task runs one native loader over its partition, in Arrow batches, and keeps no journal: a task
that Spark runs again sends its partition again, which the service takes as if nothing had been
before. Task retries and speculative execution are harmless. Every row of the frame is acknowledged,
rejected (and told in ``rejects``) or superseded by one of the same key, or the write fails.

Options:
    index: ``BUCKET/INDEX`` or an index ARN. The only one that is needed.
    key, vector, metadata, metadata_json: Columns, as of :func:`vecload.load`; ``metadata`` is
        separated by commas.
    rejects: A folder that all executors see, or its URI, for the rows that the index cannot take:
        one file a partition, with ``partition N`` as the file and the row in it. Without it such a
        row fails its task, and in the end the write.
    rows: How many rows the frame has, e.g. ``df.count()``; another sum fails the write.
    report: A file or URI that is written at the end: counts, as JSON.
    tasks: How many tasks run at once; by default as many as the cluster had cores when
        :func:`register` was called. A task starts at ``rate_vectors / tasks`` vectors a second,
        goes up from there, and down by what is throttled.
    rate_vectors: Of the index, in all; by default 2,500, the service's limit.
    shards, create_index, distance_metric: As of :func:`vecload.load`.
    memory: Bytes of a task for rows and requests, outside of the JVM; by default 128 MiB.
    give_up_after, endpoint_url, region, profile: As of :func:`vecload.load`. Keys come from the
        executor's own chain; they are not sent from the driver.
"""

# The engines are not in the environment that types are checked in.
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql.datasource import DataSource, DataSourceArrowWriter, WriterCommitMessage

from vecload._errors import InvalidArgumentError, VecloadError
from vecload._sink import MEMORY, RATE_VECTORS, Counts, Sink, write_text

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType

_TASKS_UNKNOWN = 16
"""Where nobody told how many tasks there are: too slow a start is mended within seconds."""


def _columns(text: str) -> str | list[str]:
    return text if text in ("all", "none") else [name.strip() for name in text.split(",")]


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


# What goes to vecload.load as it is.
_SETTINGS: Mapping[str, Callable[[str], Any]] = {
    "key": str,
    "vector": str,
    "metadata": _columns,
    "metadata_json": str,
    "shards": int,
    "create_index": _flag,
    "distance_metric": str,
    "memory": int,
    "give_up_after": float,
    "endpoint_url": str,
    "region": str,
    "profile": str,
}
# What the sink keeps for itself.
_OWN: Mapping[str, Callable[[str], Any]] = {
    "index": str,
    "rejects": str,
    "rows": int,
    "report": str,
    "tasks": int,
    "rate_vectors": float,
}


def _parse(given: Mapping[str, str]) -> dict[str, Any]:
    """Spark keeps options as text, and their names in lower case."""
    parsers = {**_SETTINGS, **_OWN}
    parsed: dict[str, Any] = {}
    for name, text in given.items():
        parser = parsers.get(name.lower())
        if parser is None:
            raise InvalidArgumentError(
                f"vecload has no option {name!r}; it has {', '.join(sorted(parsers))}"
            )
        try:
            parsed[name.lower()] = parser(text)
        except ValueError:
            raise InvalidArgumentError(f"option {name!r} cannot be {text!r}") from None
    for name in ("rate_vectors", "tasks"):
        if parsed.get(name, 1) <= 0:
            raise InvalidArgumentError(f"option {name!r} is more than 0, not {parsed[name]}")
    if not parsed.get("index"):
        raise InvalidArgumentError("where to? Give .option('index', 'BUCKET/INDEX')")
    return parsed


@dataclasses.dataclass
class _Message(WriterCommitMessage):
    counts: Counts


class _Writer(DataSourceArrowWriter):
    def __init__(self, sink: Sink, rows: int | None, report: str | None) -> None:
        self._sink = sink
        self._rows = rows
        self._report = report

    def write(self, iterator: Iterator[Any]) -> WriterCommitMessage:
        from pyspark import TaskContext

        context = TaskContext.get()
        assert context is not None
        return _Message(self._sink.load(iterator, context.partitionId()))

    def commit(self, messages: list[WriterCommitMessage | None]) -> None:
        total = Counts()
        for message in messages:
            if not isinstance(message, _Message):
                raise VecloadError("a task ended without an account of its rows; write again")
            total += message.counts
        if self._rows is not None and total.rows != self._rows:
            raise VecloadError(
                f"the frame has {self._rows} rows, and the tasks had {total.rows}; is it the same "
                "each time it is computed? Write again, or `vecload verify`"
            )
        if self._report:
            write_text(json.dumps(dataclasses.asdict(total)) + "\n", self._report)

    def abort(self, messages: list[WriterCommitMessage | None]) -> None:
        """Nothing to take back: what was sent is in the index, and writing again is harmless."""


class S3VectorsDataSource(DataSource):
    """The data source ``vecload``; see the module for its options."""

    slots: ClassVar[int] = _TASKS_UNKNOWN

    @classmethod
    def name(cls) -> str:
        return "vecload"

    def writer(self, schema: StructType, overwrite: bool) -> DataSourceArrowWriter:
        if overwrite:
            raise InvalidArgumentError(
                "vecload does not empty an index: use .mode('append'), which replaces the vectors "
                "of the keys that are written"
            )
        options = _parse(self.options)
        for name in ("key", "vector", "metadata_json"):
            column = options.get(name)
            if column and column not in schema.names:
                raise InvalidArgumentError(
                    f"the frame has no column {column!r} ({name}); it has {', '.join(schema.names)}"
                )
        settings = {name: value for name, value in options.items() if name in _SETTINGS}
        sink = Sink(
            index=options["index"],
            settings={"memory": MEMORY, "encoders": 1, **settings},
            tasks=options.get("tasks", self.slots),
            rate_vectors=options.get("rate_vectors", RATE_VECTORS),
            rejects=options.get("rejects"),
        )
        return _Writer(sink, options.get("rows"), options.get("report"))


def register(spark: SparkSession) -> None:
    """Makes ``format("vecload")`` known to a session.

    Args:
        spark: The session. Of a classic one the number of its cores is asked, as the number of
            tasks that share the rate; over Spark Connect give the option ``tasks``.
    """
    source = S3VectorsDataSource
    # Spark Connect has none, and says so by an AttributeError.
    context = getattr(spark, "sparkContext", None)
    slots = _TASKS_UNKNOWN if context is None else context.defaultParallelism
    spark.dataSource.register(type(source.__name__, (source,), {"slots": max(1, slots)}))
