"""Goal: every metadata type arrives as documented, and nulls leave no trace.

Method: one Parquet file with a column of each type; boto3 reads the metadata back.
"""

import datetime
import decimal
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.program import Outcome, Program
from support.servers import VecloadServer
from support.vectors import fixed_size_column, make_index, random_vectors, stored, write_vectors

ABSENT: dict[str, Any] = {"metadata": {"this row": "was not loaded"}}


def load_columns(
    program: Program, server: VecloadServer, *arguments: str, **columns: Any
) -> tuple[Outcome, list[dict[str, Any]]]:
    rows = len(next(iter(columns.values())))
    write_vectors(program.folder / "in.parquet", random_vectors(rows, 3), **columns)
    index = make_index(server.client(), 3)
    done = program.run("load", "in.parquet", "--index", index, "--key-column", "id",
                       "--vector-column", "embedding", *arguments)  # fmt: skip
    found = stored(server.client())
    return done, [found.get(f"k{row:06d}", ABSENT)["metadata"] for row in range(rows)]


def test_every_type_round_trips(program: Program, server: VecloadServer) -> None:
    moment = datetime.datetime(2024, 2, 29, 12, 30, 15, 250_000)
    done, metadata = load_columns(
        program,
        server,
        text=pa.array(['quo"te\\ \n ü 𝄞', "plain"]),
        large_text=pa.array(["a", "b"], pa.large_string()),
        int8=pa.array([-128, 127], pa.int8()),
        uint64=pa.array([0, 2**53], pa.uint64()),
        int64=pa.array([-(2**53), 7], pa.int64()),
        float64=pa.array([0.1, -1e300], pa.float64()),
        float32=pa.array([0.5, -2.25], pa.float32()),
        flag=pa.array([True, False]),
        day=pa.array([datetime.date(2024, 2, 29), datetime.date(1969, 12, 31)]),
        moment=pa.array([moment, moment], pa.timestamp("us", tz="UTC")),
        dictionary=pa.array(["red", "blue"]).dictionary_encode(),
        words=pa.array([["a", "b"], ["c"]]),
        numbers=pa.array([[1, 2], [3]], pa.list_(pa.int32())),
    )
    assert done.exit_code == 0, done.stderr
    first, second = metadata
    assert first["text"] == 'quo"te\\ \n ü 𝄞'
    assert first["large_text"] == "a"
    assert (first["int8"], second["int8"]) == (-128, 127)
    assert (first["uint64"], second["uint64"]) == (0, 2**53)
    assert (first["int64"], second["int64"]) == (-(2**53), 7)
    assert (first["float64"], second["float64"]) == (0.1, -1e300)
    assert (first["float32"], second["float32"]) == (0.5, -2.25)
    assert (first["flag"], second["flag"]) == (True, False)
    assert (first["day"], second["day"]) == ("2024-02-29", "1969-12-31")
    told = datetime.datetime.fromisoformat(first["moment"])
    assert told == moment.replace(tzinfo=datetime.UTC)
    assert (first["dictionary"], second["dictionary"]) == ("red", "blue")
    assert (first["words"], second["words"]) == (["a", "b"], ["c"])
    assert (first["numbers"], second["numbers"]) == ([1, 2], [3])


def test_decimals_keep_their_value(program: Program, server: VecloadServer) -> None:
    done, metadata = load_columns(
        program,
        server,
        price=pa.array([decimal.Decimal("19.99"), decimal.Decimal("-0.05")], pa.decimal128(9, 2)),
    )
    assert done.exit_code == 0, done.stderr
    assert [float(row["price"]) for row in metadata] == [19.99, -0.05]


def test_nulls_are_left_out_and_structs_are_flattened(
    program: Program, server: VecloadServer
) -> None:
    done, metadata = load_columns(
        program,
        server,
        title=pa.array(["x", None, None]),
        place=pa.array(
            [{"city": "Oslo", "geo": {"lat": 59.5}}, {"city": None, "geo": None}, None],
            pa.struct(
                [("city", pa.string()), ("geo", pa.struct([("lat", pa.float64())]))],
            ),
        ),
    )
    assert done.exit_code == 0, done.stderr
    assert metadata[0] == {"title": "x", "place.city": "Oslo", "place.geo.lat": 59.5}
    assert metadata[1] == {}
    assert metadata[2] == {}


def test_metadata_columns_choose(program: Program, server: VecloadServer) -> None:
    done, metadata = load_columns(program, server, "--metadata-columns", "b,c", a=[1], b=[2], c=[3])
    assert done.exit_code == 0, done.stderr
    assert metadata == [{"b": 2, "c": 3}]


def test_metadata_columns_all_and_none(program: Program, server: VecloadServer) -> None:
    done, metadata = load_columns(program, server, "--metadata-columns", "all", a=[1], b=[2])
    assert done.exit_code == 0, done.stderr
    assert metadata == [{"a": 1, "b": 2}]
    assert program.run("load", "in.parquet", "--index", "bucket/index", "--metadata-columns",
                       "none").exit_code == 0  # fmt: skip
    assert stored(server.client())["k000000"]["metadata"] == {}


def test_metadata_json(program: Program, server: VecloadServer) -> None:
    objects = [
        {"s": "ü\n", "n": 1.5, "b": True, "list": ["x", "y"]},
        {},
        {"nested": {"no": 1}},
        {"mixed": [1, "x"]},
    ]
    texts = [json.dumps(o) for o in objects] + [None, "[1]", "{broken", '{"a": 1, "a": 2}']
    done, metadata = load_columns(
        program, server, "--metadata-json", "meta", "--rejects", "rejects.jsonl", meta=texts,
        other=[0] * 8,
    )  # fmt: skip
    assert done.exit_code == 3, done.stderr
    assert metadata[0] == objects[0]
    assert metadata[1] == {}
    assert metadata[4] == {}, "a null is no metadata"
    rules = {line["row"]: line["rule"] for line in done.rejects()}
    assert rules[2] == rules[3] == "metadata_type"
    assert rules[5] == rules[6] == "metadata_json"
    assert {2, 3, 5, 6} <= set(rules) <= {2, 3, 5, 6, 7}


def test_fifty_keys_are_fine_and_one_more_is_not(program: Program, server: VecloadServer) -> None:
    columns = {f"c{i:02d}": pa.array([i, i]) for i in range(50)}
    columns["extra"] = pa.array([None, 1])
    done, metadata = load_columns(program, server, "--rejects", "rejects.jsonl", **columns)
    assert done.exit_code == 3, done.stderr
    assert len(metadata[0]) == 50
    (line,) = done.rejects()
    assert (line["row"], line["rule"]) == (1, "metadata_keys")


def test_non_filterable_metadata_may_be_40_kb(program: Program, server: VecloadServer) -> None:
    # 4 bytes an object, 8 a member, 4 for the name "note": 40,944 of text make 40,960.
    notes = ["x" * 40_944, "x" * 40_945]
    write_vectors(program.folder / "in.parquet", random_vectors(2, 3), note=notes)
    index = make_index(server.client(), 3, non_filterable=["note"])
    done = program.run("load", "in.parquet", "--index", index, "--key-column", "id",
                       "--rejects", "rejects.jsonl")  # fmt: skip
    assert done.exit_code == 3, done.stderr
    (line,) = done.rejects()
    assert (line["row"], line["rule"]) == (1, "metadata_bytes")
    assert stored(server.client())["k000000"]["metadata"] == {"note": notes[0]}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_are_rfc_3339(program: Program, server: VecloadServer, unit: str) -> None:
    column = pa.array([0, -1], pa.int64()).cast(pa.timestamp(unit))
    done, metadata = load_columns(program, server, at=column)
    assert done.exit_code == 0, done.stderr
    assert metadata[0]["at"].startswith("1970-01-01T00:00:00")
    assert metadata[1]["at"].startswith("1969-12-31T23:59:59")


def test_key_column_is_not_metadata(program: Program, server: VecloadServer) -> None:
    table = pa.table({"id": ["a"], "embedding": fixed_size_column(random_vectors(1, 3))})
    pq.write_table(table, program.folder / "in.parquet")
    index = make_index(server.client(), 3)
    assert program.run("load", "in.parquet", "--index", index).exit_code == 0
    assert stored(server.client())["a"]["metadata"] == {}
