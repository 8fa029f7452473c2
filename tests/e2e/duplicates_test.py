"""Goal: with --on-duplicate exactly the chosen row of every key ends in the index, however often
the load is stopped or batches are sent again, and `error` begins nothing. Method: files whose keys
repeat within row groups, across them and across files; a Python dict says which row is the one;
boto3 reads every vector back, bit for bit.
"""

import json
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.program import Outcome, Program, assert_accounts
from support.servers import ScriptedServer, VecloadServer
from support.vectors import (
    Floats,
    fixed_size_column,
    make_index,
    random_vectors,
    same_bits,
    stored,
    write_vectors,
)

DIMENSION = 4
UNLIMITED = ("--rate-vectors", "unlimited", "--rate-requests", "unlimited")

# How a source spells the keys 0, 1, 2, ..., and how the index does.
KEY_TYPES: dict[str, tuple[pa.DataType, Callable[[int], Any], Callable[[int], str]]] = {
    "string": (pa.string(), lambda n: f"key-é-{n}", lambda n: f"key-é-{n}"),
    "integer": (pa.int64(), lambda n: n - 500, lambda n: str(n - 500)),
    "binary": (pa.binary(), lambda n: f"b-{n}".encode(), lambda n: f"b-{n}"),
}


def load(program: Program, policy: str, *more: str | Path) -> Outcome:
    return program.run("load", "in", "--index", "bucket/index", "--output", "json",
                       "--on-duplicate", policy, *UNLIMITED, *more)  # fmt: skip


def repeating_numbers(rows: int, seed: int) -> list[int]:
    """Most numbers come once, some very often, and neighbours repeat too."""
    random = np.random.default_rng(seed)
    numbers = random.integers(0, rows, rows)
    numbers[random.random(rows) < 0.1] = 7
    numbers[1::50] = numbers[0::50][: len(numbers[1::50])]
    return [int(number) for number in numbers]


def write_files(
    folder: Path, numbers: Sequence[int], vectors: Floats, key_type: str = "string", files: int = 3
) -> None:
    """Spreads the rows over files in their order; small row groups."""
    (folder / "in").mkdir()
    type_, spell, _ = KEY_TYPES[key_type]
    keys = pa.array([spell(number) for number in numbers], type_)
    table = pa.table({"id": keys, "embedding": fixed_size_column(vectors)})
    size = -(-len(numbers) // files)
    for i in range(files):
        part = table.slice(i * size, size)
        pq.write_table(part, folder / "in" / f"{i}.parquet", row_group_size=997)


def kill_when_acknowledged(process: "subprocess.Popen[str]", count: int) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("{") and json.loads(line)["vectors_acknowledged"] >= count:
            process.kill()
            return
    raise AssertionError("ended before")


def chosen_rows(numbers: Sequence[int], policy: str) -> dict[int, int]:
    rows: dict[int, int] = {}
    for row, number in enumerate(numbers):
        if policy == "last" or number not in rows:
            rows[number] = row
    return rows


def assert_stored(client: Any, numbers: Sequence[int], vectors: Floats, policy: str,
                  key_type: str = "string") -> None:  # fmt: skip
    found = stored(client)
    chosen = chosen_rows(numbers, policy)
    spelled = KEY_TYPES[key_type][2]
    assert len(found) == len(chosen)
    for number, row in chosen.items():
        assert same_bits(found[spelled(number)]["data"], vectors[row]), (number, row)


@pytest.mark.parametrize("key_type", KEY_TYPES)
@pytest.mark.parametrize("policy", ["first", "last"])
def test_the_chosen_row_of_each_key_is_loaded(
    program: Program, server: VecloadServer, policy: str, key_type: str
) -> None:
    numbers, vectors = repeating_numbers(9000, seed=3), random_vectors(9000, DIMENSION)
    write_files(program.folder, numbers, vectors, key_type)
    client = server.client()
    make_index(client, DIMENSION)
    done = load(program, policy)
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    unique = len(set(numbers))
    assert (done.json["vectors_acknowledged"], done.json["vectors_superseded"],
            done.json["rows_remaining"]) == (unique, 9000 - unique, 0)  # fmt: skip
    assert "reading keys of 9000 rows" in done.stderr
    assert f"{9000 - unique} of 9000 rows" in done.stderr
    assert_stored(client, numbers, vectors, policy, key_type)
    again = load(program, policy)
    assert again.exit_code == 0 and again.json["requests"] == 0
    assert "reading keys" not in again.stderr, "of a job that is complete"


@pytest.mark.parametrize("policy", ["first", "last"])
def test_keys_that_do_not_fit_in_memory_are_sorted_on_disk(
    program: Program, server: VecloadServer, policy: str
) -> None:
    rows = 100_000  # a run has 43,690
    numbers, vectors = repeating_numbers(rows, seed=5), random_vectors(rows, DIMENSION)
    write_files(program.folder, numbers, vectors)
    client = server.client()
    make_index(client, DIMENSION)
    temporary = program.folder / "temporary"
    temporary.mkdir()
    program.env["TMPDIR"] = str(temporary)
    done = load(program, policy, "--memory", "1MiB")
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    assert_stored(client, numbers, vectors, policy)
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("policy", ["first", "last"])
def test_kills_do_not_change_the_choice(
    bare_program: Program, start_server: Callable[..., VecloadServer], policy: str
) -> None:
    program = bare_program
    server = start_server("--rate-vectors", "30000")
    program.env["AWS_ENDPOINT_URL_S3VECTORS"] = server.url
    rows = 20_000
    numbers, vectors = repeating_numbers(rows, seed=6), random_vectors(rows, DIMENSION)
    write_files(program.folder, numbers, vectors)
    client = server.client()
    make_index(client, DIMENSION)
    for acknowledged in (2000, 1500):  # 75 batches and more: the journal commits every 64
        with program.start("load", "in", "--index", "bucket/index", "--on-duplicate", policy,
                           "--rate-vectors", "3000", "--batch-vectors", "20",
                           "--progress", "json") as process:  # fmt: skip
            kill_when_acknowledged(process, acknowledged)
    done = load(program, policy)
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    assert done.json["vectors_resumed"] > 1000
    assert done.json["vectors_acknowledged"] > 1000
    assert done.json["vectors_superseded"] == rows - len(set(numbers))
    assert_stored(client, numbers, vectors, policy)


def test_a_row_that_is_not_chosen_is_never_sent(
    bare_program: Program, scripted: Callable[..., ScriptedServer]
) -> None:
    """What makes a late delivery harmless."""
    service = scripted(DIMENSION)
    numbers, vectors = repeating_numbers(3000, seed=8), random_vectors(3000, DIMENSION)
    write_files(bare_program.folder, numbers, vectors)
    assert load(bare_program, "first").exit_code == 0
    sent = [vector["key"] for body in service.bodies for vector in json.loads(body)["vectors"]]
    assert sorted(sent) == sorted(f"key-é-{number}" for number in set(numbers))


def test_files_that_are_superseded_whole_are_settled(
    program: Program, server: VecloadServer
) -> None:
    """Batches without a vector; more rows than one of them may list."""
    numbers, vectors = [*range(25_000)] * 2, random_vectors(50_000, DIMENSION)
    write_files(program.folder, numbers, vectors, files=2)
    client = server.client()
    make_index(client, DIMENSION)
    done = load(program, "last")
    assert done.exit_code == 0, done.stderr
    assert_accounts(done.json)
    assert (done.json["vectors_superseded"], done.json["requests"]) == (25_000, 50)
    assert_stored(client, numbers, vectors, "last")


def test_a_bad_chosen_row_leaves_its_key_out(program: Program, server: VecloadServer) -> None:
    """The choice is by key alone; rows without a usable key take no part in it."""
    vectors = random_vectors(6, DIMENSION)
    vectors[0] = np.nan
    vectors[4] = np.nan
    (program.folder / "in").mkdir()
    keys = ["a", "b", "a", "x" * 1025, "b", "x" * 1025]
    write_vectors(program.folder / "in" / "0.parquet", vectors, keys)
    client = server.client()
    make_index(client, DIMENSION)
    done = load(program, "first", "--rejects", "rejects.jsonl")
    assert done.exit_code == 3, done.stderr
    assert_accounts(done.json)
    assert done.json["vectors_superseded"] == 2
    rejects = {line["row"]: line["rule"] for line in done.rejects()}
    assert rejects == {0: "vector_not_finite", 3: "key_length", 5: "key_length"}
    assert list(stored(client)) == ["b"]


def test_error_names_a_duplicate_and_begins_nothing(
    bare_program: Program, scripted: Callable[..., ScriptedServer]
) -> None:
    service = scripted(DIMENSION)
    folder = bare_program.folder
    numbers = [*range(2500), 2400, 17, 17, *range(3000, 3500)]
    vectors = random_vectors(len(numbers), DIMENSION)
    write_files(folder, numbers, vectors)
    done = load(bare_program, "error", "--journal", "job.journal")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert set(service.operations) == {"GetIndex"}
    size = -(-len(numbers) // 3)
    first, again = divmod(2400, size), divmod(2500, size)
    assert first[0] == again[0] == 2
    assert (f'key "key-é-2400" stands in row {first[1]} of in/2.parquet and again in row '
            f"{again[1]} of in/2.parquet" in done.stderr)  # fmt: skip
    assert "3 of 3003 rows" in done.stderr and "--on-duplicate first" in done.stderr
    # The duplicates are removed: the same command then is a new job, whatever was there before.
    for path in (folder / "in").iterdir():
        path.unlink()
    (folder / "in").rmdir()
    write_files(folder, range(3000), vectors[:3000])
    fixed = load(bare_program, "error", "--journal", "job.journal")
    assert fixed.exit_code == 0, fixed.stderr
    assert fixed.json["vectors_acknowledged"] == 3000


def test_a_signal_while_keys_are_read_begins_nothing(
    bare_program: Program, scripted: Callable[..., ScriptedServer]
) -> None:
    service = scripted(1)
    rows = 3_000_000  # most of a second
    vectors = np.ones((rows, 1), dtype=np.float32)
    table = pa.table({"id": np.arange(rows), "embedding": fixed_size_column(vectors)})
    pq.write_table(table, bare_program.folder / "in.parquet", compression="none")
    with bare_program.start("load", "in.parquet", "--index", "bucket/index", "--journal",
                            "job.journal", "--on-duplicate", "last") as process:  # fmt: skip
        assert process.stderr is not None
        assert "reading keys of 3000000 rows" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    assert stdout == "" and "nothing was sent" in stderr
    assert set(service.operations) == {"GetIndex"}
    assert not (bare_program.folder / "job.journal").exists()


def test_another_policy_is_another_job(program: Program, server: VecloadServer) -> None:
    write_files(program.folder, [1, 2, 1], random_vectors(3, DIMENSION), files=1)
    make_index(server.client(), DIMENSION)
    assert load(program, "first", "--journal", "job.journal").exit_code == 0
    other = load(program, "last", "--journal", "job.journal")
    assert other.exit_code == 1
    assert "another job's: on-duplicate (journal: first, this load: last)" in other.stderr
    none = program.run("load", "in", "--index", "bucket/index", "--journal", "job.journal")
    assert none.exit_code == 1
    assert "on-duplicate (journal: first, this load: none)" in none.stderr


def test_a_folder_without_room_is_named(
    bare_program: Program, scripted: Callable[..., ScriptedServer]
) -> None:
    service = scripted(DIMENSION)
    program = bare_program
    rows = 60_000  # 1.4 MB to sort
    write_files(program.folder, range(rows), random_vectors(rows, DIMENSION))
    limit = 1 << 20

    def full_disk() -> None:
        setrlimit(RLIMIT_FSIZE, (limit, limit))

    for folder, before in (("/proc", lambda: None), (str(program.folder), full_disk)):
        done = program.run("load", "in", "--index", "bucket/index", "--on-duplicate", "last",
                           "--memory", "1MiB", env={"TMPDIR": folder},
                           preexec_fn=before)  # fmt: skip
        assert done.exit_code == 1
        assert f'"{folder}"' in done.stderr and "TMPDIR" in done.stderr, done.stderr
    assert set(service.operations) == {"GetIndex"}
