# SPDX-License-Identifier: MPL-2.0
#
# Compiler flags: what every file needs, what the flavour adds, which libraries are there.

# The host the result is for, asked of the compiler so that cross builds need nothing else said. A file of
# a later folder stands for one of the same name in an earlier: any/, which is always the first, has what does
# for every system that has nothing better, and with it posix/ is a whole host, if a plain one.
# `make HOST_DIRS=posix BUILD=build/posix` is that one on Linux.
TARGET := $(shell $(CC) -dumpmachine 2>/dev/null)
ifneq ($(findstring mingw,$(TARGET)),)
HOST_DIRS := win32
# Windows 10; numbers are printed as C says, and bits of structs laid out as everywhere else. Formats are looked at
# by the compilers for other systems: to this one they would be those of Microsoft's library.
system_cflags := -D_WIN32_WINNT=0x0A00 -D__USE_MINGW_ANSI_STDIO=1 -D_FILE_OFFSET_BITS=64 -D_POSIX_C_SOURCE=200809L \
                 -mno-ms-bitfields -Wno-format
# mingw's own libraries are not on other people's machines.
system_ldflags := -static -static-libgcc
system_ldlibs := -lws2_32 -lbcrypt -lwinmm
EXE := .exe
else
HOST_DIRS := posix $(strip $(foreach system,linux freebsd openbsd,$(if $(findstring $(system),$(TARGET)),$(system))))
endif

# The translator's backend for that host; none/ where nobody has written one.
JIT_DIR := $(notdir $(or $(wildcard src/jit/$(firstword $(subst -, ,$(TARGET)))),none))

# FP: a*b+c may not become one rounding behind our back; sqrt is an instruction, errno is not looked at.
base_cflags := -std=gnu11 -g -Wall -Wextra -Isrc -Iinclude -pthread -fPIC \
               -ffp-contract=off -fno-math-errno -fvisibility=hidden -DRVVM_VERSION='"$(VERSION)"' $(if $(WERROR),-Werror) \
               $(system_cflags)

# Only an optimised build turns sibling calls into jumps at every place, so only it may build on them.
flavour_release := -O2 -fno-plt -DRVVM_TAIL_CALLS=1
flavour_debug := -Og
flavour_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
flavour_ubsan := -O1 -fsanitize=undefined -fno-sanitize-recover=all
# gcc warns that fences mean nothing to its race detector; what they order is atomic all the same.
flavour_tsan := -O1 -fno-omit-frame-pointer -fsanitize=thread -Wno-tsan
flavour_fuzz := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
                -fno-sanitize-recover=all
ifndef flavour_$(FLAVOUR)
$(error FLAVOUR=$(FLAVOUR): there are release, debug, asan, ubsan, tsan and fuzz)
endif

# What tools/cross-libs has got for another machine: a root, or libraries for a root that the compiler has.
CROSS_LIBS ?= $(if $(cross),$(abspath $(wildcard build/cross/$(cross))))
ifneq ($(and $(CROSS_LIBS),$(wildcard $(CROSS_LIBS)/usr)),)
cross_cppflags := --sysroot=$(CROSS_LIBS)
cross_ldflags := --sysroot=$(CROSS_LIBS)
cross_pc := PKG_CONFIG_SYSROOT_DIR=$(CROSS_LIBS) \
            PKG_CONFIG_LIBDIR=$(CROSS_LIBS)/usr/lib/$(cross)/pkgconfig:$(CROSS_LIBS)/usr/share/pkgconfig pkg-config
else ifneq ($(CROSS_LIBS),)
cross_cppflags := -isystem $(CROSS_LIBS)/include
cross_ldflags := -L$(CROSS_LIBS)/lib
cross_pc := PKG_CONFIG_LIBDIR=$(CROSS_LIBS)/lib/pkgconfig pkg-config
endif

# Libraries. Goals that build nothing need not look for them.
ifneq ($(filter-out run run-debian check bench format format-check fuzz-tests print-host clean help uninstall,\
        $(or $(MAKECMDGOALS),all)),)
PKG_CONFIG ?= $(or $(cross_pc),$(CROSS_COMPILE)pkg-config)
has_header = $(shell printf '\#include <$(1)>\n' | \
               $(CC) $(CFLAGS) $(CPPFLAGS) $(cross_cppflags) -E -xc - >/dev/null 2>&1 && echo yes)
optional = $(if $(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo yes),\
             $(eval lib_cflags += $$(shell $$(PKG_CONFIG) --cflags $(1)) -D$(2))\
             $(eval lib_ldlibs += $$(shell $$(PKG_CONFIG) --libs $(1)))\
             $(eval lib_pc += $(1)),\
             $(info $(1) not found: built without $(3)))
$(call optional,zlib,HAVE_ZLIB,gzip-compressed kernels and images)
$(call optional,libzstd,HAVE_ZSTD,zstd-compressed kernels and images)
$(call optional,liburing,HAVE_LIBURING,io_uring: threads do the work of disks)
$(call optional,slirp,HAVE_SLIRP,a user-mode network)
$(call optional,libseccomp,HAVE_LIBSECCOMP,filters of system calls)
# Atomics of 16 bytes are instructions on some machines only; the others' compilers have a library for them.
lib_atomic := $(if $(filter x86_64-%,$(TARGET)),,-latomic)
# Debian's libfdt has no pkg-config file.
has_libfdt := $(call has_header,libfdt.h)
lib_ldlibs += -lfdt -lm $(lib_atomic) $(system_ldlibs)
endif

all_cflags = $(base_cflags) $(flavour_$(FLAVOUR)) $(lib_cflags) $(CPPFLAGS) $(cross_cppflags) $(CFLAGS)
all_ldflags = -pthread $(system_ldflags) $(filter -fsanitize=%,$(flavour_$(FLAVOUR))) $(cross_ldflags) $(LDFLAGS)

# rvvm-user runs in chroots, where the host's libraries are not, and is started for every command of a
# shell: static, where the C library and the flavour allow it. It stands where programs do not, by being moved at its
# start. musl-gcc does not know how to link that (LDFLAGS=-static): it takes the start file by its name.
musl_start := $(if $(filter -static,$(LDFLAGS)),$(patsubst %/Scrt1.o,%/rcrt1.o,$(filter %/Scrt1.o,\
                $(shell $(CC) -\#\#\# -xc /dev/null 2>&1))))
has_static_pie := $(if $(findstring fsanitize,$(flavour_$(FLAVOUR)))$(filter -static,$(LDFLAGS)),,\
                    $(shell echo 'int main(void){return 0;}' | \
                      $(CC) $(CFLAGS) $(cross_ldflags) $(LDFLAGS) -static-pie -xc -o /dev/null - 2>/dev/null && echo yes))
ldflags_rvvm_user = $(if $(has_static_pie),-static-pie,-Wl$(comma)--as-needed) \
                    $(if $(musl_start),-nostartfiles -Wl$(comma)-pie$(comma)--no-dynamic-linker$(comma)-z$(comma)text $(musl_start))
# Threads of the library know how to leave what isolates a machine.
libs_rvvm_user = -lm $(lib_atomic)
comma := ,
