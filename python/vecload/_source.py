"""What can be loaded: files by their names, or anything that gives a stream of Arrow batches."""

from __future__ import annotations

import dataclasses
import importlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from vecload._errors import InvalidArgumentError

# pyarrow ships no types.
_pa: Any = importlib.import_module("pyarrow")


@runtime_checkable
class ArrowStream(Protocol):
    """Anything with the Arrow PyCapsule stream interface."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


Path: TypeAlias = str | os.PathLike[str]
Source: TypeAlias = Path | Sequence[Path] | ArrowStream | npt.NDArray[Any]
"""Paths and URIs (files, globs, directories, ``s3://BUCKET/PREFIX``); a pyarrow Table, RecordBatch,
RecordBatchReader or Dataset; a pandas or polars DataFrame, a DuckDB relation, or anything else with
``__arrow_c_stream__``; a two-dimensional NumPy array with ``keys=``."""

Keys: TypeAlias = Path | Sequence[Path] | ArrowStream | npt.NDArray[Any]
"""Keys themselves: a sequence or an array of str; a table or stream with a column of them; or
files that list them: one path or URI, or a list of ``pathlib.Path``."""

_ACCEPTED = (
    "load takes paths, a pyarrow Table, RecordBatchReader or Dataset, a pandas or polars "
    "DataFrame, a DuckDB relation or anything else with __arrow_c_stream__, or a NumPy array with "
    "keys="
)


@dataclasses.dataclass
class Stream:
    """A source in memory, or one that passes by."""

    name: str
    open: Callable[[], object]
    """Gives the capsule of the Arrow stream."""
    rows: int | None = None
    is_repeatable: bool = False
    errors: list[BaseException] = dataclasses.field(default_factory=list[BaseException])
    """What the caller's own iterator raised."""


def paths_of(source: Any) -> list[str] | None:
    """The paths, where the source is some."""
    if isinstance(source, str | os.PathLike):
        return [os.fspath(source)]  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(source, list | tuple):
        items: list[Any] = list(source)  # pyright: ignore[reportUnknownArgumentType]
        if items and all(isinstance(item, str | os.PathLike) for item in items):
            return [os.fspath(item) for item in items]
    return None


def stream_of(
    source: Any,
    *,
    name: str | None,
    keys: Sequence[Any] | npt.NDArray[Any] | None,
    key: str | None,
    vector: str | None,
    metadata: object,
) -> Stream:
    """A stream of anything that load takes besides paths."""
    if isinstance(source, np.ndarray):
        array: npt.NDArray[Any] = source  # pyright: ignore[reportUnknownVariableType]
        columns: Any = metadata if isinstance(metadata, Mapping) else {}  # pyright: ignore
        table = _table_of(array, keys, key or "key", vector or "vector", columns)
        return _of_table(table, name or "array", table.num_rows)
    if keys is not None:
        raise InvalidArgumentError(
            "keys= is for NumPy arrays; a table has its keys in a column: name it with key="
        )
    kind = type(source).__name__
    if isinstance(source, _pa.RecordBatchReader):
        return _of_reader(source, name or kind)
    if hasattr(source, "with_format") and hasattr(source, "iter"):
        return _of_hugging_face(source, name or kind)
    if not hasattr(source, "__arrow_c_stream__"):
        return _of_reader(_reader_of(source), name or kind)
    if _is_fixed(source):
        return _of_table(source, name or kind, len(source))
    return Stream(name or kind, source.__arrow_c_stream__)


def key_files_of(keys: Any, name: str | None) -> list[str] | None:
    """The files, where keys are listed in some: a text alone, or anything that is a path. A list
    of texts is keys."""
    files = paths_of(keys)
    listed: list[Any] = list(keys) if isinstance(keys, list | tuple) else []  # pyright: ignore
    if any(isinstance(item, str) for item in listed):
        if files and len(files) <= _LISTED_MAX and all(map(_is_there, files)):
            raise InvalidArgumentError(
                f"a list of texts is keys, and these are names of files ({files[0]!r}, ...): give "
                "pathlib.Path objects where the files list the keys, or a NumPy array of the keys"
            )
        return None
    if files is not None and name is not None:
        raise InvalidArgumentError("name= is of keys in memory, not of files")
    return files


def _is_there(path: str) -> bool:
    return os.access(path, os.F_OK)


_LISTED_MAX = 1_000
"""Nobody writes down more files one by one."""


def key_stream_of(keys: Any, key: str | None, name: str | None) -> Stream:
    """Keys in memory, as a stream with a column of them."""
    name = name or "keys"
    if isinstance(keys, list | tuple | np.ndarray):
        return _of_keys(keys, name)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(keys, _pa.Array | _pa.ChunkedArray):
        return _of_column(keys, name)
    if type(keys).__name__ == "Series":  # of pandas or polars: a column, whatever its name is
        arrow = keys.to_arrow() if hasattr(keys, "to_arrow") else _pa.Array.from_pandas(keys)
        return _of_column(arrow, name)
    return stream_of(keys, name=name, keys=None, key=key, vector=None, metadata=None)


def _of_keys(keys: Any, name: str) -> Stream:
    if isinstance(keys, np.ndarray) and keys.ndim != 1:
        raise InvalidArgumentError(f"an array of keys has one dimension, not {keys.ndim}")
    try:
        column = _pa.array(keys)
    except (_pa.ArrowException, TypeError) as error:
        raise InvalidArgumentError(f"keys are all texts, or all integers: {error}") from error
    return _of_column(column, name)


def _of_column(column: Any, name: str) -> Stream:
    if _pa.types.is_null(column.type):
        column = column.cast(_pa.string())  # of no rows, or of none that has a key
    table = _pa.table({"key": column})
    return _of_table(table, name, table.num_rows)


def _of_table(table: Any, name: str, rows: int) -> Stream:
    return Stream(name, table.__arrow_c_stream__, rows=rows, is_repeatable=True)


def _is_fixed(source: Any) -> bool:
    """Whether it lies in memory and gives the same rows in the same order, however often it is
    asked. A query, which is run again each time, does not."""
    if isinstance(source, _pa.Table | _pa.RecordBatch):
        return True
    return type(source).__module__.partition(".")[0] in ("pandas", "polars") and (
        type(source).__name__ == "DataFrame"
    )


_ROWS_AT_ONCE = 1_000
"""Of a Hugging Face dataset, which gives tables of so many rows."""


def _of_hugging_face(source: Any, name: str) -> Stream:
    """A dataset lies in its files, which do not change, and can be read again; one that is
    streamed passes by once."""

    def reader() -> Any:
        tables = source.with_format("arrow").iter(batch_size=_ROWS_AT_ONCE)
        first = next(tables, None)
        if first is None:
            raise InvalidArgumentError(f"{name} has no rows, and so no columns to be found in it")
        parts = itertools.chain([first], tables)
        batches = (batch for part in parts for batch in part.to_batches())
        return _pa.RecordBatchReader.from_batches(first.schema, batches)

    if not hasattr(source, "__len__"):
        return _of_reader(reader(), name)
    if len(source) == 0:
        reader()  # raises
    return Stream(name, lambda: reader().__arrow_c_stream__(), len(source), is_repeatable=True)


def _reader_of(source: Any) -> Any:
    """Of what is no Arrow stream itself: a dataset or scanner, or a Delta table, which has one."""
    if hasattr(source, "to_pyarrow_dataset"):
        source = source.to_pyarrow_dataset()
    if hasattr(source, "scanner"):
        source = source.scanner()
    if hasattr(source, "to_reader"):
        return source.to_reader()
    advice = ""
    if hasattr(source, "collect"):
        advice = "; this one is lazy: give its .collect()"
    elif type(source).__module__.partition(".")[0] == "pandas":
        advice = "; a DataFrame of pandas 2.2 or later is one"
    raise TypeError(f"{_ACCEPTED}, not {type(source).__qualname__}{advice}")


def _of_reader(reader: Any, name: str) -> Stream:
    """A reader whose batches may come from Python: what that raises is kept for the caller."""
    stream = Stream(name, lambda: None)

    def batches() -> Iterator[Any]:
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except BaseException as error:
                stream.errors.append(error)
                raise
            yield batch

    watched = _pa.RecordBatchReader.from_batches(reader.schema, batches())
    stream.open = watched.__arrow_c_stream__
    return stream


def _table_of(
    array: npt.NDArray[Any],
    keys: Sequence[Any] | npt.NDArray[Any] | None,
    key: str,
    vector: str,
    metadata: Mapping[str, Any],
) -> Any:
    if array.ndim != 2 or array.shape[1] == 0:
        raise InvalidArgumentError(
            f"an array of vectors has two dimensions, rows and elements, not shape {array.shape}"
        )
    if array.dtype.kind not in "fiu":
        raise InvalidArgumentError(
            f"an array of vectors holds floats or integers, not {array.dtype}; use astype"
        )
    if keys is None:
        raise InvalidArgumentError("a NumPy array has no keys; give one for each row with keys=")
    if len(keys) != len(array):
        raise InvalidArgumentError(
            f"{len(keys)} keys for {len(array)} vectors; each row needs its own"
        )
    flat = _pa.array(np.ascontiguousarray(array).reshape(-1))
    vectors = _pa.FixedSizeListArray.from_arrays(flat, array.shape[1])
    return _pa.table({key: _pa.array(keys), vector: vectors, **metadata})
