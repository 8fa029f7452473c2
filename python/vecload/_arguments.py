"""What several functions take, as the native options say it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

from vecload import _native
from vecload._errors import InvalidArgumentError
from vecload._session import Keys
from vecload._source import Path, Stream, paths_of, stream_of

Rate: TypeAlias = float | Literal["unlimited", "auto"]
Duplicates: TypeAlias = Literal["error", "first", "last"]
Metadata: TypeAlias = Sequence[str] | Literal["all", "none"] | Mapping[str, Any] | None

_Job = TypeVar(
    "_Job",
    _native.LoadOptions,
    _native.DeleteOptions,
    _native.PlanOptions,
    _native.VerifyOptions,
)
_Sending = TypeVar("_Sending", _native.LoadOptions, _native.DeleteOptions)


def source_options(
    *,
    key: str | None,
    vector: str | None = None,
    metadata: object = None,
    metadata_json: str | None = None,
    shard_by: str | None = None,
    profile: str | None,
    region: str | None,
    keys: Keys | None,
) -> _native.SourceOptions:
    """How a source is read. `keys`: of the session, for files on S3; a profile of their own goes
    before it."""
    options = _native.SourceOptions()
    options.key_column = key or ""
    options.vector_column = vector or ""
    options.metadata_json = metadata_json or ""
    options.shard_by = shard_by or ""
    if keys is not None and profile is None:
        options.set_keys(keys)
        profile, region = keys.profile, region or keys.region
    options.s3_profile = profile or ""
    options.s3_region = region or ""
    if metadata == "none":
        options.metadata_columns = ["none"]
    elif isinstance(metadata, str):
        if metadata != "all":
            raise InvalidArgumentError(
                f"metadata= is a list of columns, 'all' or 'none', not {metadata!r}"
            )
    elif metadata is not None and not isinstance(metadata, Mapping):
        columns: list[str] = list(metadata)  # type: ignore[call-overload]
        options.metadata_columns = columns or ["none"]
    return options


def set_source(
    options: _Job,
    source: Any,
    *,
    name: str | None,
    keys: Sequence[Any] | Any | None,
    key: str | None,
    vector: str | None,
    metadata: object,
) -> Stream | None:
    """Names the files, or returns what is in memory in their place."""
    paths = paths_of(source)
    if paths is None:
        stream = stream_of(source, name=name, keys=keys, key=key, vector=vector, metadata=metadata)
        options.sources = [stream.name]
        return stream
    if keys is not None or name is not None:
        raise InvalidArgumentError("keys= and name= are of sources in memory, not of files")
    options.sources = paths
    return None


def _rate(rate: float | str) -> float:
    if rate == "unlimited":
        return 0
    if isinstance(rate, str):
        raise InvalidArgumentError(f"a rate is a number or 'unlimited', not {rate!r}")
    if rate <= 0:
        raise InvalidArgumentError(f"a rate is more than 0, or 'unlimited', not {rate}")
    return rate


def set_pace(
    options: _Sending,
    *,
    rate_vectors: Rate | None,
    climb: bool,
    rate_requests: float | str | None,
    batch_vectors: int | None,
    max_in_flight: int | None,
    encoders: int | None,
    memory: int | None,
    give_up_after: float | None,
) -> None:
    """How fast, and with how much."""
    if rate_vectors == "auto":
        options.rate_auto = True
    elif rate_vectors is not None:
        options.rate_vectors_per_s = _rate(rate_vectors)
    options.rate_auto = options.rate_auto or climb
    if rate_requests is not None:
        options.rate_requests_per_s = _rate(rate_requests)
    if batch_vectors is not None:
        options.batch_vectors_max = batch_vectors
    options.in_flight_max = max_in_flight or 0
    options.encoders = encoders or 0
    options.memory_bytes_max = memory or 0
    if give_up_after is not None:
        options.set_give_up_after_s(max(1, round(give_up_after)))


def set_accounts(
    options: _Sending,
    stream: Stream | None,
    *,
    name: str | None,
    journal: Path | bool | None,
    restart: bool,
    rejects: Path | None,
    max_rejects: int | None,
    part: tuple[int, int] | None,
) -> None:
    """What is written down of a job that sends rows, and which of them are its own."""
    options.restart = restart
    options.rejects_path = os.fspath(rejects) if rejects else ""
    options.rejects_max = max_rejects
    options.part, options.parts = part or (1, 1)
    if isinstance(journal, bool) or journal is None:
        options.keep_journal = stream is None and journal is not False
        if stream is not None and journal is True:
            raise InvalidArgumentError(
                "a stream's journal has no place of its own: give journal= a path, and name="
            )
        return
    if stream is not None and name is None:
        raise InvalidArgumentError(
            "a journal knows a stream's rows by a name and their position: give name=, and the "
            "same rows in the same order each time; or leave out journal="
        )
    options.journal_path = os.fspath(journal)
