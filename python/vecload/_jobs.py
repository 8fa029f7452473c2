"""The long jobs: load, plan, verify, export."""

# The reports are made here.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NoReturn, TypeVar

from vecload import _native
from vecload._errors import InvalidArgumentError, VecloadError
from vecload._progress import bar
from vecload._reports import (
    ExportProgress,
    ExportReport,
    LoadPlan,
    LoadProgress,
    LoadReport,
    VerifyProgress,
    VerifyReport,
)
from vecload._session import Session, client_options
from vecload._source import Path, Source, Stream, paths_of, stream_of

_log = logging.getLogger("vecload")

Rate = float | Literal["unlimited", "auto"]
Duplicates = Literal["error", "first", "last"]


def load(
    source: Source,
    index: str,
    *,
    key: str | None = None,
    vector: str | None = None,
    metadata: Sequence[str] | Literal["all", "none"] | Mapping[str, Any] | None = None,
    metadata_json: str | None = None,
    keys: Sequence[Any] | Any | None = None,
    create_index: bool = False,
    distance_metric: Literal["cosine", "euclidean"] | None = None,
    non_filterable: Sequence[str] = (),
    kms_key_arn: str | None = None,
    tags: Mapping[str, str] | None = None,
    shards: int | None = None,
    shard_by: str | None = None,
    on_duplicate: Duplicates | None = None,
    rate_vectors: Rate | None = None,
    climb: bool = False,
    rate_requests: float | Literal["unlimited"] | None = None,
    batch_vectors: int | None = None,
    max_in_flight: int | None = None,
    encoders: int | None = None,
    memory: int | None = None,
    give_up_after: float | None = None,
    name: str | None = None,
    journal: Path | bool | None = None,
    restart: bool = False,
    rejects: Path | None = None,
    max_rejects: int | None = None,
    rows_from: Path | None = None,
    part: tuple[int, int] | None = None,
    source_profile: str | None = None,
    source_region: str | None = None,
    on_progress: Callable[[LoadProgress], object] | None = None,
    progress: bool = False,
    endpoint_url: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    session: Session | None = None,
) -> LoadReport:
    """Loads every row of a source into an index, at the pace that the service takes.

    Blocks until the end, without the GIL. Every row ends acknowledged, rejected with a reason,
    superseded or counted as remaining. Ctrl-C stops it as it does the command line: what is in
    flight is awaited, then ``KeyboardInterrupt`` is raised.

    Example:
        >>> import numpy as np, vecload
        >>> from vecload.testing import LocalS3Vectors
        >>> with LocalS3Vectors():
        ...     report = vecload.load(
        ...         np.eye(3, dtype=np.float32),
        ...         "my-bucket/my-index",
        ...         keys=["a", "b", "c"],
        ...         create_index=True,
        ...         distance_metric="cosine",
        ...     )
        ...     report.vectors_acknowledged
        3

    Args:
        source: Paths and URIs (files, globs, directories, ``s3://BUCKET/PREFIX``); a pyarrow Table,
            RecordBatchReader or Dataset; a pandas or polars DataFrame; a DuckDB relation; anything
            else with ``__arrow_c_stream__``; or a two-dimensional NumPy array with ``keys``.
            Nothing of a table is copied.
        index: ``"BUCKET/INDEX"`` or an index ARN.
        key: The column of keys. By default the one candidate.
        vector: The column of vectors. By default the one candidate.
        metadata: The columns that become metadata, ``"all"`` (the default: every other one) or
            ``"none"``. With a NumPy array: the columns themselves, by name.
        metadata_json: Take metadata from this column of JSON objects instead.
        keys: Of a NumPy array: one for each row.
        create_index: Make bucket and index where they are absent; needs ``distance_metric``.
        distance_metric: Of an index that is made; can never be changed.
        non_filterable: Metadata keys of an index that is made which no filter needs.
        kms_key_arn: Encrypts an index that is made.
        tags: Of an index that is made.
        shards: Divide the vectors by key over so many indexes, ``INDEX-0000`` and so on, each with
            its own limit of vectors a second.
        shard_by: Of files: one index for each value of this column, like a tenant's, named after
            ``index`` and the value.
        on_duplicate: Read all keys first; of several rows with one key load the first or the last,
            or begin nothing. By default some row of the key ends in the index. Not for a stream
            that passes by once.
        rate_vectors: Vectors a second of each index, ``"unlimited"``, or ``"auto"``: more than the
            limit while the service takes it. By default 2,500, the service's limit.
        climb: Go beyond ``rate_vectors`` while the service takes it, as ``"auto"`` does beyond the
            limit: for one of several loaders that share an index.
        rate_requests: Requests a second of each index, or ``"unlimited"``; by default 1,000.
        batch_vectors: Vectors a request at most; by default 500.
        max_in_flight: Requests under way at most.
        encoders: Threads that encode.
        memory: Bytes for rows and requests, beside what the caller's table takes.
        give_up_after: Seconds without progress after which the load stops; by default an hour.
        name: What a stream is called in messages, rejects and its journal.
        journal: Where what is done is kept, so that the same load again goes on. By default, of
            files, a place for this job in ``$XDG_STATE_HOME/vecload``; of a stream nowhere, since a
            row of it is known again only by its position: with a path here, ``name`` is needed too,
            and the same call must give the same rows in the same order. False: nowhere.
        restart: Forget what the journal holds and load everything.
        rejects: Where rows that cannot be sent are told, as JSON Lines. By default a new
            ``INDEX-rejects.jsonl`` in this directory, if there are any.
        max_rejects: Stop after more rejects than this.
        rows_from: Of files: only the rows that this file lists, as ``rejects`` does.
        part: Of files: only share ``(i, n)`` of the rows, from 1, so that n machines divide a job.
        source_profile: AWS profile for ``s3://`` sources.
        source_region: AWS region of ``s3://`` sources.
        on_progress: Called about twice a second on the calling thread. What it raises stops the
            load.
        progress: Draw a bar with tqdm, in a notebook too.
        endpoint_url: Where S3 Vectors answers. By default AWS_ENDPOINT_URL_S3VECTORS,
            AWS_ENDPOINT_URL, the profile, then the region's own.
        region: By default AWS_REGION, then the profile's.
        profile: By default AWS_PROFILE.
        session: A boto3 or botocore session that gives keys (and renews them) and region, in place
            of the native chain. Files on S3 are read with the native chain still.

    Returns:
        The account of the load. It may tell of rejected rows; see ``rejects``.

    Raises:
        VecloadError: Nothing was begun; or, where its ``report`` is not None, the load stopped
            early, and the same call again goes on where a journal was kept. Where the caller's own
            iterator failed, its exception is the cause.
        KeyboardInterrupt: The load was stopped, as above.
    """
    options = _native.LoadOptions()
    options.set_index(index)
    options.client = client_options(endpoint_url, region, profile, session)
    options.source = _source_options(
        key, vector, metadata, metadata_json, source_profile, source_region, shard_by
    )
    if create_index:
        if distance_metric is None:
            raise InvalidArgumentError(
                "create_index= needs distance_metric=, 'cosine' or 'euclidean'; "
                "it can never be changed"
            )
        options.set_create_index(
            distance_metric, list(non_filterable), kms_key_arn or "", list((tags or {}).items())
        )
    elif distance_metric or non_filterable or kms_key_arn or tags:
        raise InvalidArgumentError(
            "distance_metric=, non_filterable=, kms_key_arn= and tags= are of an index that is "
            "made; give create_index=True too"
        )
    options.shards = shards or 0
    options.set_on_duplicate(on_duplicate or "")
    _set_pace(options, rate_vectors, rate_requests, batch_vectors, max_in_flight, encoders, memory)
    if give_up_after is not None:
        options.set_give_up_after_s(max(1, round(give_up_after)))
    options.rate_auto = options.rate_auto or climb
    options.restart = restart
    options.rejects_path = os.fspath(rejects) if rejects else ""
    options.rejects_max = max_rejects
    options.rows_from_path = os.fspath(rows_from) if rows_from else ""
    options.part, options.parts = part or (1, 1)

    paths = paths_of(source)
    stream = None
    if paths is None:
        stream = stream_of(source, name=name, keys=keys, key=key, vector=vector, metadata=metadata)
    elif keys is not None or name is not None:
        raise InvalidArgumentError("keys= and name= are of sources in memory, not of files")
    options.sources = paths or [stream.name if stream else ""]
    _set_journal(options, journal, stream, name)
    with bar() if progress else contextlib.nullcontext(None) as drawn:
        return _run_load(options, stream, _both(on_progress, drawn))


def _both(
    first: Callable[[LoadProgress], object] | None, second: Callable[[LoadProgress], object] | None
) -> Callable[[dict[str, Any]], None] | None:
    """What the native module calls: both of them, with the dataclass."""
    callbacks = [callback for callback in (first, second) if callback is not None]
    if not callbacks:
        return None

    def tell(native: dict[str, Any]) -> None:
        progress = LoadProgress(**native)
        for callback in callbacks:
            callback(progress)

    return tell


def _run_load(
    options: _native.LoadOptions,
    stream: Stream | None,
    on_progress: Callable[[dict[str, Any]], None] | None,
) -> LoadReport:
    reports: list[dict[str, Any]] = []
    try:
        if stream is None:
            native = _native.load(options, _log.info, on_progress, reports.append)
        else:
            native = _native.load_stream(
                options,
                stream.name,
                stream.rows,
                stream.open,
                stream.is_repeatable,
                _log.info,
                on_progress,
                reports.append,
            )
    except VecloadError as error:
        _raise_from(error, stream)
    except BaseException as interruption:
        for report in reports:
            interruption.add_note(_how_far(LoadReport._of(report)))
        raise
    report = LoadReport._of(native)
    if report.error is not None:
        report.error.report = report
        report.error.add_note(_how_far(report))
        _raise_from(report.error, stream)
    return report


def _raise_from(error: VecloadError, stream: Stream | None) -> NoReturn:
    if stream is not None and stream.errors:
        raise error from stream.errors[0]
    raise error


def _how_far(report: LoadReport) -> str:
    done = report.rows_total - report.rows_remaining
    text = f"vecload: {done} of {report.rows_total} rows are done"
    if report.journal:
        return f"{text}; the same load again goes on ({report.journal})"
    return f"{text}; no journal was kept, so the same load again sends all of them"


def _source_options(
    key: str | None,
    vector: str | None,
    metadata: object,
    metadata_json: str | None,
    source_profile: str | None,
    source_region: str | None,
    shard_by: str | None = None,
) -> _native.SourceOptions:
    options = _native.SourceOptions()
    options.key_column = key or ""
    options.vector_column = vector or ""
    options.metadata_json = metadata_json or ""
    options.shard_by = shard_by or ""
    options.s3_profile = source_profile or ""
    options.s3_region = source_region or ""
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


def _rate(rate: float | str) -> float:
    if rate == "unlimited":
        return 0
    if isinstance(rate, str):
        raise InvalidArgumentError(f"a rate is a number or 'unlimited', not {rate!r}")
    if rate <= 0:
        raise InvalidArgumentError(f"a rate is more than 0, or 'unlimited', not {rate}")
    return rate


def _set_pace(
    options: _native.LoadOptions,
    rate_vectors: Rate | None,
    rate_requests: float | str | None,
    batch_vectors: int | None,
    max_in_flight: int | None,
    encoders: int | None,
    memory: int | None,
) -> None:
    if rate_vectors == "auto":
        options.rate_auto = True
    elif rate_vectors is not None:
        options.rate_vectors_per_s = _rate(rate_vectors)
    if rate_requests is not None:
        options.rate_requests_per_s = _rate(rate_requests)
    if batch_vectors is not None:
        options.batch_vectors_max = batch_vectors
    options.in_flight_max = max_in_flight or 0
    options.encoders = encoders or 0
    options.memory_bytes_max = memory or 0


def _set_journal(
    options: _native.LoadOptions,
    journal: Path | bool | None,
    stream: Stream | None,
    name: str | None,
) -> None:
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


_Job = TypeVar("_Job", _native.PlanOptions, _native.VerifyOptions)


def _set_sources(
    options: _Job,
    source: Path | Sequence[Path],
    columns: _native.SourceOptions,
) -> _Job:
    paths = paths_of(source)
    if paths is None:
        raise TypeError(f"files are read here, by their paths, not {type(source).__qualname__}")
    options.sources = paths
    options.source = columns
    return options


def plan(
    source: Path | Sequence[Path],
    index: str | None = None,
    *,
    key: str | None = None,
    vector: str | None = None,
    metadata: Sequence[str] | Literal["all", "none"] | None = None,
    metadata_json: str | None = None,
    shards: int | None = None,
    shard_by: str | None = None,
    sample: int = 10_000,
    prices: Path | None = None,
    check_keys: bool = False,
    duplicates: Path | None = None,
    memory: int | None = None,
    source_profile: str | None = None,
    source_region: str | None = None,
    endpoint_url: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    session: Session | None = None,
) -> LoadPlan:
    """Tells what a load of files will take and cost; reads footers and some rows.

    Example:
        >>> import vecload
        >>> plan = vecload.plan("examples/data/debian-packages-small.parquet", key="package")
        >>> plan.rows, plan.dimension, plan.requests
        (4000, 384, 8)

    Args:
        source: Paths and URIs, as :func:`load` takes them.
        index: Where the vectors will go, whether or not it is there. Without it no call is made.
        key: As of :func:`load`, and so all that is not told here.
        vector: The column of vectors.
        metadata: The columns that become metadata.
        metadata_json: The column of JSON objects.
        shards: Over so many indexes; by default as the index has, or one.
        shard_by: One index for each value of this column.
        sample: Rows to read for sizes and for what would be rejected.
        prices: A JSON file of prices; by default AWS's list for us-east-1.
        check_keys: Read the keys of all rows and tell which come twice.
        duplicates: With ``check_keys``: where all such rows are told, as JSON Lines.
        memory: With ``check_keys``: bytes, half of which are for sorting.
        source_profile: AWS profile for ``s3://`` sources.
        source_region: AWS region of ``s3://`` sources.
        endpoint_url: Where S3 Vectors answers.
        region: By default AWS_REGION, then the profile's.
        profile: By default AWS_PROFILE.
        session: A boto3 or botocore session.

    Returns:
        Rows, requests, bytes, time, memory, cost, and what a sample says would be rejected.

    Raises:
        VecloadError: The source or the index cannot be read, or do not fit.
    """
    options = _set_sources(
        _native.PlanOptions(),
        source,
        _source_options(
            key, vector, metadata, metadata_json, source_profile, source_region, shard_by
        ),
    )
    if index is not None:
        options.set_index(index)
        options.client = client_options(endpoint_url, region, profile, session)
    options.shards = shards or 0
    options.sample_rows = sample
    options.prices_path = os.fspath(prices) if prices else ""
    options.check_keys = check_keys
    options.duplicates_path = os.fspath(duplicates) if duplicates else ""
    options.memory_bytes_max = memory or 0
    return LoadPlan._of(_native.plan(options))


def verify(
    source: Path | Sequence[Path],
    index: str,
    *,
    key: str | None = None,
    vector: str | None = None,
    metadata: Sequence[str] | Literal["all", "none"] | None = None,
    metadata_json: str | None = None,
    shard_by: str | None = None,
    rejects: Path | None = None,
    on_duplicate: Literal["first", "last"] | None = None,
    keys_only: bool = False,
    sample: int | None = None,
    differences: Path | None = None,
    extra: Path | None = None,
    source_profile: str | None = None,
    source_region: str | None = None,
    on_progress: Callable[[VerifyProgress], object] | None = None,
    endpoint_url: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    session: Session | None = None,
) -> VerifyReport:
    """Compares files with an index, or all shards of a base, completely.

    Example:
        >>> import vecload
        >>> from vecload.testing import LocalS3Vectors
        >>> files = "examples/data/debian-packages-small.parquet"
        >>> with LocalS3Vectors():
        ...     _ = vecload.load(
        ...         files, "demo/packages", key="package", create_index=True,
        ...         distance_metric="cosine", rate_vectors="unlimited", journal=False,
        ...     )
        ...     vecload.verify(files, "demo/packages", key="package").equal
        True

    Args:
        source: Paths and URIs, as :func:`load` takes them.
        index: ``"BUCKET/INDEX"``, an index ARN, or the base of shards.
        key: As of :func:`load`, and so all that is not told here.
        vector: The column of vectors.
        metadata: The columns that become metadata.
        metadata_json: The column of JSON objects.
        shard_by: The column whose values' indexes are compared.
        rejects: Rows that this file lists are expected absent.
        on_duplicate: Which row of several with one key the load was to keep.
        keys_only: Compare keys alone.
        sample: Ask for about so many keys instead; cannot see extra keys.
        differences: Where rows that are missing or different are told, for ``rows_from`` of
            :func:`load`. By default a new ``INDEX-differences.jsonl`` here, if there are any.
        extra: Where keys are told that only the index has. By default a new ``INDEX-extra.jsonl``.
        source_profile: AWS profile for ``s3://`` sources.
        source_region: AWS region of ``s3://`` sources.
        on_progress: Called now and then on the calling thread.
        endpoint_url: Where S3 Vectors answers.
        region: By default AWS_REGION, then the profile's.
        profile: By default AWS_PROFILE.
        session: A boto3 or botocore session.

    Returns:
        What was found; true where both are equal.

    Raises:
        VecloadError: They could not be compared.
    """
    options = _set_sources(
        _native.VerifyOptions(),
        source,
        _source_options(
            key, vector, metadata, metadata_json, source_profile, source_region, shard_by
        ),
    )
    options.set_index(index)
    options.client = client_options(endpoint_url, region, profile, session)
    options.rejects_path = os.fspath(rejects) if rejects else ""
    options.set_on_duplicate(on_duplicate or "")
    options.keys_only = keys_only
    options.sample = sample or 0
    options.differences_path = os.fspath(differences) if differences else ""
    options.extra_path = os.fspath(extra) if extra else ""

    def tell(native: dict[str, Any]) -> None:
        assert on_progress is not None
        on_progress(VerifyProgress(**native))

    return VerifyReport(**_native.verify(options, tell if on_progress else None))


def export(
    index: str,
    path: Path,
    *,
    typed: bool = False,
    overwrite: bool = False,
    restart: bool = False,
    codec: Literal["none", "snappy", "zstd", "lz4", "gzip"] = "snappy",
    on_progress: Callable[[ExportProgress], object] | None = None,
    endpoint_url: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    session: Session | None = None,
) -> ExportReport:
    """Writes an index, or all shards of a base, to Parquet.

    Columns: ``key``, ``vector`` (fixed-size list of float32), ``metadata`` (JSON). Until all is
    written there is only ``PATH.part``, with which the same call again goes on.

    Example:
        >>> import numpy as np, os, tempfile, vecload
        >>> from vecload.testing import LocalS3Vectors
        >>> with LocalS3Vectors(), tempfile.TemporaryDirectory() as folder:
        ...     _ = vecload.load(
        ...         np.eye(3), "b01/i01", keys=["a", "b", "c"], create_index=True,
        ...         distance_metric="cosine",
        ...     )
        ...     vecload.export("b01/i01", os.path.join(folder, "out.parquet")).vectors
        3

    Args:
        index: ``"BUCKET/INDEX"``, an index ARN, or the base of shards.
        path: One file where it ends in ``.parquet``, else a folder of ``part-00000.parquet``, ...
        typed: A column for each metadata key whose values are of one type, found in a first pass.
        overwrite: Replace what is there, once everything is written.
        restart: Forget the unfinished export that is there.
        codec: Of the Parquet files.
        on_progress: Called now and then on the calling thread.
        endpoint_url: Where S3 Vectors answers.
        region: By default AWS_REGION, then the profile's.
        profile: By default AWS_PROFILE.
        session: A boto3 or botocore session.

    Returns:
        What was written.

    Raises:
        VecloadError: Nothing was begun; or, where its ``report`` is not None, the export stopped
            early, and the same call again goes on.
        KeyboardInterrupt: As the latter.
    """
    options = _native.ExportOptions()
    options.set_index(index)
    options.client = client_options(endpoint_url, region, profile, session)
    options.path = os.fspath(path)
    options.typed = typed
    options.overwrite = overwrite
    options.restart = restart
    options.codec = codec

    def tell(native: dict[str, Any]) -> None:
        assert on_progress is not None
        on_progress(ExportProgress(**native))

    def ignore(_report: dict[str, Any]) -> None:
        """The exception of an interrupted export has no note: the same call goes on."""

    native = _native.export(options, _log.info, tell if on_progress else None, ignore)
    report = ExportReport(**native)
    if report.error is not None:
        report.error.report = report
        raise report.error
    return report
