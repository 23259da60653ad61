# exsyncd: build, test, measure, install. `make help` lists the targets.
#
# BUILD names the folder that everything is built in; a second build with other flags goes into a
# folder of its own, so that builds never mix.

BUILD  ?= build/release
CC     ?= gcc
PREFIX ?= /usr
VERSION := 0.1.0

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wformat=2 -Werror
OPTIMISE ?= -O2 -g
SANITIZE ?=
LINKER   ?=
PACKAGES := libuv libcurl jansson libxml-2.0 sqlite3 libsystemd inih libssl libcrypto krb5 \
            mit-krb5-gssapi
CFLAGS   += -std=gnu17 $(WARNINGS) $(OPTIMISE) $(SANITIZE) -fno-common -pthread -Icommon -I. \
            -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -DEXSYNC_VERSION=\"$(VERSION)\" $(DEFINES)
LDFLAGS  += $(SANITIZE) $(LINKER) -pthread -pie -Wl,-z,relro,-z,now -Wl,--as-needed

PACKAGE_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PACKAGE_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)

# The folders of common/, each after those it may use; see docs in each folder's public header.
FOLDERS := base control notify config http store mail ews
# Link order is the reverse: users before what they use.
LIBRARIES := $(foreach folder,ews mail store http config notify control base,$(BUILD)/lib$(folder).a)

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))

all: $(BUILD)/exsyncd $(BUILD)/exsync-submit $(BUILD)/exsyncctl

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

# Nothing of ours is seen by the shared libraries: one of them may have a function of the same name.
$(BUILD)/common/%.o $(BUILD)/daemon/%.o $(BUILD)/tools/%.o: CFLAGS += -fvisibility=hidden

define compile
@mkdir -p $(@D)
@echo "  CC      $<"
@$(CC) $(CPPFLAGS) $(CFLAGS) $(PACKAGE_CFLAGS) -MMD -MP -c $< -o $@
endef

$(BUILD)/%.o: %.c
	$(compile)

define library
$(BUILD)/lib$(1).a: $(call objects,common/$(1))
	@echo "  AR      $$@"
	@rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach folder,$(FOLDERS),$(eval $(call library,$(folder))))

# All of the daemon but main(), so that tests can link its parts.
$(BUILD)/libdaemon.a: $(filter-out $(BUILD)/daemon/main.o,$(call objects,daemon))
	@echo "  AR      $@"
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/exsyncd: $(BUILD)/daemon/main.o $(BUILD)/libdaemon.a $(LIBRARIES)
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(PACKAGE_LIBS)

# All of exsync-submit but main(). The program is setgid: it gets no library but libinih and libc.
$(BUILD)/libsubmit.a: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/exsync_submit_*.c))
	@echo "  AR      $@"
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/exsync-submit: $(BUILD)/tools/exsync_submit.o $(BUILD)/libsubmit.a $(BUILD)/libmail.a \
                        $(BUILD)/libbase.a
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs inih)

# All of exsyncctl but main().
$(BUILD)/libexsyncctl.a: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/exsyncctl_*.c))
	@echo "  AR      $@"
	@rm -f $@ && ar rcs $@ $^

# The daemon's library for what it has in common with the daemon: the words of alerts.
$(BUILD)/exsyncctl: $(BUILD)/tools/exsyncctl.o $(BUILD)/libexsyncctl.a $(BUILD)/libdaemon.a $(LIBRARIES)
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(PACKAGE_LIBS)

# The Exchange simulator: a program of its own, it shares only base/ with the daemon.
$(BUILD)/exchange-simulator: $(call objects,tests/exchange) $(BUILD)/libbase.a
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(PACKAGE_LIBS) $(shell pkg-config --libs libmicrohttpd)

# The floors of the benchmark: libcurl and files, nothing of ours.
$(BUILD)/bench-floor: $(BUILD)/tests/bench/floor.o
$(BUILD)/bench-floor-send: $(BUILD)/tests/bench/floor_send.o $(BUILD)/tests/bench/floor_outbox.o
$(BUILD)/bench-floor $(BUILD)/bench-floor-send: $(BUILD)/tests/bench/floor_common.o \
                                                $(BUILD)/tests/bench/floor_writers.o
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs libcurl)

# Unit tests: tests/unit/test_FOLDER_WHAT.c is linked with FOLDER's library, those it may use, and
# what it takes from tests/unit/fixture_*.c.
use_base   := base
use_control := control base
use_notify := notify base
use_config := config base
use_http   := http base
use_store  := store base
use_mail   := mail base
use_ews    := ews http base
use_submit := submit mail base
use_daemon := daemon ews mail store http config notify control base
use_exsyncctl := exsyncctl daemon ews mail store http config notify control base
folder_of   = $(word 2,$(subst _, ,$(notdir $(1))))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

$(BUILD)/libfixture.a: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/unit/fixture_*.c))
	@echo "  AR      $@"
	@rm -f $@ && ar rcs $@ $^

define unit_test
$(BUILD)/tests/$(1): $(BUILD)/tests/unit/$(1).o $(BUILD)/libfixture.a $(foreach l,$(use_$(call folder_of,$(1))),$(BUILD)/lib$(l).a)
	@mkdir -p $$(@D)
	@echo "  LD      $$@"
	@$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(PACKAGE_LIBS) -lcmocka
endef
$(foreach test,$(notdir $(basename $(wildcard tests/unit/test_*.c))),$(eval $(call unit_test,$(test))))

# Small programs that integration tests drive: tests/integration/NAME.c, linked with all libraries and
# the daemon's parts.
INTEGRATION_PROGRAMS := $(patsubst tests/integration/%.c,$(BUILD)/%,$(wildcard tests/integration/*.c))

$(INTEGRATION_PROGRAMS): $(BUILD)/%: $(BUILD)/tests/integration/%.o $(BUILD)/libdaemon.a $(LIBRARIES)
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(PACKAGE_LIBS)

integration-programs: $(INTEGRATION_PROGRAMS)

# The same programs in a folder of their own, but in those that run a loop it is measured, for which one
# object is another. The linker takes what stands before a library for what it would find there.
LOOP_MEASURE := $(BUILD)/measured/common/base/executor_measure.o
MEASURED_LOOPS := $(addprefix $(BUILD)/measured/,exsyncd $(notdir $(INTEGRATION_PROGRAMS)))
MEASURED_TEST := $(BUILD)/measured/tests/test_base_measure
MEASURED_SAME := $(addprefix $(BUILD)/measured/,exsync-submit exsyncctl exchange-simulator)

$(BUILD)/measured/%.o: CFLAGS += -fvisibility=hidden -DEXSYNC_MEASURE_LOOP
$(BUILD)/measured/%.o: %.c
	$(compile)

$(BUILD)/measured/exsyncd: $(BUILD)/daemon/main.o
$(filter-out %/exsyncd,$(MEASURED_LOOPS)): $(BUILD)/measured/%: $(BUILD)/tests/integration/%.o
$(MEASURED_LOOPS): $(LOOP_MEASURE) $(BUILD)/libdaemon.a $(LIBRARIES)
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PACKAGE_LIBS)

$(MEASURED_TEST): $(BUILD)/measured/tests/unit/test_base_measure.o $(LOOP_MEASURE) $(BUILD)/libbase.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(PACKAGE_LIBS) -lcmocka

$(MEASURED_SAME): $(BUILD)/measured/%: $(BUILD)/%
	@mkdir -p $(@D)
	@ln -f $< $@

measured-programs: $(MEASURED_LOOPS) $(MEASURED_TEST) $(MEASURED_SAME)

unit-tests: $(UNIT_TESTS) ## build the unit tests

# --- what people run ---------------------------------------------------------------------------

programs: $(BUILD)/exsyncd $(BUILD)/exsync-submit $(BUILD)/exsyncctl $(BUILD)/exchange-simulator

demo: ## install what is missing, build, and show exsyncd at work on a simulated Exchange
	@scripts/install-deps demo
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/release programs
	@scripts/demo build/release

# Unit tests and the most important integration tests run with the sanitizers; the others in programs
# that measure their loop, and so do those of the important ones that are about its turns or that only
# there have all cases and many processes: all of them with EXSYNC_LONG=1, which takes the full numbers,
# too. The simulated Exchange has its sanitizers in its own tests; elsewhere it is the optimised one, as
# it would take more time than what is tested. What waits for long begins first, then what takes longest,
# so that all cores have work to the end.
JOBS       := $(shell nproc)
ASAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined
# Links the many unit tests in a third of the time; where there is no gold, the usual one does. It is
# looked for by the make that links: the one above it began before anything was installed.
FAST_LINKER := $(if $(shell command -v ld.gold 2>/dev/null),-fuse-ld=gold)
ASAN_MAKE   = $(MAKE) --no-print-directory -j$(JOBS) BUILD=build/asan \
              OPTIMISE="-O1 -g -fno-omit-frame-pointer" SANITIZE="$(ASAN_FLAGS)" \
              LINKER='$$(FAST_LINKER)'
INTEGRATION := $(sort $(wildcard tests/integration/test_*.py tests/integration/test_*.sh))

# In machines that boot systemd, with the package in them; skipped where none can be booted. The first
# may have to make the machine, for which the others would wait.
MACHINES := $(sort $(wildcard tests/machine/test_*.py))

check: ## install what is missing, build, and run all tests
	@scripts/install-deps check
	@$(ASAN_MAKE) programs unit-tests integration-programs
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/release programs measured-programs \
	    $(addprefix build/release/tests/,$(KILLED))
	@$(MAKE) --no-print-directory package PACKAGE_BUILD=build/release
	@EXSYNC_EXCHANGE=build/release tests/run --jobs $(TEST_JOBS) \
	    build/release:$(firstword $(MACHINES)) build/release:tests/bench/memory.py \
	    $(addprefix build/release/measured:,$(filter $(WAITING),$(MEASURED))) \
	    $(addprefix build/asan:,$(SANITIZED)) \
	    $(addprefix build/release:,$(filter-out $(firstword $(MACHINES)),$(MACHINES))) \
	    $(addprefix build/release/measured:,$(filter-out $(WAITING),$(MEASURED))) \
	    $(addprefix build/release/tests/,$(KILLED)) \
	    $(addprefix build/asan/tests/,$(filter-out $(NOT_SANITIZED),$(notdir $(UNIT_TESTS)))) \
	    build/release/measured/tests/test_base_measure

# Two more than there are cores: a test waits for about half of its time.
TEST_JOBS = $(shell expr $(JOBS) + 2)
integration = $(addprefix tests/integration/test_,$(1))
SANITIZED := $(call integration,faults.py reload.py outgoing_doubt.py submit.py ctl_queue.py outgoing.py \
               control_hostile.py ctl_many.py delivery.py control.py after_processing.py \
               simulator_faults.py ctl_terminal.py ctl_usage.py service_manager.py \
               notify_exchange.py notify_smtp.py simulator.py notification.py \
               $(if $(EXSYNC_LONG),alerts.py backup.py ctl_actions.py ctl_diagnose.py ctl_test.py \
               ctl_trace.py ctl_views.py ctl_waits.py notify.py outgoing_orphans.py))
# Unit tests that end at each point of an order, some hundred times: beginning and ending is most of
# what the sanitizers make slow, and what lies between is in other tests, too.
KILLED    := $(addprefix test_,mail_outbox_crash mail_crash store_crash store_upgrade \
               store_alerts_last daemon_send_interrupted)
NOT_SANITIZED := $(if $(EXSYNC_LONG),,$(KILLED))
BOTH_WAYS := $(call integration,control_hostile.py ctl_many.py submit.py)
WAITING   := $(call integration,alerts.py kerberos.sh notify.py storage.py hung_disk.py clock.py)
MEASURED   = $(if $(EXSYNC_LONG),$(INTEGRATION),$(filter-out $(filter-out $(BOTH_WAYS),\
               $(SANITIZED)),$(INTEGRATION)))

check-long: export EXSYNC_LONG = 1
check-long: check ## the same with the full numbers (200 kills ...)

bench: ## measure exsyncd, the floor and the peer, receiving and sending; tables from one run
	@scripts/install-deps bench
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/release programs build/release/bench-floor \
	    build/release/bench-floor-send
	@EXSYNC_BUILD=build/release python3 tests/bench/bench.py

FUZZ_TARGETS := $(notdir $(basename $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 60

fuzz: ## fuzz each parser for FUZZ_SECONDS (needs clang)
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/fuzz CC=clang OPTIMISE="-O1 -g" \
	    SANITIZE="-fsanitize=address,undefined,fuzzer-no-link" fuzz-programs
	@for target in $(FUZZ_TARGETS); do \
	    mkdir -p build/fuzz/found/$$target; \
	    echo "  FUZZ    $$target for $(FUZZ_SECONDS) s"; \
	    build/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=build/fuzz/ \
	        build/fuzz/found/$$target $(wildcard tests/fuzz/corpus/*) \
	        >build/fuzz/$$target.log 2>&1 || { tail -n 40 build/fuzz/$$target.log; exit 1; }; \
	done

fuzz-programs: $(addprefix $(BUILD)/,$(FUZZ_TARGETS))

$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/libsubmit.a $(LIBRARIES)
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PACKAGE_LIBS)

lint: ## clang-format, cppcheck and clang-tidy over the sources
	@clang-format --dry-run --Werror $(SOURCES)
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --error-exitcode=1 \
	    --inline-suppr --suppress=missingIncludeSystem -Icommon -I. \
	    --include=/usr/include/$(shell $(CC) -print-multiarch)/sys/queue.h common daemon tools
	@clang-tidy --quiet $(filter %.c,$(filter common/% daemon/% tools/%,$(SOURCES))) -- -std=gnu17 \
	    -Icommon -I. -DEXSYNC_VERSION=\"$(VERSION)\" $(PACKAGE_CFLAGS)

SOURCES = $(shell git ls-files '*.c' '*.h')

# exsync-submit puts files into a folder of its group, and the daemon reads the configuration by its
# own; neither group can be had in a staged tree.
SUBMIT_GROUP := exsync-submit
DAEMON_GROUP := exsyncd

# systemd looks for these below /usr and /usr/local. In the running system, and only there, the user
# and its groups come before what is given to them.
UNIT     := $(PREFIX)/lib/systemd/system/exsyncd.service
SYSUSERS := $(PREFIX)/lib/sysusers.d/exsyncd.conf
TMPFILES := $(PREFIX)/lib/tmpfiles.d/exsyncd.conf
CATALOG  := $(PREFIX)/lib/systemd/catalog/exsyncd.catalog
live = @if [ -z "$(DESTDIR)" ] && command -v $(firstword $(1)) >/dev/null; then \
           set -x; $(1) || true; fi
UPDATE_CATALOG = $(call live,journalctl --update-catalog)
# Where systemd runs: not in a container without it.
RELOAD_UNITS = @if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then \
                   set -x; systemctl daemon-reload || true; fi

PAGES := $(notdir $(wildcard docs/*.[58]))
page_path = $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(1)))/$(1)
COMPLETION := $(PREFIX)/share/bash-completion/completions/exsyncctl

install: $(BUILD)/exsyncd $(BUILD)/exsync-submit $(BUILD)/exsyncctl ## install below DESTDIR, with PREFIX (/usr)
	install -D -m 755 $(BUILD)/exsyncd $(DESTDIR)$(PREFIX)/sbin/exsyncd
	install -D -m 755 $(BUILD)/exsyncctl $(DESTDIR)$(PREFIX)/sbin/exsyncctl
	install -D -m 644 systemd/exsyncd.sysusers $(DESTDIR)$(SYSUSERS)
	$(call live,systemd-sysusers $(SYSUSERS))
	@if [ -z "$(DESTDIR)" ] && getent group $(SUBMIT_GROUP) >/dev/null; then \
	    set -x; install -D -m 2755 -g $(SUBMIT_GROUP) $(BUILD)/exsync-submit \
	        $(PREFIX)/sbin/exsync-submit; \
	else \
	    set -x; install -D -m 755 $(BUILD)/exsync-submit \
	        $(DESTDIR)$(PREFIX)/sbin/exsync-submit; \
	    { set +x; } 2>/dev/null; \
	    echo "note: exsync-submit needs the group $(SUBMIT_GROUP) (groupadd --system" \
	         "$(SUBMIT_GROUP)) and mode 2755 of it"; \
	fi
	install -D -m 644 conf/exsyncd.conf $(DESTDIR)$(PREFIX)/share/doc/exsyncd/exsyncd.conf
	install -D -m 644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/exsyncd/LICENSE
	install -D -m 644 README.md $(DESTDIR)$(PREFIX)/share/doc/exsyncd/README.md
	@set -ex; $(foreach page,$(PAGES),install -D -m 644 docs/$(page) $(call page_path,$(page));)
	install -D -m 644 tools/completion/exsyncctl $(DESTDIR)$(COMPLETION)
	install -D -m 644 systemd/exsyncd.catalog $(DESTDIR)$(CATALOG)
	$(UPDATE_CATALOG)
	install -D -m 644 systemd/exsyncd.tmpfiles $(DESTDIR)$(TMPFILES)
	$(call live,systemd-tmpfiles --create $(TMPFILES))
	sed 's,/usr/sbin/,$(PREFIX)/sbin/,' systemd/exsyncd.service >$(BUILD)/exsyncd.service
	install -D -m 644 $(BUILD)/exsyncd.service $(DESTDIR)$(UNIT)
	$(RELOAD_UNITS)
	install -d -m 755 $(DESTDIR)/etc/exsyncd/conf.d
	@test -e $(DESTDIR)/etc/exsyncd/exsyncd.conf || { \
	    group=; if [ -z "$(DESTDIR)" ] && getent group $(DAEMON_GROUP) >/dev/null; then \
	        group="-g $(DAEMON_GROUP)"; fi; \
	    set -x; install -m 640 $$group conf/exsyncd.conf $(DESTDIR)/etc/exsyncd/exsyncd.conf; }

uninstall: ## remove what install put there, with the same DESTDIR and PREFIX
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/sbin/,exsyncd exsyncctl exsync-submit)
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/doc/exsyncd/,exsyncd.conf LICENSE README.md)
	rm -f $(foreach page,$(PAGES),$(call page_path,$(page)))
	rm -f $(DESTDIR)$(CATALOG) $(DESTDIR)$(COMPLETION)
	rm -f $(addprefix $(DESTDIR),$(UNIT) $(SYSUSERS) $(TMPFILES))
	$(UPDATE_CATALOG)
	$(RELOAD_UNITS)
	test ! -d $(DESTDIR)$(PREFIX)/share/doc/exsyncd || \
	    rmdir --ignore-fail-on-non-empty $(DESTDIR)$(PREFIX)/share/doc/exsyncd
	@test ! -e $(DESTDIR)/etc/exsyncd || echo "The configuration stays: $(DESTDIR)/etc/exsyncd"

# The package comes from the programs in PACKAGE_BUILD, which are built when they are missing or old.
# The make that runs this tells its options to those below it, and they are not for the package.
PACKAGE_BUILD ?= build/package

deb: ## install what is missing and build the Debian package in build/deb
	@scripts/install-deps deb
	@$(MAKE) --no-print-directory package

package:
	@echo "building the package takes some minutes; what it does is written to build/deb/log"
	@rm -rf build/deb && mkdir -p build/deb
	@env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL BUILD=$(PACKAGE_BUILD) dpkg-buildpackage \
	    --build=binary --no-sign --jobs=$(JOBS) --post-clean --buildinfo-option=-ubuild/deb \
	    --buildinfo-file=build/deb/exsyncd.buildinfo --changes-option=-ubuild/deb \
	    --changes-file=build/deb/exsyncd.changes >build/deb/log 2>&1 || \
	    { tail -n 40 build/deb/log >&2; exit 1; }
	@ls build/deb/*.deb

clean: ## remove everything that was built
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all help programs unit-tests integration-programs measured-programs demo check check-long bench fuzz \
        fuzz-programs lint install uninstall deb package clean
.DELETE_ON_ERROR:
