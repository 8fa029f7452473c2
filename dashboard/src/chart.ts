// A chart over time: uPlot's canvas, a legend of our own that tells the values in text, and a
// description for those who do not see it.

import uPlot from "uplot";

import { el, newId, setText } from "./dom.ts";
import { axis, clock, NOTHING } from "./format.ts";
import { colour, onTheme } from "./theme.ts";

export interface Line {
  name: string;
  /** A custom property of the style sheet, e.g. "--line-1". */
  colour: string;
  /** Lines differ by more than their colour. */
  dash?: number[];
  width?: number;
  filled?: boolean;
  /** A second axis, on the right. */
  right?: boolean;
  text: (value: number) => string;
}

type Values = (number | null)[];

const HEIGHT = 200;
const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

function gridAxis(scale: string, right: boolean): uPlot.Axis {
  return {
    scale,
    side: right ? 1 : 3,
    size: 46,
    gap: 4,
    font: FONT,
    stroke: () => colour("--muted"),
    grid: { show: !right, stroke: () => colour("--grid"), width: 1 },
    ticks: { show: false },
    values: (_chart, splits) => splits.map((value) => axis(value)),
  };
}

export class Chart {
  readonly element: HTMLElement;
  readonly #lines: Line[];
  readonly #canvas = el("div", { class: "chart-canvas", role: "img" });
  readonly #values: HTMLElement[] = [];
  readonly #title: string;
  #chart: uPlot | undefined;
  #data: [number[], ...Values[]] = [[]];
  #describedAt = -Infinity;

  constructor(title: string, unit: string, lines: Line[]) {
    this.#title = title;
    this.#lines = lines;
    const legend = el("dl", { class: "legend" });
    for (const line of lines) legend.append(this.#legendItem(line));
    const id = newId("chart");
    this.element = el(
      "section",
      { class: "card chart", "aria-labelledby": id },
      el("h2", { id }, title, " ", el("span", { class: "unit" }, unit)),
      legend,
      this.#canvas,
    );
    this.#canvas.setAttribute("aria-label", `${title} over time`);
    onTheme(() => this.#chart?.redraw(false));
    new ResizeObserver(() => this.#resize()).observe(this.#canvas);
  }

  /** One list of values a line, as long as `times`; null is a gap. */
  set(times: number[], values: Values[]): void {
    this.#data = [times, ...values];
    if (this.#chart) this.#chart.setData(this.#data as uPlot.AlignedData);
    this.#tell(undefined);
    if (performance.now() - this.#describedAt > 5000) this.#describe();
  }

  #legendItem(line: Line): HTMLElement {
    const swatch = el("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.borderTopColor = `var(${line.colour})`;
    swatch.style.borderTopStyle = line.dash ? (line.dash[0]! > 3 ? "dashed" : "dotted") : "solid";
    const value = el("dd", {}, NOTHING);
    this.#values.push(value);
    return el("div", {}, el("dt", {}, swatch, line.name), value);
  }

  #resize(): void {
    const width = this.#canvas.clientWidth;
    if (width === 0) return;
    if (this.#chart) this.#chart.setSize({ width, height: HEIGHT });
    else
      this.#chart = new uPlot(this.#options(width), this.#data as uPlot.AlignedData, this.#canvas);
  }

  #options(width: number): uPlot.Options {
    const hasRight = this.#lines.some((line) => line.right);
    const fromZero: uPlot.Range.Function = (_chart, _min, max) => [0, max > 0 ? max * 1.08 : 1];
    const scales: uPlot.Scales = { x: { time: false }, left: { range: fromZero } };
    const axes: uPlot.Axis[] = [
      {
        size: 26,
        gap: 4,
        font: FONT,
        stroke: () => colour("--muted"),
        grid: { show: false },
        ticks: { stroke: () => colour("--grid"), size: 4 },
        incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400],
        values: (_chart, splits) => splits.map((value) => clock(value)),
      },
      gridAxis("left", false),
    ];
    if (hasRight) {
      scales["right"] = { range: fromZero };
      axes.push(gridAxis("right", true));
    }
    return {
      width,
      height: HEIGHT,
      padding: [8, hasRight ? 0 : 22, 0, 0],
      legend: { show: false },
      scales,
      axes,
      cursor: {
        y: false,
        drag: { x: false, y: false },
        sync: { key: "time" },
        points: { size: 6 },
      },
      series: [{}, ...this.#lines.map((line) => this.#series(line))],
      hooks: { setCursor: [(chart) => this.#tell(chart.cursor.idx ?? undefined)] },
    };
  }

  #series(line: Line): uPlot.Series {
    return {
      label: line.name,
      scale: line.right ? "right" : "left",
      stroke: () => colour(line.colour),
      width: line.width ?? 1.75,
      points: { show: false },
      ...(line.dash ? { dash: line.dash } : {}),
      ...(line.filled ? { fill: () => `${colour(line.colour)}22` } : {}),
    };
  }

  // The values under the cursor, or the newest.
  #tell(at: number | undefined): void {
    this.#lines.forEach((line, i) => {
      const values = this.#data[i + 1] as Values | undefined;
      const value = at === undefined ? values?.at(-1) : values?.[at];
      setText(this.#values[i]!, value === null || value === undefined ? NOTHING : line.text(value));
    });
  }

  #describe(): void {
    this.#describedAt = performance.now();
    const now = this.#lines.map((line, i) => `${line.name} ${this.#values[i]!.textContent}`);
    this.#canvas.setAttribute("aria-label", `${this.#title} over time. Now: ${now.join(", ")}.`);
  }
}
