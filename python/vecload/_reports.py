"""What jobs tell: progress on the way, a report at the end."""

from __future__ import annotations

import dataclasses
from typing import Any

from vecload._errors import VecloadError


class _Report:
    """What the dataclasses below have in common."""

    def to_dict(self) -> dict[str, Any]:
        """The members as plain values, for JSON."""
        values: dict[str, Any] = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            values[field.name] = _plain(getattr(self, field.name))
        return values


def _plain(value: Any) -> Any:
    if isinstance(value, _Report):
        return value.to_dict()
    if isinstance(value, VecloadError):
        return {"code": value.code, "message": value.message}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


@dataclasses.dataclass(frozen=True)
class LoadProgress(_Report):
    """How far a load is; given to ``on_progress`` about twice a second."""

    rows_total: int | None
    """Of a stream that does not know its length: the rows that were read so far."""
    rows_done: int
    """Acknowledged, rejected or superseded, by earlier runs too."""
    vectors_acknowledged: int
    vectors_rejected: int
    throttled: int
    """Answers 429 and 503."""
    in_flight: int
    vectors_per_s: float
    """Over the last few seconds."""
    rate_vectors_per_s: float
    """The present limit; 0: unlimited."""
    elapsed_s: float
    eta_s: float | None
    """None until there is a rate to divide by, and of a stream of unknown length."""


@dataclasses.dataclass(frozen=True)
class ShardReport(_Report):
    """What one shard of a load had."""

    index: str
    value: str | None
    """Of the column that the rows are divided by; None where they are divided by key."""
    vectors_acknowledged: int
    vectors_per_s: float
    throttled: int


@dataclasses.dataclass(frozen=True)
class LoadReport(_Report):
    """The account of a load, under the names that ``vecload load --output json`` uses.

    ``rows_total`` is always ``vectors_acknowledged + vectors_resumed + vectors_rejected +
    vectors_superseded + rows_remaining``.
    """

    error: VecloadError | None
    """Why the load stopped early; None where it came to its end."""
    exit_code: int
    """0 all acknowledged; 3 some rows rejected; 4 stopped after it began."""
    index: str
    endpoint_url: str
    sources: list[str]
    part: int
    parts: int
    key_column: str
    vector_column: str
    metadata_columns: list[str]
    metadata_json: str
    rejects: str
    """The file that tells of rejected rows; empty where there are none."""
    journal: str
    """The file that a later run resumes from; empty where none was kept."""
    rows_total: int
    vectors_acknowledged: int
    vectors_resumed: int
    """Acknowledged by an earlier run."""
    vectors_rejected: int
    vectors_superseded: int
    """Another row of the same key was loaded instead."""
    rows_remaining: int
    requests: int
    attempts: int
    throttled: int
    bytes_sent: int
    wall_s: float
    vectors_per_s: float
    cpu_s: float
    """Of the whole process, Python included."""
    cpu_us_per_vector: float
    rss_bytes_max: int
    read_s: float
    encode_s: float
    wait_tokens_s: float
    wait_memory_s: float
    journal_s: float
    put_s: float
    put_latency_ms: dict[str, float]
    """``p50``, ``p95`` and ``p99``."""
    bottleneck: str
    projected_1b_s: float
    """A billion vectors at this load's rate."""
    shards: list[ShardReport]
    """In order; empty where the index is not divided."""

    @property
    def status(self) -> str:
        """``"complete"``, ``"finished_with_rejects"`` or ``"stopped"``."""
        if self.error is not None:
            return "stopped"
        return "finished_with_rejects" if self.vectors_rejected else "complete"

    def to_dict(self) -> dict[str, Any]:
        return {"status": self.status, **super().to_dict()}

    @classmethod
    def _of(cls, native: dict[str, Any]) -> LoadReport:
        shards = [ShardReport(**shard) for shard in native.pop("shards")]
        return cls(**native, shards=shards)


@dataclasses.dataclass(frozen=True)
class DeleteReport(_Report):
    """The account of a deletion, under the names that ``vecload delete --output json`` uses.

    ``rows_total`` is always ``vectors_acknowledged + vectors_resumed + vectors_rejected +
    vectors_superseded + rows_remaining``.
    """

    error: VecloadError | None
    """Why the deletion stopped early; None where it came to its end."""
    exit_code: int
    """0 all acknowledged; 3 some keys rejected; 4 stopped after it began."""
    index: str
    endpoint_url: str
    sources: list[str]
    part: int
    parts: int
    key_column: str
    rejects: str
    """The file that tells of rejected keys; empty where there are none."""
    journal: str
    """The file that a later run resumes from; empty where none was kept."""
    rows_total: int
    vectors_acknowledged: int
    """Deleted, or never there: the service does not tell."""
    vectors_resumed: int
    """Acknowledged by an earlier run."""
    vectors_rejected: int
    vectors_superseded: int
    """The same key stood in the same request."""
    rows_remaining: int
    requests: int
    attempts: int
    throttled: int
    bytes_sent: int
    wall_s: float
    vectors_per_s: float
    shards: list[ShardReport]
    """In order; empty where the index is not divided."""

    @property
    def status(self) -> str:
        """``"complete"``, ``"finished_with_rejects"`` or ``"stopped"``."""
        if self.error is not None:
            return "stopped"
        return "finished_with_rejects" if self.vectors_rejected else "complete"

    def to_dict(self) -> dict[str, Any]:
        return {"status": self.status, **super().to_dict()}

    @classmethod
    def _of(cls, native: dict[str, Any]) -> DeleteReport:
        native["shards"] = [ShardReport(**shard) for shard in native["shards"]]
        return cls(**{field.name: native[field.name] for field in dataclasses.fields(cls)})


@dataclasses.dataclass(frozen=True)
class RowPlace(_Report):
    """A row of a file, counted from 0."""

    file: str
    row: int


@dataclasses.dataclass(frozen=True)
class RepeatedKey(_Report):
    """A key that several rows have."""

    key: str
    count: int
    rows: list[RowPlace]
    """In the order of the source; the first one is always among them."""


@dataclasses.dataclass(frozen=True)
class RepeatedKeys(_Report):
    """Which keys come twice, as ``plan(check_keys=True)`` found."""

    keys: int
    rows: int
    """Those that have the key of an earlier row."""
    shown: list[RepeatedKey]
    """The first of them, with at most 1,000 rows in all."""


@dataclasses.dataclass(frozen=True)
class PlannedReject(_Report):
    """A rule that rows of a plan's sample break."""

    rule: str
    rows: int
    """Of the sample."""
    file: str
    """Of the first of them, as the two that follow."""
    row: int
    message: str


@dataclasses.dataclass(frozen=True)
class ShardTime(_Report):
    """How long a load over so many indexes takes."""

    shards: int
    requests: int
    load_s: float


@dataclasses.dataclass(frozen=True)
class PlannedCost(_Report):
    """What a load costs: amounts as the text of decimal numbers, for ``decimal.Decimal``."""

    currency: str
    load: str
    storage_month: str
    queries_1000: str
    """Without what queries scan of the index."""
    verify_lists: str | None
    """``None``: no price is known."""
    region: str
    prices_source: str
    prices_date: str


@dataclasses.dataclass(frozen=True)
class PlannedValue(_Report):
    """A value of the column by which rows are divided, and how many rows it has."""

    value: str
    index: str | None
    """``BUCKET/INDEX``; None where no index was named."""
    rows: int


@dataclasses.dataclass(frozen=True)
class LoadPlan(_Report):
    """What a load will take, told from the files' footers and a sample of rows."""

    files: int
    row_groups: int
    rows: int
    source_bytes: int
    key_column: str
    vector_column: str
    metadata_columns: list[str]
    metadata_json: str
    key_reason: str
    """Why this column was chosen, as the two that follow."""
    vector_reason: str
    metadata_reason: str
    dimension: int
    index_exists: bool
    shards: int
    values: list[PlannedValue]
    """With ``shard_by``: in the order of their bytes."""
    rows_without_value: int
    """Will be rejected."""
    sample_rows: int
    """Rows of the sample that can be loaded."""
    sample_rows_read: int
    sample_rejects: list[PlannedReject]
    key_bytes_mean: float
    metadata_bytes_mean: float
    batch_vectors: int
    requests: int
    body_bytes: int
    logical_bytes: int
    load_s: float
    memory_bytes_max: int
    verify_list_calls: int
    by_shards: list[ShardTime]
    cost: PlannedCost
    repeated_keys: RepeatedKeys | None

    @classmethod
    def _of(cls, native: dict[str, Any]) -> LoadPlan:
        values = [
            PlannedValue(value["value"], value["index"] or None, value["rows"])
            for value in native.pop("values")
        ]
        repeated = native.pop("repeated_keys")
        if repeated is not None:
            shown = [
                RepeatedKey(key["key"], key["count"], [RowPlace(**row) for row in key["rows"]])
                for key in repeated["shown"]
            ]
            repeated = RepeatedKeys(repeated["keys"], repeated["rows"], shown)
        rejects = [PlannedReject(**reject) for reject in native.pop("sample_rejects")]
        times = [ShardTime(**time) for time in native.pop("by_shards")]
        cost = PlannedCost(**native.pop("cost"))
        return cls(
            **native,
            values=values,
            sample_rejects=rejects,
            by_shards=times,
            cost=cost,
            repeated_keys=repeated,
        )


@dataclasses.dataclass(frozen=True)
class VerifyProgress(_Report):
    """How far a verify is."""

    scan_pass: int
    """The second pass reads both sides again, for what differs."""
    source_rows: int
    source_rows_total: int
    index_vectors: int


@dataclasses.dataclass(frozen=True)
class VerifyReport(_Report):
    """What a comparison found. ``bool(report)`` is :attr:`equal`."""

    source_rows: int
    index_vectors: int
    """Of a sample: those that were asked for and found."""
    sampled_rows: int
    rows_rejected: int
    rows_unloadable: int
    missing: int
    extra: int
    different_vector: int
    different_metadata: int
    shards: int
    list_calls: int
    wall_s: float
    differences: str
    """The file that lists rows that are missing or different, which ``load(rows_from=...)`` reads;
    empty where there are none."""
    extra_keys: str
    """The file that lists keys that only the index has; empty where there are none."""

    @property
    def equal(self) -> bool:
        """Whether the index holds the source, and nothing else."""
        return not (self.missing or self.extra or self.different_vector or self.different_metadata)

    def __bool__(self) -> bool:
        return self.equal

    def to_dict(self) -> dict[str, Any]:
        return {"equal": self.equal, **super().to_dict()}


@dataclasses.dataclass(frozen=True)
class ExportProgress(_Report):
    """How far an export is."""

    is_surveying: bool
    """The first pass of a typed export: nothing is written yet."""
    vectors: int
    bytes: int


@dataclasses.dataclass(frozen=True)
class ExportReport(_Report):
    """What became of an export."""

    error: VecloadError | None
    """Why it stopped early; the same export again goes on."""
    files: list[str]
    vectors: int
    vectors_resumed: int
    row_groups: int
    bytes: int
    metadata_columns: int
    metadata_json: bool
    keys_without_column: dict[str, str]
    shards: int
    list_calls: int
    segments_restarted: int
    wall_s: float
    vectors_per_s: float
    rss_bytes_max: int


@dataclasses.dataclass(frozen=True)
class IndexInfo(_Report):
    """What the service says of an index."""

    name: str
    """``BUCKET/INDEX``."""
    arn: str
    creation_time_s: float
    dimension: int
    distance_metric: str
    non_filterable_keys: list[str]
    kms_key_arn: str
