# SPDX-License-Identifier: GPL-3.0-only
"""Guests that run Debian's programs: the small guest with more files and a job for them.

    folder = fetched("tests/guest/userland")
    archive = initramfs("sort", tree(folder), "sort --version")
    print(run_guest("sort", archive, harts=2, seconds=60))
"""
import os
import subprocess

from console import BUILD, GUEST, SRCDIR, Machine, check

OUT = os.path.join(BUILD, "guest")


def fetched(script, *words):
    """The folder that a script fetches, or None, and why on stderr."""
    done = subprocess.run([os.path.join(SRCDIR, script), *words], stdout=subprocess.PIPE, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def tree(folder, skip=()):
    """Lines for tools/mkcpio: all of a folder."""
    lines = []
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in skip)
        inside = os.path.relpath(path, folder)
        if inside != ".":
            lines.append(f"dir {inside} 755")
        for name in sorted(files):
            whole = os.path.join(path, name)
            if " " not in name and os.path.isfile(whole):
                mode = "755" if os.access(whole, os.X_OK) else "644"
                lines.append(f"file {os.path.normpath(os.path.join(inside, name))} {mode} {whole}")
    return lines


def initramfs(name, lines, script):
    """The small guest with more files, and /tests/NAME that runs a script. Returns its path."""
    os.makedirs(OUT, exist_ok=True)
    job, added = os.path.join(OUT, f"{name}.sh"), os.path.join(OUT, f"{name}.added")
    whole = os.path.join(OUT, f"{name}.cpio")
    with open(job, "w", encoding="ascii") as file:
        file.write("#!/bin/busybox sh\n" + script)
    subprocess.run([os.path.join(SRCDIR, "tools/mkcpio"), added], text=True, check=True,
                   input="\n".join([*lines, f"file tests/{name} 755 {job}"]) + "\n")
    with open(whole, "wb") as output:
        for part in (f"{GUEST}/initramfs.cpio", added):
            with open(part, "rb") as archive:
                output.write(archive.read())
    os.unlink(added)
    return whole


def run_guest(name, archive, harts, seconds, memory="1G", options=()):
    """Runs the job; what it printed."""
    with Machine("-kernel", f"{GUEST}/Image", "-initrd", archive, "-append",
                 f"console=ttyS0 quiet rvvm.test={name}", "-nographic", "-m", memory, "-smp", str(harts),
                 *options) as m:
        m.expect(f"rvvm-guest: test {name} started", 60)
        ended = m.expect(f"rvvm-guest: test {name} ended with (.*)", seconds)
        check(ended[1].strip() == "0", f"{name} ended with {ended[1]}")
        check(m.status(30) == 0, "the machine did not end well")
        return m.text
