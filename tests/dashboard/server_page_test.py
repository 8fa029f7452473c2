"""Goal: the server's page shows what it serves, and its query box asks what is typed into it.

Method: real Chromium; a stand-in plays the events and answers queries. The real server is in
real_program_test.py.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import stand_in
from stand_in import HOSTILE, StandIn
from views import (
    NOTHING,
    OpenPage,
    expect,
    expect_accessible,
    expect_no_sideways_scroll,
    field,
    rows,
    state,
    wait_for_drawn,
)

NEIGHBOURS = [
    {
        "key": f"doc-{i}",
        "distance": i / 64,
        "metadata": {"title": f"Paragraph {i}", "year": 2000 + i},
    }
    for i in range(5)
]


@pytest.fixture
def server() -> Iterator[StandIn]:
    playing = StandIn([("server", stand_in.server(100))])
    yield playing
    playing.stop()


def test_figures_and_rates(server: StandIn, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/_dashboard")
    expect(state(page)).to_have_text("Serving")
    expect(field(page, "requests_per_s")).to_have_text(NOTHING)  # one count is no rate
    before = stand_in.server(100)
    requests = before["requests"] | {"PutVectors": before["requests"]["PutVectors"] + 40}
    later = stand_in.server(102, requests=requests, errors={"404": 2, "503": 9})
    server.send("server", later | {"vectors_put": before["vectors_put"] + 20_000})
    expect(field(page, "requests_per_s")).to_have_text("20")
    expect(field(page, "vectors_per_s")).to_have_text("10,000")
    expect(field(page, "errors")).to_have_text("11")
    expect(field(page, "uptime_s")).to_have_text("1 min 42 s")
    expect(rows(page, "Requests by operation").first).to_contain_text("PutVectors")
    expect(rows(page, "Errors by HTTP status").last).to_contain_text("503 service unavailable")
    expect(rows(page, "Buckets and indexes")).to_have_count(3)


def test_indexes_are_filtered_and_sorted(server: StandIn, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/_dashboard")
    table = rows(page, "Buckets and indexes")
    expect(table).to_have_count(3)
    page.get_by_role("button", name="Vectors", exact=True).click()
    expect(table.first).to_contain_text("images")
    page.get_by_label("Filter", exact=True).first.fill("TITL")
    expect(table).to_have_count(1)
    expect(page.get_by_text("1 of 3 indexes")).to_be_visible()
    server.send("server", stand_in.server(101))
    expect(field(page, "uptime_s")).to_have_text("1 min 41 s")
    expect(table).to_have_count(1)


def test_a_query_by_key_with_a_filter(server: StandIn, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/_dashboard?token=s%2B1")
    server.query_answer = (200, {"took_ms": 1.26, "vectors": NEIGHBOURS})
    page.get_by_role("button", name="Query articles/titles").click()
    expect(page.get_by_label("Key", exact=True)).to_be_focused()
    page.keyboard.type("doc-9")
    page.get_by_label("Neighbours", exact=True).fill("5")
    page.locator("textarea[name=filter]").fill('{"year": {"$gte": 2000}}')
    page.get_by_role("button", name="Find neighbours").click()
    expect(page.get_by_text("5 neighbours in 1.3 ms")).to_be_visible()
    expect(rows(page, "Nearest neighbours").nth(1)).to_have_text(
        '2doc-10.015625{"title":"Paragraph 1","year":2001}'
    )
    assert server.queries == [
        {
            "path": "/_dashboard/query?token=s%2B1",
            "bucket": "articles",
            "index": "titles",
            "top_k": 5,
            "key": "doc-9",
            "filter": {"year": {"$gte": 2000}},
        }
    ]


def test_a_query_by_vector(server: StandIn, open_page: OpenPage) -> None:
    server.opening = [("server", stand_in.server(100, buckets=[_bucket(2)], indexes_total=1))]
    page = open_page(f"{server.url}/_dashboard")
    page.get_by_label("a vector").check()
    page.get_by_label("Vector", exact=True).fill("[0.5, -1e-3]")
    page.get_by_role("button", name="Find neighbours").click()
    expect(page.get_by_text("0 neighbours in 0.4 ms")).to_be_visible()
    assert server.queries[0]["vector"] == [0.5, -0.001]
    assert "key" not in server.queries[0]


def test_a_mistake_is_told_at_its_field_and_not_sent(server: StandIn, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/_dashboard")
    page.get_by_label("a vector").check()
    vector = page.get_by_label("Vector", exact=True)
    vector.fill("[1, 2]")
    page.get_by_role("button", name="Find neighbours").click()
    expect(page.get_by_role("alert")).to_have_text(
        "The vector has 2 numbers, the index's dimension is 1024."
    )
    expect(vector).to_be_focused()
    expect(vector).to_have_attribute("aria-invalid", "true")
    assert server.queries == []


def test_what_the_server_refuses_is_told_plainly(server: StandIn, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/_dashboard", may_fail=True)
    page.get_by_label("Key", exact=True).fill("no such")
    for status, answer, words in [
        (404, {"error": f"the index has no key '{HOSTILE}'"}, f"the index has no key '{HOSTILE}'"),
        (500, "not an object", "The server answered 500."),
    ]:
        server.query_answer = (status, answer)
        page.get_by_role("button", name="Find neighbours").click()
        expect(page.get_by_role("alert")).to_have_text(words)
    assert page.evaluate("window.hurt") is None


def test_text_from_data_is_text(server: StandIn, open_page: OpenPage) -> None:
    vectors = [{"key": HOSTILE, "distance": 0.5, "metadata": {HOSTILE: [HOSTILE]}}]
    server.query_answer = (200, {"took_ms": 1, "vectors": vectors})
    bucket = _bucket(2) | {"name": HOSTILE}
    server.opening = [("server", stand_in.server(100, buckets=[bucket], region=HOSTILE))]
    page = open_page(f"{server.url}/_dashboard")
    expect(rows(page, "Buckets and indexes").locator("th")).to_have_text(HOSTILE)
    page.get_by_label("Key", exact=True).fill("k")
    page.get_by_role("button", name="Find neighbours").click()
    expect(rows(page, "Nearest neighbours").locator("td").first).to_have_text(HOSTILE)
    expect(rows(page, "Nearest neighbours").locator("td").last).to_contain_text("<script>")
    assert page.locator("img").count() == 0
    assert page.evaluate("window.hurt") is None


def test_a_lost_connection_leaves_a_gap(server: StandIn, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/_dashboard", may_fail=True)
    expect(state(page)).to_have_text("Serving")
    server.send("server", stand_in.server(101))
    expect(field(page, "requests_per_s")).not_to_have_text(NOTHING)
    server.go_down()
    expect(state(page)).to_have_text("Connection lost")
    page.evaluate("""() => {
        window.shown = [];
        const value = document.querySelector('[data-field=requests_per_s] dd');
        new MutationObserver(() => window.shown.push(value.textContent))
            .observe(value, {childList: true, characterData: true, subtree: true});
    }""")
    server.opening = [("server", stand_in.server(160))]
    server.come_back()
    expect(field(page, "uptime_s")).to_have_text("2 min 40 s")
    # Not, for a moment even, the mean over a minute that nobody saw.
    assert page.evaluate("window.shown") == [NOTHING]
    server.send("server", stand_in.server(161))
    expect(field(page, "requests_per_s")).not_to_have_text(NOTHING)


def test_a_thousand_indexes_of_more(server: StandIn, open_page: OpenPage) -> None:
    one = {"dimension": 8, "metric": "cosine", "vectors": 5}
    indexes = [{"name": f"index-{i}", **one} for i in range(1000)]
    bucket = {"name": "many", "indexes": indexes}
    server.opening = [("server", stand_in.server(5, buckets=[bucket], indexes_total=4_321))]
    page = open_page(f"{server.url}/_dashboard")
    expect(rows(page, "Buckets and indexes")).to_have_count(1000)
    expect(page.get_by_text("1,000 of 4,321 indexes, 1,000 of them listed")).to_be_visible()
    page.get_by_label("Index", exact=True).select_option("many/index-700")
    server.send("server", stand_in.server(6, buckets=[bucket], indexes_total=4_321))
    expect(field(page, "uptime_s")).to_have_text("6 s")
    expect(page.get_by_label("Index", exact=True)).to_have_value("many/index-700")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(
    server: StandIn, open_page: OpenPage, axe: str, screenshots: Path, scheme: str
) -> None:
    server.query_answer = (200, {"took_ms": 1.26, "vectors": NEIGHBOURS})
    page = open_page(f"{server.url}/_dashboard", color_scheme=scheme)
    expect(state(page)).to_have_text("Serving")
    for uptime_s in range(101, 160):
        server.send("server", stand_in.server(uptime_s))
    page.get_by_label("Key", exact=True).fill("doc-9")
    page.get_by_role("button", name="Find neighbours").click()
    expect(rows(page, "Nearest neighbours")).to_have_count(5)
    expect(field(page, "uptime_s")).to_have_text("2 min 39 s")
    wait_for_drawn(page)
    expect_accessible(page, axe, f"server, {scheme}")
    page.screenshot(path=screenshots / f"server-{scheme}.png", full_page=True)


def test_a_phone_shows_it_without_sideways_scrolling(
    server: StandIn, open_page: OpenPage, screenshots: Path
) -> None:
    vectors = [{"key": "k" * 200, "distance": 0.5, "metadata": {"text": "y" * 400}}]
    server.query_answer = (200, {"took_ms": 1, "vectors": vectors})
    page = open_page(f"{server.url}/_dashboard", viewport={"width": 360, "height": 800})
    page.get_by_label("Key", exact=True).fill("k")
    page.get_by_role("button", name="Find neighbours").click()
    expect(rows(page, "Nearest neighbours")).to_have_count(1)
    expect_no_sideways_scroll(page)
    wait_for_drawn(page)
    page.screenshot(path=screenshots / "server-phone.png", full_page=True)


def _bucket(dimension: int) -> dict[str, object]:
    index = {"name": "small", "dimension": dimension, "metric": "cosine", "vectors": 9}
    return {"name": "articles", "indexes": [index]}
