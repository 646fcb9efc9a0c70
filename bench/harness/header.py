# SPDX-License-Identifier: GPL-3.0-only
"""What a reader must know to judge the figures: the host, versions, the commands that were run."""
import datetime
import os
import subprocess

from harness.programs import CFLAGS, NATIVE_CC, RISCV_CC, RISCV_FLAGS, TOP, compile_command


def first_line(*command):
    """Of what a command prints; empty if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20,
                              stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    said = done.stdout or done.stderr
    return said.partition("\n")[0].strip() if done.returncode == 0 else ""


def processor():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return os.uname().machine


def version_of(engine):
    command = engine.command if engine.kind == "user" else engine.command[0]
    return first_line(command, "--version") or first_line(command, "-version")


def short(text):
    return text.replace(TOP + "/", "").replace(os.path.expanduser("~") + "/", "~/")


def guest_package(programs):
    try:
        with open(programs.image + ".from", encoding="ascii") as file:
            return file.read().split()[-1]
    except (OSError, IndexError):
        return "unknown"


def describe(programs, engines, arguments):
    """(title, text) for each line."""
    header = [
        ("date", datetime.datetime.now().astimezone().isoformat(timespec="minutes")),
        ("host", f"{processor()}, {len(os.sched_getaffinity(0))} processors, "
                 f"Linux {os.uname().release}, load {os.getloadavg()[0]:.1f}"),
        ("source", first_line("git", "-C", TOP, "describe", "--always", "--dirty") or "unknown"),
        ("repeats", f"{arguments.repeats}; figures are medians, ± half of the range"),
        ("native", f"{first_line(NATIVE_CC, '--version')}: {' '.join(CFLAGS)}"),
        ("riscv64", f"{first_line(RISCV_CC, '--version')}: {' '.join(CFLAGS + RISCV_FLAGS)}"),
        ("guest", guest_package(programs)),
    ]
    if programs.compiler:
        with open(os.path.join(programs.compiler, "package"), encoding="ascii") as file:
            package = file.read().strip()
        native = first_line(programs.native_cc1, "--version") or first_line(NATIVE_CC, "--version")
        command = " ".join(compile_command(["cc1"], "job.i", "job.s", RISCV_FLAGS))
        header.append(("compile job", f"{package} on {programs.job_lines} lines; "
                                      f"natively {native}"))
        header.append(("", command))
    for engine in engines:
        header.append((engine.name, version_of(engine)))
        header.append(("", short(engine.describe(programs))))
    if arguments.quick:
        header.append(("note", "--quick: small sizes, first runs; not to be quoted"))
    return header
