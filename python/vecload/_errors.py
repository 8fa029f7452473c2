"""What can go wrong, as exceptions: one class for each thing that a caller can do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vecload._reports import DeleteReport, ExportReport, LoadReport


class VecloadError(Exception):
    """A call failed; the message says what failed, on what, and what to do about it.

    Attributes:
        code: What the caller can do, in snake_case: ``"throttled"``, ``"not_found"``, ...
        message: The text of the exception.
        http_status: Of the service's answer; 0 where no service was involved.
        aws_code: AWS's name of the error, e.g. ``"TooManyRequestsException"``, or empty.
        request_id: What AWS support asks for, or empty.
        report: Of a load, deletion or export that stopped after it began: how far it came.
    """

    code = "internal"

    def __init__(
        self, message: str, http_status: int = 0, aws_code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.http_status = http_status
        self.aws_code = aws_code
        self.request_id = request_id
        self.report: LoadReport | DeleteReport | ExportReport | None = None


class InvalidArgumentError(VecloadError, ValueError):
    """The request or the input is wrong; the same again fails the same."""

    code = "invalid_argument"


class NotFoundError(VecloadError):
    """A file, bucket, index or key does not exist."""

    code = "not_found"


class ConflictError(VecloadError):
    """It exists already, or its state forbids the call."""

    code = "conflict"


class DeniedError(VecloadError):
    """Credentials or permissions are missing or refused."""

    code = "denied"


class ThrottledError(VecloadError):
    """Slow down, then try again (429)."""

    code = "throttled"


class UnavailableError(VecloadError):
    """Try again later: 5xx, time-outs, broken connections."""

    code = "unavailable"


class QuotaError(VecloadError):
    """An account or service quota is exhausted (402)."""

    code = "quota"


class CorruptError(VecloadError):
    """Data on disk or on the wire is damaged."""

    code = "corrupt"


class IoError(VecloadError, OSError):
    """The local machine or the caller's stream failed: disk full, permission, a broken iterator."""

    code = "io"


class CancelledError(VecloadError):
    """Stopped by the user or by a deadline that the user set."""

    code = "cancelled"


class InternalError(VecloadError):
    """A defect of vecload."""

    code = "internal"


_CLASSES = {
    kind.code: kind
    for kind in (
        InvalidArgumentError,
        NotFoundError,
        ConflictError,
        DeniedError,
        ThrottledError,
        UnavailableError,
        QuotaError,
        CorruptError,
        IoError,
        CancelledError,
        InternalError,
    )
}

# Messages name the flags of the command line, whose words the arguments here are; but for these.
_ARGUMENTS = {
    "key-column": "key",
    "vector-column": "vector",
    "metadata-columns": "metadata",
    "distance-metric": "distance_metric",
}
_FLAG = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)|`[^`]*`")


def _in_python(message: str) -> str:
    """The message with arguments in place of flags; in backticks stand other programs'."""

    def argument(flag: re.Match[str]) -> str:
        if flag[1] is None:
            return flag[0]
        return _ARGUMENTS.get(flag[1], flag[1].replace("-", "_")) + "="

    return _FLAG.sub(argument, message)


def error_of(
    code: str, message: str, http_status: int, aws_code: str, request_id: str
) -> VecloadError:
    """The exception for a native Status; called by the native module."""
    return _CLASSES[code](_in_python(message), http_status, aws_code, request_id)
