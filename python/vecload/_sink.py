"""What the sinks of Spark and Ray share: a task loads its partition, the driver adds up.

A task keeps no journal. One that fails or is killed is run again by its engine, from its first row;
the service takes the same keys with the same vectors as if nothing had been before. So is a second
attempt beside the first (speculative execution) harmless.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from vecload._errors import InvalidArgumentError, VecloadError
from vecload._load import load

_pa: Any = importlib.import_module("pyarrow")
_fs: Any = importlib.import_module("pyarrow.fs")

RATE_VECTORS = 2500.0
"""What the service takes of one index, vectors a second."""
MEMORY = 128 << 20
"""Of one task: an executor has many, and Spark's default for what is not Java is 384 MiB."""
_FIRST_REASONS = 3


@dataclasses.dataclass(frozen=True)
class Counts:
    """What became of rows: ``rows`` is the sum of the next three."""

    rows: int = 0
    vectors_acknowledged: int = 0
    vectors_rejected: int = 0
    vectors_superseded: int = 0
    """Another row of the same key, in the same request, was loaded instead."""
    attempts: int = 0
    throttled: int = 0
    """Answers 429 and 503, of ``attempts``."""

    def __add__(self, other: Counts) -> Counts:
        mine, others = dataclasses.astuple(self), dataclasses.astuple(other)
        return Counts(*(one + another for one, another in zip(mine, others, strict=True)))


@dataclasses.dataclass(frozen=True)
class Sink:
    """What every task of a job is told."""

    index: str
    settings: dict[str, Any]
    """Arguments of :func:`vecload.load`."""
    tasks: int
    """How many of them run at once, as far as the driver knows."""
    rate_vectors: float = RATE_VECTORS
    rejects: str | None = None
    """A folder, or a URI of one, where a task writes what was rejected of its rows."""

    def load(self, batches: Iterable[Any], part: int) -> Counts:
        """Loads a task's Arrow batches; `part` is the number of its partition."""
        read = _Counted(batches)
        if read.schema is None:
            return Counts()
        with tempfile.TemporaryDirectory(prefix="vecload-") as folder:
            rejects = Path(folder) / "rejects.jsonl"
            try:
                report = load(
                    _pa.RecordBatchReader.from_batches(read.schema, read),
                    self.index,
                    # Its share at first, and more while the service gives it: other tasks may
                    # have ended, or were never begun.
                    rate_vectors=self.rate_vectors / self.tasks,
                    climb=True,
                    journal=False,
                    name=f"partition {part}",
                    rejects=rejects,
                    max_rejects=None if self.rejects else 0,
                    **self.settings,
                )
            except VecloadError as error:
                self._refuse_rejects(part, rejects, error)
                raise
            self._refuse_rejects(part, rejects, None)
            if report.rows_total != read.rows or report.rows_remaining:
                raise VecloadError(
                    f"partition {part} gave {read.rows} rows, and {report.rows_total} were "
                    f"accounted for, {report.rows_remaining} of them not sent"
                )
            if self.rejects and report.vectors_rejected:
                _put(rejects, self.rejects, f"part-{part:05}.jsonl")
        return Counts(
            rows=report.rows_total,
            vectors_acknowledged=report.vectors_acknowledged,
            vectors_rejected=report.vectors_rejected,
            vectors_superseded=report.vectors_superseded,
            attempts=report.attempts,
            throttled=report.throttled,
        )

    def _refuse_rejects(self, part: int, rejects: Path, error: VecloadError | None) -> None:
        if self.rejects or not (reasons := _reasons(rejects)):
            return
        raise InvalidArgumentError(
            f"partition {part} has rows that {self.index} cannot take: {reasons}; to load the "
            "others, give a folder for what is rejected (rejects)"
        ) from error


class _Counted:
    """Batches, and how many rows were in those that were taken. Empty ones are left out."""

    def __init__(self, batches: Iterable[Any]) -> None:
        self._batches = (batch for batch in batches if batch.num_rows)
        self._first = next(self._batches, None)
        self.schema: Any = None if self._first is None else self._first.schema
        self.rows = 0

    def __iter__(self) -> Iterator[Any]:
        batch = self._first
        while batch is not None:
            self.rows += batch.num_rows
            yield batch
            batch = next(self._batches, None)


def _reasons(rejects: Path) -> str:
    """The first lines of a rejects file, for a message."""
    if not rejects.exists():
        return ""
    with rejects.open(encoding="utf-8") as lines:
        told = [json.loads(line) for line, _ in zip(lines, range(_FIRST_REASONS), strict=False)]
    return "; ".join(f"row {one['row']}: {one['message']}" for one in told)


def _put(path: Path, folder: str, name: str) -> None:
    """Copies a file to where all machines of the cluster can see it. Another attempt of the same
    task writes the same name."""
    filesystem, root = _resolve(folder)
    filesystem.create_dir(root, recursive=True)
    with path.open("rb") as source, filesystem.open_output_stream(f"{root}/{name}") as target:
        while part := source.read(1 << 20):
            target.write(part)


def write_text(text: str, path: str) -> None:
    """Writes a file, or the object of a URI."""
    filesystem, name = _resolve(path)
    with filesystem.open_output_stream(name) as target:
        target.write(text.encode())


def _resolve(path: str) -> tuple[Any, str]:
    """A pyarrow filesystem, and the path in it."""
    if "://" in path:
        filesystem, name = _fs.FileSystem.from_uri(path)
        return filesystem, name.rstrip("/")
    return _fs.LocalFileSystem(), str(Path(path).absolute())
