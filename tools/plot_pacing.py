#!/usr/bin/env python3
"""Draws the plots of docs/internals/pacing.md from what bench/pacing_scenarios prints.

usage: build/release/pacing_scenarios | tools/plot_pacing.py [FOLDER]

Writes pacing-*.svg into FOLDER (docs/internals). The same numbers give the same bytes.
"""

import csv
import dataclasses
import sys
from collections import defaultdict
from pathlib import Path

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 40, 44
BLUE, ORANGE, GREY = "#1f6fb4", "#d9730d", "#8a8f98"


@dataclasses.dataclass
class Curve:
    scenario: str
    name: str
    color: str


@dataclasses.dataclass
class Plot:
    file: str
    title: str
    seconds: int
    rate_max: int
    curves: list[Curve]
    limits: list[tuple[int, int, int]]  # what the service takes: from, to, rate


PLOTS = [
    Plot("steady", "A service that takes 2,500 vectors/s", 180, 3000,
         [Curve("steady", "rate", BLUE)], [(0, 180, 2500)]),
    Plot("storm", "Everything is throttled from 60 s to 90 s", 180, 3000,
         [Curve("storm", "rate", BLUE)],
         [(0, 60, 2500), (60, 90, 0), (90, 180, 2500)]),
    Plot("shared", "Another client takes 1,250 vectors/s from 120 s to 480 s", 720, 3000,
         [Curve("shared", "rate", BLUE)],
         [(0, 120, 2500), (120, 480, 1250), (480, 720, 2500)]),
    Plot("auto", "--rate-vectors auto, for an hour", 3600, 8000,
         [Curve("auto_5000", "one that takes 5,000", BLUE),
          Curve("auto_credit", "2,500, and credit for 120,000", ORANGE)],
         [(0, 3600, 2500), (0, 3600, 5000)]),
]  # fmt: skip

Rows = list[tuple[float, float, float, int]]


def read(lines: list[str]) -> dict[str, Rows]:
    scenarios: dict[str, Rows] = defaultdict(list)
    for row in csv.DictReader(lines):
        scenarios[row["scenario"]].append(
            (
                float(row["t_s"]),
                float(row["rate_vectors_per_s"]),
                float(row["accepted_vectors_per_s"]),
                int(row["throttled_requests"]),
            )
        )
    return scenarios


def corners(rows: Rows) -> list[tuple[float, float]]:
    """Returns (time, rate) without the points inside level stretches."""
    rates = [rate for _, rate, _, _ in rows]
    last = len(rows) - 1
    return [
        (row[0], row[1])
        for i, row in enumerate(rows)
        if i in (0, last) or not rates[i - 1] == rates[i] == rates[i + 1]
    ]


def draw(plot: Plot, scenarios: dict[str, Rows]) -> str:
    def x(t_s: float) -> float:
        return LEFT + t_s / plot.seconds * (WIDTH - LEFT - RIGHT)

    def y(rate: float) -> float:
        return HEIGHT - BOTTOM - rate / plot.rate_max * (HEIGHT - TOP - BOTTOM)

    def text(at: tuple[float, float], words: str, anchor: str = "middle", more: str = "") -> str:
        return f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}" {more}>{words}</text>'

    def line(a: tuple[float, float], b: tuple[float, float], style: str) -> str:
        return f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" {style}/>'

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12" fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        text((LEFT, 18), plot.title, "start", 'font-size="14" font-weight="bold"'),
        text((WIDTH / 2, HEIGHT - 8), "seconds"),
        text((14, HEIGHT / 2), "vectors/s", "middle", f'transform="rotate(-90 14 {HEIGHT / 2})"'),
    ]
    step = plot.rate_max // 6 if plot.rate_max < 5000 else 1000
    for rate in range(0, plot.rate_max + 1, step):
        out.append(line((LEFT, y(rate)), (WIDTH - RIGHT, y(rate)), 'stroke="#e6e8eb"'))
        out.append(text((LEFT - 6, y(rate) + 4), f"{rate:,}", "end"))
    for tick in range(0, plot.seconds + 1, plot.seconds // 12):
        out.append(line((x(tick), y(0)), (x(tick), y(0) + 4), f'stroke="{GREY}"'))
        out.append(text((x(tick), y(0) + 18), str(tick)))
    for begin, end, rate in plot.limits:
        style = f'stroke="{GREY}" stroke-width="1.5" stroke-dasharray="6 4"'
        out.append(line((x(begin), y(rate)), (x(end), y(rate)), style))
    legend = [(GREY, "what the service takes", ' stroke-dasharray="6 4"')]
    for number, curve in enumerate(plot.curves):
        rows = scenarios[curve.scenario]
        points = " ".join(f"{x(t):.1f},{y(rate):.1f}" for t, rate in corners(rows))
        out.append(
            f'<polyline points="{points}" fill="none" stroke="{curve.color}" stroke-width="1.6"/>'
        )
        dots_y = y(0) - 5 - 8 * number
        out += [
            f'<circle cx="{x(t):.1f}" cy="{dots_y:.1f}" r="2.5" fill="{curve.color}"/>'
            for t, _, _, throttled in rows
            if throttled
        ]
        legend.append((curve.color, curve.name, ""))
    at = LEFT
    for color, words, dash in legend:
        out.append(line((at, 31), (at + 22, 31), f'stroke="{color}" stroke-width="2"{dash}'))
        out.append(text((at + 27, 35), words, "start"))
        at += 45 + round(6.3 * len(words))
    out.append(f'<circle cx="{at + 6}" cy="31" r="2.5" fill="{GREY}"/>')
    out.append(text((at + 14, 35), "throttled", "start"))
    return "\n".join([*out, "</svg>"]) + "\n"


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/internals")
    scenarios = read(sys.stdin.read().splitlines())
    for plot in PLOTS:
        (folder / f"pacing-{plot.file}.svg").write_text(draw(plot, scenarios))


if __name__ == "__main__":
    main()
