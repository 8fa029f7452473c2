"""Indexes, and many as one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vecload import _native
from vecload._errors import ConflictError, InvalidArgumentError
from vecload._reports import IndexInfo
from vecload._session import Session, client_options, keys_of

Filter = Mapping[str, Any] | str


@dataclasses.dataclass(frozen=True)
class Neighbor:
    """One vector near the one that was asked for."""

    key: str
    distance: float
    metadata: dict[str, Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Vector:
    """One vector of an index."""

    key: str
    data: npt.NDArray[np.float32]
    """Empty where it was not asked for."""
    metadata: dict[str, Any]


class Index:
    """An index, or all shards of a base as one: callers need not care which of them it is.

    Calls are tried again for at most 30 s where that is worth it. Thread-safe.

    Example:
        >>> import numpy as np, vecload
        >>> from vecload.testing import LocalS3Vectors
        >>> with LocalS3Vectors():
        ...     index = vecload.Index.create("b01/i01", dimension=2, distance_metric="euclidean")
        ...     index.put(["a", "b"], np.array([[0, 1], [5, 5]]), [{"year": 1999}, {}])
        ...     [neighbor.key for neighbor in index.query([0, 0], top_k=1)]
        ['a']
    """

    def __init__(
        self,
        name: str,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        session: Session | None = None,
    ) -> None:
        """Finds the index of that name, or else the shards of that base.

        Args:
            name: ``"BUCKET/INDEX"``, an index ARN, or the base of shards.
            endpoint_url: Where S3 Vectors answers.
            region: By default AWS_REGION, then the profile's.
            profile: By default AWS_PROFILE.
            session: A boto3 or botocore session.

        Raises:
            NotFoundError: There is neither, or a shard is missing.
        """
        options = client_options(endpoint_url, region, profile, keys_of(session))
        self._native = _native.open_index(options, name)

    @classmethod
    def create(
        cls,
        name: str,
        *,
        dimension: int,
        distance_metric: Literal["cosine", "euclidean"],
        non_filterable: Sequence[str] = (),
        kms_key_arn: str | None = None,
        tags: Mapping[str, str] | None = None,
        create_bucket: bool = True,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        session: Session | None = None,
    ) -> Index:
        """Makes an index, and its bucket where that is absent, and opens it.

        Raises:
            ConflictError: The index exists.
        """
        options = client_options(endpoint_url, region, profile, keys_of(session))
        _native.create_index(
            options,
            name,
            dimension,
            distance_metric,
            list(non_filterable),
            kms_key_arn or "",
            list((tags or {}).items()),
            create_bucket,
        )
        return cls(name, endpoint_url=endpoint_url, region=region, profile=profile, session=session)

    @staticmethod
    def drop(
        name: str,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        session: Session | None = None,
    ) -> int:
        """Deletes the index of that name, or else all shards of that base; returns how many."""
        options = client_options(endpoint_url, region, profile, keys_of(session))
        return _native.delete_index(options, name)

    def __repr__(self) -> str:
        return f"<vecload.{type(self).__name__} {self.name!r}>"

    @property
    def name(self) -> str:
        """``BUCKET/INDEX``."""
        return self._native.name

    @property
    def is_sharded(self) -> bool:
        """Whether the name is a base of shards."""
        return self._native.is_sharded

    @property
    def indexes(self) -> list[IndexInfo]:
        """The shards in their order; of a plain index itself alone."""
        return [IndexInfo(**info) for info in self._native.indexes()]

    @property
    def dimension(self) -> int:
        """The length of its vectors."""
        return self.indexes[0].dimension

    def query(
        self,
        vector: Sequence[float] | npt.NDArray[Any],
        top_k: int = 10,
        *,
        filter: Filter | None = None,
        metadata: bool = True,
    ) -> list[Neighbor]:
        """The nearest vectors, of all shards, the nearest first.

        Args:
            vector: As long as the index's dimension.
            top_k: How many, at most 10,000.
            filter: In the service's filter language, as a mapping or as JSON.
            metadata: Whether it is asked for.
        """
        text = "" if filter is None else filter if isinstance(filter, str) else json.dumps(filter)
        wanted = np.ascontiguousarray(vector, dtype=np.float32)
        if wanted.ndim != 1:
            raise InvalidArgumentError(f"a query is one vector, not an array of {wanted.shape}")
        return [
            Neighbor(key, distance, _object(found))
            for key, distance, found in self._native.query(wanted, top_k, text, metadata)
        ]

    def get(self, keys: Sequence[str], *, data: bool = True, metadata: bool = True) -> list[Vector]:
        """Those of the keys that are there, in their order; any number of them."""
        return [
            Vector(key, vector, _object(found))
            for key, vector, found in self._native.get(list(keys), data, metadata)
        ]

    def put(
        self,
        keys: Sequence[str],
        vectors: npt.NDArray[Any] | Sequence[Sequence[float]],
        metadata: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Puts any number of vectors, in calls that the service takes; each is there on return.

        For more than some thousands, :func:`vecload.load` is the better way: it paces, and accounts
        for each row.
        """
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        if rows.ndim != 2:
            raise InvalidArgumentError(f"vectors have two dimensions, not shape {rows.shape}")
        texts = [json.dumps(one) if one else "" for one in metadata or ()]
        self._native.put(list(keys), rows, texts)

    def delete(self, keys: Sequence[str]) -> None:
        """Deletes vectors; keys that are not there are no failure."""
        self._native.delete(list(keys))


class ShardedIndex(Index):
    """As :class:`Index`, for callers that rely on a base of shards."""

    def __init__(
        self,
        name: str,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        session: Session | None = None,
    ) -> None:
        """Finds the shards of that base.

        Raises:
            ConflictError: The name is a plain index.
            NotFoundError: A shard is missing, or there is none.
        """
        super().__init__(
            name, endpoint_url=endpoint_url, region=region, profile=profile, session=session
        )
        if not self.is_sharded:
            raise ConflictError(f"{name} is an index that is not divided; open it with Index")

    @property
    def shards(self) -> int:
        """How many there are."""
        return len(self.indexes)


def query(
    index: str,
    vector: Sequence[float] | npt.NDArray[Any],
    top_k: int = 10,
    *,
    filter: Filter | None = None,
    metadata: bool = True,
    endpoint_url: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    session: Session | None = None,
) -> list[Neighbor]:
    """One query; for several, open an :class:`Index`, which keeps its connections.

    Example:
        >>> import numpy as np, vecload
        >>> from vecload.testing import LocalS3Vectors
        >>> with LocalS3Vectors():
        ...     _ = vecload.load(
        ...         np.eye(3), "b01/i01", keys=["a", "b", "c"], create_index=True,
        ...         distance_metric="cosine",
        ...     )
        ...     vecload.query("b01/i01", [0, 1, 0.1], top_k=1)[0].key
        'b'
    """
    opened = Index(
        index, endpoint_url=endpoint_url, region=region, profile=profile, session=session
    )
    return opened.query(vector, top_k, filter=filter, metadata=metadata)


def _object(text: str) -> dict[str, Any]:
    return json.loads(text) if text else {}
