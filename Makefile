# SPDX-License-Identifier: MPL-2.0
#
# rvvm: `make` builds, `make help` lists the rest.
#
# Variables: FLAVOUR=release|debug|asan|ubsan|tsan|fuzz, CC, CFLAGS, LDFLAGS, CROSS_COMPILE, WERROR=1, V=1,
# PREFIX, LIBDIR, DESTDIR, BUILD (where objects go), RUN_ARGS (more options of rvvm for `make run`),
# BENCH_ARGS (options of bench/run for `make bench`).
# Sources are found by folder: src/**.c is the library, cli/NAME.c with a main is a command.

VERSION := 0.1.0
SOVERSION := 0

FLAVOUR ?= release
CROSS_COMPILE ?=
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
# What tools/cross-libs and builds call another machine, or another C library.
cross := $(or $(CROSS_COMPILE:-=),$(patsubst %-gcc,%,$(filter musl-gcc,$(CC))))
BUILD ?= build/$(FLAVOUR)$(addprefix -,$(cross))
ifeq ($(origin AR),default)
AR := $(CROSS_COMPILE)ar
endif
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-4s %s\n' $(1) $(2))

# For the targets that build on the way to something else; a -j of the caller's comes first.
JOBS ?= $(shell nproc 2>/dev/null || echo 1)
submake = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))

.PHONY: all libs unit-tests run run-debian check check-quick golden bench format format-check
.PHONY: fuzz-tests fuzzers print-host unit-programs
.PHONY: install uninstall clean help FORCE
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

all: libs ## build the library and the commands (default)

include mk/flags.mk
include mk/build.mk
include mk/install.mk

run: ## fetch a small Linux guest if need be and start it
	$(Q)tools/deps build run
	$(Q)$(submake) all
	$(Q)tools/guest
	@guest="$$(tools/guest --where)" && $(BUILD)/rvvm -kernel "$$guest/Image" \
	    -initrd "$$guest/initramfs.cpio" -append "console=ttyS0" -nographic $(RUN_ARGS)

run-debian: ## make a Debian on a disk if need be and start it
	$(Q)tools/deps build run
	$(Q)$(submake) all
	$(Q)RVVM=$(abspath $(BUILD))/rvvm tools/guest debian
	@guest="$$(tools/guest --where)" && $(BUILD)/rvvm -kernel "$$guest/debian.kernel" \
	    -initrd "$$guest/debian.initrd" -append "console=ttyS0 root=LABEL=rvvm-root" \
	    -nvme "$$guest/debian.img" -m 2G -smp 2 -nographic $(RUN_ARGS)

check: ## everything that is tested (under 30 minutes on two cores)
	$(Q)tools/deps build run check cross
	$(Q)$(submake) all unit-tests
	$(Q)$(submake) FLAVOUR=asan BUILD=build/asan all unit-tests
	$(Q)$(submake) FLAVOUR=tsan BUILD=build/tsan all unit-tests
	$(Q)$(submake) FLAVOUR=fuzz BUILD=build/fuzz CC=clang fuzzers
	$(Q)tools/guest all || echo "make check: no guest, its tests will fail" >&2
	$(Q)RVVM=$(abspath $(BUILD))/rvvm tools/guest debian || \
	    echo "make check: no Debian, its tests will fail" >&2
	$(Q)tools/user-root --if-missing || echo "make check: no tree of programs, tests are skipped" >&2
	$(Q)tools/run-tests --build $(BUILD) all quick@asan smp@tsan

check-quick: all unit-tests ## the tests for the hand (under 2 minutes)
	$(Q)tools/run-tests --build $(BUILD) quick

fuzz-tests: ## build the fuzz harnesses with clang's libFuzzer and its sanitizers
	$(Q)$(submake) FLAVOUR=fuzz BUILD=build/fuzz CC=clang fuzzers

golden: all unit-tests ## count host instructions anew (tests/jit/golden.txt)
	$(Q)SRCDIR=. RVVM_GOLDEN_WRITE=1 $(BUILD)/tests/unit/golden_test

bench: ## measure, against QEMU and native
	$(Q)tools/deps build run bench
	$(Q)$(submake) all
	$(Q)tools/guest
	$(Q)RVVM=$(abspath $(BUILD))/rvvm bench/run --json build/bench/results.json \
	    --svg build/bench/results.svg $(BENCH_ARGS)

# Not tests/isa: much of it is assembly, in columns.
FORMATTED = $(shell find src include cli examples tests/unit tests/fuzz bench -name '*.[ch]' 2>/dev/null)

format: ## lay the sources out as .clang-format says
	$(Q)clang-format -i $(FORMATTED)

format-check: ## say which sources `make format` would change
	$(Q)clang-format --dry-run --Werror $(FORMATTED)

clean: ## remove everything that was built
	$(Q)rm -rf build

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(filter %Makefile %.mk,$(MAKEFILE_LIST)) | \
	    awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'
