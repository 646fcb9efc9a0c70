# SPDX-License-Identifier: GPL-3.0-only
"""Guests that try networks: Debian's kernel with drivers of cards (tests/guest/toolbox) and net_job.c, and
servers of the host for them.

    server = Echo()
    with boot("name", f"lease; net_job many 10.0.2.2 {server.port} 200", "-net", "virtio") as m:
        ends_well(m, "name")

A script is shell; PROLOGUE has the functions it may use. Everything is on loopback.
"""
import os
import socket
import struct
import subprocess
import threading

from console import BUILD, GUEST, SLOW, SRCDIR, Machine, check

OUT = os.path.join(BUILD, "guest")
NO_TOOLS = "skip the programs could not be fetched"

PROLOGUE = r"""#!/bin/busybox sh
fail() { dmesg | tail -n 12; echo "net: $*"; exit 1; }
for m in $(cat /modules/order); do insmod /modules/$m.ko || fail "insmod $m"; done
echo '#!/bin/sh' >/tmp/dhcp
cat >>/tmp/dhcp <<'END'
case $1 in bound | renew) ;; *) exit 0 ;; esac
ip addr replace $ip/$mask dev $interface
ip route replace default via $router
echo nameserver $dns >/etc/resolv.conf
echo "net: $1 $ip/$mask router $router dns $dns for $lease"
END
chmod +x /tmp/dhcp
carrier() { # up or down
    n=0
    while [ "$(cat /sys/class/net/eth0/carrier)" != $1 ]; do
        sleep 0.1; n=$((n+1)); [ $n -lt 600 ] || fail "carrier is not $1"
    done
}
up() { ip link set lo up && ip link set eth0 up && carrier 1 || fail "eth0"; }
lease() { up; udhcpc -i eth0 -n -q -t 20 -s /tmp/dhcp || fail "no lease"; }
address() { # an address of its own, for cables without a server
    up; ip addr add $1 dev eth0 || fail "address $1"
}
reaches() { # with a busy host some may be lost
    n=0
    until ping -c 1 -W 2 $1 >/dev/null 2>&1; do n=$((n+1)); [ $n -lt 60 ] || fail "ping $1"; done
}
"""


def tools():
    """The folder with kernel and programs, or None."""
    done = subprocess.run([os.path.join(SRCDIR, "tests/guest/toolbox"), "net"], stdout=subprocess.PIPE,
                          text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def compiled(name, *how):
    """A program of this folder: its path."""
    os.makedirs(OUT, exist_ok=True)
    program = os.path.join(OUT, name)
    subprocess.run([*how[:1], "-O2", "-Wall", "-Werror", "-o", program, f"{SRCDIR}/tests/guest/{name}.c",
                    *how[1:]], check=True)
    return program


def parts(name, script):
    """Kernel and initial ramdisk of a guest that runs a script. None: they could not be fetched."""
    folder = tools()
    if not folder:
        return None
    job = compiled("net_job", "riscv64-linux-gnu-gcc", "-static")
    text, added, whole = (os.path.join(OUT, f"net-{name}.{kind}") for kind in ("sh", "added", "cpio"))
    with open(text, "w", encoding="ascii") as file:
        file.write(PROLOGUE + script + "\nexit 0\n")
    subprocess.run([os.path.join(SRCDIR, "tools/mkcpio"), added], text=True, check=True,
                   input=f"tree {folder}/root\nfile usr/bin/net_job 755 {job}\nfile tests/{name} 755 {text}\n")
    with open(whole, "wb") as output:
        for part in (f"{GUEST}/initramfs.cpio", added):
            with open(part, "rb") as archive:
                output.write(archive.read())
    os.unlink(added)
    return f"{folder}/Image", whole


def boot(name, script, *options, memory="384M", append="", command=None):
    """The guest, running the script as the test NAME; None as above. command: words before rvvm's."""
    found = parts(name, script)
    if not found:
        return None
    kernel, initrd = found
    return Machine("-kernel", kernel, "-initrd", initrd, "-append",
                   f"console=ttyS0 quiet rvvm.test={name} {append}".strip(), "-nographic", "-m", memory,
                   *options, command=command)


def ends_well(machine, name, seconds=120):
    ended = machine.expect(rf"rvvm-guest: test {name} ended with (\d+)\s", seconds)
    check(ended[1] == "0", f"{name} ended with {ended[1]}")
    check(machine.status(30) == 0, "the machine did not end well")


class Server:
    """Serves TCP clients of 127.0.0.1 (or ::1), each on a thread."""

    def __init__(self, host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.bind((host, 0))
        self.listener.listen(256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            threading.Thread(target=self.guarded, args=(client,), daemon=True).start()

    def guarded(self, client):
        with client:
            try:
                self.serve(client)
            except OSError:
                pass

    def serve(self, client):
        raise NotImplementedError


class Echo(Server):
    """Sends back what it gets."""

    def serve(self, client):
        while data := client.recv(65536):
            client.sendall(data)


class EchoAtTheEnd(Server):
    """Begins to send when the other side has ended."""

    def serve(self, client):
        data = b"".join(iter(lambda: client.recv(65536), b""))
        client.sendall(data)


class Resets(Server):
    """'r': is reset. 'w': gets an answer, and how it ends is in self.ended."""

    def __init__(self):
        self.ended = None
        self.over = threading.Event()
        super().__init__()

    def serve(self, client):
        word = client.recv(1)
        if word == b"r":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if word == b"w":
            client.sendall(word)
            try:
                self.ended = client.recv(1)
            except ConnectionResetError:
                self.ended = "reset"
            self.over.set()


class Source(Server):
    """Sends data to each client."""

    def __init__(self, data):
        self.data = data
        super().__init__()

    def serve(self, client):
        client.sendall(self.data)


class Sink(Server):
    """Keeps what the first client sends."""

    def __init__(self):
        self.data = bytearray()
        self.over = threading.Event()
        super().__init__()

    def serve(self, client):
        while data := client.recv(1 << 20):
            self.data += data
        self.over.set()


class Datagrams:
    """Sends datagrams back."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            data, address = self.socket.recvfrom(65536)
            self.socket.sendto(data, address)


def free_port(kind=socket.SOCK_STREAM, host="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def says_back(port, data, host="127.0.0.1"):
    """Whether what listens there sends the data back."""
    with socket.create_connection((host, port), timeout=20 * SLOW) as connection:
        connection.sendall(data)
        got = b""
        while len(got) < len(data) and (more := connection.recv(65536)):
            got += more
    return got == data
