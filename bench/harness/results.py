# SPDX-License-Identifier: GPL-3.0-only
"""What was measured: rows of cells with all samples; medians, spread and means."""
import math
import statistics
from dataclasses import dataclass, field

# How the numbers of a row are read. RATIO: time / native time of the same pair.
# RATE: so many a second, in the unit that the row names.
RATIO, SECONDS, MIB, PERCENT, SPEEDUP = "ratio", "seconds", "MiB", "percent", "speedup"
RATE, MICROSECONDS, MILLISECONDS = "rate", "microseconds", "milliseconds"


@dataclass
class Cell:
    samples: list = field(default_factory=list)
    seconds: list = field(default_factory=list)  # for ratios; native ones as of the full size
    failed: str = ""
    rounds: int = 0

    def median(self):
        return statistics.median(self.samples) if self.samples else None

    def spread(self):
        """Half of the range, as a part of the median; None when there is nothing to compare."""
        if len(self.samples) < 2 or not self.median():
            return None
        return (max(self.samples) - min(self.samples)) / 2 / self.median()

    def usable(self):
        return bool(self.samples) and not self.failed


@dataclass
class Row:
    group: str
    name: str
    unit: str
    cells: dict = field(default_factory=dict)  # by the engine's name

    def cell(self, engine):
        return self.cells.setdefault(engine, Cell())


@dataclass
class Results:
    header: list = field(default_factory=list)   # (title, text)
    engines: list = field(default_factory=list)  # names, in the order of the columns
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def add_row(self, *what):
        self.rows.append(Row(*what))
        return self.rows[-1]

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def groups(self):
        """Groups of ratio rows in the order of the table."""
        return list(dict.fromkeys(row.group for row in self.rows if row.unit == RATIO))

    def mean(self, group, engine, other=None):
        """Geometric mean of a group's medians, against native or another engine, and of how many
        rows it is: those that both have."""
        values = []
        for row in self.rows:
            if row.group != group or row.unit != RATIO or not row.cell(engine).usable():
                continue
            if other and not row.cell(other).usable():
                continue
            values.append(row.cell(engine).median() / (row.cell(other).median() if other else 1))
        if not values or min(values) <= 0:
            return None, 0
        return math.exp(sum(map(math.log, values)) / len(values)), len(values)

    def as_json(self):
        rows = []
        for row in self.rows:
            cells = {}
            for name, cell in row.cells.items():
                cells[name] = {"median": cell.median(), "spread": cell.spread(),
                               "samples": cell.samples, "seconds": cell.seconds}
                if cell.rounds:
                    cells[name]["rounds"] = cell.rounds
                if cell.failed:
                    cells[name]["failed"] = cell.failed
            rows.append({"group": row.group, "name": row.name, "unit": row.unit, "cells": cells})
        means = {group: {engine: self.mean(group, engine)[0] for engine in self.engines}
                 for group in self.groups()}
        return {"header": dict(self.header), "engines": self.engines, "rows": rows,
                "geometric_means": means, "notes": self.notes}


def trusted_seconds(results, engine, what, run):
    """The guest's clock must agree with the host's between the markers, to which the console adds a
    little; if not, the host's counts."""
    if abs(run.host - run.seconds) <= 0.05 + 0.1 * run.seconds:
        return run.seconds
    results.note(f"{engine.name}, {what}: {run.seconds:.3f} s by the guest's clock, "
                 f"{run.host:.3f} s by the host's, which counts")
    return run.host
