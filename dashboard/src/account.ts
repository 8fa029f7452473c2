// The account of a job that ended, in the words of the report.

import { el, newId, setHidden, setText } from "./dom.ts";
import type { Report } from "./events.ts";
import { bytes, count, duration, milliseconds, rate } from "./format.ts";
import { bottleneck } from "./words.ts";

type Line = [name: string, field: string, value: string];

function rows(r: Report): Line[] {
  return [
    ["Rows", "rows_total", count(r.rows_total)],
    ["Acknowledged", "vectors_acknowledged", count(r.vectors_acknowledged)],
    ["Resumed", "vectors_resumed", count(r.vectors_resumed)],
    ["Superseded", "vectors_superseded", count(r.vectors_superseded)],
    ["Rejected", "vectors_rejected", count(r.vectors_rejected)],
    ["Remaining", "rows_remaining", count(r.rows_remaining)],
  ];
}

function requests(r: Report): Line[] {
  return [
    ["Requests", "requests", count(r.requests)],
    ["Attempts", "attempts", count(r.attempts)],
    ["Throttled", "throttled", count(r.throttled)],
    ["Sent", "bytes_sent", bytes(r.bytes_sent)],
    ["Latency p50", "p50", milliseconds(r.put_latency_ms.p50)],
    ["Latency p95", "p95", milliseconds(r.put_latency_ms.p95)],
    ["Latency p99", "p99", milliseconds(r.put_latency_ms.p99)],
  ];
}

function costs(r: Report): Line[] {
  const projected: Line[] =
    r.projected_1b_s > 0
      ? [["A billion at this rate", "projected_1b_s", duration(r.projected_1b_s)]]
      : [];
  return [
    ["Time", "wall_s", duration(r.wall_s)],
    ["Vectors/s", "vectors_per_s", rate(r.vectors_per_s)],
    ["CPU a vector", "cpu_us_per_vector", `${r.cpu_us_per_vector.toFixed(1)} µs`],
    ["Memory at most", "rss_bytes_max", bytes(r.rss_bytes_max)],
    ["Held back by", "bottleneck", bottleneck(r.bottleneck).name],
    ...projected,
  ];
}

function list(lines: Line[]): HTMLElement {
  const items = lines.map(([name, field, value]) =>
    el("div", { "data-report": field }, el("dt", {}, name), el("dd", {}, value)),
  );
  return el("dl", { class: "account" }, ...items);
}

export class AccountView {
  readonly #verdict = el("p", { class: "verdict" });
  readonly #lists = el("div", { class: "accounts" });
  readonly #heading = el("h2", { id: newId("heading") }, "Report");
  readonly element = el(
    "section",
    { class: "card report", "aria-labelledby": this.#heading.id, hidden: true },
    this.#heading,
    this.#verdict,
    this.#lists,
  );

  show(report: Report): void {
    const words: string[] = [];
    if (report.error) words.push(report.error.message);
    if (report.rejects) words.push(`Rejected rows are in ${report.rejects}.`);
    if (report.status === "stopped" && report.journal) {
      words.push(`The same command again resumes from ${report.journal}.`);
    }
    setText(this.#verdict, words.join(" "));
    setHidden(this.#verdict, words.length === 0);
    this.#lists.replaceChildren(list(rows(report)), list(requests(report)), list(costs(report)));
    setHidden(this.element, false);
  }
}
