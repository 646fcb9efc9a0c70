# SPDX-License-Identifier: GPL-3.0-only
"""A guest with its console on pipes, and the time by the host's clock at which each line came."""
import os
import select
import subprocess
import time


class GuestFailed(Exception):
    """The guest ended or hung; the text says which."""


class ProgramFailed(GuestFailed):
    """The guest is well and says that a program in it failed."""


class Console:
    def __init__(self, command):
        self.started = time.monotonic()
        # A session of its own: Ctrl-C is for the benchmark, which ends its guests itself.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        self.partial = b""
        self.lines = []  # (time, text), those that nobody has read yet
        self.last = ""   # for messages

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def send(self, line):
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise GuestFailed(f"ended; its last line: {self.last}") from None

    def _fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
            raise GuestFailed(f"time is up; the last line: {self.last}")
        piece = os.read(self.process.stdout.fileno(), 65536)
        now = time.monotonic()
        if not piece:
            raise GuestFailed(f"ended with {self.process.wait()}; its last line: {self.last}")
        *whole, self.partial = (self.partial + piece).split(b"\n")
        for raw in whole:
            text = raw.decode("utf-8", "replace").strip()
            self.last = text or self.last
            self.lines.append((now, text))

    def lines_until(self, prefix, seconds):
        """Lines as (time, text) up to and with the first that begins so."""
        deadline = time.monotonic() + seconds
        found = []
        while True:
            while self.lines:
                found.append(self.lines.pop(0))
                if found[-1][1].startswith(prefix):
                    return found
            self._fill(deadline)

    def wait_for(self, text, seconds):
        """The time at which the text was there, be it in the middle of a line; the lines are used up."""
        deadline = time.monotonic() + seconds
        while True:
            while self.lines:
                when, line = self.lines.pop(0)
                if text.strip() in line:
                    return when
            if text in self.partial.decode("utf-8", "replace"):
                return time.monotonic()
            self._fill(deadline)

    # ---- what the host knows of the process

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        raise GuestFailed("ended before its memory was read")
