# SPDX-License-Identifier: GPL-3.0-only
"""Measures networks: iperf3 between a guest and the host's loopback through user mode, by a virtio card, and
what a packet and a connection take. The guest's kernel, its drivers and its iperf3 are those of
tests/guest/toolbox; the host's iperf3 is the server for all engines."""
import os
import re
import socket
import subprocess
import threading
from contextlib import contextmanager

from harness.console import Console, GuestFailed
from harness.programs import TOP
from harness.results import MICROSECONDS, RATE, SECONDS

BOOT_SECONDS = 120
STREAMS = (1, 8)
# Name of the row, what iperf3 is told.
TRANSFERS = [(f"{way}, {count} stream{'s' if count > 1 else ''}, Mbit/s", f"-P {count}{more}")
             for way, more in (("to the host", ""), ("from the host", " -R")) for count in STREAMS]
PINGS = 100
QEMU_CARD = ["-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,romfile="]

# Before the lines of the job: drivers, and an address from DHCP.
SETUP = r"""#!/bin/busybox sh
for m in $(cat /modules/order); do insmod /modules/$m.ko; done
echo '#!/bin/sh' >/tmp/dhcp
cat >>/tmp/dhcp <<'END'
[ "$1" = bound ] || exit 0
ip addr replace $ip/$mask dev $interface
ip route replace default via $router
END
chmod +x /tmp/dhcp
ip link set lo up
ip link set eth0 up
udhcpc -i eth0 -n -q -t 20 -s /tmp/dhcp >/dev/null 2>&1 || echo "bench: no lease"
exec /tests/job
"""


def make_guest(programs):
    """Kernel and initramfs, or None."""
    done = subprocess.run([os.path.join(TOP, "tests/guest/toolbox"), "net"], stdout=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode != 0:
        return None
    tools = done.stdout.strip()
    job, setup, added, whole = (os.path.join(programs.folder, name)
                                for name in ("net_job", "net-setup", "net.added", "net.cpio"))
    subprocess.run([os.environ.get("BENCH_RISCV_CC", "riscv64-linux-gnu-gcc"), "-O2", "-static", "-o", job,
                    os.path.join(TOP, "tests/guest/net_job.c")], check=True)
    with open(setup, "w", encoding="ascii") as file:
        file.write(SETUP)
    lines = (f"tree {tools}/root", f"file usr/bin/net_job 755 {job}", f"file tests/bench 755 {setup}",
             f"file tests/job 755 {TOP}/bench/guest-job", "")
    subprocess.run([os.path.join(TOP, "tools/mkcpio"), added], input="\n".join(lines), text=True, check=True)
    with open(whole, "wb") as output:
        for part in (programs.plain_initramfs, added):
            with open(part, "rb") as archive:
                output.write(archive.read())
    return os.path.join(tools, "Image"), whole


@contextmanager
def iperf_server():
    """Its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(["iperf3", "-s", "-B", "127.0.0.1", "-p", str(port)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        server.kill()
        server.wait()


class Closer:
    """Closes each connection at once."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            self.listener.accept()[0].close()


class Guest:
    def __init__(self, console):
        self.console = console
        console.lines_until("bench: ready", BOOT_SECONDS)

    def run(self, line, seconds):
        """What it printed."""
        self.console.send(line)
        lines = [text for _, text in self.console.lines_until("bench: status ", seconds)]
        if lines[-1] != "bench: status 0":
            raise GuestFailed(f"{line}: {lines[-2] if len(lines) > 1 else lines[-1]}")
        return "\n".join(lines)

    def iperf(self, port, words, seconds):
        """Mbit/s as the receiver saw it, and bytes."""
        # Without a delay: some of it is the time in which the server gets ready again.
        text = self.run(f"iperf3 -c 10.0.2.2 -p {port} -t {seconds} -f k {words}", 60 + 10 * seconds)
        rates = re.findall(r"^\[(SUM| *\d+)\] +[\d.]+-([\d.]+) +sec +\S+ \S+ +([\d.]+) Kbits/sec +receiver", text, re.M)
        if not rates:
            raise GuestFailed(f"iperf3 said: {text.splitlines()[-2:]}")
        took, rate = rates[-1][1:]
        return float(rate) / 1000, float(rate) * 125 * float(took)

    def ping(self):
        """Microseconds there and back, at the median of those that busybox tells of."""
        text = self.run(f"ping -c {PINGS} -i 0.02 10.0.2.2", 60 + PINGS)
        times = sorted(float(word) for word in re.findall(r"time=([\d.]+) ms", text))
        if len(times) < PINGS / 2:
            raise GuestFailed(f"{len(times)} of {PINGS} pings came back")
        return 1000 * times[len(times) // 2]

    def connections(self, port, seconds):
        text = self.run(f"net_job rate 10.0.2.2 {port} {seconds}", 60 + 10 * seconds)
        return float(re.search(r"([\d.]+) connections a second", text)[1])


class Rows:
    def __init__(self, results):
        group = "network, virtio, user mode"
        self.transfers = [results.add_row(group, name, RATE) for name, _ in TRANSFERS]
        self.ping = results.add_row(group, "ping, us", MICROSECONDS)
        self.connections = results.add_row(group, "connections a second", RATE)
        self.cost = results.add_row(group, "host CPU of a gigabyte, s", SECONDS)

    def all(self):
        return [*self.transfers, self.ping, self.connections, self.cost]


def measure_one(engine, guest_files, rows, ports, seconds):
    kernel, initramfs = guest_files
    card = ["-net", "virtio,user"] if engine.name.startswith("rvvm") else QEMU_CARD
    console = Console([*engine.command, "-m", "512M", "-smp", "2", "-nographic", "-no-reboot", "-kernel", kernel,
                       "-initrd", initramfs, "-append", "console=ttyS0 quiet rvvm.test=bench", *card])
    try:
        guest = Guest(console)
        used = moved = 0
        for row, (_, words) in zip(rows.transfers, TRANSFERS):
            before = console.cpu_seconds()
            rate, count = guest.iperf(ports[0], words, seconds)
            used += console.cpu_seconds() - before
            moved += count
            row.cell(engine.name).samples.append(rate)
        rows.ping.cell(engine.name).samples.append(guest.ping())
        rows.connections.cell(engine.name).samples.append(guest.connections(ports[1], seconds))
        rows.cost.cell(engine.name).samples.append(1e9 * used / moved)
    finally:
        console.close()


def measure_nets(results, programs, engines, repeats, quick):
    guest_files = make_guest(programs)
    if not guest_files:
        results.note("network: not measured, the guest's programs could not be fetched")
        return
    engines = [engine for engine in engines
               if engine.kind == "system" and engine.name != "rvvm-int"]
    rows, closer = Rows(results), Closer()
    with iperf_server() as port:
        for _ in range(repeats):
            for engine in engines:
                if rows.cost.cell(engine.name).failed:
                    continue
                try:
                    measure_one(engine, guest_files, rows, (port, closer.port), 1 if quick else 5)
                except GuestFailed as problem:
                    for row in rows.all():
                        row.cell(engine.name).failed = str(problem)
