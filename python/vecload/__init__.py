"""Moves vectors into Amazon S3 Vectors at the service's limit, and accounts for every row.

:func:`load` takes files and any Arrow table; :func:`delete`, :func:`plan`, :func:`verify`,
:func:`export` and :func:`query` are what the command line has under these names;
:mod:`vecload.testing` is S3 Vectors for tests.
"""

import atexit

from vecload import _native
from vecload._audit import export, plan, verify
from vecload._delete import delete
from vecload._errors import (
    CancelledError,
    ConflictError,
    CorruptError,
    DeniedError,
    InternalError,
    InvalidArgumentError,
    IoError,
    NotFoundError,
    QuotaError,
    ThrottledError,
    UnavailableError,
    VecloadError,
)
from vecload._index import Index, Neighbor, ShardedIndex, Vector, query
from vecload._load import load
from vecload._reports import (
    DeleteReport,
    ExportProgress,
    ExportReport,
    IndexInfo,
    LoadPlan,
    LoadProgress,
    LoadReport,
    PlannedCost,
    PlannedReject,
    PlannedValue,
    RepeatedKey,
    RepeatedKeys,
    RowPlace,
    ShardReport,
    ShardTime,
    VerifyProgress,
    VerifyReport,
)

__version__ = _native.VERSION

__all__ = [
    "CancelledError",
    "ConflictError",
    "CorruptError",
    "DeleteReport",
    "DeniedError",
    "ExportProgress",
    "ExportReport",
    "Index",
    "IndexInfo",
    "InternalError",
    "InvalidArgumentError",
    "IoError",
    "LoadPlan",
    "LoadProgress",
    "LoadReport",
    "Neighbor",
    "NotFoundError",
    "PlannedCost",
    "PlannedReject",
    "PlannedValue",
    "QuotaError",
    "RepeatedKey",
    "RepeatedKeys",
    "RowPlace",
    "ShardReport",
    "ShardTime",
    "ShardedIndex",
    "ThrottledError",
    "UnavailableError",
    "VecloadError",
    "Vector",
    "VerifyProgress",
    "VerifyReport",
    "delete",
    "export",
    "load",
    "plan",
    "query",
    "verify",
]

atexit.register(_native.end)
