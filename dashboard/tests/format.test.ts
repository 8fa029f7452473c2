// Goal: numbers read the same everywhere, and never say more than is so.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as format from "../src/format.ts";

test("a percent is rounded down, so that 100 means all", () => {
  assert.equal(format.percent(199_999, 200_000), "99.9 %");
  assert.equal(format.percent(200_000, 200_000), "100.0 %");
  assert.equal(format.percent(0, 3), "0.0 %");
  assert.equal(format.percent(0, 0), "–");
});

test("durations have two units at most", () => {
  assert.equal(format.duration(0.4), "0 s");
  assert.equal(format.duration(59.4), "59 s");
  assert.equal(format.duration(59.6), "1 min 00 s");
  assert.equal(format.duration(3599.7), "1 h 00 min");
  assert.equal(format.duration(7503), "2 h 05 min");
  assert.equal(format.duration(5 * 86_400 + 3 * 3600), "5 d 3 h");
  assert.equal(format.duration(undefined), "–");
});

test("bytes, rates and milliseconds keep their places", () => {
  assert.equal(format.bytes(0), "0 B");
  assert.equal(format.bytes(1023), "1,023 B");
  assert.equal(format.bytes(1536), "1.5 KiB");
  assert.equal(format.bytes(3 * 2 ** 40), "3.0 TiB");
  assert.equal(format.rate(0), "0");
  assert.equal(format.rate(9.96), "10.0");
  assert.equal(format.rate(2500.4), "2,500");
  assert.equal(format.milliseconds(3.14), "3.1 ms");
  assert.equal(format.milliseconds(12_345), "12.3 s");
});

test("an axis is short", () => {
  assert.equal(format.axis(0), "0");
  assert.equal(format.axis(2500), "2.5k");
  assert.equal(format.axis(1_200_000), "1.2M");
  assert.equal(format.clock(75), "1:15");
  assert.equal(format.clock(3675), "1:01:15");
});
