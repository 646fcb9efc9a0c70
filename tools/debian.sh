# SPDX-License-Identifier: GPL-3.0-only
# shellcheck shell=bash
#
# Packages of Debian's riscv64 port, or of another one (debian_architecture=arm64), or sources
# (debian_kind=deb-src), by an apt of our own that leaves the machine's alone. For scripts that source it:
#
#   fetch() { apt-get download hello >&2 2>"$errors"; }   # runs with that apt, in suite $suite
#   debian_from_suites "$cache/apt" fetch                 # in the first suite where it succeeds
#
# $errors is where apt's last words are looked for when a suite would not do. The script has
# functions say and die, and removes the folder of the indexes in the end: they are large and soon old.
# Environment: RVVM_MIRROR, RVVM_SUITES (see tools/guest).

debian_suites=${RVVM_SUITES:-trixie forky sid}
debian_architecture=riscv64
debian_kind=deb

# What apt says when trying the next suite would only take longer to fail.
debian_no_network='Temporary failure resolving\|Could not resolve\|Could not connect\|Unable to connect'

# Debian's mirror as this machine's apt knows it: by what its index says of itself, or, where no
# index was ever fetched, by its address.
debian_mirror()
{
    if [ -n "${RVVM_MIRROR:-}" ]; then
        echo "${RVVM_MIRROR%/}"
        return
    fi
    local known
    known=$(apt-get indextargets --format '$(ORIGIN)/$(LABEL) $(SITE)' 'Created-By: Packages' \
        2>/dev/null) || true
    { sed -n 's/^Debian\/Debian //p' <<<"$known" &&
        sed 's/^[^ ]* //' <<<"$known" | grep -E '/debian/?$|/debian\.list$'; } | head -n 1 | sed 's,/$,,'
}

# An apt root of our own. What the machine says about proxies and certificates is kept; its hooks,
# sources and pins are not.
debian_apt_root()
{
    local suite=$1 root=$2 keyring from
    for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
        [ ! -f "$keyring" ] || break
    done
    [ -f "$keyring" ] || die "Debian's keys are not here: install debian-archive-keyring"
    from=$(debian_mirror)
    mkdir -p "$root/lists/partial" "$root/archives/partial"
    : >"$root/status"
    echo "$debian_kind [arch=$debian_architecture signed-by=$keyring] $from $suite main" >"$root/sources.list"
    {
        apt-config dump | grep -E '^Acquire::(https?|ftp|Check-)[^ ]* ' || true
        cat <<END
APT::Architecture "$debian_architecture";
APT::Architectures { "$debian_architecture"; };
APT::Sandbox::User "root";
Dir::State "$root";
Dir::State::status "$root/status";
Dir::State::lists "$root/lists";
Dir::Cache "$root";
Dir::Cache::archives "$root/archives";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "$root/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::trustedparts "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
END
    } >"$root/apt.conf"
}

# One suite: its index, once, then the command.
debian_in_suite()
{
    local suite=$1 folder=$2 root=$2/$1 errors=$2/errors
    shift 2
    debian_apt_root "$suite" "$root"
    export APT_CONFIG=$root/apt.conf
    if [ ! -e "$root/read" ]; then
        say "reading the index of $suite"
        # A suite that fails is not asked again.
        apt-get update --error-on=any >&2 2>"$errors" || { mv "$root" "$root.bad" && return 1; }
        touch "$root/read"
    fi
    "$@"
}

# debian_from_suites FOLDER COMMAND...: false when it fails in every suite.
debian_from_suites()
{
    local folder=$1 suite
    shift
    mkdir -p "$folder"
    command -v apt-get >/dev/null || die "this needs apt; or name a folder with RVVM_GUEST_DEBS"
    [ -n "$(debian_mirror)" ] ||
        die "apt has no Debian mirror on this machine: name one with RVVM_MIRROR"
    for suite in $debian_suites; do
        [ ! -e "$folder/$suite.bad" ] || continue
        # In a subshell: APT_CONFIG must not reach debian_mirror, which asks the machine's own apt.
        if (debian_in_suite "$suite" "$folder" "$@"); then
            return
        fi
        say "$suite: $(grep -m 1 '^[EW]:' "$folder/errors" || echo 'failed')"
        ! grep -q "$debian_no_network" "$folder/errors" || break
    done
    return 1
}
