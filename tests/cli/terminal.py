# SPDX-License-Identifier: GPL-3.0-only
"""rvvm on a terminal of its own, as a person's shell would start it, and other ends of a serial line.

    with Terminal(firmware) as t:
        t.expect(b"ready")
        t.type(b"\\x01x")
        check(t.end() == 0, "Ctrl-A x did not end it")
"""
import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get("SRCDIR", os.getcwd()), "tests", "guest"))
from console import BUILD, RVVM, SLOW, SRCDIR, Failed, check  # noqa: E402

SECONDS = 30


def firmware(name, *defines):
    """tests/cli/echo.S as a raw image for RAM's base."""
    directory = os.path.join(BUILD, "guest")
    os.makedirs(directory, exist_ok=True)
    elf, image = f"{directory}/{name}.elf", f"{directory}/{name}.bin"
    subprocess.run(["riscv64-unknown-elf-gcc", "-march=rv64imac_zicsr", "-mabi=lp64", "-mcmodel=medany",
                    "-nostdlib", "-static", "-Wl,-Ttext=0x80000000", "-Wl,-N",
                    "-Wl,--no-warn-rwx-segments", *defines, "-o", elf, f"{SRCDIR}/tests/cli/echo.S"],
                   check=True)
    subprocess.run(["riscv64-unknown-elf-objcopy", "-O", "binary", elf, image], check=True)
    return image


def wait_readable(fd, deadline):
    left = deadline - time.monotonic()
    return left > 0 and bool(select.select([fd], [], [], left)[0])


class Line:
    """A descriptor on which a guest is heard and spoken to."""

    def __init__(self, fd):
        self.fd = fd
        self.rest = b""  # came, but nobody expected it yet

    def expect(self, text, seconds=SECONDS):
        """Reads up to the first `text`. Returns what came before it."""
        deadline = time.monotonic() + seconds * SLOW
        while text not in self.rest:
            if not wait_readable(self.fd, deadline):
                raise Failed(f"no {text!r}; there is {self.rest[-300:]!r}")
            piece = os.read(self.fd, 65536)
            if not piece:
                raise Failed(f"ended before {text!r}; there is {self.rest[-300:]!r}")
            self.rest += piece
        before, _, self.rest = self.rest.partition(text)
        return before

    def read(self, size, seconds=SECONDS):
        """Reads so many bytes."""
        deadline = time.monotonic() + seconds * SLOW
        parts, got = [self.rest], len(self.rest)
        while got < size and wait_readable(self.fd, deadline):
            piece = os.read(self.fd, 65536)
            if not piece:
                break
            parts.append(piece)
            got += len(piece)
        data = b"".join(parts)
        self.rest = data[size:]
        return data[:size]

    def type(self, data):
        while data:
            data = data[os.write(self.fd, data):]

    def echoes(self, data, seconds=60):
        """Pastes data, as fast as it is taken, and wants it back whole."""
        writer = threading.Thread(target=self.type, args=(data,), daemon=True)
        writer.start()
        back = self.read(len(data), seconds)
        if back != data:
            at = next((i for i, (a, b) in enumerate(zip(back, data)) if a != b), len(back))
            raise Failed(f"{len(back)} of {len(data)} bytes came back, the first wrong at {at}: "
                         f"{back[at:at + 20]!r} for {data[at:at + 20]!r}")
        writer.join()


class Terminal(Line):
    def __init__(self, *args, command=RVVM, stdin=None, stdout=None):
        user, self.side = os.openpty()
        super().__init__(user)
        self.before = termios.tcgetattr(self.side)
        print("+", command, *args, file=sys.stderr, flush=True)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(self.side, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([command, *args], stdin=stdin or self.side, stdout=stdout or self.side,
                                        stderr=self.side, preexec_fn=own_terminal)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for fd in (self.fd, self.side):
            if fd >= 0:
                os.close(fd)

    def is_raw(self):
        return not termios.tcgetattr(self.side)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def is_restored(self):
        return termios.tcgetattr(self.side) == self.before

    def becomes(self, state, seconds=SECONDS):
        """Waits for is_raw or is_restored."""
        deadline = time.monotonic() + seconds * SLOW
        while not state():
            check(time.monotonic() < deadline, f"{state.__name__} does not come true")
            time.sleep(0.01)

    def end(self, seconds=SECONDS):
        """Waits for the end of the process: its status, -N for signal N. Reads on meanwhile."""
        deadline = time.monotonic() + seconds * SLOW
        while self.process.poll() is None:
            check(time.monotonic() < deadline, "it does not end")
            if wait_readable(self.fd, time.monotonic() + 0.01):
                self.rest += os.read(self.fd, 65536)
        return self.process.returncode


def paste(size):
    """Text that no key of the terminal or of the echo program is part of, no two lines alike."""
    lines = (b"%07d the quick brown fox jumps over the lazy dog, and back again\r" % i
             for i in range(size // 60 + 1))
    return b"".join(lines)[:size]
