"""delete: the vectors of listed keys out of an index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from vecload import _native
from vecload._arguments import Rate, set_accounts, set_pace, source_options
from vecload._reports import DeleteReport, LoadProgress
from vecload._running import run
from vecload._session import Session, client_options, keys_of
from vecload._source import Keys, Path, key_files_of, key_stream_of


def delete(
    keys: Keys,
    index: str,
    *,
    key: str | None = None,
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
    part: tuple[int, int] | None = None,
    source_profile: str | None = None,
    source_region: str | None = None,
    on_progress: Callable[[LoadProgress], object] | None = None,
    progress: bool = False,
    endpoint_url: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    session: Session | None = None,
) -> DeleteReport:
    """Deletes the vector of every key from an index, or from its shard of a base.

    A key that is not there counts as acknowledged: the service does not tell. The service counts
    what is deleted against the same limits as what is put.

    Example:
        >>> import numpy as np, vecload
        >>> from vecload.testing import LocalS3Vectors
        >>> with LocalS3Vectors():
        ...     _ = vecload.load(
        ...         np.eye(3), "b01/i01", keys=["a", "b", "c"], create_index=True,
        ...         distance_metric="cosine",
        ...     )
        ...     vecload.delete(["a", "c"], "b01/i01").vectors_acknowledged
        2

    Args:
        keys: The keys themselves: a list or tuple of str, a NumPy, pandas, polars or Arrow array of
            them; or a table or stream, as :func:`load` takes them, with a column of keys. Or
            files: one path, URI, glob or directory, or a list of ``pathlib.Path``, of Parquet,
            Arrow IPC or JSON Lines, such as ``extra_keys`` of :func:`verify` names.
        index: ``"BUCKET/INDEX"``, an index ARN, or the base of shards.
        key: The column of keys. By default the one candidate.
        rate_vectors: As of :func:`load`, and so all that is not told here.
        climb: Go beyond ``rate_vectors`` while the service takes it.
        rate_requests: Requests a second of each index.
        batch_vectors: Keys a request at most; by default 500.
        max_in_flight: Requests under way at most.
        encoders: Threads that encode.
        memory: Bytes for keys and requests.
        give_up_after: Seconds without progress after which it stops; by default an hour.
        name: What keys in memory are called in messages, rejects and their journal.
        journal: Where what is done is kept; of files a place of its own by default.
        restart: Forget what the journal holds and delete everything.
        rejects: Where keys that cannot be are told, as JSON Lines.
        max_rejects: Stop after more rejects than this.
        part: Of files: only share ``(i, n)`` of the keys.
        source_profile: AWS profile for ``s3://`` files.
        source_region: AWS region of ``s3://`` files.
        on_progress: Called about twice a second on the calling thread. What it raises stops it.
        progress: Draw a bar with tqdm.
        endpoint_url: Where S3 Vectors answers.
        region: By default AWS_REGION, then the profile's.
        profile: By default AWS_PROFILE.
        session: A boto3 or botocore session; for files on S3 too, unless ``source_profile`` is
            given.

    Returns:
        The account of the deletion.

    Raises:
        VecloadError: As of :func:`load`.
        KeyboardInterrupt: It was stopped; what was in flight was awaited first.
    """
    asking = keys_of(session)
    options = _native.DeleteOptions()
    options.set_index(index)
    options.client = client_options(endpoint_url, region, profile, asking)
    options.source = source_options(
        key=key, profile=source_profile, region=source_region, keys=asking
    )
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
    files = key_files_of(keys, name)
    stream = None if files is not None else key_stream_of(keys, key, name)
    options.sources = files or [stream.name if stream else ""]
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
    return run(_native.delete, options, stream, DeleteReport, on_progress, progress)
