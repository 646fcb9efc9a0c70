# SPDX-License-Identifier: GPL-3.0-only
"""A machine with its console on pipes, for the tests that boot guests.

    with Machine("-kernel", image, "-append", "console=ttyS0") as m:
        m.expect("login:")
        m.send("root\n")
        assert m.status() == 0
"""
import os
import re
import select
import signal
import subprocess
import sys
import time

RVVM = os.environ.get("RVVM", "build/release/rvvm")
GUEST = os.path.join(os.environ.get("RVVM_CACHE", os.path.expanduser("~/.cache/rvvm")), "guest")
BUILD = os.environ.get("RVVM_BUILD", "build/release")
SRCDIR = os.environ.get("SRCDIR", os.getcwd())
SLOW = {"asan": 4, "ubsan": 2, "tsan": 8}.get(os.environ.get("RVVM_FLAVOUR", ""), 1) * float(
    os.environ.get("RVVM_TEST_SLOW", 1))


# Of the isolation, which is on: nothing that a test does may be kept from working by it.
REFUSED = "was refused the system call"


class Failed(Exception):
    pass


class Machine:
    def __init__(self, *args, command=None):
        self.args = [command or RVVM, *args]
        print("+", " ".join(self.args), file=sys.stderr, flush=True)
        self.process = subprocess.Popen(self.args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.text = ""  # all that it printed
        self.seen = 0   # up to here expect() has matched

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def _read(self, deadline):
        """More output. False at the end of it."""
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
            raise Failed(f"time is up; the last lines: {self.text[-600:]!r}")
        piece = os.read(self.process.stdout.fileno(), 65536).decode("utf-8", "replace")
        sys.stderr.write(piece)
        self.text += piece
        check(REFUSED not in self.text[-len(piece) - 200:], f"it was isolated too much: {self.text[-600:]!r}")
        return piece != ""

    def expect(self, pattern, seconds=60):
        """Waits for a regular expression in what was printed since the last match."""
        deadline = time.monotonic() + seconds * SLOW
        while True:
            match = re.compile(pattern, re.M).search(self.text, self.seen)
            if match:
                self.seen = match.end()
                return match
            if not self._read(deadline):
                raise Failed(f"ended before {pattern!r}; the last lines: {self.text[-600:]!r}")

    def collect(self, seconds):
        """Reads what is printed in that time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self.process.stdout], [], [], left)[0]:
                self._read(deadline + 1)

    def kill(self):
        """Pulls the plug, and reads what was printed until then."""
        self.process.kill()
        while self._read(time.monotonic() + 10):
            pass
        self.process.wait()

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def status(self, seconds=60):
        """Waits for the end of it: the exit status."""
        deadline = time.monotonic() + seconds * SLOW
        while self._read(deadline):
            pass
        return self.process.wait(timeout=10)


def check(condition, message):
    if not condition:
        raise Failed(message)


def linux(*args, append="", initrd="initramfs.cpio", firmware=(), **kind):
    """Debian's kernel with the small guest."""
    return Machine(*firmware, "-kernel", f"{GUEST}/Image", "-initrd", f"{GUEST}/{initrd}", "-append",
                   f"console=ttyS0 {append}".strip(), "-nographic", *args, **kind)


def main(tests):
    """Runs the functions in order; their names are the cases. Arguments choose some. One that returns
    "skip WHY" did not run."""
    failed = 0
    for test in tests:
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        print(f"--- {test.__name__}", file=sys.stderr, flush=True)
        try:
            verdict, _, why = (test() or "ok").partition(" ")
            print(f"{verdict} {test.__name__} {why}".rstrip(), flush=True)
        except (Failed, OSError, subprocess.SubprocessError) as problem:
            failed += 1
            print(f"not ok {test.__name__}", flush=True)
            print(f"failed: {problem}", file=sys.stderr, flush=True)
    sys.exit(1 if failed else 0)
