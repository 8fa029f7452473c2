// The large figures of a job: while it runs those of its progress, then those of its report.

import { Bar, el, setText } from "./dom.ts";
import type { Progress, Report } from "./events.ts";
import { bytes, count, duration, NOTHING, percent, rate, share } from "./format.ts";
import { Figure } from "./frame.ts";

export class JobFigures {
  percent = "";
  #limitPerS = 0;
  readonly #percent = el("p", { class: "percent", "data-field": "percent" }, "–");
  readonly #rows = el("p", { class: "rows", "data-field": "rows" }, "Rows not counted yet");
  readonly #eta = el("p", { class: "eta", "data-field": "eta" });
  readonly #bar = new Bar();
  readonly #meter = el(
    "div",
    {
      class: "meter",
      role: "progressbar",
      "aria-label": "Rows done",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    },
    this.#bar.element,
  );
  readonly #now = new Figure("Vectors/s", "vectors_per_s");
  readonly #mean = new Figure("Mean vectors/s", "vectors_per_s_mean");
  readonly #share = new Figure("Of the limit", "limit_share");
  readonly #inFlight = new Figure("In flight", "in_flight");
  readonly #throttled = new Figure("Throttled", "throttled");
  readonly #rejected = new Figure("Rejected", "vectors_rejected");
  readonly #acknowledged = new Figure("Acknowledged", "vectors_acknowledged");
  readonly #sent = new Figure("Sent", "bytes_sent");
  readonly element = el(
    "section",
    { class: "card overview", "aria-label": "Progress" },
    el(
      "div",
      { class: "overview-head" },
      this.#percent,
      el("div", { class: "overview-side" }, this.#rows, this.#eta),
    ),
    this.#meter,
    el(
      "dl",
      { class: "figures" },
      ...[this.#now, this.#mean, this.#share, this.#acknowledged].map((figure) => figure.element),
      ...[this.#inFlight, this.#throttled, this.#rejected, this.#sent].map(
        (figure) => figure.element,
      ),
    ),
  );

  progress(p: Progress): void {
    this.#done(p.rows_done, p.rows_total);
    const left = p.eta_s === undefined ? "Time left not known yet" : `${duration(p.eta_s)} left`;
    setText(this.#eta, `${left} · ${duration(p.elapsed_s)} so far`);
    this.#now.set(rate(p.vectors_per_s), "over the last seconds");
    this.#mean.set(rate(p.vectors_per_s_mean), "since the begin");
    this.#limit(p.vectors_per_s, p.limit_vectors_per_s);
    this.#inFlight.set(count(p.in_flight), "requests");
    this.#counts(p);
  }

  report(r: Report): void {
    this.#done(r.rows_total - r.rows_remaining, r.rows_total);
    setText(this.#eta, `Took ${duration(r.wall_s)}`);
    this.#now.set(NOTHING, "ended");
    this.#mean.set(rate(r.vectors_per_s), "over the whole run");
    this.#share.set(
      this.#limitPerS > 0 ? share(r.vectors_per_s, this.#limitPerS) : "–",
      this.#limitNote(),
    );
    this.#inFlight.set(count(0), "requests");
    this.#counts(r);
  }

  #limitNote(): string {
    return this.#limitPerS > 0 ? `of ${rate(this.#limitPerS)} vectors/s` : "unlimited";
  }

  #limit(vectors_per_s: number, limit_vectors_per_s: number): void {
    this.#limitPerS = limit_vectors_per_s;
    this.#share.set(share(vectors_per_s, limit_vectors_per_s), this.#limitNote());
  }

  #done(done: number, total: number): void {
    this.percent = percent(done, total);
    setText(this.#percent, this.percent);
    setText(this.#rows, `${count(done)} of ${count(total)} rows`);
    this.#bar.set(done, total);
    this.#meter.setAttribute(
      "aria-valuenow",
      String(total > 0 ? Math.floor((done / total) * 100) : 0),
    );
    this.#meter.setAttribute(
      "aria-valuetext",
      `${this.percent}, ${count(done)} of ${count(total)} rows`,
    );
  }

  #counts(of: Progress | Report): void {
    const earlier: string[] = [];
    if (of.vectors_resumed > 0) earlier.push(`${count(of.vectors_resumed)} resumed`);
    if (of.vectors_superseded > 0) earlier.push(`${count(of.vectors_superseded)} superseded`);
    this.#acknowledged.set(count(of.vectors_acknowledged), earlier.join(", ") || "vectors");
    this.#throttled.set(count(of.throttled), "answers 429 and 503");
    this.#throttled.alarm(of.throttled > 0);
    this.#rejected.set(count(of.vectors_rejected), "rows");
    this.#rejected.alarm(of.vectors_rejected > 0);
    this.#sent.set(bytes(of.bytes_sent), `${count(of.requests)} requests`);
  }
}
