# SPDX-License-Identifier: GPL-3.0-only
# shellcheck shell=bash
#
# What the tests of other hosts share; they source it and set:
#
#   build=build/release-NAME    where make puts it; it stays, so that only changes are built again
#   options=(...)               make's
#   run=(...)                   what programs are run by: qemu-aarch64 and its options, or nothing
#   exe=.exe                    how their names end, if they do
#
# A test's verdict is one line on stdout; everything else is the log's.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# Of `make check`, whose variables are not this build's.
unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
guest=$(tools/guest --where)
run=()
exe=
# The log says what processor time a test took, which does not depend on what else runs.
trap 'times >&2' EXIT

log()
{
    echo "$@" >&2
}

# verdict NAME COMMAND...
verdict()
{
    local name=$1
    shift
    if "$@" >&2; then
        echo "ok $name"
    else
        echo "not ok $name"
        return 1
    fi
}

build()
{
    mkdir -p "$build"
    make -j"$(nproc)" WERROR=1 BUILD="$build" "${options[@]}" "$@" >"$build.log" 2>&1 ||
        { tail -n 30 "$build.log" && false; }
}

# unit_tests [LEFT-OUT...]: all that this build has. A verdict each, so that the log says which.
unit_tests()
{
    local test name failed=0
    for test in tests/unit/*_test.c; do
        name=$(basename "$test" .c)
        [[ " $* " != *" ${name%_test} "* ]] || continue
        [ -x "$build/tests/unit/$name$exe" ] || continue
        log "== $name"
        if ! SRCDIR=$PWD RVVM_BUILD=$build timeout 600 "${run[@]}" "$build/tests/unit/$name$exe" >"$build/$name.out" 2>&1; then
            cat "$build/$name.out" >&2
            failed=1
        fi
    done
    return $failed
}

# boots [OPTION...]: Debian's kernel to the shell of its initramfs, which runs a command of its own.
boots()
{
    local out=$build/boot.out
    timeout 900 "${run[@]}" "$build/rvvm$exe" -m 256M -kernel "$guest/Image" -initrd "$guest/initramfs.cpio" \
        -append "console=ttyS0 quiet rvvm.test=cpus" -nographic "$@" </dev/null >"$out" 2>&1
    local status=$?
    cat "$out" >&2
    [ "$status" = 0 ] && grep -aq "rvvm-guest: test cpus ended with 0" "$out"
}

# user_program: a static program of riscv64, its output and its status.
user_program()
{
    local out
    riscv64-linux-gnu-gcc -O2 -static tests/cross/program.c -o "$build/program" || return 1
    out=$(timeout 120 "${run[@]}" "$build/rvvm-user" "$build/program" a b 2>&1)
    [ $? = 42 ] && [ "$out" = "3 arguments, 4950" ] || { log "$out" && false; }
}
