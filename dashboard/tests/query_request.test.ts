// Goal: what the fields mean, and that each mistake is told at its own field.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FieldError, type Fields, requestOf } from "../src/query_request.ts";

const FIELDS: Fields = {
  index: "docs/a/b",
  by: "vector",
  vector: "[1, 2.5]",
  key: "",
  topK: "10",
  filter: "",
};

test("vector, key and filter", () => {
  assert.deepEqual(requestOf(FIELDS, 2), {
    bucket: "docs",
    index: "a/b",
    top_k: 10,
    vector: [1, 2.5],
  });
  assert.deepEqual(
    requestOf({ ...FIELDS, by: "key", key: "k 1", filter: '{"y": {"$gt": 1}}' }, 2),
    {
      bucket: "docs",
      index: "a/b",
      top_k: 10,
      key: "k 1",
      filter: { y: { $gt: 1 } },
    },
  );
});

const MISTAKES: [Partial<Fields>, keyof Fields, RegExp][] = [
  [{ index: "" }, "index", /Choose an index/],
  [{ vector: "[1," }, "vector", /not JSON/],
  [{ vector: '["1", 2]' }, "vector", /array of numbers/],
  [{ vector: "[1]" }, "vector", /has 1 numbers, the index's dimension is 2/],
  [{ by: "key" }, "key", /Enter the key/],
  [{ topK: "0" }, "topK", /whole number/],
  [{ topK: "2.5" }, "topK", /whole number/],
  [{ filter: "[]" }, "filter", /JSON object/],
];

for (const [change, field, message] of MISTAKES) {
  test(`a mistake in ${field}: ${JSON.stringify(change)}`, () => {
    assert.throws(
      () => requestOf({ ...FIELDS, ...change }, 2),
      (error) =>
        error instanceof FieldError && error.field === field && message.test(error.message),
    );
  });
}
