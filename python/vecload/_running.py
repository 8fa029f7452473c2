"""Runs a native job that sends rows, and turns what it tells into Python's values."""

# The reports are made here.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any, NoReturn, Protocol, TypeVar

from vecload import _native
from vecload._errors import VecloadError
from vecload._progress import bar
from vecload._reports import DeleteReport, LoadProgress, LoadReport
from vecload._source import Stream

log = logging.getLogger("vecload")

_Options = TypeVar("_Options", contravariant=True)
_Report = TypeVar("_Report", LoadReport, DeleteReport)


class _Native(Protocol[_Options]):
    def __call__(
        self,
        options: _Options,
        stream: _native.StreamOptions | None,
        on_message: Callable[[str], None],
        on_progress: Callable[[dict[str, Any]], None] | None,
        on_report: Callable[[dict[str, Any]], None],
    ) -> dict[str, Any]: ...


def native_stream(stream: Stream | None) -> _native.StreamOptions | None:
    """A source in memory, as the native module takes it."""
    if stream is None:
        return None
    return _native.StreamOptions(stream.name, stream.rows, stream.open, stream.is_repeatable)


def run(
    job: _Native[_Options],
    options: _Options,
    stream: Stream | None,
    kind: type[_Report],
    on_progress: Callable[[LoadProgress], object] | None,
    progress: bool,
) -> _Report:
    """The report of a job that came to its end; raises what stopped it, with how far it was."""
    reports: list[dict[str, Any]] = []
    with bar() if progress else contextlib.nullcontext(None) as drawn:
        try:
            native = job(
                options,
                native_stream(stream),
                log.info,
                _both(on_progress, drawn),
                reports.append,
            )
        except VecloadError as error:
            raise_from(error, stream)
        except BaseException as interruption:
            for report in reports:
                interruption.add_note(_how_far(kind._of(report)))
            raise
    report = kind._of(native)
    if report.error is not None:
        report.error.report = report
        report.error.add_note(_how_far(report))
        raise_from(report.error, stream)
    return report


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


def raise_from(error: VecloadError, stream: Stream | None) -> NoReturn:
    """Raises the error, whose cause is what the caller's own iterator raised."""
    if stream is not None and stream.errors:
        raise error from stream.errors[0]
    raise error


def _how_far(report: LoadReport | DeleteReport) -> str:
    done = report.rows_total - report.rows_remaining
    text = f"vecload: {done} of {report.rows_total} rows are done"
    if report.journal:
        return f"{text}; the same call again goes on ({report.journal})"
    return f"{text}; no journal was kept, so the same call again sends all of them"
