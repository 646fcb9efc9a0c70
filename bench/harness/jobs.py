# SPDX-License-Identifier: GPL-3.0-only
"""Measures what is no kernel: the boot and what a guest costs after it, two harts, the compiler."""
import os
import time

from harness.console import GuestFailed
from harness.results import MIB, MILLISECONDS, PERCENT, RATIO, SECONDS, SPEEDUP, trusted_seconds

BOOT_SECONDS = 120
SETTLE_SECONDS = 5  # what a kernel puts off until after the boot is not idleness yet
SLOW_SECONDS = 20   # an engine that needs longer for the compile job does it in one repeat only
STARTS = 200
HARTS_KERNELS = ("lz", "spawn")  # one that computes; one that lives of the kernel and its locks


def systems(engines):
    return [engine for engine in engines if engine.kind == "system"]


def measure_boot(results, programs, engines, repeats, quick):
    """Process start to the line with which init says that the shell comes next."""
    boot = results.add_row("machine", "boot to a shell, s", SECONDS)
    memory = results.add_row("machine", "peak memory by then, MiB", MIB)
    idle = results.add_row("machine", "host CPU when idle, %", PERCENT)
    watched = 2 if quick else 5
    for repeat in range(repeats):
        for engine in systems(engines):
            if boot.cell(engine.name).failed:
                continue
            try:
                with engine.boot(programs) as console:
                    lines = console.lines_until("rvvm-guest: ready", BOOT_SECONDS)
                    boot.cell(engine.name).samples.append(lines[-1][0] - console.started)
                    if repeat == repeats - 1:
                        time.sleep(SETTLE_SECONDS)
                        before = console.cpu_seconds()
                        time.sleep(watched)
                        used = console.cpu_seconds() - before
                        idle.cell(engine.name).samples.append(100 * used / watched)
                        memory.cell(engine.name).samples.append(console.peak_mib())
            except GuestFailed as problem:
                for row in (boot, memory, idle):
                    row.cell(engine.name).failed = str(problem)


def measure_starts(results, programs, native, engines, quick):
    """A static program that ends at once: the shortest, since all else is the host's noise."""
    row = results.add_row("programs", "start and end, ms", MILLISECONDS)
    count = STARTS // 10 if quick else STARTS
    for engine in [native, *(engine for engine in engines if engine.kind == "user")]:
        with engine.session(programs) as session:
            cell = row.cell(engine.name)
            try:
                cell.samples.append(1000 * min(session.start() for _ in range(count)))
            except GuestFailed as problem:
                cell.failed = str(problem)


def measure_harts(results, programs, native, engines, repeats, rounds, kernels):
    """A job of two processes on one hart and on two, in two boots; natively, on one processor and
    on two. A host with one cannot tell."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        results.note("two harts: not measured, this host lends one processor")
        return
    rows = {name: results.add_row("two harts", f"{name}, two processes", SPEEDUP)
            for name in kernels}

    def times(session, **extra):
        return {name: [session.kernel(name, rounds, processes=2, **extra).seconds
                       for _ in range(repeats)] for name in kernels}

    def compare(engine, one, two):
        for name, row in rows.items():
            row.cell(engine.name).samples += [a / b for a, b in zip(one[name], two[name])]

    with native.session(programs) as session:
        compare(native, times(session, cpus={cpus[0]}), times(session, cpus=set(cpus[:2])))
    for engine in systems(engines):
        try:
            taken = []
            for harts in (1, 2):
                with engine.session(programs, harts=harts) as session:
                    taken.append(times(session))
            compare(engine, *taken)
        except GuestFailed as problem:
            for row in rows.values():
                row.cell(engine.name).failed = str(problem)


def measure_compile(results, programs, native, engines, repeats):
    """The compiler in a fresh guest, and again in the same; natively both of a near version. The
    output must be the same in all engines: it is the same compiler."""
    rows = [results.add_row("compile job", name, RATIO) for name in ("first run", "again")]
    memory = results.add_row("machine", "peak in compile job, MiB", MIB)
    expected = None
    for repeat in range(repeats):
        with native.session(programs) as session:
            times = [session.compile().seconds for _ in rows]
        for row, seconds in zip(rows, times):
            row.cell("native").seconds.append(seconds)
            row.cell("native").samples.append(1.0)
        for engine in engines:
            done = rows[0].cell(engine.name)
            if done.failed or max(done.seconds, default=0) > SLOW_SECONDS:
                continue
            try:
                with engine.session(programs, compiler=True) as session:
                    for row, natively in zip(rows, times):
                        run = session.compile()
                        expected = expected or run.result
                        if run.result != expected:
                            raise GuestFailed("the compiler's output differs from other engines'")
                        seconds = trusted_seconds(results, engine, f"compile job, {row.name}", run)
                        row.cell(engine.name).seconds.append(seconds)
                        row.cell(engine.name).samples.append(seconds / natively)
                    if engine.kind == "system" and repeat == 0:
                        memory.cell(engine.name).samples.append(session.console.peak_mib())
            except GuestFailed as problem:
                for row in rows:
                    row.cell(engine.name).failed = str(problem)
