// The charts of a job: rate against limit, latency, and what the service pushes back with.

import { Chart } from "./chart.ts";
import type { Point } from "./events.ts";
import { count, milliseconds, rate } from "./format.ts";
import { perSecond } from "./series.ts";

export class JobCharts {
  readonly rate = new Chart("Rate", "vectors/s", [
    { name: "Acknowledged", colour: "--line-1", filled: true, width: 2, text: rate },
    { name: "Pacer's limit", colour: "--line-2", dash: [6, 4], text: rate },
    { name: "Allowed", colour: "--line-3", dash: [2, 3], text: rate },
  ]);
  readonly latency = new Chart("Latency", "ms", [
    { name: "p50", colour: "--line-1", width: 2, text: milliseconds },
    { name: "p95", colour: "--line-4", dash: [6, 4], text: milliseconds },
    { name: "p99", colour: "--line-5", dash: [2, 3], text: milliseconds },
  ]);
  readonly pressure = new Chart("In flight and throttled", "requests", [
    { name: "In flight", colour: "--line-1", filled: true, text: count },
    { name: "429s per second (right)", colour: "--line-5", dash: [6, 4], right: true, text: rate },
  ]);

  set(points: Point[]): void {
    const times = points.map((point) => point.elapsed_s);
    // 0 says that there is no limit, which is no line at the bottom.
    const limit = (value: number) => (value > 0 ? value : null);
    this.rate.set(times, [
      points.map((point) => point.vectors_per_s),
      points.map((point) => limit(point.rate_vectors_per_s)),
      points.map((point) => limit(point.limit_vectors_per_s)),
    ]);
    const latency = (name: "p50" | "p95" | "p99") =>
      points.map((point) => (point.p99 > 0 ? point[name] : null));
    this.latency.set(times, [latency("p50"), latency("p95"), latency("p99")]);
    const throttled = points.map((point) => point.throttled);
    this.pressure.set(times, [points.map((point) => point.in_flight), perSecond(times, throttled)]);
  }
}
