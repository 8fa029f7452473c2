// Numbers as people read them. Everything is in one locale, so that a screenshot reads the same
// everywhere and agrees with the terminal.

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en-US", {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});

/** What stands where there is nothing to say. */
export const NOTHING = "–";

export function count(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? NOTHING : whole.format(value);
}

/** A rate: whole numbers from ten on, one digit below. */
export function rate(value: number): string {
  if (!Number.isFinite(value)) return NOTHING;
  return value > 0 && value < 10 ? tenth.format(value) : whole.format(value);
}

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? whole.format(value) : tenth.format(value)} ${units[unit]}`;
}

export function milliseconds(value: number): string {
  if (!Number.isFinite(value)) return NOTHING;
  if (value >= 10_000) return `${tenth.format(value / 1000)} s`;
  return `${value >= 100 ? whole.format(value) : tenth.format(value)} ms`;
}

/** Two units at most: "45 s", "3 min 07 s", "2 h 05 min", "5 d 3 h". */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return NOTHING;
  const s = Math.max(0, Math.round(seconds));
  const padded = (value: number) => String(value).padStart(2, "0");
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${padded(s % 60)} s`;
  const minutes = Math.floor(s / 60);
  if (s < 86_400) return `${Math.floor(minutes / 60)} h ${padded(minutes % 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** Rounded down: 100 % is said only of what is done. */
export function percent(part: number, total: number): string {
  if (!(total > 0)) return NOTHING;
  const tenths = Math.min(1000, Math.floor((part / total) * 1000));
  return `${tenth.format(tenths / 10)} %`;
}

export function share(part: number, total: number): string {
  return total > 0 ? `${whole.format((part / total) * 100)} %` : NOTHING;
}

/** A moment in the reader's own time: "2026-11-26 20:00". */
export function moment(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return NOTHING;
  const padded = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${padded(at.getMonth() + 1)}-${padded(at.getDate())}`;
  return `${day} ${padded(at.getHours())}:${padded(at.getMinutes())}`;
}

/** A time of the chart's axis, which counts from the begin of the job. */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const padded = (value: number) => String(value).padStart(2, "0");
  const minutes = `${Math.floor((s % 3600) / 60)}:${padded(s % 60)}`;
  if (s < 3600) return minutes;
  return `${Math.floor(s / 3600)}:${minutes.padStart(5, "0")}`;
}

/** Short enough for a chart's axis: 950, 2.5k, 40k, 1.2M. */
export function axis(value: number): string {
  for (const [size, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (Math.abs(value) >= size) return `${Number((value / size).toFixed(2))}${unit}`;
  }
  return String(Number(value.toFixed(2)));
}
