// The page of `vecload serve`.

import { Chart } from "./chart.ts";
import { el, onFrame, section, setText } from "./dom.ts";
import type { Index, Server } from "./events.ts";
import { Feed, type FeedState } from "./feed.ts";
import { bytes, count, duration, rate } from "./format.ts";
import { Figure, Frame } from "./frame.ts";
import type { Place } from "./place.ts";
import { QueryBox } from "./query.ts";
import { perSecond } from "./series.ts";
import { Table } from "./table.ts";
import { httpStatus } from "./words.ts";

// Fifteen minutes of an event a second.
const MOMENTS_MAX = 900;

interface Moment {
  uptime_s: number;
  requests: number | null;
  errors: number | null;
  vectors: number | null;
}

interface Count {
  name: string;
  count: number;
  per_s: number | null;
}

interface Row extends Index {
  bucket: string;
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((all, one) => all + one, 0);
}

/** What each name was counted more than before, per second. */
function counts(
  now: Record<string, number>,
  before: Record<string, number> | undefined,
  passed_s: number,
): Count[] {
  return Object.entries(now).map(([name, value]) => {
    const known = before && passed_s > 0;
    return {
      name,
      count: value,
      per_s: known ? Math.max(0, value - (before[name] ?? 0)) / passed_s : null,
    };
  });
}

const perS = (row: Count) => (row.per_s === null ? "–" : rate(row.per_s));

class ServerPage {
  readonly #feed: Feed;
  readonly #frame: Frame;
  readonly #query: QueryBox;
  readonly #moments: Moment[] = [];
  #before: Server | undefined;
  #rows: Row[] = [];
  #total = 0; // indexes, listed or not
  readonly #draw = onFrame(() => this.#drawCharts());

  readonly #figures = {
    requests: new Figure("Requests/s", "requests_per_s"),
    vectors: new Figure("Vectors/s put", "vectors_per_s"),
    stored: new Figure("Vectors stored", "vectors"),
    indexes: new Figure("Indexes", "indexes_total"),
    errors: new Figure("Errors", "errors"),
    connections: new Figure("Connections", "connections"),
    memory: new Figure("Memory", "rss_bytes"),
    uptime: new Figure("Up for", "uptime_s"),
  };
  readonly #requests = new Chart("Requests", "per second", [
    { name: "Requests/s", colour: "--line-1", filled: true, width: 2, text: rate },
    { name: "Errors/s", colour: "--line-5", dash: [6, 4], text: rate },
  ]);
  readonly #vectors = new Chart("Vectors put", "per second", [
    { name: "Vectors/s", colour: "--line-1", filled: true, width: 2, text: rate },
  ]);
  readonly #operations = new Table<Count>(
    "Requests by operation",
    [
      { name: "Operation", value: (row) => row.name },
      { name: "Per second", numeric: true, value: (row) => row.per_s ?? 0, text: perS },
      {
        name: "Requests",
        numeric: true,
        value: (row) => row.count,
        text: (row) => count(row.count),
      },
    ],
    (row) => row.name,
    "No request was answered yet.",
  );
  readonly #errors = new Table<Count>(
    "Errors by HTTP status",
    [
      {
        name: "Status",
        value: (row) => row.name,
        text: (row) => `${row.name} ${httpStatus(row.name)}`.trim(),
      },
      { name: "Per second", numeric: true, value: (row) => row.per_s ?? 0, text: perS },
      {
        name: "Answers",
        numeric: true,
        value: (row) => row.count,
        text: (row) => count(row.count),
      },
    ],
    (row) => row.name,
    "No request failed.",
  );
  readonly #filter = el("input", {
    type: "search",
    placeholder: "bucket or index",
    autocomplete: "off",
  });
  readonly #shown = el("span", { class: "counts" });
  readonly #indexes = new Table<Row>(
    "Buckets and indexes",
    [
      { name: "Bucket", value: (row) => row.bucket },
      { name: "Index", value: (row) => row.name },
      {
        name: "Vectors",
        numeric: true,
        value: (row) => row.vectors,
        text: (row) => count(row.vectors),
      },
      {
        name: "Dimension",
        numeric: true,
        minor: true,
        value: (row) => row.dimension,
        text: (row) => count(row.dimension),
      },
      { name: "Metric", minor: true, value: (row) => row.metric },
      { name: "Query", write: (row, cell) => this.#queryButton(row, cell) },
    ],
    (row) => `${row.bucket}/${row.name}`,
    "No index is shown.",
  );

  constructor(place: Place) {
    this.#frame = new Frame("vecload serve", () => this.#feed.retry());
    this.#frame.title("Local S3 Vectors server");
    document.title = "vecload serve";
    this.#query = new QueryBox(place.query);
    const overview = Object.values(this.#figures).map((figure) => figure.element);
    this.#frame.main.append(
      el(
        "section",
        { class: "card overview", "aria-label": "Now" },
        el("dl", { class: "figures" }, ...overview),
      ),
      el("div", { class: "charts" }, this.#requests.element, this.#vectors.element),
      section(
        "Buckets and indexes",
        el("p", { class: "filter" }, el("label", {}, "Filter ", this.#filter), this.#shown),
        this.#indexes.element,
      ),
      this.#query.element,
      el(
        "div",
        { class: "charts" },
        section("Requests by operation", this.#operations.element),
        section("Errors", this.#errors.element),
      ),
    );
    this.#filter.addEventListener("input", () => this.#showIndexes());
    this.#feed = new Feed(
      place.events,
      { server: (data) => this.#onServer(data as Server) },
      (state) => this.#onState(state),
    );
    this.#feed.open();
  }

  #queryButton(row: Row, cell: HTMLTableCellElement): void {
    const name = `${row.bucket}/${row.name}`;
    let button = cell.querySelector("button");
    if (!button) {
      button = el("button", { type: "button", "aria-label": `Query ${name}` }, "Query");
      button.addEventListener("click", () => this.#query.choose(name));
      cell.append(button);
    }
  }

  #onState(state: FeedState): void {
    this.#frame.loss(state.name === "lost" ? state : undefined);
    if (state.name === "connecting") this.#frame.state("Connecting", "quiet");
    if (state.name === "open") this.#frame.state("Serving", "live");
    if (state.name !== "lost") return;
    this.#frame.state("Connection lost", "bad");
    // What happened meanwhile is not known: the next rates begin anew, and the line has a gap.
    this.#before = undefined;
    const last = this.#moments.at(-1);
    if (last && last.requests !== null) {
      this.#moments.push({
        uptime_s: last.uptime_s + 0.5,
        requests: null,
        errors: null,
        vectors: null,
      });
    }
  }

  #onServer(now: Server): void {
    const last = this.#moments.at(-1);
    if (last && now.uptime_s < last.uptime_s) {
      this.#moments.length = 0; // another server: its counts begin at 0
      this.#before = undefined;
    }
    const moment = {
      uptime_s: now.uptime_s,
      requests: sum(now.requests),
      errors: sum(now.errors),
      vectors: now.vectors_put,
    };
    if (last?.uptime_s === now.uptime_s) this.#moments.pop();
    this.#moments.push(moment);
    if (this.#moments.length > MOMENTS_MAX) this.#moments.shift();
    this.#show(now, this.#before);
    this.#before = now;
    this.#draw();
  }

  #show(now: Server, before: Server | undefined): void {
    const keys = now.keys_required ? "keys required" : "any keys accepted";
    this.#frame.subtitle(`vecload ${now.version} · region ${now.region} · ${keys}`);
    const passed_s = before ? now.uptime_s - before.uptime_s : 0;
    const operations = counts(now.requests, before?.requests, passed_s);
    this.#rows = now.buckets.flatMap((bucket) =>
      bucket.indexes.map((index) => ({ ...index, bucket: bucket.name })),
    );
    const stored = this.#rows.reduce((all, row) => all + row.vectors, 0);
    const figures = this.#figures;
    const perSecondOf = (a: number, b: number) =>
      passed_s > 0 ? rate(Math.max(0, a - b) / passed_s) : "–";
    figures.requests.set(
      perSecondOf(sum(now.requests), sum(before?.requests ?? {})),
      `${count(sum(now.requests))} in all`,
    );
    figures.vectors.set(
      perSecondOf(now.vectors_put, before?.vectors_put ?? 0),
      `${count(now.vectors_put)} in all`,
    );
    figures.stored.set(
      count(stored),
      now.indexes_total > this.#rows.length ? "of the indexes listed" : "",
    );
    figures.indexes.set(count(now.indexes_total), `in ${count(now.buckets.length)} buckets`);
    figures.errors.set(count(sum(now.errors)), "answers 400 and up");
    figures.errors.alarm(sum(now.errors) > 0);
    figures.connections.set(count(now.connections), "open");
    figures.memory.set(bytes(now.rss_bytes), "resident");
    figures.uptime.set(duration(now.uptime_s));
    this.#operations.update(operations);
    this.#errors.update(counts(now.errors, before?.errors, passed_s));
    this.#query.indexes(
      this.#rows.map((row) => ({ name: `${row.bucket}/${row.name}`, dimension: row.dimension })),
    );
    this.#total = now.indexes_total;
    this.#showIndexes();
  }

  #showIndexes(): void {
    const wanted = this.#filter.value.trim().toLowerCase();
    const shown = this.#rows.filter((row) =>
      `${row.bucket}/${row.name}`.toLowerCase().includes(wanted),
    );
    this.#indexes.update(shown);
    const listed =
      this.#total > this.#rows.length ? `, ${count(this.#rows.length)} of them listed` : "";
    setText(this.#shown, `${count(shown.length)} of ${count(this.#total)} indexes${listed}`);
  }

  #drawCharts(): void {
    const times = this.#moments.map((moment) => moment.uptime_s);
    const per = (name: "requests" | "errors" | "vectors") =>
      perSecond(
        times,
        this.#moments.map((moment) => moment[name]),
      );
    this.#requests.set(times, [per("requests"), per("errors")]);
    this.#vectors.set(times, [per("vectors")]);
  }
}

export function serverPage(place: Place): void {
  new ServerPage(place);
}
