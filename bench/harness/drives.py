# SPDX-License-Identifier: GPL-3.0-only
"""Measures drives: a Debian boots from one to its login prompt, and its fio reads and writes another of the
same kind. Both images are the same files for all engines; the host has them in its page cache."""
import os
from contextlib import contextmanager

from harness.console import Console, GuestFailed
from harness.results import MICROSECONDS, RATE, SECONDS

LOGIN_SECONDS = 400
SCRATCH_MIB = 512
DEPTHS = (1, 32)
BLOCK, STRIPE = "4k", "1m"
# Name of the row, what fio calls it, size of a request, depth.
JOBS = [(f"random {word}, depth {depth}, thousand/s", f"rand{word}", BLOCK, depth)
        for word in ("read", "write") for depth in DEPTHS]
JOBS += [(f"sequential {word}, MiB/s", word, STRIPE, 4) for word in ("read", "write")]


class Drive:
    def __init__(self, name, device, ours, theirs):
        self.name, self.device = name, device  # in the table; in the guest, of the second one
        self.ours, self.theirs = ours, theirs

    def options(self, engine, images):
        """Command line for images as (path, what is written is lost)."""
        words = []
        for number, (path, lost) in enumerate(images):
            if engine.name.startswith("rvvm"):
                words += [self.ours, path + (",snapshot" if lost else "")]
            else:
                words += ["-drive", f"file={path},if=none,id=d{number},format=raw,aio=io_uring"
                          + (",snapshot=on" if lost else "")]
                words += [word.format(n=number) for word in self.theirs]
        return words


DRIVES = [
    Drive("NVMe", "/dev/nvme1n1", "-nvme", ["-device", "nvme,serial=s{n},drive=d{n}"]),
    Drive("virtio-blk", "/dev/vdb", "-virtio-blk",
          ["-object", "iothread,id=io{n}", "-device", "virtio-blk-pci,drive=d{n},iothread=io{n}"]),
]


def make_scratch(folder):
    """Written all over, so that reads are of data and writes need no space."""
    path = os.path.join(folder, "scratch.img")
    if not os.path.exists(path):
        piece = os.urandom(1 << 20)
        with open(path + ".new", "wb") as file:
            for _ in range(SCRATCH_MIB):
                file.write(piece)
        os.rename(path + ".new", path)
    return path


class Guest:
    def __init__(self, console):
        self.console = console

    def log_in(self):
        self.console.send("root")
        self.console.wait_for("root@rvvm:~# ", 60)
        self.console.send("stty -echo; PS1= TERM=dumb exec dash")

    def fio(self, drive, job, size, depth, seconds):
        """Requests and bytes a second, and how many requests there were."""
        self.console.send(f"echo; fio --name=job --filename={drive.device} --rw={job} --bs={size} "
                          f"--iodepth={depth} --ioengine=libaio --direct=1 --time_based "
                          f"--runtime={seconds} --minimal; echo; echo bench: status $?")
        lines = self.console.lines_until("bench: status ", 60 + 10 * seconds)
        for _, text in lines:
            if text.startswith("3;fio"):
                # fio(1), "Terse output": KiB, KiB/s and requests/s of reads from field 6, writes from 47.
                fields = text.split(";")[46 if "write" in job else 5:]
                kib, rate, requests = (float(field) for field in fields[:3])
                return requests, rate / 1024, kib / (1024 if size == STRIPE else 4)
        raise GuestFailed(f"fio said: {lines[-2][1] if len(lines) > 1 else 'nothing'}")


@contextmanager
def debian(engine, programs, drive, scratch):
    images = [(os.path.join(programs.guest, "debian.img"), True), (scratch, False)]
    console = Console([*engine.command, "-m", "1G", "-smp", "2", "-nographic", "-no-reboot",
                       "-kernel", os.path.join(programs.guest, "debian.kernel"),
                       "-initrd", os.path.join(programs.guest, "debian.initrd"),
                       "-append", "console=ttyS0 root=LABEL=rvvm-root",
                       *drive.options(engine, images)])
    try:
        yield console
    finally:
        console.close()


class Rows:
    def __init__(self, results, drive):
        group = f"disk, {drive.name}"
        self.login = results.add_row(group, "boot to the login prompt, s", SECONDS)
        self.login_cpu = results.add_row(group, "host CPU of that, s", SECONDS)
        self.jobs = [results.add_row(group, name, RATE) for name, *_ in JOBS]
        self.cost = results.add_row(group, "host CPU of a 4 KiB request, us", MICROSECONDS)

    def all(self):
        return [self.login, self.login_cpu, *self.jobs, self.cost]


def measure_one(engine, programs, drive, scratch, rows, seconds):
    with debian(engine, programs, drive, scratch) as console:
        when = console.wait_for("rvvm login: ", LOGIN_SECONDS)
        rows.login.cell(engine.name).samples.append(when - console.started)
        rows.login_cpu.cell(engine.name).samples.append(console.cpu_seconds())
        guest = Guest(console)
        guest.log_in()
        used = requests = 0
        for row, (_, job, size, depth) in zip(rows.jobs, JOBS):
            before = console.cpu_seconds()
            each, rate, count = guest.fio(drive, job, size, depth, seconds)
            row.cell(engine.name).samples.append(each / 1000 if size == BLOCK else rate)
            if size == BLOCK:
                used += console.cpu_seconds() - before
                requests += count
        rows.cost.cell(engine.name).samples.append(1e6 * used / max(requests, 1))


def measure_drives(results, programs, engines, repeats, quick):
    if not os.path.exists(os.path.join(programs.guest, "debian.img")):
        results.note("disk: not measured, there is no Debian disk (tools/guest debian)")
        return
    scratch = make_scratch(programs.folder)
    # Interpreted it would take minutes and say nothing of the drives.
    engines = [engine for engine in engines
               if engine.kind == "system" and engine.name != "rvvm-int"]
    for drive in DRIVES:
        rows = Rows(results, drive)
        for _ in range(repeats):
            for engine in engines:
                if rows.login.cell(engine.name).failed:
                    continue
                try:
                    measure_one(engine, programs, drive, scratch, rows, 1 if quick else 5)
                except GuestFailed as problem:
                    for row in rows.all():
                        row.cell(engine.name).failed = str(problem)
