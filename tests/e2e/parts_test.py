"""Goal: machines that share nothing but the source load a job together: each row once, whatever
folder each sees the files in, and whatever befalls one of them. Method: three runs of the real
binary with a state folder and a mount point each, one of them killed with -9; boto3 counts.
"""

import json
import time
from pathlib import Path

import pyarrow.parquet as pq

from support.program import Outcome, Program, assert_accounts
from support.servers import VecloadServer
from support.vectors import (
    make_index,
    random_vectors,
    same_bits,
    stored,
    stored_keys,
    write_vectors,
)

DIMENSION = 4
PARTS = 3
LARGE_ROWS = 45_000
SMALL_FILES, SMALL_ROWS = 12, 250


def write_source(folder: Path) -> int:
    """Writes one large file, of row groups that no part ends with, and small ones."""
    folder.mkdir()
    vectors = random_vectors(LARGE_ROWS, DIMENSION)
    large = write_vectors(folder / "large.parquet", vectors)
    pq.write_table(pq.read_table(large), large, row_group_size=4_096)
    for number in range(SMALL_FILES):
        keys = [f"small-{number}-{row}" for row in range(SMALL_ROWS)]
        write_vectors(folder / f"part-{number}.parquet", vectors[:SMALL_ROWS], keys)
    return LARGE_ROWS + SMALL_FILES * SMALL_ROWS


class Machine:
    """A state folder, and a name of its own for the folder with the files."""

    def __init__(self, program: Program, part: int) -> None:
        self.part = part
        self.program = program
        self.mount = program.folder / f"mount-{part}"
        self.mount.symlink_to(program.folder / "source")
        self.env = {"XDG_STATE_HOME": str(program.folder / f"state-{part}")}

    def arguments(self, *more: str) -> list[str]:
        return ["load", str(self.mount), "--index", "bucket/index", "--output", "json",
                "--part", f"{self.part}/{PARTS}", *more]  # fmt: skip

    def load(self, *more: str) -> Outcome:
        arguments = self.arguments("--rate-vectors", "unlimited", "--rate-requests", "unlimited")
        return self.program.run(*arguments, *more, env=self.env)


def test_three_machines_one_killed(program: Program, server: VecloadServer) -> None:
    rows = write_source(program.folder / "source")
    make_index(server.client(), DIMENSION)
    machines = [Machine(program, part) for part in range(1, PARTS + 1)]

    # The second one is killed after its first commit.
    program.env |= machines[1].env
    killed = program.start(*machines[1].arguments("--rate-vectors", "4000"))
    state = program.folder / "state-2/vecload"
    deadline = time.monotonic() + 30
    while settled(program, state) == 0:
        assert killed.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    killed.kill()
    killed.communicate(timeout=10)

    outcomes = [machine.load() for machine in machines]
    for part, done in enumerate(outcomes, start=1):
        assert done.exit_code == 0, done.stderr
        report = done.json
        assert_accounts(report)
        assert (report["part"], report["parts"]) == (part, PARTS)
        assert f"part {part}/{PARTS}: {report['rows_total']} of {rows} rows" in done.stderr
        assert report["rows_total"] >= LARGE_ROWS // PARTS
    assert "resuming: " in outcomes[1].stderr
    assert outcomes[1].json["vectors_resumed"] > 0
    assert sum(done.json["rows_total"] for done in outcomes) == rows
    assert len(stored_keys(server.client())) == rows

    # Files that come later move no row from one part to another.
    write_vectors(
        program.folder / "source/a-new.parquet", random_vectors(300, DIMENSION),
        [f"new-{row}" for row in range(300)],
    )  # fmt: skip
    again = [machine.load() for machine in machines]
    assert [done.exit_code for done in again] == [0] * PARTS, again[0].stderr
    assert sum(done.json["vectors_acknowledged"] for done in again) == 300
    assert sum(done.json["vectors_resumed"] for done in again) == rows
    assert len(stored_keys(server.client())) == rows + 300


def settled(program: Program, state: Path) -> int:
    """Returns how many vectors the journals there, which may be half made, have committed."""
    shown = [program.run("journal", "show", journal, "--output", "json")
             for journal in state.glob("*.journal")]  # fmt: skip
    return sum(done.json["vectors_acknowledged"] for done in shown if done.exit_code == 0)


def test_text_tells_the_part_and_default_rates_are_shared(
    program: Program, server: VecloadServer
) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(1000, DIMENSION))
    make_index(server.client(), DIMENSION)
    texts = [
        program.run("load", "in.parquet", "--index", "bucket/index", "--part", part,
                    "--progress", "json")
        for part in ("1/2", "2/2")
    ]  # fmt: skip
    for part, done in zip(("1/2", "2/2"), texts, strict=True):
        assert done.exit_code == 0, done.stderr
        assert f"part {part}" in done.stdout
        progress = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
        assert progress[-1]["rate_vectors_per_s"] == 1250
    assert len(stored_keys(server.client())) == 1000, "the small file is in one part or the other"
    assert len(list(program.folder.glob(".local/state/vecload/*.journal"))) == 2


def test_one_row_of_a_key_is_chosen_over_all_parts(program: Program, server: VecloadServer) -> None:
    (program.folder / "source").mkdir()
    vectors = [random_vectors(1000, DIMENSION, seed) for seed in range(6)]
    for number, rows in enumerate(vectors):
        keys = [f"k{row + 100 * number}" for row in range(1000)]
        write_vectors(program.folder / f"source/part-{number}.parquet", rows, keys)
    make_index(server.client(), DIMENSION)
    outcomes = [
        Machine(program, part).load("--on-duplicate", "last") for part in range(1, PARTS + 1)
    ]
    assert [done.exit_code for done in outcomes] == [0] * PARTS, outcomes[0].stderr
    for done in outcomes:
        assert_accounts(done.json)
    assert sum(done.json["vectors_acknowledged"] for done in outcomes) == 1500
    assert sum(done.json["vectors_superseded"] for done in outcomes) == 4500
    found = stored(server.client())
    assert len(found) == 1500
    for key in range(1500):
        number = min(5, key // 100)
        assert same_bits(found[f"k{key}"]["data"], vectors[number][key - 100 * number]), key
