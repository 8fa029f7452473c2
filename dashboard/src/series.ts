// The points of the charts: a whole job within a bound, however long it is.

import type { Point, Progress } from "./events.ts";

/** Twice the program's own history: more than a chart has pixels for. */
export const POINTS_MAX = 1200;

export function pointOf(progress: Progress): Point {
  return {
    elapsed_s: progress.elapsed_s,
    vectors_per_s: progress.vectors_per_s,
    rate_vectors_per_s: progress.rate_vectors_per_s,
    limit_vectors_per_s: progress.limit_vectors_per_s,
    ...progress.latency_ms,
    in_flight: progress.in_flight,
    throttled: progress.throttled,
    rejected: progress.vectors_rejected,
    bottleneck: progress.bottleneck,
  };
}

// The later one's counts and words, and the worse latency: a peak must not vanish.
function merged(a: Point, b: Point): Point {
  return {
    ...b,
    vectors_per_s: (a.vectors_per_s + b.vectors_per_s) / 2,
    rate_vectors_per_s: (a.rate_vectors_per_s + b.rate_vectors_per_s) / 2,
    p50: Math.max(a.p50, b.p50),
    p95: Math.max(a.p95, b.p95),
    p99: Math.max(a.p99, b.p99),
    in_flight: Math.max(a.in_flight, b.in_flight),
  };
}

/** Halves the number of points, each pair becoming one. */
export function thinned(points: Point[]): Point[] {
  const half: Point[] = [];
  for (let i = 0; i + 1 < points.length; i += 2) half.push(merged(points[i]!, points[i + 1]!));
  if (points.length % 2 === 1) half.push(points[points.length - 1]!);
  return half;
}

export class Series {
  points: Point[] = [];
  #spacing_s = 0;

  /** What the program remembers replaces what the page saw: it has no gaps. */
  replace(points: Point[]): void {
    this.points = points.filter((point) => Number.isFinite(point.elapsed_s));
    this.#spacing_s = 0;
    this.#bound();
  }

  add(point: Point): void {
    const last = this.points.at(-1);
    if (last !== undefined && point.elapsed_s < last.elapsed_s) {
      this.points = []; // another job
      this.#spacing_s = 0;
    } else if (last !== undefined && point.elapsed_s === last.elapsed_s) {
      this.points.pop();
    }
    const before = this.points.at(-2);
    const newest = this.points.at(-1);
    // Old points stand further apart after thinning; so do new ones then, or the last minutes
    // would crowd out the rest.
    if (before && newest && newest.elapsed_s - before.elapsed_s < this.#spacing_s * 0.75) {
      this.points.pop();
      this.points.push(merged(newest, point));
    } else {
      this.points.push(point);
    }
    this.#bound();
  }

  /** The points of the last `seconds`, or all. */
  last(seconds: number | undefined): Point[] {
    const end = this.points.at(-1)?.elapsed_s ?? 0;
    if (seconds === undefined || end <= seconds) return this.points;
    return this.points.filter((point) => point.elapsed_s >= end - seconds);
  }

  #bound(): void {
    while (this.points.length > POINTS_MAX) {
      this.points = thinned(this.points);
      const first = this.points[0]!.elapsed_s;
      this.#spacing_s = (this.points.at(-1)!.elapsed_s - first) / (this.points.length - 1);
    }
  }
}

/** What was counted between each point and the one before it, per second. */
export function perSecond(times: number[], counts: (number | null)[]): (number | null)[] {
  return counts.map((value, i) => {
    const before = i === 0 ? undefined : counts[i - 1];
    const passed = i === 0 ? 0 : times[i]! - times[i - 1]!;
    if (value === null || before === null || before === undefined || passed <= 0) return null;
    return Math.max(0, value - before) / passed;
  });
}

export interface Segment {
  bottleneck: string;
  begin_s: number;
  end_s: number;
}

/** Neighbours of one bottleneck as one piece, in at most `pieces` equal steps of time. */
export function segments(points: Point[], pieces: number): Segment[] {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || last.elapsed_s <= first.elapsed_s) return [];
  const step_s = (last.elapsed_s - first.elapsed_s) / pieces;
  const steps: Map<string, number>[] = Array.from({ length: pieces }, () => new Map());
  for (let i = 1; i < points.length; ++i) {
    const { elapsed_s, bottleneck } = points[i]!;
    const begin_s = points[i - 1]!.elapsed_s - first.elapsed_s;
    const end_s = elapsed_s - first.elapsed_s;
    for (let at = Math.floor(begin_s / step_s); at < pieces && at * step_s < end_s; ++at) {
      const held_s = Math.min(end_s, (at + 1) * step_s) - Math.max(begin_s, at * step_s);
      const step = steps[at]!;
      step.set(bottleneck, (step.get(bottleneck) ?? 0) + held_s);
    }
  }
  const out: Segment[] = [];
  steps.forEach((step, at) => {
    const longest = [...step].sort((a, b) => b[1] - a[1])[0];
    if (!longest) return;
    const before = out.at(-1);
    const end_s = first.elapsed_s + (at + 1) * step_s;
    if (before?.bottleneck === longest[0]) before.end_s = end_s;
    else out.push({ bottleneck: longest[0], begin_s: end_s - step_s, end_s });
  });
  return out;
}

/** How much of the time each bottleneck held, from 0 to 1, the longest first. */
export function shares(points: Point[]): [string, number][] {
  const held = new Map<string, number>();
  let all_s = 0;
  for (let i = 1; i < points.length; ++i) {
    const passed_s = points[i]!.elapsed_s - points[i - 1]!.elapsed_s;
    const name = points[i]!.bottleneck;
    held.set(name, (held.get(name) ?? 0) + passed_s);
    all_s += passed_s;
  }
  if (all_s <= 0) return [];
  return [...held]
    .map(([name, s]): [string, number] => [name, s / all_s])
    .sort((a, b) => b[1] - a[1]);
}
