// The page of `vecload load --dashboard` and `vecload delete --dashboard`.

import { AccountView } from "./account.ts";
import { Band } from "./band.ts";
import { el, onFrame } from "./dom.ts";
import type { Detail, Job, Point, Progress, Report } from "./events.ts";
import { Feed, type FeedState } from "./feed.ts";
import { count, duration, moment } from "./format.ts";
import { Frame } from "./frame.ts";
import { JobCharts } from "./job_charts.ts";
import { JobFigures } from "./job_figures.ts";
import { FilesTable, RejectsTable, ShardsTable, TimesTable } from "./job_tables.ts";
import type { Place } from "./place.ts";
import { pointOf, Series } from "./series.ts";

// How many parts of the job are told aloud: each quarter.
const ANNOUNCED_PARTS = 4;

const RANGES: [string, number | undefined][] = [
  ["Whole job", undefined],
  ["10 min", 600],
  ["1 min", 60],
];

class LoaderPage {
  readonly #feed: Feed;
  readonly #frame: Frame;
  readonly #series = new Series();
  readonly #figures = new JobFigures();
  readonly #charts = new JobCharts();
  readonly #band = new Band();
  readonly #times = new TimesTable();
  readonly #rejects = new RejectsTable();
  readonly #files = new FilesTable();
  readonly #shards = new ShardsTable();
  readonly #account = new AccountView();
  readonly #drawCharts = onFrame(() => this.#draw());
  #range_s: number | undefined;
  #job: Job | undefined;
  #announced = -1;
  #ended = false;

  constructor(place: Place) {
    this.#frame = new Frame("vecload", () => this.#feed.retry());
    this.#frame.title("Waiting for the job");
    this.#frame.main.append(
      this.#figures.element,
      this.#account.element,
      this.#ranges(),
      el("div", { class: "charts" }, this.#charts.rate.element, this.#charts.latency.element),
      el("div", { class: "charts" }, this.#charts.pressure.element, this.#band.element),
      el("div", { class: "charts" }, this.#times.element, this.#rejects.element),
      this.#files.element,
      this.#shards.element,
    );
    const listeners = {
      job: (data: unknown) => this.#onJob(data as Job),
      history: (data: unknown) => this.#onHistory(data as { points: Point[] }),
      progress: (data: unknown) => this.#onProgress(data as Progress),
      detail: (data: unknown) => this.#onDetail(data as Detail),
      report: (data: unknown) => this.#onReport(data as Report),
    };
    this.#feed = new Feed(place.events, listeners, (state) => this.#onState(state));
    this.#feed.open();
  }

  #ranges(): HTMLElement {
    const group = el("fieldset", { class: "ranges" }, el("legend", {}, "Charts show"));
    RANGES.forEach(([name, range_s], at) => {
      const radio = el("input", { type: "radio", name: "range", checked: at === 0 });
      radio.addEventListener("change", () => {
        this.#range_s = range_s;
        this.#drawCharts();
      });
      group.append(el("label", {}, radio, name));
    });
    return group;
  }

  #onState(state: FeedState): void {
    this.#frame.loss(state.name === "lost" ? state : undefined);
    if (state.name === "connecting") this.#frame.state("Connecting", "quiet");
    if (state.name === "open") this.#frame.state("Running", "live");
    if (state.name === "lost") this.#frame.state("Connection lost", "bad");
  }

  #onJob(job: Job): void {
    this.#job = job;
    this.#frame.title(job.index);
    const sources =
      job.sources.length === 1 ? job.sources[0]! : `${count(job.sources.length)} sources`;
    const verb = job.kind === "delete" ? "Deletes the keys of" : "Loads";
    const endpoint = job.endpoint_url ? ` at ${job.endpoint_url}` : "";
    const begun = `, since ${moment(job.started_at)}`;
    this.#frame.subtitle(`${verb} ${sources}${endpoint}${begun} · vecload ${job.version}`);
    this.#showTitle("");
  }

  #onHistory(history: { points: Point[] }): void {
    this.#series.replace(history.points);
    this.#drawCharts();
  }

  #onProgress(progress: Progress): void {
    this.#series.add(pointOf(progress));
    this.#figures.progress(progress);
    this.#times.progress(progress);
    this.#rejects.update(progress.rejects, progress.vectors_rejected);
    this.#files.counts(progress);
    this.#showTitle(this.#figures.percent);
    this.#announce(progress);
    this.#drawCharts();
  }

  #onDetail(detail: Detail): void {
    this.#files.update(detail.files);
    this.#shards.update(detail.shards);
  }

  #onReport(report: Report): void {
    this.#feed.end();
    this.#ended = true;
    this.#figures.report(report);
    this.#account.show(report);
    this.#times.report(report);
    this.#files.end();
    this.#shards.report(report);
    if (report.status === "complete") this.#frame.state("Complete", "good");
    else if (report.status === "stopped") this.#frame.state("Stopped", "bad");
    else this.#frame.state("Finished with rejects", "warning");
    this.#showTitle(this.#figures.percent);
    const rows = `${this.#figures.percent}, in ${duration(report.wall_s)}`;
    this.#frame.announce(`${report.status.replaceAll("_", " ")}: ${rows}`);
    this.#drawCharts();
  }

  #showTitle(percent: string): void {
    const index = this.#job?.index ?? "";
    document.title = [percent, index, "vecload"].filter((part) => part !== "").join(" · ");
  }

  #announce(progress: Progress): void {
    if (progress.rows_total === 0) return;
    const part = Math.floor((progress.rows_done / progress.rows_total) * ANNOUNCED_PARTS);
    if (part > this.#announced && this.#announced >= 0) {
      this.#frame.announce(`${this.#figures.percent} done`);
    }
    this.#announced = Math.max(this.#announced, part);
  }

  #draw(): void {
    const points = this.#series.last(this.#range_s);
    this.#charts.set(points);
    this.#band.set(points, this.#ended);
  }
}

export function loaderPage(place: Place): void {
  new LoaderPage(place);
}
