"""plan, verify, export: what a load will take, whether it is there, and how to get it back."""

# The reports are made here.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal

from vecload import _native
from vecload._arguments import Metadata, set_source, source_options
from vecload._errors import VecloadError
from vecload._reports import ExportProgress, ExportReport, LoadPlan, VerifyProgress, VerifyReport
from vecload._running import log, native_stream, raise_from
from vecload._session import Session, client_options, keys_of
from vecload._source import Path, Source


def plan(
    source: Source,
    index: str | None = None,
    *,
    key: str | None = None,
    vector: str | None = None,
    metadata: Metadata = None,
    metadata_json: str | None = None,
    keys: Sequence[Any] | Any | None = None,
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
    """Tells what a load will take and cost; reads footers and some rows, and changes nothing.

    Example:
        >>> import vecload
        >>> plan = vecload.plan("examples/data/debian-packages-small.parquet", key="package")
        >>> plan.rows, plan.dimension, plan.requests
        (4000, 384, 8)

    Args:
        source: As :func:`load` takes it; but no stream that passes by once.
        index: Where the vectors will go, whether or not it is there. Without it no call is made.
        key: As of :func:`load`, and so all that is not told here.
        vector: The column of vectors.
        metadata: The columns that become metadata.
        metadata_json: The column of JSON objects.
        keys: Of a NumPy array: one for each row.
        shards: Over so many indexes; by default as the index has, or one.
        shard_by: Of files: one index for each value of this column; ``values`` of the plan has
            their rows.
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
        session: A boto3 or botocore session; for files on S3 too, unless ``source_profile`` is
            given.

    Returns:
        Rows, requests, bytes, time, memory, cost, and what a sample says would be rejected.

    Raises:
        VecloadError: The source or the index cannot be read, or do not fit.
    """
    asking = keys_of(session)
    options = _native.PlanOptions()
    options.source = source_options(
        key=key,
        vector=vector,
        metadata=metadata,
        metadata_json=metadata_json,
        shard_by=shard_by,
        profile=source_profile,
        region=source_region,
        keys=asking,
    )
    if index is not None:
        options.set_index(index)
        options.client = client_options(endpoint_url, region, profile, asking)
    options.shards = shards or 0
    options.sample_rows = sample
    options.prices_path = os.fspath(prices) if prices else ""
    options.check_keys = check_keys
    options.duplicates_path = os.fspath(duplicates) if duplicates else ""
    options.memory_bytes_max = memory or 0
    stream = set_source(
        options, source, name=None, keys=keys, key=key, vector=vector, metadata=metadata
    )
    try:
        return LoadPlan._of(_native.plan(options, native_stream(stream)))
    except VecloadError as error:
        raise_from(error, stream)


def verify(
    source: Source,
    index: str,
    *,
    key: str | None = None,
    vector: str | None = None,
    metadata: Metadata = None,
    metadata_json: str | None = None,
    keys: Sequence[Any] | Any | None = None,
    shard_by: str | None = None,
    name: str | None = None,
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
    """Compares a source with an index, or all shards of a base, completely.

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
        source: As :func:`load` takes it; but no stream that passes by once, since what differs is
            found by reading it again.
        index: ``"BUCKET/INDEX"``, an index ARN, or the base of shards.
        key: As of :func:`load`, and so all that is not told here.
        vector: The column of vectors.
        metadata: The columns that become metadata.
        metadata_json: The column of JSON objects.
        keys: Of a NumPy array: one for each row.
        shard_by: Of files: the column whose values' indexes are compared.
        name: What the load called a source in memory, for ``rejects``.
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
        session: A boto3 or botocore session; for files on S3 too, unless ``source_profile`` is
            given.

    Returns:
        What was found; true where both are equal.

    Raises:
        VecloadError: They could not be compared.
    """
    asking = keys_of(session)
    options = _native.VerifyOptions()
    options.source = source_options(
        key=key,
        vector=vector,
        metadata=metadata,
        metadata_json=metadata_json,
        shard_by=shard_by,
        profile=source_profile,
        region=source_region,
        keys=asking,
    )
    options.set_index(index)
    options.client = client_options(endpoint_url, region, profile, asking)
    options.rejects_path = os.fspath(rejects) if rejects else ""
    options.set_on_duplicate(on_duplicate or "")
    options.keys_only = keys_only
    options.sample = sample or 0
    options.differences_path = os.fspath(differences) if differences else ""
    options.extra_path = os.fspath(extra) if extra else ""
    stream = set_source(
        options, source, name=name, keys=keys, key=key, vector=vector, metadata=metadata
    )

    def tell(native: dict[str, Any]) -> None:
        assert on_progress is not None
        on_progress(VerifyProgress(**native))

    told = tell if on_progress else None
    try:
        return VerifyReport(**_native.verify(options, native_stream(stream), told))
    except VecloadError as error:
        raise_from(error, stream)


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
    options.client = client_options(endpoint_url, region, profile, keys_of(session))
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

    native = _native.export(options, log.info, tell if on_progress else None, ignore)
    report = ExportReport(**native)
    if report.error is not None:
        report.error.report = report
        raise report.error
    return report
