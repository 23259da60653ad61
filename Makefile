# exsyncd: build, test, measure, install. `make help` lists the targets.
#
# BUILD names the folder that everything is built in; a second build with other flags goes into a
# folder of its own, so that builds never mix.

BUILD  ?= build/release
CC     ?= gcc
PREFIX ?= /usr

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wformat=2 -Werror
OPTIMISE ?= -O2 -g
SANITIZE ?=
PACKAGES := libuv libcurl libxml-2.0 sqlite3 libsystemd inih libssl libcrypto
CFLAGS   += -std=gnu17 $(WARNINGS) $(OPTIMISE) $(SANITIZE) -fno-common -pthread -Icommon -I. \
            -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE $(DEFINES)
LDFLAGS  += $(SANITIZE) -pthread -pie -Wl,-z,relro,-z,now -Wl,--as-needed

PACKAGE_CFLAGS = $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PACKAGE_LIBS   = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)

# The folders of common/, each after those it may use; see docs in each folder's public header.
FOLDERS := base config http store mail ews
# Link order is the reverse: users before what they use.
LIBRARIES := $(foreach folder,ews mail store http config base,$(BUILD)/lib$(folder).a)

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))

all: $(BUILD)/exsyncd

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CFLAGS) $(PACKAGE_CFLAGS) -MMD -MP -c $< -o $@

define library
$(BUILD)/lib$(1).a: $(call objects,common/$(1))
	@echo "  AR      $$@"
	@rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach folder,$(FOLDERS),$(eval $(call library,$(folder))))

$(BUILD)/exsyncd: $(call objects,daemon) $(LIBRARIES)
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(PACKAGE_LIBS)

# The Exchange simulator: a program of its own, it shares only base/ with the daemon.
$(BUILD)/exchange-simulator: $(call objects,tests/exchange) $(BUILD)/libbase.a
	@echo "  LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(PACKAGE_LIBS) $(shell pkg-config --libs libmicrohttpd libssl)

# Unit tests: tests/unit/test_FOLDER_WHAT.c is linked with FOLDER's library and those it may use.
use_base   := base
use_config := config base
use_http   := http base
use_store  := store base
use_mail   := mail base
use_ews    := ews http base
use_daemon := ews mail store http config base
folder_of   = $(word 2,$(subst _, ,$(notdir $(1))))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

define unit_test
$(BUILD)/tests/$(1): $(BUILD)/tests/unit/$(1).o $(foreach l,$(use_$(call folder_of,$(1))),$(BUILD)/lib$(l).a)
	@mkdir -p $$(@D)
	@echo "  LD      $$@"
	@$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(PACKAGE_LIBS) -lcmocka
endef
$(foreach test,$(notdir $(basename $(wildcard tests/unit/test_*.c))),$(eval $(call unit_test,$(test))))

unit-tests: $(UNIT_TESTS) ## build the unit tests

clean: ## remove everything that was built
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all help unit-tests clean
.DELETE_ON_ERROR:
