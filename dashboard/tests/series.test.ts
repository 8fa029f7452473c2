// Goal: a job of days stays within the bound, keeps its whole length and its peaks, and nothing
// is drawn where nothing was seen.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Point } from "../src/events.ts";
import { perSecond, POINTS_MAX, segments, Series, shares, thinned } from "../src/series.ts";

function point(elapsed_s: number, more: Partial<Point> = {}): Point {
  return {
    elapsed_s,
    vectors_per_s: 100,
    rate_vectors_per_s: 200,
    limit_vectors_per_s: 2500,
    p50: 5,
    p95: 9,
    p99: 20,
    in_flight: 4,
    throttled: 0,
    rejected: 0,
    bottleneck: "service_limit",
    ...more,
  };
}

test("two days at two points a second stay within the bound and evenly spread", () => {
  const series = new Series();
  const end_s = 2 * 86_400;
  for (let s = 0; s <= end_s; s += 0.5) series.add(point(s));
  const times = series.points.map((p) => p.elapsed_s);
  assert.ok(times.length <= POINTS_MAX && times.length >= POINTS_MAX / 2 - 1, `${times.length}`);
  assert.equal(times.at(-1), end_s);
  assert.ok(times[0]! < end_s / 200);
  const gaps = times.slice(1).map((t, i) => t - times[i]!);
  // The last one is still growing.
  assert.ok(
    Math.max(...gaps) / Math.min(...gaps.slice(0, -1)) < 4,
    `${Math.min(...gaps)} ${Math.max(...gaps)}`,
  );
});

test("thinning keeps the worst latency and the last count", () => {
  const [one] = thinned([point(1, { p99: 900, throttled: 1 }), point(2, { p99: 3, throttled: 5 })]);
  assert.equal(one!.p99, 900);
  assert.equal(one!.throttled, 5);
  assert.equal(one!.elapsed_s, 2);
});

test("the program's history replaces what was seen, and goes on", () => {
  const series = new Series();
  series.add(point(50));
  series.replace([point(1), point(2), point(3)]);
  series.add(point(3, { vectors_per_s: 7 }));
  assert.deepEqual(
    series.points.map((p) => p.elapsed_s),
    [1, 2, 3],
  );
  assert.equal(series.points.at(-1)!.vectors_per_s, 7);
});

test("time that runs backwards is another job", () => {
  const series = new Series();
  series.add(point(50));
  series.add(point(1));
  assert.deepEqual(
    series.points.map((p) => p.elapsed_s),
    [1],
  );
});

test("the range is of the last seconds", () => {
  const series = new Series();
  for (let s = 0; s <= 100; ++s) series.add(point(s));
  assert.equal(series.last(10).length, 11);
  assert.equal(series.last(undefined).length, 101);
});

test("a rate needs two counts; across a gap there is none", () => {
  assert.deepEqual(perSecond([0, 1, 3], [10, 20, 60]), [null, 10, 20]);
  assert.deepEqual(perSecond([0, 1, 2, 3], [10, null, 30, 50]), [null, null, null, 20]);
  assert.deepEqual(perSecond([0, 1], [10, 4]), [null, 0]);
});

test("the band is of the bottleneck that held longest in each step", () => {
  const points = [
    point(0),
    point(10, { bottleneck: "client_cpu" }),
    point(11, { bottleneck: "network" }),
    point(20, { bottleneck: "client_cpu" }),
    point(40),
  ];
  const band = segments(points, 4);
  assert.deepEqual(
    band.map((s) => [s.bottleneck, s.begin_s, s.end_s]),
    [
      ["client_cpu", 0, 20],
      ["service_limit", 20, 40],
    ],
  );
  assert.deepEqual(segments([point(1)], 4), []);
  const [first, second] = shares(points);
  assert.deepEqual(first, ["service_limit", 0.5]);
  assert.deepEqual(second, ["client_cpu", 0.475]);
});
