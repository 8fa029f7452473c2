"""load: the rows of a source into an index."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from vecload import _native
from vecload._arguments import (
    Duplicates,
    Metadata,
    Rate,
    set_accounts,
    set_pace,
    set_source,
    source_options,
)
from vecload._errors import InvalidArgumentError
from vecload._reports import LoadProgress, LoadReport
from vecload._running import run
from vecload._session import Session, client_options, keys_of
from vecload._source import Path, Source


def load(
    source: Source,
    index: str,
    *,
    key: str | None = None,
    vector: str | None = None,
    metadata: Metadata = None,
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
            of the native chain; for files on S3 too, unless ``source_profile`` is given.

    Returns:
        The account of the load. It may tell of rejected rows; see ``rejects``.

    Raises:
        VecloadError: Nothing was begun; or, where its ``report`` is not None, the load stopped
            early, and the same call again goes on where a journal was kept. Where the caller's own
            iterator failed, its exception is the cause.
        KeyboardInterrupt: The load was stopped, as above.
    """
    asking = keys_of(session)
    options = _native.LoadOptions()
    options.set_index(index)
    options.client = client_options(endpoint_url, region, profile, asking)
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
    options.rows_from_path = os.fspath(rows_from) if rows_from else ""
    set_pace(
        options,
        rate_vectors=rate_vectors,
        climb=climb,
        rate_requests=rate_requests,
        batch_vectors=batch_vectors,
        max_in_flight=max_in_flight,
        encoders=encoders,
        memory=memory,
        give_up_after=give_up_after,
    )
    stream = set_source(
        options, source, name=name, keys=keys, key=key, vector=vector, metadata=metadata
    )
    set_accounts(
        options,
        stream,
        name=name,
        journal=journal,
        restart=restart,
        rejects=rejects,
        max_rejects=max_rejects,
        part=part,
    )
    return run(_native.load, options, stream, LoadReport, on_progress, progress)
