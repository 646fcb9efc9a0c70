# SPDX-License-Identifier: GPL-3.0-only
"""Times the kernels in pairs: in each round of repeats a kernel runs natively and then in each
engine, one at a time, so that what else the host does strikes both sides of a ratio alike."""
from contextlib import ExitStack

from harness.console import GuestFailed, ProgramFailed
from harness.results import RATIO, trusted_seconds

FULL, SMALL = 8, 1  # rounds of a kernel: about 0.35 s natively, or an eighth for slow engines
LONGEST = 2.5       # seconds that an engine may take for the full size before it gets the small one
FP_TOLERANCE = 1e-3  # fused multiply-add and the order of sums differ between machines
BOOTS = 4           # an engine that had to be started anew so often is given up


class Sessions:
    """A session for each engine, kept while it works."""

    def __init__(self, programs):
        self.programs = programs
        self.stacks = {}
        self.sessions = {}
        self.boots = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for engine in list(self.stacks):
            self.drop(engine)

    def drop(self, engine):
        self.sessions.pop(engine, None)
        self.stacks.pop(engine).close()

    def get(self, engine):
        if engine not in self.sessions:
            self.boots[engine] = self.boots.get(engine, 0) + 1
            if self.boots[engine] > BOOTS:
                raise GuestFailed(f"given up after {BOOTS} starts")
            self.stacks[engine] = ExitStack()
            try:
                session = engine.session(self.programs)
                self.sessions[engine] = self.stacks[engine].enter_context(session)
            except GuestFailed as problem:
                self.stacks.pop(engine).close()
                self.boots[engine] = BOOTS  # the time for a boot is long: it is not tried again
                raise GuestFailed(f"did not start: {problem}") from None
        return self.sessions[engine]

    def kernel(self, engine, name, rounds):
        """A Run; after a guest ended or hung the next one finds a fresh guest."""
        session = self.get(engine)
        try:
            return session.kernel(name, rounds)
        except ProgramFailed:
            raise
        except GuestFailed:
            self.drop(engine)
            raise


def same(result, expected):
    if result.startswith("0x"):  # a checksum
        return result == expected
    try:
        return abs(float(result) - float(expected)) <= FP_TOLERANCE * abs(float(expected))
    except ValueError:
        return False


class KernelTimer:
    def __init__(self, results, sessions, native, engines, repeats, quick):
        self.results, self.sessions, self.native = results, sessions, native
        self.engines, self.repeats, self.quick = engines, repeats, quick
        self.known = {}  # (kernel, rounds): (engine, result)

    def _check_engines(self, engine, name, rounds, result):
        """All engines but the host run the same program, so even the last digit must agree."""
        first, expected = self.known.setdefault((name, rounds), (engine.name, result))
        if result != expected:
            self.results.note(f"{name}: {engine.name} says {result}, {first} says {expected}")

    def _warm_up(self, engine, row, name):
        """How many rounds suit this engine; 0 when it fails."""
        if self.quick:
            return SMALL
        try:
            run = self.sessions.kernel(engine, name, SMALL)
        except GuestFailed as problem:
            row.cell(engine.name).failed = str(problem)
            return 0
        return FULL if run.seconds * FULL / SMALL <= LONGEST else SMALL

    def _engine_run(self, engine, row, name, rounds, native):
        cell = row.cell(engine.name)
        try:
            run = self.sessions.kernel(engine, name, rounds)
        except GuestFailed as problem:
            cell.failed = str(problem)
            return
        if not same(run.result, native.result):
            cell.failed = f"result {run.result}, natively {native.result}"
            return
        self._check_engines(engine, name, rounds, run.result)
        seconds = trusted_seconds(self.results, engine, name, run)
        cell.seconds.append(seconds)
        cell.samples.append(seconds / native.seconds)
        cell.rounds = rounds

    def measure(self, group, name):
        row = self.results.add_row(group, name, RATIO)
        native_cell = row.cell("native")
        rounds = {engine: self._warm_up(engine, row, name) for engine in self.engines}
        if not self.quick:
            self.sessions.kernel(self.native, name, SMALL)
        for _ in range(self.repeats):
            for size in sorted(set(rounds.values()) - {0}) or [SMALL]:
                native = self.sessions.kernel(self.native, name, size)
                native_cell.seconds.append(native.seconds * FULL / size)
                native_cell.samples.append(1.0)
                native_cell.rounds = max(size, native_cell.rounds)
                for engine in self.engines:
                    if rounds[engine] == size and not row.cell(engine.name).failed:
                        self._engine_run(engine, row, name, size, native)
        return row
