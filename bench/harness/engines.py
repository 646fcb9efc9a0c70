# SPDX-License-Identifier: GPL-3.0-only
"""What runs the programs: the host itself, user-mode emulators and whole machines. Each gives a
session with run(): the same words for all, so that whoever measures need not know the kind.

    with Machine(...).session(programs) as session:
        run = session.kernel("sieve", 8)
        print(run.result, run.seconds)
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass

from harness.console import Console, GuestFailed, ProgramFailed
from harness.programs import RISCV_FLAGS, compile_command

BOOT_SECONDS = 120
END_LINE = re.compile(r"bench: end (\S+) (\S+) ([0-9.]+)$")


@dataclass
class Run:
    seconds: float  # by the clock of the program itself
    host: float     # the same by the host's clock
    result: str


def parse_end(lines, name):
    """The Run in the lines of a kernel, as (time, text); times may be None."""
    begun = None
    for when, text in lines:
        if text.startswith(f"bench: begin {name}"):
            begun = when
        match = END_LINE.search(text)
        if match and match[1] == name:
            seconds = float(match[3])
            host = when - begun if when is not None and begun is not None else seconds
            return Run(seconds, host, match[2])
    said = [text for _, text in lines if text and not text.startswith("bench: ")]
    raise ProgramFailed(said[-1] if said else "no result")


class ProcessSession:
    """Programs as processes of the host, by an emulator or by themselves."""

    def __init__(self, kernels, cc1, flags, programs):
        self.kernels, self.cc1 = kernels, cc1  # words of commands
        self.flags, self.programs = flags, programs

    def _run(self, command, seconds, cpus=None):
        setup = (lambda: os.sched_setaffinity(0, cpus)) if cpus else None
        start = time.monotonic()
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  errors="replace", timeout=seconds, preexec_fn=setup)
        except subprocess.TimeoutExpired:
            raise GuestFailed(f"not done in {seconds} s") from None
        except OSError as error:
            raise GuestFailed(str(error)) from None
        lines = done.stdout.splitlines()
        if done.returncode != 0:
            said = [line for line in lines if line and not line.startswith("bench: ")]
            raise ProgramFailed(said[-1] if said else f"exit status {done.returncode}")
        return lines, time.monotonic() - start

    def kernel(self, name, rounds, seconds=60, processes=1, cpus=None):
        command = [*self.kernels, "-j", str(processes), name, str(rounds)]
        lines, _ = self._run(command, seconds, cpus)
        return parse_end([(None, line) for line in lines], name)

    def start(self):
        """Seconds of a program that does nothing, from its start to its end."""
        start = time.monotonic()
        pid = os.posix_spawnp(self.kernels[0], [*self.kernels, "-n"], os.environ)
        status = os.waitpid(pid, 0)[1]
        if status:
            raise ProgramFailed(f"status {status}")
        return time.monotonic() - start

    def compile(self, seconds=600):
        output = os.path.join(self.programs.folder, "job.s")
        command = compile_command(self.cc1, self.programs.job, output, self.flags)
        _, took = self._run(command, seconds)
        with open(output, "rb") as file:
            return Run(took, took, hashlib.sha256(file.read()).hexdigest())


class Native:
    name = "native"
    kind = "native"

    def describe(self, programs):
        return programs.native_kernels

    @contextmanager
    def session(self, programs, **_):
        yield ProcessSession([programs.native_kernels], [programs.native_cc1], [], programs)


class User:
    kind = "user"

    def __init__(self, name, command):
        self.name, self.command = name, command

    def describe(self, programs):
        return f"{self.command} {programs.riscv_kernels}"

    @contextmanager
    def session(self, programs, **_):
        # Only the compiler wants libraries, which are in its folder.
        compiler = programs.compiler or ""
        cc1 = [self.command, "-L", compiler, os.path.join(compiler, "cc1")]
        yield ProcessSession([self.command, programs.riscv_kernels], cc1, RISCV_FLAGS, programs)


class GuestSession:
    def __init__(self, console):
        self.console = console

    def _run(self, line, seconds):
        self.console.send(line)
        lines = self.console.lines_until("bench: status ", seconds)
        status = lines[-1][1].rsplit(" ", 1)[1]
        if status != "0":
            said = [text for _, text in lines if text and not text.startswith("bench: ")]
            raise ProgramFailed(said[-1] if said else f"exit status {status}")
        return lines

    def kernel(self, name, rounds, seconds=60, processes=1):
        return parse_end(self._run(f"/bench/kernels -j {processes} {name} {rounds}", seconds), name)

    def compile(self, seconds=600):
        command = compile_command(["/bench/cc1"], "/bench/job.i", "/tmp/job.s", RISCV_FLAGS)
        lines = self._run(f"/bench/kernels -x {' '.join(command)} && sha256sum /tmp/job.s", seconds)
        run = parse_end(lines, "command")
        run.result = lines[-2][1].split(" ")[0]
        return run


class Machine:
    kind = "system"

    def __init__(self, name, command):
        self.name, self.command = name, command

    def arguments(self, programs, initramfs, append, memory, harts):
        return [*self.command, "-m", memory, "-smp", str(harts), "-nographic", "-no-reboot",
                "-kernel", programs.image, "-initrd", initramfs, "-append", append]

    def describe(self, programs):
        return " ".join(self.arguments(programs, programs.initramfs, "...", "1G", 1))

    @contextmanager
    def boot(self, programs):
        """The plain guest, as a person would start it."""
        console = Console(self.arguments(programs, programs.plain_initramfs,
                                         "console=ttyS0", "256M", 1))
        try:
            yield console
        finally:
            console.close()

    @contextmanager
    def session(self, programs, harts=1, compiler=False):
        initramfs = programs.compile_initramfs if compiler else programs.initramfs
        console = Console(self.arguments(programs, initramfs,
                                         "console=ttyS0 quiet rvvm.test=bench", "1G", harts))
        try:
            console.lines_until("bench: ready", BOOT_SECONDS)
            yield GuestSession(console)
        finally:
            console.close()


def find_engines(rvvm):
    """All that are here, ours first. Until rvvm has a choice of engines it is one column."""
    engines = []
    if not os.access(rvvm, os.X_OK):
        print(f"bench: {rvvm} is not there: no columns of ours", file=sys.stderr)
    else:
        shown = subprocess.run([rvvm, "-help", "all"], capture_output=True, text=True, check=False,
                               stdin=subprocess.DEVNULL, timeout=20)
        if re.search(r"^\s+-jit\s", shown.stdout + shown.stderr, re.M):
            engines.append(Machine("rvvm-jit", [rvvm, "-jit", "on"]))
            engines.append(Machine("rvvm-int", [rvvm, "-jit", "off"]))
        else:
            engines.append(Machine("rvvm", [rvvm]))
        user = os.path.join(os.path.dirname(rvvm), "rvvm-user")
        if os.access(user, os.X_OK):
            engines.append(User("rvvm-user", user))
    if shutil.which("qemu-system-riscv64"):
        engines.append(Machine("qemu-system", ["qemu-system-riscv64", "-M", "virt"]))
    if shutil.which("qemu-riscv64"):
        engines.append(User("qemu-user", "qemu-riscv64"))
    return engines
