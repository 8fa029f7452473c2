"""Goal: a load that is killed at any instant goes on where it was, and loses and repeats nothing
that matters. Method: the real binary, killed with -9 at random moments over one load, against a
server that makes up failures, through a proxy that counts what is sent twice; then boto3 reads
every vector back.
"""

import os
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from support.program import Outcome, Program, assert_accounts
from support.proxy import CountingProxy
from support.servers import VecloadServer
from support.vectors import (
    create_index,
    make_index,
    random_vectors,
    same_bits,
    stored,
    stored_keys,
    write_vectors,
)

DIMENSION = 16
FAULTS = "http503=0.01,http429=0.01,http500=0.01,reset=0.005,cut=0.005,slow=0.01,lost=0.005"


def load(
    program: Program, *more: str | Path, source: str = "in.parquet", **options: Any
) -> Outcome:
    return program.run("load", source, "--index", "bucket/index", "--output", "json",
                       "--rate-vectors", "unlimited", "--rate-requests", "unlimited",
                       *more, **options)  # fmt: skip


def kill_after(program: Program, seconds: float, *arguments: str | Path) -> None:
    process = program.start("load", *arguments)
    time.sleep(seconds)  # the moment of the kill is what is varied, nothing waits for it
    process.kill()
    process.wait(timeout=10)


@pytest.mark.timeout(300)
def test_killed_twenty_times_amid_faults_every_row_is_there_once_and_little_is_sent_twice(
    bare_program: Program, tmp_path: Path
) -> None:
    """Every failure that the server can make up, and twenty kills: nothing is lost, and what the
    journal had committed is not sent again."""
    program = bare_program
    seed = int(os.environ.get("VECLOAD_TEST_SEED", time.time_ns() % 1_000_000))
    print(f"VECLOAD_TEST_SEED={seed}")
    rows = 200_000
    vectors = random_vectors(rows, DIMENSION)
    write_vectors(program.folder / "in.parquet", vectors)
    data = str(tmp_path / "data")
    server = VecloadServer(tmp_path / "first", "--data-dir", data, "--faults",
                           f"seed={seed},{FAULTS}")  # fmt: skip
    # A request that is on its way when the loader is killed is lost with it: what the journal took
    # for done before its answer would be missing.
    proxy = CountingProxy(server.port, latency_s=0.025)
    program.env["AWS_ENDPOINT_URL_S3VECTORS"] = proxy.url
    try:
        make_index(server.client(), DIMENSION)
        batch, in_flight = 40, 16
        flags = ("--batch-vectors", str(batch), "--max-in-flight", str(in_flight))
        moments = random.Random(seed)
        start_s = start_up_seconds(program)
        for proxy.run in range(20):
            kill_after(program, start_s + moments.uniform(0, 0.9), "in.parquet", "--index",
                       "bucket/index", "--rate-vectors", "25000", *flags)  # fmt: skip
        proxy.run = 20
        # A limit far above what is reached: each 429 and 503 takes away a part of it.
        done = program.run("load", "in.parquet", "--index", "bucket/index", "--output", "json",
                           "--rate-vectors", "200000", *flags, timeout=200)  # fmt: skip
        assert done.exit_code == 0, done.stderr
        assert_accounts(done.json)
        assert done.json["rows_remaining"] == 0
        assert done.json["vectors_resumed"] > 0, "some kill came after the first commit"
        assert done.json["attempts"] > done.json["requests"], "the faults must have struck"
        # An answer may lie unread with the killed loader for each request in flight; and a commit
        # comes after 64 batches, or as many more as were answered while the 64th was.
        bound = (64 + 2 * in_flight) * batch
        print(
            "X",
            [(len(proxy.sent.get(r, ())), len(proxy.acknowledged.get(r, ()))) for r in range(21)],
            proxy.attempts,
        )
        sent_again = [len(keys) for keys in acknowledged_and_sent_again(proxy)]
        assert max(sent_again) <= bound, sent_again
        assert sum(sent_again) > 0, "no kill met an acknowledged batch before its commit"
    finally:
        proxy.stop()
        server.stop()
    # Without faults, so that boto3 can read all of it.
    server = VecloadServer(tmp_path / "second", "--data-dir", data)
    try:
        found = stored(server.client())
    finally:
        server.stop()
    assert len(found) == rows
    keys = pq.read_table(program.folder / "in.parquet")["id"].to_pylist()
    assert same_bits(np.stack([found[key]["data"] for key in keys]), vectors)


def start_up_seconds(program: Program) -> float:
    begin = time.monotonic()
    program.run("--version")
    return time.monotonic() - begin  # a sanitized build takes longer


def acknowledged_and_sent_again(proxy: CountingProxy) -> list[set[bytes]]:
    """For each run, the keys it sent although an earlier run had its answer for them. What is sent
    again within a run is a retry, and none of them."""
    known: set[bytes] = set()
    again = []
    for run in range(proxy.run + 1):
        again.append(proxy.sent.get(run, set()) & known)
        known |= proxy.acknowledged.get(run, set())
    return again


def test_a_finished_load_sends_nothing_again_until_restarted(
    program: Program, server: VecloadServer
) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(1000, DIMENSION))
    make_index(server.client(), DIMENSION)
    assert load(program).exit_code == 0
    again = load(program)
    assert again.exit_code == 0
    assert "complete since" in again.stderr and "--restart" in again.stderr
    assert (again.json["vectors_resumed"], again.json["requests"]) == (1000, 0)
    restarted = load(program, "--restart")
    assert (restarted.json["vectors_acknowledged"], restarted.json["requests"]) == (1000, 2)


def test_from_another_folder_it_is_the_same_load(program: Program, server: VecloadServer) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(1000, DIMENSION))
    make_index(server.client(), DIMENSION)
    assert load(program).exit_code == 0
    again = load(program, source=str(program.folder / "." / "in.parquet"))
    assert again.json["vectors_resumed"] == 1000, again.stderr


def test_rejects_are_kept_once_over_runs(program: Program, server: VecloadServer) -> None:
    vectors = random_vectors(4000, DIMENSION)
    vectors[::40] = np.nan
    write_vectors(program.folder / "in.parquet", vectors)
    make_index(server.client(), DIMENSION)
    journal = ("--journal", "job.journal")
    flags = (*journal, "--rate-vectors", "2000", "--batch-vectors", "10")
    committed = 0
    for _ in range(3):
        with program.start("load", "in.parquet", "--index", "bucket/index", *flags) as process:
            # A commit holds the file's name; before the first, the next run takes another.
            before, deadline = committed, time.monotonic() + 30
            while committed == before and process.poll() is None:
                assert time.monotonic() < deadline
                shown = program.run("journal", "show", "job.journal", "--output", "json")
                if shown.exit_code == 0:
                    committed = shown.json["rows_total"] - shown.json["rows_remaining"]
            process.kill()
    done = load(program, *journal)
    assert done.exit_code == 3, done.stderr
    assert done.json["vectors_rejected"] == 100
    rejects = sorted(program.folder.glob("*rejects*.jsonl"))
    assert len(rejects) == 1, "killed runs leave no empty files behind"
    lines = rejects[0].read_text().splitlines()
    assert len(lines) == len(set(lines)) == 100
    assert load(program, *journal).exit_code == 3, "complete, but with rejects"


def test_a_changed_file_and_another_index_are_noticed(
    program: Program, server: VecloadServer
) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(1000, DIMENSION))
    client = server.client()
    make_index(client, DIMENSION)
    assert load(program).exit_code == 0
    write_vectors(program.folder / "in.parquet", random_vectors(1500, DIMENSION))
    changed = load(program)
    assert changed.exit_code == 1
    assert "in.parquet" in changed.stderr and "--restart" in changed.stderr
    assert load(program, "--restart").exit_code == 0
    client.delete_index(vectorBucketName="bucket", indexName="index")
    create_index(client, DIMENSION)
    made_again = load(program)
    assert made_again.exit_code == 0
    assert "made again" in made_again.stderr
    assert made_again.json["vectors_acknowledged"] == 1500
    assert len(stored_keys(client)) == 1500


def test_two_loads_of_one_journal_do_not_run_at_once(
    program: Program, server: VecloadServer
) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(3000, DIMENSION))
    make_index(server.client(), DIMENSION)
    first = program.start("load", "in.parquet", "--index", "bucket/index", "--rate-vectors",
                          "500", "--journal", "job.journal")  # fmt: skip
    try:
        deadline = time.monotonic() + 20
        while not (program.folder / "job.journal").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        second = load(program, "--journal", "job.journal")
        assert second.exit_code == 1
        assert "job.journal" in second.stderr
    finally:
        first.kill()
        first.wait(timeout=10)


def test_journal_show_tells_how_far_it_is(program: Program, server: VecloadServer) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(1000, DIMENSION))
    make_index(server.client(), DIMENSION)
    assert load(program, "--journal", "job.journal").exit_code == 0
    text = program.run("journal", "show", "job.journal")
    assert text.exit_code == 0
    assert "complete since" in text.stdout and "in.parquet" in text.stdout
    shown = program.run("journal", "show", "job.journal", "--output", "json").json
    assert (shown["rows_total"], shown["vectors_acknowledged"]) == (1000, 1000)
    missing = program.run("journal", "show", "none.journal")
    assert missing.exit_code == 1
    assert "none.journal" in missing.stderr


def flip_bits(content: bytes) -> bytes:
    """One bit in each page, near its end, where SQLite puts what it stores."""
    flipped = bytearray(content)
    for at in range(4090, len(flipped), 4096):
        flipped[at] ^= 0x10
    return bytes(flipped)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda content: content[: len(content) // 2] + b"\xff" * (len(content) // 2), "damaged"),
        (flip_bits, "damaged"),
        (lambda content: content[:5000], "damaged"),
        (lambda _content: b"id,embedding\n1,2\n" * 1000, "no journal"),
    ],
    ids=["overwritten", "bits flipped", "cut short", "another file"],
)
def test_a_damaged_journal_is_refused_and_left_alone(
    program: Program, server: VecloadServer, damage: Callable[[bytes], bytes], words: str
) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(1000, DIMENSION))
    make_index(server.client(), DIMENSION)
    assert load(program, "--journal", "job.journal").exit_code == 0
    path = program.folder / "job.journal"
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    refused = load(program, "--journal", "job.journal")
    assert refused.exit_code == 1
    assert "job.journal" in refused.stderr and words in refused.stderr, refused.stderr
    assert path.read_bytes() == damaged


def test_another_jobs_journal_is_refused_and_left_alone(
    program: Program, server: VecloadServer
) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(1000, DIMENSION))
    client = server.client()
    make_index(client, DIMENSION)
    client.create_index(vectorBucketName="bucket", indexName="other", dataType="float32",
                        dimension=DIMENSION, distanceMetric="cosine")  # fmt: skip
    assert load(program, "--journal", "job.journal").exit_code == 0
    before = (program.folder / "job.journal").read_bytes()
    other = program.run("load", "in.parquet", "--index", "bucket/other", "--journal", "job.journal")
    assert other.exit_code == 1
    assert "job.journal" in other.stderr and "bucket/index" in other.stderr, other.stderr
    assert stored_keys(client, "bucket/other") == set()
    assert (program.folder / "job.journal").read_bytes() == before


def test_a_folder_that_holds_no_journal_is_told_before_the_job(
    program: Program, server: VecloadServer
) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(10, DIMENSION))
    make_index(server.client(), DIMENSION)
    (program.folder / "file").touch()
    by_flag = load(program, "--journal", "file/job.journal")
    assert by_flag.exit_code == 1
    assert "file/job.journal" in by_flag.stderr
    program.env["XDG_STATE_HOME"] = str(program.folder / "file")
    by_default = load(program)
    assert by_default.exit_code == 1
    assert str(program.folder / "file") in by_default.stderr
    assert stored_keys(server.client()) == set()


def test_a_disk_that_fills_up_under_the_journal(program: Program, server: VecloadServer) -> None:
    rows = 20_000
    write_vectors(program.folder / "in.parquet", random_vectors(rows, DIMENSION))
    make_index(server.client(), DIMENSION)

    def limit() -> None:
        # A little more than the journal of a new job; each commit adds to its log.
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    flags = ("--batch-vectors", "20", "--max-in-flight", "4", "--journal", "job.journal")
    stopped = load(program, *flags, preexec_fn=limit)
    assert stopped.exit_code == 4, (stopped.exit_code, stopped.stderr)
    assert "job.journal" in stopped.stderr and "cannot write the journal" in stopped.stderr
    assert_accounts(stopped.json)
    assert 0 < stopped.json["rows_remaining"] < rows
    done = load(program, *flags)
    assert done.exit_code == 0, done.stderr
    assert 0 < done.json["vectors_resumed"] <= stopped.json["vectors_acknowledged"]
    assert done.json["vectors_resumed"] + done.json["vectors_acknowledged"] == rows
    assert len(stored_keys(server.client())) == rows


def test_rejects_that_go_nowhere_turn_resuming_off(program: Program, server: VecloadServer) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(100, DIMENSION))
    make_index(server.client(), DIMENSION)
    for _ in range(2):
        done = load(program, "--rejects", "/dev/null")
        assert done.exit_code == 0
        assert "cannot be resumed" in done.stderr
        assert done.json["vectors_acknowledged"] == 100
