"""Goal: what a Delta table, a Lance or a Hugging Face dataset holds is loaded bit for bit.

Method: each library writes the rows in its own format and hands them over as it does to anybody;
boto3 and numpy say what is in the index.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import deltalake
import lance
import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

import vecload
from support.vectors import fixed_size_column, random_vectors, same_bits, stored
from vecload.testing import LocalS3Vectors

ROWS = 1_234
VECTORS = random_vectors(ROWS, 24)
INDEX = "bucket/index"
NEW: Any = {"create_index": True, "distance_metric": "euclidean", "rate_vectors": "unlimited"}


def rows() -> pa.Table:
    return pa.table(
        {
            "id": [f"k{row:06d}" for row in range(ROWS)],
            "embedding": fixed_size_column(VECTORS),
            "year": list(range(ROWS)),
        }
    )


def _delta(folder: Path) -> Any:
    # Delta's lists have no fixed length.
    variable = rows().set_column(1, "embedding", rows()["embedding"].cast(pa.list_(pa.float32())))
    deltalake.write_deltalake(str(folder), variable)
    return deltalake.DeltaTable(str(folder))


def _delta_query(folder: Path) -> Any:
    _delta(folder)
    table = deltalake.DeltaTable(str(folder))
    return (
        deltalake.QueryBuilder().register("t", table).execute("select id, embedding, year from t")
    )


def _lance(folder: Path) -> Any:
    return lance.write_dataset(rows(), str(folder / "rows.lance"))


def _lance_scanner(folder: Path) -> Any:
    return _lance(folder).scanner(batch_size=100)


def _hugging_face(folder: Path) -> Any:
    made = datasets.Dataset(rows())
    made.save_to_disk(str(folder))
    return datasets.load_from_disk(str(folder))


def _hugging_face_selection(folder: Path) -> Any:
    """Rows in another order than they are stored in, and some twice in between."""
    twice = datasets.Dataset(pa.concat_tables([rows(), rows()]))
    return twice.select([*range(ROWS, 2 * ROWS)][::-1])


def _hugging_face_stream(folder: Path) -> Any:
    return datasets.Dataset(rows()).to_iterable_dataset()


def _parquet_dataset(folder: Path) -> Any:
    ds.write_dataset(
        rows(), folder, format="parquet", max_rows_per_file=500, max_rows_per_group=100
    )
    return ds.dataset(folder)


SOURCES: list[Callable[[Path], Any]] = [
    _delta, _delta_query, _lance, _lance_scanner, _hugging_face,
    _hugging_face_selection, _hugging_face_stream, _parquet_dataset,
]  # fmt: skip


@pytest.mark.parametrize("make", SOURCES, ids=[make.__name__[1:] for make in SOURCES])
def test_it_is_loaded_bit_for_bit(
    s3vectors: LocalS3Vectors, tmp_path: Path, make: Callable[[Path], Any]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    report = vecload.load(make(folder), INDEX, **NEW)
    assert (report.status, report.vectors_acknowledged) == ("complete", ROWS)
    found = stored(s3vectors.client())
    assert len(found) == ROWS
    for row, vector in enumerate(VECTORS):
        one = found[f"k{row:06d}"]
        assert same_bits(np.asarray(one["data"]), vector)
        assert one["metadata"] == {"year": row}


def test_a_hugging_face_dataset_can_be_read_again(s3vectors: LocalS3Vectors) -> None:
    dataset = datasets.Dataset(rows())
    plan = vecload.plan(dataset)
    assert (plan.rows, plan.dimension, plan.key_column) == (ROWS, 24, "id")
    vecload.load(dataset, INDEX, **NEW)
    assert vecload.verify(dataset, INDEX).equal
    with pytest.raises(vecload.InvalidArgumentError, match="no rows"):
        vecload.load(dataset.select([]), INDEX)
