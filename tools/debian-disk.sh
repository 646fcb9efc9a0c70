# SPDX-License-Identifier: GPL-3.0-only
# shellcheck shell=bash
#
# A Debian on a disk, for tools/guest, which sources it: debian_disk_make OUTPUT-FOLDER.
#
# The host fetches packages, unpacks those that dpkg itself needs and packs all of it into an initramfs.
# What needs rights that a user does not have (partitions, file systems, owners, chroot) is done by a
# machine of ours that starts with it: tools/debian-disk-init. So nothing is mounted on the host and nobody
# needs to be root.
#
# Results in the folder:  debian.img      the disk, raw and sparse
#                         debian.kernel   its kernel and its initrd, to start it without firmware
#                         debian.initrd
#                         debian.drivers  modules of that kernel for drives and file systems, unpacked to
#                                         /drivers/NN-NAME.ko, an archive to append to an initramfs
#                         debian.key      for ssh: opens the guest's root account
#                         debian.suite    what it is of
#
# $work (a folder to work in), $here (tools/), $cache, say and die are the caller's.

debian_disk_size=${RVVM_DEBIAN_SIZE:-4G}
debian_disk_memory=3G # the initramfs is unpacked there

# With what is required, without what is recommended.
debian_disk_packages="apt ca-certificates dbus debian-archive-keyring dosfstools e2fsprogs fdisk fio
grub-efi-riscv64 initramfs-tools iproute2 kmod less linux-image-riscv64 nano netbase nvme-cli
openssh-server pciutils procps systemd-resolved systemd-sysv u-boot-menu udev zstd"

# What the initramfs must have to make the disk, beside what is required.
debian_disk_tools="dosfstools e2fsprogs fdisk kmod"

# Drivers for any drive that rvvm has, and file systems; with what they need, as far as it is no part of the
# kernel in any of the suites.
debian_disk_modules='/(nvme(-core|-auth|-keyring|-common)?|virtio_blk|virtio[-_]rng|ahci|libahci|libata'\
'|sd_mod|scsi_mod|scsi_common|t10-pi|crc-t10dif|crc64[^/]*|ext4|jbd2|mbcache|crc16|crc32c[^/]*'\
'|fat|vfat|nls_(ascii|cp437|utf8))\.ko'

# Names of the packages that must be there and of those they need, one a line. With the apt of a suite.
debian_disk_closure()
{
    local required
    required=$(apt-cache dumpavail | awk '
        BEGIN { RS = ""; FS = "\n" }
        /\nPriority: required/ || /\nEssential: yes/ { sub("Package: ", "", $1); print $1 }')
    # shellcheck disable=SC2086 # lists
    apt-get -s --no-install-recommends install $required "$@" 2>"$errors" |
        sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

# Runs with the apt of a suite (tools/debian.sh).
debian_disk_fetch()
{
    local debs=$cache/debs/debian
    mkdir -p "$debs/partial" "$work/disk"
    # shellcheck disable=SC2086 # lists
    debian_disk_closure $debian_disk_packages >"$work/disk/all" || return 1
    # shellcheck disable=SC2086
    debian_disk_closure $debian_disk_tools >"$work/disk/first" || return 1
    [ -s "$work/disk/first" ] || return 1
    say "fetching $(wc -l <"$work/disk/all") packages from $suite"
    # shellcheck disable=SC2046
    apt-get -y -qq --no-install-recommends --download-only -o Dir::Cache::archives="$debs" \
        install $(cat "$work/disk/all") >&2 2>"$errors" || return 1
    # Where the guest's apt shall look, which need not be the mirror that this machine uses.
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$(debian_mirror)" "$suite" \
        /usr/share/keyrings/debian-archive-keyring.gpg >"$work/disk/sources"
    echo "$suite" >"$work/disk/suite"
}

debian_disk_deb()
{
    find "$cache/debs/debian" -maxdepth 1 -name "$1_*.deb" | sort -V | tail -n 1
}

# The tree that the machine starts with: packages that dpkg needs, our init, drivers, all packages.
debian_disk_tree()
{
    local tree=$work/disk/tree name deb
    mkdir -p "$tree/debs/first" "$tree/debs/rest"
    # base-files first: it has the links from /bin to /usr/bin, which the others then follow.
    while read -r name; do
        deb=$(debian_disk_deb "$name")
        dpkg-deb --fsys-tarfile "$deb" |
            tar -x -C "$tree" --keep-directory-symlink --exclude='./usr/share/doc/*' \
                --exclude='./usr/share/locale/*' --exclude='./usr/share/man/*'
        ln "$deb" "$tree/debs/first/" 2>/dev/null || cp "$deb" "$tree/debs/first/"
    done < <(echo base-files && grep -vx base-files "$work/disk/first")
    while read -r name; do
        deb=$(debian_disk_deb "$name")
        ln "$deb" "$tree/debs/rest/" 2>/dev/null || cp "$deb" "$tree/debs/rest/"
    done < <(grep -vxF -f "$work/disk/first" "$work/disk/all")
    cp "$work/disk/sources" "$tree/debs/sources"
    # Root has no password, so that sshd lets nobody in but with this key.
    ssh-keygen -q -t ed25519 -N '' -C rvvm -f "$work/disk/debian.key" </dev/null
    cp "$work/disk/debian.key.pub" "$tree/debs/authorized_keys"
    cp "$here/debian-disk-init" "$tree/init"
    chmod 755 "$tree/init"
}

# The kernel, and of its modules those that the machine needs. Which package has which depends on the suite.
debian_disk_kernel()
{
    local deb linux=$work/disk/linux
    mkdir -p "$linux"
    for deb in "$work"/disk/tree/debs/rest/linux-*.deb; do
        dpkg-deb --fsys-tarfile "$deb" >"$linux/tar"
        tar -tf "$linux/tar" | grep -E "/kernel/.*$debian_disk_modules|/vmlinu[xz][^/]*\$" \
            >"$linux/names" || continue
        tar -x -C "$linux" -f "$linux/tar" -T "$linux/names"
    done
    find "$linux" -name 'vmlinu[xz]*' -exec mv {} "$work/disk/debian.kernel" \;
    [ -e "$work/disk/debian.kernel" ] || die "no kernel among the packages of Debian"
    "$here/mkdrivers" "$linux" "$work/disk/drivers/drivers"
    cp -r "$work/disk/drivers/drivers" "$work/disk/tree/"
    echo "tree $work/disk/drivers" | "$here/mkcpio" "$work/disk/debian.drivers"
}

# Runs the machine, shows what it says of its progress, and keeps all of it in a log.
debian_disk_run()
{
    local rvvm=${RVVM:-$here/../build/release/rvvm} log=$cache/debian-disk.log
    [ -x "$rvvm" ] || die "$rvvm is not there: run make first, or name another one with RVVM"
    truncate -s "$debian_disk_size" "$work/disk/debian.img"
    "$rvvm" -kernel "$work/disk/debian.kernel" -initrd "$work/disk/initramfs" \
        -m "$debian_disk_memory" -smp 2 -append "console=ttyS0 quiet" \
        -nvme "$work/disk/debian.img" -nographic </dev/null 2>&1 |
        tr -d '\r' | tee "$log" | sed -un 's/^rvvm-disk: /guest: /p' >&2
    grep -q '^rvvm-disk: done' "$log" ||
        die "the machine that makes the disk failed: $(tail -n 3 "$log") (all of it: $log)"
}

# The initrd, out of the root file system at the place that the machine named; no mount, no rights.
debian_disk_take_initrd()
{
    local offset name
    read -r name _ offset < <(sed -n 's/^rvvm-disk-initrd: //p' "$cache/debian-disk.log")
    PATH=$PATH:/usr/sbin:/sbin debugfs -R "dump $name $work/disk/debian.initrd" \
        "$work/disk/debian.img?offset=$offset" 2>/dev/null
    [ -s "$work/disk/debian.initrd" ] || die "no $name on the disk"
}

debian_disk_make()
{
    local output=$1
    debian_from_suites "$cache/apt" debian_disk_fetch ||
        die "cannot fetch Debian from $(debian_mirror) ($debian_suites): off-line?"
    say "packing what the machine starts with"
    debian_disk_tree
    debian_disk_kernel
    echo "tree $work/disk/tree" | "$here/mkcpio" "$work/disk/initramfs"
    debian_disk_run
    debian_disk_take_initrd
    mv "$work/disk/suite" "$work/disk/debian.suite"
    mv "$work"/disk/debian.{img,kernel,initrd,drivers,suite,key} "$output/"
}
