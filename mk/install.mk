# SPDX-License-Identifier: MPL-2.0
#
# Installing to $(DESTDIR)$(PREFIX), and taking the same files away again.

headers := $(wildcard include/rvvm/*.h)
man_pages := $(wildcard docs/man/*.1)
lib_man_pages := $(wildcard docs/man/*.3)
bin_dir = $(DESTDIR)$(PREFIX)/bin
lib_dir = $(DESTDIR)$(LIBDIR)
include_dir = $(DESTDIR)$(PREFIX)/include/rvvm
man_dir = $(DESTDIR)$(PREFIX)/share/man/man1
lib_man_dir = $(DESTDIR)$(PREFIX)/share/man/man3
doc_dir = $(DESTDIR)$(PREFIX)/share/doc/rvvm

# Where the library is, for programs that are built against it. They change with PREFIX, which is no flag.
fill_in = sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' \
              -e 's|@SOVERSION@|$(SOVERSION)|; s|@REQUIRES@|$(strip $(lib_pc))|'
cmake_dir = $(lib_dir)/cmake/rvvm

$(BUILD)/rvvm.pc: rvvm.pc.in FORCE
	$(Q)$(fill_in) $< >$@

$(BUILD)/rvvm-config.cmake: cmake/rvvm-config-make.cmake.in FORCE
	$(Q)$(fill_in) $< >$@

# The commands write their own completion scripts, where they can be run. In each shell's own folder, by the
# name that it looks for.
completions := $(if $(CROSS_COMPILE),,$(notdir $(commands)))
share_dir = $(DESTDIR)$(PREFIX)/share
bash_file = $(share_dir)/bash-completion/completions/$(1)
zsh_file = $(share_dir)/zsh/site-functions/_$(1)
fish_file = $(share_dir)/fish/vendor_completions.d/$(1).fish
install: all $(BUILD)/rvvm.pc $(BUILD)/rvvm-config.cmake ## install to DESTDIR and PREFIX
	$(Q)install -d $(bin_dir) $(lib_dir)/pkgconfig $(cmake_dir) $(include_dir) $(man_dir) $(lib_man_dir) $(doc_dir)
	$(Q)$(if $(commands),install -m 755 $(commands) $(bin_dir))
	$(Q)install -m 644 $(lib_static) $(if $(EXE),$(lib_import),$(lib_shared)) $(lib_dir)
	$(Q)$(if $(EXE),install -m 755 $(lib_shared) $(bin_dir),\
	    ln -sf librvvm.so.$(VERSION) $(lib_dir)/librvvm.so.$(SOVERSION) && \
	    ln -sf librvvm.so.$(SOVERSION) $(lib_dir)/librvvm.so)
	$(Q)install -m 644 $(BUILD)/rvvm.pc $(lib_dir)/pkgconfig
	$(Q)install -m 644 $(BUILD)/rvvm-config.cmake $(cmake_dir)
	$(Q)$(if $(headers),install -m 644 $(headers) $(include_dir))
	$(Q)$(if $(man_pages),install -m 644 $(man_pages) $(man_dir))
	$(Q)install -m 644 $(lib_man_pages) $(lib_man_dir)
	$(Q)set -e; $(foreach c,$(completions),\
	    install -d $(dir $(call bash_file,$c) $(call zsh_file,$c) $(call fish_file,$c)); \
	    $(BUILD)/$c -completion bash >$(call bash_file,$c); \
	    $(BUILD)/$c -completion zsh >$(call zsh_file,$c); \
	    $(BUILD)/$c -completion fish >$(call fish_file,$c);)
	$(Q)install -m 644 README.md COPYING.GPL3 COPYING.MPL2 $(doc_dir)

uninstall: ## remove what install put there
	$(Q)rm -f $(addprefix $(bin_dir)/,$(notdir $(commands))) $(lib_dir)/librvvm.a
	$(Q)rm -f $(addprefix $(lib_dir)/,librvvm.so librvvm.so.$(SOVERSION) librvvm.so.$(VERSION) librvvm.dll.a)
	$(Q)$(if $(EXE),rm -f $(bin_dir)/$(notdir $(lib_shared)))
	$(Q)rm -f $(lib_dir)/pkgconfig/rvvm.pc $(addprefix $(man_dir)/,$(notdir $(man_pages)))
	$(Q)rm -f $(addprefix $(lib_man_dir)/,$(notdir $(lib_man_pages)))
	$(Q)rm -f $(foreach c,$(completions),$(call bash_file,$c) $(call zsh_file,$c) $(call fish_file,$c))
	$(Q)rm -rf $(include_dir) $(doc_dir) $(cmake_dir)
