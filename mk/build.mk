# SPDX-License-Identifier: MPL-2.0
#
# Rules: objects out of the tree in $(BUILD), with dependency files; everything is built again when
# the compiler or its flags change.

host_all := $(foreach dir,any $(HOST_DIRS),$(sort $(wildcard src/host/$(dir)/*.c)))
host_src := $(foreach name,$(sort $(notdir $(host_all))),$(lastword $(filter %/$(name),$(host_all))))
lib_src := $(shell find src -name '*.c' -not -path 'src/host/*/*' -not -path 'src/jit/*/*' | \
             LC_ALL=C sort) \
           $(host_src) \
           $(sort $(wildcard src/jit/$(JIT_DIR)/*.c))
# A file of cli/ with a main is a command; the others are shared by all commands.
cli_all := $(sort $(wildcard cli/*.c))
ifeq ($(filter linux,$(HOST_DIRS)),)
# Linux programs are run on Linux only: a system call becomes a system call.
lib_src := $(filter-out src/user/%,$(lib_src))
cli_all := $(filter-out cli/rvvm_user.c,$(cli_all))
linux_only := $(addprefix tests/unit/,host_call_test.c io_ring_test.c isolation_test.c process_test.c sandbox_test.c \
                user_%_test.c) tests/fuzz/user_%_fuzz.c
endif
cli_main := $(shell grep -ls '^int main\b' $(cli_all))
cli_shared := $(filter-out $(cli_main),$(cli_all))
unit_src := $(filter-out $(linux_only),$(sort $(wildcard tests/unit/*_test.c)))
fuzz_src := $(filter-out $(linux_only),$(sort $(wildcard tests/fuzz/*_fuzz.c)))
ifneq ($(filter win32,$(HOST_DIRS)),)
# These use what Windows does not have: fork, signals, pseudo terminals, sockets that are files, QEMU's tools.
unit_src := $(filter-out $(addprefix tests/unit/,chardev_test.c disk_faults_test.c disk_full_test.c disk_kill_test.c \
              net_test.c power_cut_test.c qcow2_test.c serial_stdio_test.c),$(unit_src))
fuzz_src :=
endif

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
lib_obj := $(call object,$(lib_src))
cli_obj := $(call object,$(cli_main) $(cli_shared))
unit_obj := $(call object,$(unit_src))
fuzz_obj := $(call object,$(fuzz_src))
replay_obj := $(call object,tests/fuzz/replay.c)

commands := $(foreach src,$(cli_main),$(BUILD)/$(subst _,-,$(basename $(notdir $(src))))$(EXE))
unit_tests := $(unit_obj:.o=$(EXE))
fuzz_programs := $(fuzz_obj:.o=$(EXE))
lib_static := $(BUILD)/librvvm.a
cli_static := $(BUILD)/cli.a
lib_shared := $(BUILD)/$(if $(EXE),rvvm-$(SOVERSION).dll,librvvm.so.$(VERSION))
# What a program is linked with that loads it.
lib_import := $(if $(EXE),$(BUILD)/librvvm.dll.a)

libs: $(lib_static) $(if $(filter -static,$(LDFLAGS)),,$(lib_shared))
all: $(commands)
unit-programs: $(unit_tests)
unit-tests: unit-programs $(fuzz_programs) ## build the unit tests, and the fuzz harnesses for their corpus
fuzzers: $(fuzz_programs)
# Which files make this host (tests/cross/bsd.test).
print-host:
	@printf '%s\n' $(host_src) $(wildcard src/host/*.c)

# Holds the flags of the last build; touched only when they change.
flags_now = $(CC) $(all_cflags) | $(all_ldflags) $(LDLIBS) | $(lib_ldlibs)
$(BUILD)/flags: FORCE
	@$(if $(has_libfdt),:,echo "libfdt.h not found: 'tools/deps build' installs it" >&2; exit 1)
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(flags_now))' | cmp -s - $@ || \
	    printf '%s\n' '$(subst ','\'',$(flags_now))' >$@

# A list of objects, so that a source that was removed leaves the library too.
$(BUILD)/objects: FORCE
	@mkdir -p $(@D)
	@echo '$(lib_obj)' | cmp -s - $@ || echo '$(lib_obj)' >$@

$(BUILD)/%.o: %.c $(BUILD)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(all_cflags) -MMD -MP -c -o $@ $<

$(lib_static): $(lib_obj) $(BUILD)/objects
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(lib_obj)

# A sanitised shared library leaves the sanitizer's symbols to the program that loads it.
no_undefined := $(if $(findstring fsanitize,$(flavour_$(FLAVOUR))),,-Wl,--no-undefined)
ifeq ($(EXE),)
$(lib_shared): $(lib_obj) $(BUILD)/objects mk/librvvm.map
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(no_undefined) -Wl,--version-script=mk/librvvm.map -Wl,-soname,librvvm.so.$(SOVERSION) \
	    $(all_ldflags) -o $@ $(lib_obj) $(lib_ldlibs) $(LDLIBS)
	$(Q)ln -sf $(@F) $(BUILD)/librvvm.so.$(SOVERSION)
	$(Q)ln -sf librvvm.so.$(SOVERSION) $(BUILD)/librvvm.so
else
# Symbols have no versions there, but the list is the same.
$(BUILD)/librvvm.def: mk/librvvm.map
	@mkdir -p $(@D)
	$(Q)sed -n -e '1iEXPORTS' -e 's/^ *\(rvvm_[a-z0-9_]*\);$$/\1/p' $< >$@

$(lib_shared): $(lib_obj) $(BUILD)/objects $(BUILD)/librvvm.def
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(all_ldflags) -Wl,--out-implib,$(lib_import) -o $@ $(lib_obj) $(BUILD)/librvvm.def \
	    $(lib_ldlibs) $(LDLIBS)
endif

# What the commands share, so that each takes what it needs.
$(cli_static): $(call object,$(cli_shared))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

define command_rule
$(BUILD)/$(subst _,-,$(basename $(notdir $(1))))$(EXE): $(call object,$(1)) $(cli_static) $(lib_static)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(all_ldflags) $$(ldflags_$$(notdir $$(basename $(1)))) -o $$@ $$^ \
	    $$(or $$(libs_$$(notdir $$(basename $(1)))),$$(lib_ldlibs)) $$(LDLIBS)
endef
$(foreach src,$(cli_main),$(eval $(call command_rule,$(src))))

# Unit tests see the library's inside, as its files see each other.
$(unit_tests): %$(EXE): %.o $(lib_static)
	$(call say,LD,$@)
	$(Q)$(CC) $(all_ldflags) -o $@ $^ -lcmocka $(lib_ldlibs) $(LDLIBS)

# A fuzz harness has libFuzzer's main, or one that runs the inputs it is given (tests/fuzz/fuzz.h).
fuzz_main := $(if $(filter fuzz,$(FLAVOUR)),,$(replay_obj))
fuzz_ldflags := $(if $(filter fuzz,$(FLAVOUR)),-fsanitize=fuzzer)
$(fuzz_programs): %$(EXE): %.o $(fuzz_main) $(lib_static)
	$(call say,LD,$@)
	$(Q)$(CC) $(all_ldflags) $(fuzz_ldflags) -o $@ $^ $(lib_ldlibs) $(LDLIBS)

-include $(lib_obj:.o=.d) $(cli_obj:.o=.d) $(unit_obj:.o=.d) \
    $(fuzz_obj:.o=.d) $(replay_obj:.o=.d)
