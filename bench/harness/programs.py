# SPDX-License-Identifier: GPL-3.0-only
"""What is measured: builds the kernels for both sides, fetches the compiler of the compile job, and
makes the guest's initramfs of them."""
import glob
import os
import subprocess
import sys

from harness.source import write_source

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = os.path.join(TOP, "bench")
CFLAGS = ["-std=gnu11", "-O2", "-static"]
RISCV_FLAGS = ["-march=rv64gc", "-mabi=lp64d"]
NATIVE_CC = os.environ.get("BENCH_CC", "gcc")
RISCV_CC = os.environ.get("BENCH_RISCV_CC", "riscv64-linux-gnu-gcc")
FULL_LINES, QUICK_LINES = 2000, 250


class MissingProgram(Exception):
    """Something that is needed to measure at all."""


def run(*command, **options):
    """What a command prints, for those that must not fail."""
    try:
        return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE,
                              **options).stdout
    except FileNotFoundError:
        raise MissingProgram(f"{command[0]} is not installed (tools/deps bench)") from None
    except subprocess.CalledProcessError as error:
        raise MissingProgram(f"{' '.join(command)} failed with {error.returncode}") from None


def compile_command(cc1, job, output, flags):
    return [*cc1, "-quiet", "-w", "-fpreprocessed", "-O2", *flags, job, "-o", output]


class Programs:
    """Files and where they are: natively, and under /bench in a guest."""

    def __init__(self, folder, quick, with_compiler):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.native_kernels = os.path.join(folder, "kernels")
        self.riscv_kernels = os.path.join(folder, "kernels-riscv64")
        self.job = os.path.join(folder, "job.i")
        self.initramfs = os.path.join(folder, "initramfs.cpio")
        self.compile_initramfs = os.path.join(folder, "compile-initramfs.cpio")
        self._build(NATIVE_CC, [], self.native_kernels)
        self._build(RISCV_CC, RISCV_FLAGS, self.riscv_kernels)
        lines = QUICK_LINES if quick else FULL_LINES
        write_source(self.job, lines - 40)
        with open(self.job, encoding="ascii") as job:
            self.job_lines = sum(1 for _ in job)
        self.guest = run(os.path.join(TOP, "tools/guest"), "--where").strip()
        self.image = os.path.join(self.guest, "Image")
        self.plain_initramfs = os.path.join(self.guest, "initramfs.cpio")
        self.compiler = self._fetch_compiler() if with_compiler else None
        self.native_cc1 = run(NATIVE_CC, "-print-prog-name=cc1").strip()

    def _build(self, compiler, flags, output):
        sources = sorted(glob.glob(os.path.join(BENCH, "kernels", "*.c")))
        run(compiler, *CFLAGS, *flags, "-o", output, *sources, "-lm", "-pthread")

    def _fetch_compiler(self):
        """The folder of cc1, or None: off-line, all but the compile job can be measured."""
        try:
            return run(os.path.join(BENCH, "compiler")).strip()
        except MissingProgram as problem:
            print(f"bench: no compile job: {problem}", file=sys.stderr)
            return None

    def kernels(self):
        """(group, name) in the order of the table."""
        return [tuple(line.split()) for line in run(self.native_kernels, "-l").splitlines()]

    def make_initramfs(self):
        """The plain guest with the programs put after it, and that with the compiler after those.
        Linux reads archives that follow each other as one. Without the compiler it boots faster."""
        if not (os.path.exists(self.image) and os.path.exists(self.plain_initramfs)):
            run(os.path.join(TOP, "tools/guest"))
        kernels = [
            "dir bench 755",
            f"file tests/bench 755 {BENCH}/guest-job",
            f"file bench/kernels 755 {self.riscv_kernels}",
        ]
        self._join_archives(self.initramfs, self.plain_initramfs, kernels)
        if self.compiler:
            compiler = [f"file bench/job.i 644 {self.job}",
                        f"file bench/cc1 755 {self.compiler}/cc1", "dir lib 755"]
            for name in sorted(os.listdir(os.path.join(self.compiler, "lib"))):
                compiler.append(f"file lib/{name} 755 {self.compiler}/lib/{name}")
            self._join_archives(self.compile_initramfs, self.initramfs, compiler)

    def _join_archives(self, whole, first, lines):
        added = os.path.join(self.folder, "added.cpio")
        run(os.path.join(TOP, "tools/mkcpio"), added, input="\n".join(lines))
        with open(whole, "wb") as output:
            for part in (first, added):
                with open(part, "rb") as archive:
                    output.write(archive.read())
        os.unlink(added)
