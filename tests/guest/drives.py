# SPDX-License-Identifier: GPL-3.0-only
"""Guests that try drives: Debian's kernel with fio, e2fsprogs and nvme-cli (tests/guest/toolbox).

    machine = boot("name", "found vda; verify vda 8m", "-virtio-blk", image("name"))
    if not machine:
        return NO_TOOLS
    with machine as m:
        ends_well(m, "name")

A script is shell; PROLOGUE and FILE_SYSTEM have the functions it may use.
"""
import os
import subprocess
import sys

from console import BUILD, GUEST, SRCDIR, Machine, check

OUT = os.path.join(BUILD, "guest")
MIB = 1 << 20
NO_TOOLS = "skip the programs could not be fetched"

PROLOGUE = r"""#!/bin/busybox sh
fail() { dmesg | tail -n 12; echo "drives: $*"; exit 1; }
for m in $(cat /modules/order); do insmod /modules/$m.ko || fail "insmod $m"; done
found() { n=0; while [ ! -b /dev/$1 ]; do sleep 0.1; n=$((n+1)); [ $n -lt 600 ] || fail "no $1"; done; }
busy() { # until a thousand requests more are done: whoever makes them has begun
    before=$(awk '{ print $1 + $5 }' /sys/block/$1/stat) n=0
    while [ $(($(awk '{ print $1 + $5 }' /sys/block/$1/stat) - before)) -lt 1000 ]; do
        sleep 0.1; n=$((n+1)); [ $n -lt 200 ] || fail "nobody uses $1"
    done
}
complaints() {
    dmesg | grep -E 'nvme.*(timeout|error|fail|abort|reset)|ata[0-9].*(exception|error|fail)|I/O error|EXT4-fs (error|warning)' &&
        fail "the kernel complains"
}
verify() { # DRIVE SIZE [OPTION...]: random reads and writes, every block's content checked
    drive=$1 size=$2; shift 2
    /usr/bin/fio --name=$drive --filename=/dev/$drive --size=$size --rw=randrw --bsrange=512-64k \
        --blockalign=512 --iodepth=16 --ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1 \
        --verify_backlog=256 --minimal "$@" >/tmp/fio.$drive || { cat /tmp/fio.$drive; fail "fio on $drive"; }
}
"""

FILE_SYSTEM = r"""
files() { # DRIVE
    mkdir -p /mnt/$1
    /usr/bin/mke2fs -q -F -t ext4 -E nodiscard /dev/$1 && mount -t ext4 /dev/$1 /mnt/$1 || fail "mount $1"
    dd if=/dev/urandom of=/mnt/$1/kept bs=1M count=4 2>/dev/null
    dd if=/dev/urandom of=/mnt/$1/gone bs=1M count=40 2>/dev/null
    sum=$(sha256sum </mnt/$1/kept)
    umount /mnt/$1 && echo 3 >/proc/sys/vm/drop_caches && mount -t ext4 /dev/$1 /mnt/$1 || fail "remount $1"
    [ "$(sha256sum </mnt/$1/kept)" = "$sum" ] || fail "$1 has other bytes than were written"
    sync; echo "drives: $1 is full"; read -r _
    rm /mnt/$1/gone && sync && fstrim -v /mnt/$1 || fail "fstrim $1"
    [ "$(sha256sum </mnt/$1/kept)" = "$sum" ] || fail "$1 has lost bytes that were kept"
    umount /mnt/$1 && /usr/bin/e2fsck -fn /dev/$1 >/tmp/fsck 2>&1 || { cat /tmp/fsck; fail "e2fsck $1"; }
    echo "drives: $1 is trimmed"; read -r _
}
"""


def tools():
    """The folder with kernel and programs, or None."""
    done = subprocess.run([os.path.join(SRCDIR, "tests/guest/toolbox"), "disks"], stdout=subprocess.PIPE,
                          text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def image(name, size=128 * MIB, suffix="raw"):
    """An empty image: its path."""
    os.makedirs(OUT, exist_ok=True)
    path = os.path.join(OUT, f"drives-{name}.{suffix}")
    if os.path.exists(path):
        os.unlink(path)
    if suffix == "qcow2":
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, str(size)], check=True)
    else:
        with open(path, "wb") as file:
            file.truncate(size)
    return path


def space(path):
    """Bytes that the image takes on the host."""
    return os.stat(path).st_blocks * 512


def boot(name, script, *options, harts=1, append="", files=()):
    """The small guest with the programs, running the script; files: lines for tools/mkcpio. None: the
    programs could not be fetched."""
    folder = tools()
    if not folder:
        return None
    os.makedirs(OUT, exist_ok=True)
    job, added = os.path.join(OUT, f"drives-{name}.sh"), os.path.join(OUT, f"drives-{name}.added")
    whole = os.path.join(OUT, f"drives-{name}.cpio")
    with open(job, "w", encoding="ascii") as file:
        file.write(PROLOGUE + FILE_SYSTEM + script + "\ncomplaints\nexit 0\n")
    subprocess.run([os.path.join(SRCDIR, "tools/mkcpio"), added], text=True, check=True,
                   input="\n".join((f"tree {folder}/root", f"file tests/{name} 755 {job}", *files, "")))
    with open(whole, "wb") as output:
        for part in (f"{GUEST}/initramfs.cpio", added):
            with open(part, "rb") as archive:
                output.write(archive.read())
    os.unlink(added)
    return Machine("-kernel", f"{folder}/Image", "-initrd", whole, "-append",
                   f"console=ttyS0 quiet rvvm.test={name} {append}".strip(), "-nographic", "-m", "768M",
                   "-smp", str(harts), *options)


def ends_well(machine, name, seconds=120):
    ended = machine.expect(rf"rvvm-guest: test {name} ended with (\d+)\s", seconds)
    check(ended[1] == "0", f"{name} ended with {ended[1]}")
    check(machine.status(30) == 0, "the machine did not end well")


def files_last_and_space_comes_back(name, drive, path, *options):
    """ext4 on a drive; what it discards is free on the host."""
    machine = boot(name, f"found {drive}; files {drive}", *options)
    if not machine:
        return NO_TOOLS
    with machine as m:
        m.expect(f"drives: {drive} is full", 60)
        full = space(path)
        m.send("\n")
        m.expect(f"drives: {drive} is trimmed", 60)
        trimmed = space(path)
        m.send("\n")
        ends_well(m, name)
    print(f"{drive}: {full} bytes on the host, {trimmed} after fstrim", file=sys.stderr, flush=True)
    check(full > 44 * MIB, "less than was written")
    check(full - trimmed > 36 * MIB, "the space was not given back")
    return None
