// Goal: the page finds its feed wherever it is served, and passes its token on.

import assert from "node:assert/strict";
import { test } from "node:test";

import { waitMs } from "../src/feed.ts";
import { whereAmI } from "../src/place.ts";

test("loader and server", () => {
  assert.deepEqual(whereAmI("/", ""), { page: "loader", events: "/events", query: "" });
  assert.deepEqual(whereAmI("/_dashboard", "?token=a%2Bb&x=1"), {
    page: "server",
    events: "/_dashboard/events?token=a%2Bb",
    query: "/_dashboard/query?token=a%2Bb",
  });
  assert.equal(whereAmI("/_dashboard/", "").events, "/_dashboard/events");
  assert.equal(whereAmI("/proxy/8080/", "").events, "/proxy/8080/events");
});

test("each attempt waits longer, up to a bound", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 100].map(waitMs),
    [500, 1000, 2000, 4000, 8000, 10_000, 10_000],
  );
});
