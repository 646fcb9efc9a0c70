# SPDX-License-Identifier: GPL-3.0-only
"""The results as text: header, one table, means of each group, and how ours stands beside QEMU."""
import statistics

from harness.results import MIB, MICROSECONDS, MILLISECONDS, PERCENT, RATE, RATIO, SECONDS, SPEEDUP

FORMATS = {RATIO: "{:.2f}", SECONDS: "{:.2f}", MIB: "{:.0f}", PERCENT: "{:.1f}", SPEEDUP: "x{:.2f}",
           RATE: "{:.1f}", MICROSECONDS: "{:.1f}", MILLISECONDS: "{:.2f}"}
HEADINGS = {RATIO: "time / native time"}
# Rows that are compared with QEMU's: less is better, or more.
COMPARED = (RATIO, SECONDS, MIB, MICROSECONDS, MILLISECONDS, RATE)
MORE_IS_BETTER = (RATE,)


def number(value):
    """Three digits that say something, whatever the size."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def cell_text(row, name):
    cell = row.cells.get(name)
    if cell is None:
        return "-"
    if cell.failed:
        return "failed"
    if not cell.samples:
        return "-"
    median, spread = cell.median(), cell.spread()
    text = number(median) if row.unit == RATIO else FORMATS[row.unit].format(median)
    return text if spread is None else f"{text} ±{100 * spread:2.0f}%"


def native_text(row):
    cell = row.cells.get("native")
    if cell is None or not (cell.seconds or cell.samples):
        return "-"
    if row.unit == RATIO:
        return f"{statistics.median(cell.seconds):.3f} s"
    return cell_text(row, "native")


def lay_out(lines):
    """Columns as wide as they must be, the first to the left and the others to the right."""
    widths = [max(len(line[i]) for line in lines if len(line) > 1) for i in range(len(lines[-1]))]
    for line in lines:
        if len(line) == 1:
            yield line[0]
        else:
            rest = (text.rjust(width) for text, width in zip(line[1:], widths[1:]))
            yield "  ".join([line[0].ljust(widths[0]), *rest]).rstrip()


def main_table(results):
    lines = [["", "native", *results.engines]]
    for group in dict.fromkeys(row.group for row in results.rows):
        rows = [row for row in results.rows if row.group == group]
        heading = HEADINGS.get(rows[0].unit)
        lines += [[""], [f"{group}, {heading}" if heading else group]]
        for row in rows:
            cells = [cell_text(row, engine) for engine in results.engines]
            lines.append([f"  {row.name}", native_text(row), *cells])
        if rows[0].unit == RATIO and len(rows) > 1:
            means = []
            for engine in results.engines:
                mean, count = results.mean(group, engine)
                partial = f" of {count}" if 0 < count < len(rows) else ""
                means.append(number(mean) + partial if mean else "-")
            lines.append(["  geometric mean", "", *means])
    return lay_out(lines)


def against(results, ours, theirs):
    """Ours divided by theirs: means of groups, single rows, and where ours is slower."""
    lines, slower = [], []
    for group in results.groups():
        mean, count = results.mean(group, ours, theirs)
        if mean:
            lines.append([f"  {group}", f"{mean:.2f}", f"mean of {count}"])
    for row in results.rows:
        mine, other = row.cell(ours), row.cell(theirs)
        if row.unit not in COMPARED or not (mine.usable() and other.usable()):
            continue
        ratio = mine.median() / other.median() if other.median() else 0
        if row.unit != RATIO or row.name == "spawn":
            name = f"{row.group}, {row.name}" if row.group.startswith(("disk", "network")) else row.name
            lines.append([f"  {name}", f"{ratio:.2f}", ""])
        if (ratio < 1 if row.unit in MORE_IS_BETTER else ratio > 1) and row.unit != MIB:
            slower.append(f"{row.name} {ratio:.2f}")
    if not lines:
        return
    yield f"{ours} / {theirs}"
    yield from lay_out(lines)
    yield f"  slower: {', '.join(slower) if slower else 'nowhere'}"
    yield ""


def failures(results):
    for row in results.rows:
        for name, cell in row.cells.items():
            if cell.failed:
                yield f"{name}, {row.group}, {row.name}: failed: {cell.failed}"


def as_text(results):
    width = max(len(title) for title, _ in results.header)
    for title, text in results.header:
        yield f"{title.ljust(width)}  {text}"
    yield ""
    yield from main_table(results)
    yield ""
    for engine in results.engines:
        peer = "qemu-user" if engine == "rvvm-user" else "qemu-system"
        if engine.startswith("rvvm") and peer in results.engines:
            yield from against(results, engine, peer)
    yield from results.notes
    yield from failures(results)
