"""Goal: whatever is wrong with the input, the exit code is right, the message says what, where and
what to do, and every good row is loaded.

Method: the real binary on files with planted faults; boto3 tells what arrived.
"""

import resource
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.program import Outcome, Program, assert_accounts
from support.servers import ScriptedServer, VecloadServer
from support.vectors import (
    fixed_size_column,
    make_index,
    random_vectors,
    stored,
    stored_keys,
    write_vectors,
)

DIMENSION = 6
ROWS = 40


def load(program: Program, *arguments: Any, **options: Any) -> Outcome:
    return program.run("load", *arguments, "--index", "bucket/index", "--rejects",
                       "rejects.jsonl", "--output", "json", **options)  # fmt: skip


def assert_nothing_begun(done: Outcome, *words: str) -> None:
    assert done.exit_code == 1, (done.exit_code, done.stderr)
    assert done.stdout == ""
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("vecload: load: "), message
    for word in words:
        assert word in message, (word, message)


# --- sources that cannot be used at all


@pytest.mark.parametrize("source", ["missing.parquet", "none-*.parquet", "no-folder/"])
def test_no_such_file(program: Program, server: VecloadServer, source: str) -> None:
    make_index(server.client(), DIMENSION)
    assert_nothing_begun(load(program, source), source.rstrip("/"))


def test_not_parquet(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    (program.folder / "text.parquet").write_text("id,embedding\n1,2\n" * 100)
    assert_nothing_begun(load(program, "text.parquet"), "text.parquet", "Parquet")


def test_rejects_never_overwrite_the_source(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    path = write_vectors(program.folder / "in.parquet", random_vectors(ROWS, DIMENSION))
    before = path.read_bytes()
    done = program.run("load", "in.parquet", "--index", "bucket/index", "--rejects",
                       str(path))  # fmt: skip
    assert_nothing_begun(done, "in.parquet", "--rejects")
    assert path.read_bytes() == before


def test_truncated_parquet(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    path = write_vectors(program.folder / "in.parquet", random_vectors(ROWS, DIMENSION))
    path.write_bytes(path.read_bytes()[:-20])
    assert_nothing_begun(load(program, "in.parquet"), "in.parquet")


def test_empty_file(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    (program.folder / "empty.parquet").touch()
    assert_nothing_begun(load(program, "empty.parquet"), "empty.parquet", "empty")


def test_zero_rows_is_a_complete_job(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    write_vectors(program.folder / "in.parquet", random_vectors(0, DIMENSION))
    done = load(program, "in.parquet")
    assert done.exit_code == 0, done.stderr
    assert done.json["rows_total"] == 0
    assert_accounts(done.json)


def test_no_candidate_for_the_vector(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    table = pa.table({"id": ["a"], "year": [1999]})
    pq.write_table(table, program.folder / "in.parquet")
    assert_nothing_begun(load(program, "in.parquet"), "--vector-column")


def test_no_candidate_for_the_key(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    vectors = fixed_size_column(random_vectors(2, DIMENSION))
    table = pa.table({"embedding": vectors, "score": [0.5, 1.5]})
    pq.write_table(table, program.folder / "in.parquet")
    assert_nothing_begun(load(program, "in.parquet"), "--key-column")


def test_two_candidates_are_listed(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    vectors = fixed_size_column(random_vectors(2, DIMENSION))
    table = pa.table({"id": ["a", "b"], "title_vec": vectors, "body_vec": vectors})
    pq.write_table(table, program.folder / "in.parquet")
    done = load(program, "in.parquet")
    assert_nothing_begun(done, "title_vec", "body_vec", "--vector-column")


def test_a_column_that_is_not_there_is_named(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    write_vectors(program.folder / "in.parquet", random_vectors(2, DIMENSION))
    done = load(program, "in.parquet", "--key-column", "nope")
    assert_nothing_begun(done, "nope")
    assert "id" in done.stderr, "and what there is instead"


def test_unsupported_metadata_type_names_the_column_and_the_way_out(
    program: Program, server: VecloadServer
) -> None:
    make_index(server.client(), DIMENSION)
    write_vectors(program.folder / "in.parquet", random_vectors(2, DIMENSION),
                  payload=pa.array([b"\x00", b"\x01"], pa.binary()))  # fmt: skip
    assert_nothing_begun(load(program, "in.parquet"), "payload", "--metadata-columns")
    assert load(program, "in.parquet", "--metadata-columns", "none").exit_code == 0


# --- rows that cannot be sent, among rows that can

Planted = tuple[pa.Table, dict[int, str]]


def keys() -> list[str]:
    return [f"k{i:03d}" for i in range(ROWS)]


def table_of(vectors: pa.Array, names: list[Any] | None = None, **columns: Any) -> pa.Table:
    return pa.table({"id": pa.array(names or keys(), pa.string()), "embedding": vectors, **columns})


def lists(kind: pa.DataType, change: Callable[[list[Any]], None]) -> pa.Array:
    rows: list[Any] = random_vectors(ROWS, DIMENSION).astype(np.float64).tolist()
    change(rows)
    return pa.array(rows, kind)


def wrong_dimension() -> Planted:
    def change(rows: list[Any]) -> None:
        rows[3] = rows[3][:-1]
        rows[17] = rows[17] + [1.0]
        rows[39] = []

    vectors = lists(pa.list_(pa.float32()), change)
    return table_of(vectors), dict.fromkeys((3, 17, 39), "vector_dimension")


def null_vector() -> Planted:
    def change(rows: list[Any]) -> None:
        rows[0] = None
        rows[5][2] = None

    vectors = lists(pa.list_(pa.float32()), change)
    return table_of(vectors), dict.fromkeys((0, 5), "vector_missing")


def null_vector_of_fixed_size() -> Planted:
    def change(rows: list[Any]) -> None:
        rows[7] = None

    vectors = lists(pa.list_(pa.float32(), DIMENSION), change)
    return table_of(vectors), {7: "vector_missing"}


def nan_and_infinities() -> Planted:
    vectors = random_vectors(ROWS, DIMENSION)
    vectors[1, 0], vectors[2, 5], vectors[3, 3] = np.nan, np.inf, -np.inf
    return table_of(fixed_size_column(vectors)), dict.fromkeys((1, 2, 3), "vector_not_finite")


def too_large_for_float32() -> Planted:
    def change(rows: list[Any]) -> None:
        rows[11][1] = 1e39
        rows[12][1] = 3.4028235677973366e38  # the first that rounds to infinity
        rows[13][1] = 3.4028234663852886e38  # FLT_MAX

    vectors = lists(pa.list_(pa.float64()), change)
    return table_of(vectors), dict.fromkeys((11, 12), "vector_not_finite")


def zero_vector() -> Planted:
    def change(rows: list[Any]) -> None:
        rows[20] = [0.0] * DIMENSION
        rows[21] = [1e-60] * DIMENSION  # zero once it is a float32
        rows[22] = [-0.0] * DIMENSION

    vectors = lists(pa.list_(pa.float64()), change)
    return table_of(vectors), dict.fromkeys((20, 21, 22), "vector_zero_norm")


def bad_keys() -> Planted:
    names: list[Any] = keys()
    names[0] = ""
    names[1] = "x" * 1025
    names[2] = "ä" * 513  # 1,026 bytes
    names[3] = None
    names[4] = "x" * 1024  # as long as may be
    names[5] = "ä" * 512
    vectors = fixed_size_column(random_vectors(ROWS, DIMENSION))
    planted = dict.fromkeys((0, 1, 2), "key_length") | {3: "key_missing"}
    return table_of(vectors, names), planted


def metadata_of_2049_bytes() -> Planted:
    # 4 bytes an object, 8 a member, 1 for the name "t": 2,035 of text make 2,048.
    texts = ["ok"] * ROWS
    texts[8] = "y" * 2036
    texts[9] = "y" * 2035
    vectors = fixed_size_column(random_vectors(ROWS, DIMENSION))
    return table_of(vectors, t=texts), {8: "metadata_filterable_bytes"}


def integers_beyond_a_double() -> Planted:
    numbers = list(range(ROWS))
    numbers[4] = 2**53 + 1
    numbers[5] = 2**53
    vectors = fixed_size_column(random_vectors(ROWS, DIMENSION))
    column = pa.array(numbers, pa.int64())
    return table_of(vectors, n=column), {4: "metadata_integer_range"}


@pytest.mark.parametrize(
    "plant",
    [
        wrong_dimension,
        null_vector,
        null_vector_of_fixed_size,
        nan_and_infinities,
        too_large_for_float32,
        zero_vector,
        bad_keys,
        metadata_of_2049_bytes,
        integers_beyond_a_double,
    ],
)
def test_bad_rows_are_told_and_every_good_row_is_loaded(
    program: Program, server: VecloadServer, plant: Callable[[], Planted]
) -> None:
    table, planted = plant()
    pq.write_table(table, program.folder / "in.parquet")
    make_index(server.client(), DIMENSION)

    done = load(program, "in.parquet")

    assert done.exit_code == 3, done.stderr
    report = done.json
    assert_accounts(report)
    assert report["vectors_rejected"] == len(planted)
    rejects = done.rejects()
    assert {line["row"]: line["rule"] for line in rejects} == planted
    names = table["id"].to_pylist()
    for line in rejects:
        assert line["file"].endswith("in.parquet")
        assert line["message"]
        if names[line["row"]] is not None:
            assert line["key"] == names[line["row"]]
    good = {name for row, name in enumerate(names) if row not in planted}
    assert stored_keys(server.client()) == good


def test_binary_keys_that_are_not_utf8_are_told_in_base64(
    program: Program, server: VecloadServer
) -> None:
    names = pa.array([b"fine", b"\xff\xfe", b"also"], pa.binary())
    table = pa.table({"id": names, "embedding": fixed_size_column(random_vectors(3, DIMENSION))})
    pq.write_table(table, program.folder / "in.parquet")
    make_index(server.client(), DIMENSION)
    done = load(program, "in.parquet", "--key-column", "id")
    assert done.exit_code == 3, done.stderr
    (line,) = done.rejects()
    assert line["rule"] == "key_not_utf8"
    assert line["key_base64"] == "//4="
    assert stored_keys(server.client()) == {"fine", "also"}


def test_zero_vector_is_fine_under_euclidean(program: Program, server: VecloadServer) -> None:
    table, _ = zero_vector()
    pq.write_table(table, program.folder / "in.parquet")
    make_index(server.client(), DIMENSION, "euclidean")
    assert load(program, "in.parquet").exit_code == 0
    assert len(stored_keys(server.client())) == ROWS


def test_duplicate_keys_in_a_batch_leave_the_later_row(
    program: Program, server: VecloadServer
) -> None:
    vectors = random_vectors(ROWS, DIMENSION)
    names = keys()
    names[30] = names[2]
    write_vectors(program.folder / "in.parquet", vectors, names, n=np.arange(ROWS))
    make_index(server.client(), DIMENSION)
    done = load(program, "in.parquet")
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    assert done.json["vectors_superseded"] == 1
    assert done.json["vectors_acknowledged"] == ROWS - 1
    found = stored(server.client())
    assert set(found) == set(names)
    assert found[names[2]]["metadata"] == {"n": 30}


def test_a_column_whose_type_cannot_fit_the_index(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    write_vectors(program.folder / "in.parquet", random_vectors(ROWS, DIMENSION + 1))
    done = load(program, "in.parquet")
    assert_nothing_begun(
        done, "embedding", str(DIMENSION), str(DIMENSION + 1), "bucket/index", "--vector-column"
    )
    assert stored_keys(server.client()) == set()


def test_a_wrong_column_stops_after_ten_thousand_rejects(
    program: Program, server: VecloadServer
) -> None:
    make_index(server.client(), 3)
    rows = 12_000
    column = pa.array(list(random_vectors(rows, 2)), pa.list_(pa.float32()))
    pq.write_table(pa.table({"id": [f"k{i}" for i in range(rows)], "v": column}),
                   program.folder / "in.parquet")  # fmt: skip
    done = load(program, "in.parquet", "--vector-column", "v")
    assert done.exit_code == 4, (done.exit_code, done.stderr)
    assert_accounts(done.json)
    assert done.json["rows_remaining"] > 0
    assert "10,000" in done.stderr or "10000" in done.stderr


def test_max_rejects_stops_the_job(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    vectors = random_vectors(5000, DIMENSION)
    vectors[::2] = np.nan
    write_vectors(program.folder / "in.parquet", vectors)
    done = load(program, "in.parquet", "--max-rejects", "100", "--rate-vectors", "500")
    assert done.exit_code == 4, done.stderr
    assert "--max-rejects" in done.stderr
    assert_accounts(done.json)


def test_default_rejects_file_is_named_after_the_index(
    program: Program, server: VecloadServer
) -> None:
    make_index(server.client(), DIMENSION)
    table, planted = nan_and_infinities()
    pq.write_table(table, program.folder / "in.parquet")
    done = program.run("load", "in.parquet", "--index", "bucket/index")
    assert done.exit_code == 3
    assert "index-rejects.jsonl" in done.stdout + done.stderr, "the report says where"
    assert len(done.rejects("index-rejects.jsonl")) == len(planted)
    first = (program.folder / "index-rejects.jsonl").read_bytes()
    again = program.run("load", "in.parquet", "--index", "bucket/index", "--restart")
    assert again.exit_code == 3
    assert (program.folder / "index-rejects.jsonl").read_bytes() == first, "kept"
    assert len(done.rejects("index-rejects-2.jsonl")) == len(planted)


# --- services that cannot be used


def test_missing_index(program: Program, server: VecloadServer) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(2, DIMENSION))
    done = load(program, "in.parquet")
    assert_nothing_begun(done, "bucket/index", "--create-index")


@pytest.mark.parametrize(
    "code",
    ["UnrecognizedClientException", "InvalidSignatureException", "AccessDeniedException"],
)
def test_wrong_credentials_before_the_job(
    bare_program: Program, scripted: Callable[..., ScriptedServer], code: str
) -> None:
    service = scripted(DIMENSION)
    service.script = lambda _operation, _number: (403, code, "You shall not pass")
    write_vectors(bare_program.folder / "in.parquet", random_vectors(2, DIMENSION))
    done = load(bare_program, "in.parquet", timeout=45)
    assert_nothing_begun(done, code, "You shall not pass")
    assert service.bodies == []


# --- rejects that cannot be written


def test_rejects_into_a_full_device(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    table, _ = nan_and_infinities()
    pq.write_table(table, program.folder / "in.parquet")
    done = program.run("load", "in.parquet", "--index", "bucket/index", "--rejects", "/dev/full",
                       "--output", "json")  # fmt: skip
    assert done.exit_code == 4, (done.exit_code, done.stderr)
    assert "/dev/full" in done.stderr
    assert_accounts(done.json)
    assert done.json["rows_remaining"] >= 3, "a row whose reject is not on disk is still to do"


def test_rejects_beyond_the_file_size_limit(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    vectors = random_vectors(20_000, DIMENSION)
    vectors[::5] = np.nan
    write_vectors(program.folder / "in.parquet", vectors)

    def limit() -> None:
        # Enough for the journal, not for 4,000 lines.
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))

    fast = ("--rate-vectors", "unlimited")
    done = load(program, "in.parquet", *fast, preexec_fn=limit)
    assert done.exit_code == 4, (done.exit_code, done.stderr)
    assert "rejects.jsonl" in done.stderr
    assert_accounts(done.json)
    assert done.json["rows_remaining"] > 0
    resumed = load(program, "in.parquet", *fast)
    assert resumed.exit_code == 3, resumed.stderr
    assert (resumed.json["rows_remaining"], resumed.json["vectors_rejected"]) == (0, 4000)
    rows = [reject["row"] for reject in resumed.rejects()]
    assert sorted(rows) == list(range(0, 20_000, 5)), "each once"


def test_rejects_in_a_missing_folder(program: Program, server: VecloadServer) -> None:
    make_index(server.client(), DIMENSION)
    write_vectors(program.folder / "in.parquet", random_vectors(2, DIMENSION))
    done = program.run("load", "in.parquet", "--index", "bucket/index", "--rejects", "no/r.jsonl")
    assert_nothing_begun(done, "no/r.jsonl")
    assert stored_keys(server.client()) == set()
