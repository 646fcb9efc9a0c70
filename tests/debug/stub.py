# SPDX-License-Identifier: GPL-3.0-only
"""A machine with its GDB stub and its control socket, GDB on it, and a debugger of a few lines.

    with Debugged(program("rv64"), "-jit", "off") as m:
        text = m.gdb("break tick", "continue", "backtrace")
        stub = m.attach()
        check(stub.ask("qC") == "QC1", "hart 0 is not thread 1")
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ.get("SRCDIR", os.getcwd()), "tests", "guest"))
from console import BUILD, RVVM, SLOW, SRCDIR, Failed, check  # noqa: E402,F401

SECONDS = 60
HERE = f"{SRCDIR}/tests/debug"
WIDTHS = {"rv32": ("rv32imafdc_zicsr", "ilp32d"), "rv64": ("rv64imafdc_zicsr", "lp64d")}


def program(width):
    """tests/debug/program.c with what a debugger wants to know, as an ELF file."""
    directory = os.path.join(BUILD, "guest")
    os.makedirs(directory, exist_ok=True)
    march, mabi = WIDTHS[width]
    elf = f"{directory}/debugged-{width}.elf"
    made = f"{elf}.{os.getpid()}"
    subprocess.run(["riscv64-unknown-elf-gcc", f"-march={march}", f"-mabi={mabi}", "-mcmodel=medany", "-g",
                    "-O1", "-ffreestanding", "-nostdlib", "-static", "-Wl,-Ttext=0x80000000", "-Wl,-N",
                    "-Wl,--no-warn-rwx-segments", "-o", made, f"{HERE}/start.S", f"{HERE}/program.c"],
                   check=True)
    os.replace(made, elf)
    return elf


class Stub:
    """The other end of the GDB stub, packet by packet."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SECONDS * SLOW)
        self.socket.connect(path)
        self.rest = b""

    def close(self):
        self.socket.close()

    def _byte(self):
        if not self.rest:
            self.rest = self.socket.recv(65536)
            if not self.rest:
                raise Failed("the stub has hung up")
        byte, self.rest = self.rest[:1], self.rest[1:]
        return byte

    def raw(self, data):
        self.socket.sendall(data)

    def send(self, data):
        if isinstance(data, str):
            data = data.encode()
        escaped = b"".join(b"}" + bytes([c ^ 0x20]) if c in b"$#}*" else bytes([c]) for c in data)
        self.raw(b"$" + escaped + b"#%02x" % (sum(escaped) & 0xff))

    def receive(self):
        """The next packet; what acknowledges is passed over."""
        while self._byte() != b"$":
            pass
        data = b""
        while (byte := self._byte()) != b"#":
            data += bytes([self._byte()[0] ^ 0x20]) if byte == b"}" else byte
        self._byte(), self._byte()
        try:
            self.raw(b"+")
        except BrokenPipeError:  # that was its last word
            pass
        return data.decode("latin-1")

    def ask(self, data):
        self.send(data)
        return self.receive()

    def word(self, register, width=64):
        """A register's value."""
        return int.from_bytes(bytes.fromhex(self.ask(f"p{register:x}")), "little")


class Debugger:
    """What GDB and a debugger of a few lines come to: `process` listens at `path`."""

    def __init__(self, elf):
        self.elf = elf
        self.directory = tempfile.mkdtemp(prefix="rvvm-debug-")
        self.path = f"{self.directory}/gdb"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.directory)

    def attach(self):
        return Stub(self.path)

    def gdb(self, *commands, symbols=None, ends=True):
        """GDB's output. Each command's begins with a line `> COMMAND`."""
        script = f"{self.directory}/script"
        with open(script, "w", encoding="ascii") as file:
            file.write("set pagination off\nset confirm off\nset height 0\nset width 0\n")
            file.write(f"target remote {self.path}\n")
            for command in commands:
                file.write(f"echo > {command}\\n\n{command}\n")
            file.write("echo > end\\n\n")
        elf = self.elf if symbols is None else symbols
        done = subprocess.run(["gdb-multiarch", "-nx", "-batch", "-x", script, *filter(None, [elf])],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=3 * SECONDS * SLOW, stdin=subprocess.DEVNULL)
        print(done.stdout, file=sys.stderr, flush=True)
        check(not ends or "> end" in done.stdout, f"GDB ended early: {done.stdout.strip()[-300:]!r}")
        return done.stdout

    def status(self):
        """Waits for the end of it."""
        try:
            return self.process.wait(SECONDS * SLOW)
        except subprocess.TimeoutExpired as late:
            raise Failed("it does not end") from late


class Debugged(Debugger):
    """A machine that pauses before its first instruction."""

    def __init__(self, elf, *args, paused=True, serial="null"):
        super().__init__(elf)
        self.control = f"{self.directory}/control"
        self.args = [RVVM, elf, "-nographic", "-serial", serial, "-gdb", f"unix:{self.path}", "-control",
                     f"unix:{self.control}", *(["-S"] if paused else []), *args]
        print("+", " ".join(self.args), file=sys.stderr, flush=True)
        self.process = subprocess.Popen(self.args, stdin=subprocess.DEVNULL, stderr=sys.stderr)
        deadline = time.monotonic() + SECONDS * SLOW
        while not os.path.exists(self.control):
            check(self.process.poll() is None and time.monotonic() < deadline, "it does not listen")
            time.sleep(0.02)
        # Its sockets are there before it has power.
        while "state: off" in self.ctl("status"):
            check(time.monotonic() < deadline, "it is off")
            time.sleep(0.02)

    def ctl(self, *words, fails=False):
        done = subprocess.run([RVVM, "ctl", self.control, *words], capture_output=True, text=True,
                              timeout=SECONDS * SLOW, stdin=subprocess.DEVNULL)
        print("+ ctl", *words, "\n", done.stdout, done.stderr, file=sys.stderr, flush=True)
        check(done.returncode == (1 if fails else 0), f"ctl {words}: {done.returncode} {done.stderr}")
        return done.stderr if fails else done.stdout


def wants(text, *patterns):
    """These are in the text, in this order."""
    at = 0
    for pattern in patterns:
        match = re.compile(pattern, re.M).search(text, at)
        check(match, f"{pattern!r} is not in {text[at:][-1500:]!r}")
        at = match.end()
