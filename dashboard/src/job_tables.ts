// The tables of a job: where the time goes, rejects, files, shards.

import { Bar, el, section, setHidden, setText } from "./dom.ts";
import type { FileProgress, Progress, RejectCount, Report, Shard } from "./events.ts";
import { count, duration, percent, rate } from "./format.ts";
import { type Column, Table } from "./table.ts";
import { time, TIMES } from "./words.ts";

/** A column of bars, each as long as `part` of the `total` that is found for all rows. */
function bars<Row>(
  name: string,
  part: (row: Row) => number,
  total: (row: Row) => number,
): Column<Row> {
  const kept = new WeakMap<Element, Bar>();
  const write = (row: Row, cell: HTMLTableCellElement) => {
    let bar = kept.get(cell);
    if (!bar) {
      bar = new Bar();
      kept.set(cell, bar);
      cell.classList.add("bar-cell");
      cell.append(bar.element);
    }
    bar.set(part(row), total(row));
  };
  return { name, write };
}

interface TimeRow {
  name: string;
  seconds: number;
}

export class TimesTable {
  #longest = 0;
  readonly #table = new Table<TimeRow>(
    "Where the time goes",
    [
      { name: "What", text: (row) => time(row.name)[0] },
      { name: "Summed over", text: (row) => time(row.name)[1], minor: true },
      bars(
        "Share",
        (row) => row.seconds,
        () => this.#longest,
      ),
      { name: "Time", numeric: true, text: (row) => duration(row.seconds) },
    ],
    (row) => row.name,
    "Nothing was timed yet.",
  );
  readonly element = section("Where the time goes", this.#table.element);

  constructor() {
    this.element.classList.add("times");
  }

  progress(progress: Progress): void {
    this.#update(progress.times);
  }

  report(report: Report): void {
    const known = report as unknown as Record<string, unknown>;
    const times: Record<string, number> = {};
    for (const name of TIMES) {
      const seconds = known[name];
      if (typeof seconds === "number") times[name] = seconds;
    }
    this.#update(times);
  }

  #update(times: Record<string, number>): void {
    const rows = Object.entries(times).map(([name, seconds]) => ({ name, seconds }));
    this.#longest = Math.max(0, ...rows.map((row) => row.seconds));
    this.#table.update(rows);
  }
}

export class RejectsTable {
  #total = 0;
  readonly #table = new Table<RejectCount>(
    "Rejected rows by rule",
    [
      { name: "Rule", value: (row) => row.rule },
      bars(
        "Share",
        (row) => row.rows,
        () => this.#total,
      ),
      { name: "Rows", numeric: true, value: (row) => row.rows, text: (row) => count(row.rows) },
    ],
    (row) => row.rule,
    "No row was rejected.",
  );
  readonly element = section("Rejects", this.#table.element);

  update(rejects: RejectCount[], total: number): void {
    this.#total = total;
    this.#table.update([...rejects].sort((a, b) => b.rows - a.rows));
  }
}

export class FilesTable {
  readonly #counts = el("p", { class: "counts" });
  readonly #table = new Table<FileProgress>(
    "Files under way",
    [
      { name: "File", text: (row) => row.file },
      bars(
        "Done",
        (row) => row.rows_done,
        (row) => row.rows_total,
      ),
      { name: "Percent", numeric: true, text: (row) => percent(row.rows_done, row.rows_total) },
      { name: "Rows", numeric: true, minor: true, text: (row) => count(row.rows_total) },
    ],
    (row) => row.file,
    "No file is under way.",
  );
  readonly element = section("Files under way", this.#counts, this.#table.element);

  counts(progress: Progress): void {
    const of = `${count(progress.files_done)} of ${count(progress.files_total)} files done`;
    setText(this.#counts, progress.files_total > 0 ? of : "The source is a stream.");
  }

  update(files: FileProgress[]): void {
    this.#table.update(files);
  }

  end(): void {
    this.#table.update([]);
  }
}

export class ShardsTable {
  #fastest = 0;
  readonly #counts = el("p", { class: "counts" });
  readonly #table = new Table<Shard>(
    "Shards",
    [
      { name: "Index", value: (row) => row.index },
      bars(
        "Rate",
        (row) => row.vectors_per_s,
        () => this.#fastest,
      ),
      {
        name: "Vectors/s",
        numeric: true,
        value: (row) => row.vectors_per_s,
        text: (row) => rate(row.vectors_per_s),
      },
      {
        name: "Limit",
        numeric: true,
        minor: true,
        value: (row) => row.rate_vectors_per_s,
        text: (row) => (row.rate_vectors_per_s > 0 ? rate(row.rate_vectors_per_s) : "–"),
      },
      {
        name: "Acknowledged",
        numeric: true,
        minor: true,
        value: (row) => row.vectors_acknowledged,
        text: (row) => count(row.vectors_acknowledged),
      },
      {
        name: "In flight",
        numeric: true,
        minor: true,
        value: (row) => row.in_flight,
        text: (row) => count(row.in_flight),
      },
      {
        name: "429s",
        numeric: true,
        value: (row) => row.throttled,
        text: (row) => count(row.throttled),
      },
    ],
    (row) => row.index,
    "The index is not divided.",
  );
  readonly element = section("Shards", this.#counts, this.#table.element);

  constructor() {
    setHidden(this.element, true);
  }

  update(shards: Shard[]): void {
    setHidden(this.element, shards.length === 0);
    setText(this.#counts, `${count(shards.length)} indexes`);
    // Not Math.max(...): bounded only by the program's good will.
    this.#fastest = shards.reduce((fastest, shard) => Math.max(fastest, shard.vectors_per_s), 0);
    this.#table.update(shards);
  }

  report(report: Report): void {
    const ended = { in_flight: 0, rate_vectors_per_s: 0 };
    this.update((report.shards ?? []).map((shard) => ({ ...ended, ...shard })));
  }
}
