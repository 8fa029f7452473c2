"""Goal: who watches a job or a server sees it truly and costs it nothing; nobody else may look.

Method: the real binary; http.client and plain sockets are the watchers, also such as never read.
"""

import http.client
import json
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.program import ACCESS_KEY, SECRET_KEY, Program
from support.servers import VecloadServer
from support.vectors import make_index, random_vectors, write_vectors

Event = tuple[str, Any]


def events_of(reply: http.client.HTTPResponse) -> Iterator[Event]:
    """The events as the HTML standard reads them."""
    name, data = "", ""
    for raw in reply:
        line = raw.decode().rstrip("\n")
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data += value
        elif line == "" and name:
            yield name, json.loads(data)
            name, data = "", ""


def ask(url: str, path: str, method: str = "GET", body: Any = None, **headers: str) -> Any:
    """An answer with its body read, unless it streams."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    text = None if body is None else json.dumps(body)
    connection.request(method, path, body=text, headers=headers)
    return connection.getresponse()


class Load:
    """A load with a dashboard that lasts some seconds."""

    def __init__(self, program: Program, source: str, index: str, *flags: str) -> None:
        self.process = program.start("load", source, "--index", index, "--dashboard", "0",
                                     "--progress", "none", "--output", "json", *flags)  # fmt: skip
        assert self.process.stderr is not None
        found = None
        while found is None:
            line = self.process.stderr.readline()
            assert line, "ended without an address"
            found = re.search(r"dashboard at (http://127\.0\.0\.1:\d+)/", line)
        self.url = found[1]

    def report(self) -> dict[str, Any]:
        stdout, stderr = self.process.communicate(timeout=60)
        assert self.process.returncode in (0, 3), stderr
        return dict(json.loads(stdout))


@pytest.fixture
def start_load(program: Program, server: VecloadServer) -> Iterator[Callable[..., Load]]:
    loads: list[Load] = []
    write_vectors(program.folder / "in.parquet", random_vectors(6_000, 4))
    index = make_index(server.client(), 4)

    def start(*flags: str, source: str = "in.parquet") -> Load:
        loads.append(Load(program, source, index, "--rate-vectors", "2000", *flags))
        return loads[-1]

    yield start
    for load in loads:
        load.process.kill()
        load.process.wait()


def test_the_events_tell_the_job_from_begin_to_end(start_load: Callable[..., Load]) -> None:
    load = start_load()
    reply = ask(load.url, "/events")
    assert reply.getheader("Content-Type") == "text/event-stream"
    events = list(events_of(reply))
    report = load.report()
    assert [name for name, _ in events[:2]] == ["job", "history"]
    job = events[0][1]
    assert job["kind"] == "load"
    assert job["sources"] == ["in.parquet"]
    assert job["index"] == report["index"]
    done = [data["rows_done"] for name, data in events if name == "progress"]
    assert len(done) >= 3
    assert done == sorted(done)
    assert done[-1] == 6_000
    assert any(name == "detail" for name, _ in events)
    assert events[-1] == ("report", report)


def test_fifty_watchers_and_one_that_never_reads(start_load: Callable[..., Load]) -> None:
    load = start_load()
    place = urlsplit(load.url)
    stalled = socket.create_connection((place.hostname, place.port))
    stalled.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    gone = socket.create_connection((place.hostname, place.port))
    gone.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    gone.recv(100)
    gone.close()
    last: list[Event] = []

    def watch() -> None:
        last.append(list(events_of(ask(load.url, "/events")))[-1])

    watchers = [threading.Thread(target=watch) for _ in range(50)]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join(timeout=60)
    report = load.report()
    stalled.close()
    assert last == [("report", report)] * 50
    assert report["vectors_acknowledged"] == 6_000
    # 6,000 vectors at 2,000 vectors/s and what the limit lets through at the begin.
    assert report["wall_s"] < 10
    assert report["rss_bytes_max"] < 400e6


def test_a_page_of_another_place_gets_nothing(start_load: Callable[..., Load]) -> None:
    load = start_load()
    host = urlsplit(load.url).netloc
    for path in ("/", "/events"):
        for headers in (
            {"Host": "evil.example"},
            {"Host": f"127.0.0.1.evil.example:{host.split(':')[1]}"},
            {"Host": host, "Origin": "https://evil.example"},
            {"Host": host, "Origin": "null"},
            {"Host": host, "Origin": f"http://{host}0"},
        ):
            reply = ask(load.url, path, **headers)
            assert (reply.status, b"vecload</title>" in reply.read()) == (403, False), headers
    for headers in ({"Host": host}, {"Host": f"localhost:{host.split(':')[1]}"},
                    {"Host": host, "Origin": f"http://{host}"}):  # fmt: skip
        page = ask(load.url, "/", **headers)
        assert page.status == 200
        assert b"<title>" in page.read()
        policy = page.getheader("Content-Security-Policy")
        assert "default-src 'none'" in policy
    assert ask(load.url, "/", "POST").status == 405
    assert ask(load.url, "/other").status == 404


def test_what_comes_from_data_cannot_end_an_event(
    program: Program, start_load: Callable[..., Load]
) -> None:
    name = "</script><script>alert(1)<br>\n\nevent: report\ndata: {}.parquet"
    safe = name.replace("/", "\u2215")  # which no file's name may have
    vectors = random_vectors(3_000, 4)
    table = pa.table({"id": [f"</script>{i}" for i in range(3_000)],
                      "embedding": pa.array(vectors.tolist(), pa.list_(pa.float32()))})  # fmt: skip
    pq.write_table(table, program.folder / safe)
    load = start_load("--key-column", "id", source=f"./{safe}")
    events = list(events_of(ask(load.url, "/events")))
    assert events[0][1]["sources"] == [f"./{safe}"]
    assert [name for name, _ in events].count("report") == 1
    assert events[-1] == ("report", load.report())


def test_a_port_that_is_taken_is_said_before_the_job_begins(
    program: Program, server: VecloadServer
) -> None:
    write_vectors(program.folder / "in.parquet", random_vectors(10, 4))
    index = make_index(server.client(), 4)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        outcome = program.run("load", "in.parquet", "--index", index, "--dashboard", port)
    assert outcome.returncode == 1
    assert f"--dashboard: cannot listen on 127.0.0.1:{port}" in outcome.stderr


def first_event(url: str, path: str = "/_dashboard/events") -> Any:
    reply = ask(url, path)
    assert reply.status == 200
    name, data = next(events_of(reply))
    reply.close()
    assert name == "server"
    return data


def test_the_server_tells_what_it_holds_and_did(server: VecloadServer) -> None:
    client = server.client()
    make_index(client, 4)
    vectors = [{"key": f"k{i}", "data": {"float32": [1, i, 0, 0]}} for i in range(10)]
    where = {"vectorBucketName": "bucket", "indexName": "index"}
    client.put_vectors(**where, vectors=vectors)

    def held() -> int:
        state = first_event(server.url)
        return int(state["buckets"][0]["indexes"][0]["vectors"])

    assert held() == 10
    client.put_vectors(**where, vectors=vectors[:5])  # replaces
    client.delete_vectors(**where, keys=["k0", "absent"])
    with pytest.raises(client.exceptions.NotFoundException):
        client.get_index(vectorBucketName=where["vectorBucketName"], indexName="absent")
    events = events_of(ask(server.url, "/_dashboard/events"))
    state = next(data for _, data in events if data["requests"]["PutVectors"] == 2)
    assert state["buckets"][0]["indexes"] == [
        {"name": "index", "dimension": 4, "metric": "cosine", "vectors": 9}
    ]
    assert state["vectors_put"] == 15
    assert state["requests"]["DeleteVectors"] == 1
    assert state["errors"] == {"404": 1}
    assert not [name for name in state["requests"] if "dashboard" in name or name == "unknown"]


def test_the_query_box_answers_as_boto3_does(server: VecloadServer) -> None:
    client = server.client()
    make_index(client, 4)
    where = {"vectorBucketName": "bucket", "indexName": "index"}
    client.put_vectors(**where, vectors=[
        {"key": f"<b>{i}", "data": {"float32": [1, i, 0, 0]}, "metadata": {"n": i}}
        for i in range(20)])  # fmt: skip
    query = {"bucket": "bucket", "index": "index", "top_k": 5}

    def answer(**members: Any) -> Any:
        reply = ask(server.url, "/_dashboard/query", "POST", query | members)
        return reply.status, json.loads(reply.read())

    status, found = answer(vector=[1, 3, 0, 0], filter={"n": {"$gt": 2}})
    expected = client.query_vectors(**where, topK=5, queryVector={"float32": [1, 3, 0, 0]},
                                    filter={"n": {"$gt": 2}}, returnDistance=True,
                                    returnMetadata=True)["vectors"]  # fmt: skip
    assert (status, found["vectors"]) == (200, expected)
    status, by_key = answer(key="<b>3")
    assert status == 200
    assert len(by_key["vectors"]) == 5
    assert "<b>3" not in [match["key"] for match in by_key["vectors"]]
    for members, expected_status in (
        ({"key": "absent"}, 404), ({"vector": [1]}, 400), ({}, 400),
        ({"key": "a", "top_k": 0}, 400),
        ({"vector": [1, 2, 3, 4], "index": "absent"}, 404),
        ({"vector": [1, 2, 3, 4], "filter": {"$no": 1}}, 400),
    ):  # fmt: skip
        status, said = answer(**members)
        assert (status, type(said["error"])) == (expected_status, str), members
    foreign = ask(server.url, "/_dashboard/query", "POST", query, Origin="https://evil.example")
    assert foreign.status == 403


def test_where_there_are_keys_the_page_needs_its_token(
    start_server: Callable[..., VecloadServer], tmp_path: Any
) -> None:
    server = start_server("--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY)
    log = "".join(path.read_text() for path in tmp_path.rglob("*.log"))
    token = re.search(r"/_dashboard\?token=([0-9a-f]{32})\n", log)
    assert token, log
    for path in ("", "/events", "/query"):
        for query in ("", "?token=", "?token=" + "0" * 32, f"?token={token[1]}0"):
            assert ask(server.url, f"/_dashboard{path}{query}").status == 403
    assert ask(server.url, f"/_dashboard?token={token[1]}").status == 200
    state = first_event(server.url, f"/_dashboard/events?token={token[1]}")
    assert state["keys_required"] is True


def test_faults_and_flags(start_server: Callable[..., VecloadServer]) -> None:
    struck = start_server("--faults", "seed=1,http503=1")
    assert [ask(struck.url, "/_dashboard").status for _ in range(5)] == [200] * 5
    without = start_server("--no-dashboard")
    assert ask(without.url, "/_dashboard").status == 404


def test_a_stop_does_not_wait_for_watchers(server: VecloadServer) -> None:
    reply = ask(server.url, "/_dashboard/events")
    next(events_of(reply))
    try:
        assert server.stop() == 0
    except subprocess.TimeoutExpired:
        pytest.fail("the server waited for its watcher")
