"""Draws the charts of docs/benchmarks.md from the JSON that the benches write.

    python bench/charts.py [--results build/bench] [--out docs/charts]

Each chart is drawn where its results are there: speed.json, article.json, scaling.json.
"""

import argparse
import json
import pathlib

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

mpl.use("svg")
# Text stays text, and the same figures give the same bytes.
mpl.rcParams |= {
    "svg.fonttype": "none",
    "svg.hashsalt": "vecload",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

OURS, THEIRS, QUOTED = "#1f6fb4", "#8a8f98", "#d9730d"


def save(figure: Figure, path: pathlib.Path, title: str) -> None:
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Title": title})
    plt.close(figure)
    print(path)


def bars(axes: Axes, names: list[str], values: list[float], title: str, digits: int = 0) -> None:
    colors = [OURS if name == "vecload" else THEIRS for name in names]
    drawn = axes.barh(names, values, color=colors)
    axes.bar_label(drawn, labels=[f"{value:,.{digits}f}" for value in values], padding=3)
    axes.set_title(title, fontsize=9)
    axes.margins(x=0.2)


def draw_speed(rows: list[dict], out: pathlib.Path) -> None:
    names = [row["client"] for row in rows]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
    left.invert_yaxis()  # the right one shares it
    bars(left, names, [row["vectors_per_s"]["median"] for row in rows], "vectors/s")
    cpu = [row["cpu_us"]["median"] for row in rows]
    bars(right, names, cpu, "client CPU, µs a vector", digits=1)
    save(figure, out / "speed.svg", "1,024-d, against a server that only answers")


def draw_article(rows: list[dict], out: pathlib.Path) -> None:
    names = [row["client"] for row in rows]
    figure, axes = plt.subplots(figsize=(9, 3.2))
    places = range(len(rows))
    here = axes.bar([x - 0.2 for x in places], [row["vectors_per_s"] for row in rows], 0.4)
    theirs = [row["article_vectors_per_s"] or 0 for row in rows]
    there = axes.bar([x + 0.2 for x in places], theirs, 0.4, color=QUOTED)
    for bar, name in zip(here, names, strict=True):
        bar.set_color(OURS if name == "vecload" else THEIRS)
    axes.bar_label(here, fmt="{:,.0f}")
    axes.bar_label(there, labels=[f"{value:,}" if value else "" for value in theirs])
    axes.axhline(2_500, color="black", linewidth=0.8, linestyle=":")
    axes.set_xticks(list(places), names)
    axes.set_ylabel("vectors/s")
    axes.legend([here[0], there[0]], ["here, 2 cores", "AWS's article, 8 and 16 vCPU"])
    save(figure, out / "article.svg", "A service that takes 2,500 vectors/s and 1.15-1.54 s a put")


def draw_scaling(rows: list[dict], out: pathlib.Path) -> None:
    axes_names = list(dict.fromkeys(row["axis"] for row in rows))
    figure, grid = plt.subplots(2, len(axes_names), figsize=(2.3 * len(axes_names), 4.6))
    for column, axis in enumerate(axes_names):
        points = [row for row in rows if row["axis"] == axis]
        labels = [str(row["value"]) for row in points]
        cpu, memory = grid[0][column], grid[1][column]
        middle = [row["cpu_us"]["median"] for row in points]
        spread = [
            [value - row["cpu_us"]["min"] for value, row in zip(middle, points, strict=True)],
            [row["cpu_us"]["max"] - value for value, row in zip(middle, points, strict=True)],
        ]
        cpu.errorbar(labels, middle, yerr=spread, color=OURS, marker="o", markersize=3)
        memory.bar(labels, [row["rss_mib"]["max"] for row in points], color=THEIRS)
        memory.axhline(350, color="black", linewidth=0.8, linestyle=":")
        cpu.set_title(f"{axis} ({points[0]['dimension']}-d)" if axis != "dimension" else axis)
        for each in (cpu, memory):
            each.set_ylim(bottom=0)
            each.tick_params(axis="x", rotation=60)
    grid[0][0].set_ylabel("CPU, µs a vector")
    grid[1][0].set_ylabel("peak RSS, MiB")
    save(figure, out / "scaling.svg", "What a load costs as its input grows")


CHARTS = {"speed": draw_speed, "article": draw_article, "scaling": draw_scaling}


def main() -> None:
    parser = argparse.ArgumentParser(description="Draws the charts of docs/benchmarks.md.")
    parser.add_argument("--results", type=pathlib.Path, default=pathlib.Path("build/bench"))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/charts"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, draw in CHARTS.items():
        path = options.results / f"{name}.json"
        if not path.exists():
            print(f"{path} is not there, so {name}.svg is not drawn")
            continue
        results = json.loads(path.read_text())
        draw(results["rows"] if isinstance(results, dict) else results, options.out)


if __name__ == "__main__":
    main()
