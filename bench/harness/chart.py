# SPDX-License-Identifier: GPL-3.0-only
"""The bar chart (SVG): for each group, time / native time of each engine, on a logarithmic scale.
Its background is its own, so that it reads the same on a light page and a dark one."""
import math
from xml.sax.saxutils import escape

from harness.results import RATIO

COLOURS = {"rvvm": "#1b6ca8", "rvvm-jit": "#1b6ca8", "rvvm-user": "#2a9d8f", "rvvm-int": "#8fb8d8",
           "qemu-system": "#e07a2f", "qemu-user": "#f0b27a"}
WIDTH, LEFT, RIGHT, TOP, BAR, GAP = 760, 120, 60, 64, 13, 14


def bars_of(results):
    """[(label, [(engine, value)])]: means of the groups, then each row of the compile job."""
    found = []
    for group in results.groups():
        if group == "compile job":
            continue
        found.append((group, [(e, results.mean(group, e)[0]) for e in results.engines]))
    for row in results.rows:
        if row.unit == RATIO and row.group == "compile job":
            values = [(e, row.cell(e).median() if row.cell(e).usable() else None)
                      for e in results.engines]
            found.append((f"compile, {row.name}", values))
    drawn = [(label, [(e, v) for e, v in values if v]) for label, values in found]
    return [(label, values) for label, values in drawn if values]


def text(x, y, words, size=12, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{escape(words)}</text>')


def as_svg(results):
    groups = bars_of(results)
    values = [value for _, bars in groups for _, value in bars] or [1.0]
    top = 10 ** math.ceil(math.log10(max(max(values), 10)))
    height = TOP + sum(len(bars) * BAR + GAP for _, bars in groups) + 34
    room = WIDTH - LEFT - RIGHT

    def x_of(value):
        return LEFT + room * math.log10(max(value, 1)) / math.log10(top)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
             f'width="{WIDTH}" height="{height}" font-family="sans-serif" fill="#222">',
             f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
             text(12, 22, "Time, as a multiple of the same program's natively (less is better)",
                  14, weight="bold")]
    x = 12
    for engine in results.engines:
        parts.append(f'<rect x="{x}" y="34" width="11" height="11" fill="{colour(engine)}"/>')
        parts.append(text(x + 16, 44, engine))
        x += 40 + 7 * len(engine)
    for power in range(int(math.log10(top)) + 1):
        for step in (1, 2, 5):
            tick = step * 10 ** power
            if tick <= top:
                parts.append(f'<path d="M{x_of(tick):.1f} {TOP - 6}V{height - 28}" stroke="#ddd"/>')
                parts.append(text(x_of(tick), height - 12, str(tick), 11, "middle"))
    y = TOP
    for label, bars in groups:
        parts.append(text(LEFT - 8, y + len(bars) * BAR / 2 + 4, label, anchor="end"))
        for engine, value in bars:
            end = max(x_of(value), LEFT + 1)
            parts.append(f'<rect x="{LEFT}" y="{y + 1}" width="{end - LEFT:.1f}" '
                         f'height="{BAR - 2}" fill="{colour(engine)}"/>')
            parts.append(text(end + 4, y + BAR - 3, f"{value:.3g}", 10))
            y += BAR
        y += GAP
    return "\n".join([*parts, "</svg>", ""])


def colour(engine):
    return COLOURS.get(engine, "#777")
