# tallyd: one Makefile; `make help` lists the targets. Everything that is built lies in build/.
MODE ?= release
B := build/$(MODE)
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
# One short line a step; V=1 shows the commands themselves.
say = $(if $(V),,@echo '  $(1)';)
PYTHON ?= /usr/bin/python3
# Tests at the same time; they wait more than they compute.
LANES ?= 3
# Suites and benchmarks run as whoever calls make, also as root.
export TALLYD_ALLOW_ROOT ?= true
VERSION := $(shell deploy/scripts/version)

PKG_CONFIG ?= pkg-config
PKGS := liburing hiredis ck openssl jansson libcurl libseccomp
CPPFLAGS_ALL = -Isrc -I$(B)/gen -D_GNU_SOURCE $(CPPFLAGS)
CFLAGS_ALL = -std=gnu17 -g -pthread -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Werror=implicit-function-declaration \
	-fno-strict-aliasing -fno-common $(CFLAGS_MODE) $(CFLAGS)
LDFLAGS_ALL = -pthread $(LDFLAGS_MODE) $(LDFLAGS)
LDLIBS_ALL = $(shell $(PKG_CONFIG) --libs $(PKGS)) $(LDLIBS)

# What tests/hardened finds in the binary again. The C library's start files carry no marks of CET, so the linker is told.
cet_x86_64 := -fcf-protection=full
cet_aarch64 := -mbranch-protection=standard
cet_link_x86_64 := -Wl,-z,ibt,-z,shstk
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))

ifeq ($(MODE),release)
CFLAGS_MODE := -O2 -fPIE -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 $(cet_$(MACHINE))
LDFLAGS_MODE := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code $(cet_link_$(MACHINE))
else ifeq ($(MODE),debug)
CFLAGS_MODE := -O0 -fno-omit-frame-pointer
else ifeq ($(MODE),asan)
CFLAGS_MODE := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_MODE := -fsanitize=address,undefined
else ifeq ($(MODE),tsan)
CFLAGS_MODE := -O1 -fno-omit-frame-pointer -fsanitize=thread
LDFLAGS_MODE := -fsanitize=thread
else ifeq ($(MODE),cov)
CFLAGS_MODE := -O0 --coverage
LDFLAGS_MODE := --coverage
else ifeq ($(MODE),fuzz)
CC := clang
CFLAGS_MODE := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_MODE := -fsanitize=fuzzer,address,undefined
else
$(error MODE is one of release debug asan tsan cov fuzz, not '$(MODE)')
endif

SRC := $(sort $(wildcard src/*/*.c))
OBJ := $(SRC:%.c=$(B)/%.o)
LIB := $(B)/libtallyd.a
BIN := $(B)/tallyd
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
PROPERTY := $(patsubst tests/property/%.c,$(B)/tests/property/%,$(wildcard tests/property/test_*.c))
ifeq ($(MODE),tsan)
PROPERTY := # of one thread, and long: there is no race to be found
endif
STRESS := $(patsubst tests/stress/%.c,$(B)/tests/stress/%,$(wildcard tests/stress/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAY := $(FUZZERS:%=$(B)/tests/replay/%)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BIN) ## build build/$(MODE)/tallyd

$(BIN): $(B)/src/main.o $(LIB)
	$(call say,LD $@)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)

$(LIB): $(OBJ)
	@rm -f $@
	$(call say,AR $@)$(AR) qcs $@ $^

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Written only when they change: objects follow the flags and the compiler, what prints the version follows it.
$(B)/flags: SAYS = $(CC) $(CPPFLAGS) $(CFLAGS_ALL)
$(B)/gen/version.h: SAYS = \#define TALLYD_VERSION "$(VERSION)"
$(B)/flags $(B)/gen/version.h: FORCE
	@mkdir -p $(@D)
	@echo '$(SAYS)' | cmp -s - $@ || echo '$(SAYS)' > $@
FORCE:
$(filter $(B)/src/admin/% $(B)/src/app/% $(B)/src/config/%,$(OBJ)) $(B)/src/main.o: | $(B)/gen/version.h

# Web pages, embedded at build: src/web/x.html becomes the bytes web_x_html.
WEB := $(wildcard src/web/*.html src/web/*.js src/web/*.css src/web/*.json)
$(B)/gen/web.h: $(WEB) src/web/embed
	@mkdir -p $(@D)
	src/web/embed $(WEB) > $@
$(filter $(B)/src/api/% $(B)/src/admin/%,$(OBJ)): | $(B)/gen/web.h

# What several tests share; before the library, as some of it stands in for parts of that.
SUPPORT := $(B)/tests/libsupport.a
SUPPORT_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/support/*.c))
$(SUPPORT): $(SUPPORT_OBJ)
	@rm -f $@
	$(call say,AR $@)$(AR) qcs $@ $^

$(B)/tests/%.o: CPPFLAGS_ALL += -Itests -UNDEBUG
$(B)/tests/%: $(B)/tests/%.o $(SUPPORT) $(LIB)
	$(call say,LD $@)$(CC) $(LDFLAGS_ALL) $(call wraps,$(<:$(B)/%.o=%.c)) -o $@ $< $(SUPPORT) $(LIB) $(LDLIBS_ALL) -lcmocka

$(B)/tests/replay/%: tests/fuzz/%.c tests/fuzz/replay.c $(SUPPORT) $(LIB)
	@mkdir -p $(@D)
	$(call say,CC $<)$(CC) $(CPPFLAGS_ALL) -Itests $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< tests/fuzz/replay.c $(SUPPORT) $(LIB) $(LDLIBS_ALL)

$(B)/fuzz/%: tests/fuzz/%.c $(SUPPORT) $(LIB)
	@mkdir -p $(@D)
	$(call say,CC $<)$(CC) $(CPPFLAGS_ALL) -Itests $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< $(SUPPORT) $(LIB) $(LDLIBS_ALL)

# The simulator: everything but the kernel's memory and randomness is the production code (ld --wrap).
SIM_MAINS := run check_model
SIM_OBJ := $(patsubst %.c,$(B)/%.o,$(filter-out $(SIM_MAINS:%=tests/sim/%.c),$(wildcard tests/sim/*.c)))
wraps = $(shell sed -nE 's/.*__wrap_([a-z_0-9]+)[^a-z_0-9].*/-Wl,--wrap=\1/p' $(1) | sort -u)
$(B)/tests/sim/run $(B)/tests/sim/check_model: $(B)/tests/sim/%: $(B)/tests/sim/%.o $(SIM_OBJ) $(SUPPORT) $(LIB)
	$(call say,LD $@)$(CC) $(LDFLAGS_ALL) $(call wraps,tests/sim/memory.c) -o $@ $^ $(LDLIBS_ALL)

sim: $(B)/tests/sim/run ## the flush against a simulated Redis and network: make sim SEEDS=100000, make sim SEED=17
	@$< $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),20000))

sim-model: $(B)/tests/sim/check_model ## the simulated Redis beside a real redis-server
	@tests/sim/check-model $< $(or $(SEEDS),2000)

unit: $(UNIT) $(PROPERTY) $(REPLAY) ## unit and property tests, fuzz corpora replayed
	@tests/run-c $(UNIT) $(PROPERTY) $(REPLAY)

stress: $(STRESS) ## tests with threads (worth most with MODE=tsan)
	@tests/run-c $(STRESS)

e2e: $(BIN) ## end to end, real binary and real redis-server: make e2e IO=epoll STORE=valkey PYTEST='-k name'
	$(if $(STORE),REDIS_SERVER=$$(tests/e2e/$(STORE)) && export REDIS_SERVER && )TALLYD=$(BIN) $(PYTHON) -m pytest -q -n $(LANES) $(if $(IO),--io $(IO)) tests/e2e $(PYTEST)

e2e-conditions: $(BIN) ## short end to end: seccomp profile, no io_uring, memlock 0, 64 descriptors, another user, read-only root
	@TALLYD=$(BIN) tests/conditions

# On all CPUs, unless -j was given.
jobs = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
fuzzed = $(if $(HARNESSES),$(HARNESSES:%=fuzz_%),$(FUZZERS))

fuzz: ## libFuzzer, all harnesses or some: make fuzz SECONDS_EACH=600 HARNESSES='rules edges store'
	@$(MAKE) --no-print-directory $(jobs) MODE=fuzz $(fuzzed:%=build/fuzz/fuzz/%)
	@tests/fuzz/run $(or $(SECONDS_EACH),60) $(fuzzed)

deps: ## install what building needs
	@deploy/scripts/deps build
deps-test:
	@deploy/scripts/deps build test

run: ## build, start a private redis-server and tallyd, say what to open; Ctrl-C ends both
	@deploy/scripts/deps build
	@$(MAKE) --no-print-directory $(jobs) all
	@deploy/scripts/run $(BIN)

test: ## install what is missing, build, run the whole suite
	@deploy/scripts/deps build test
	@$(MAKE) --no-print-directory $(jobs) all
	@tests/run

lint: ## formatting, static checks, layers
	@tests/lint

format: ## clang-format everything in C
	@tests/lint reformat

# The manual page and the completions are what `tallyd --help` says, in other forms.
SHARE := $(B)/share
$(SHARE)/help: $(BIN)
	@mkdir -p $(@D)
	@$(BIN) --help > $@
$(SHARE)/options.%: $(SHARE)/help deploy/manual/from-help
	@deploy/manual/from-help FORM=$* < $< > $@
$(SHARE)/tallyd.8: deploy/manual/tallyd.8.in $(SHARE)/options.man
	@sed -e 's/@VERSION@/$(VERSION)/' -e '/@OPTIONS@/{r $(SHARE)/options.man' -e 'd}' $< > $@

ZSH_DIR ?= $(PREFIX)/share/zsh/site-functions
install-program: $(BIN) $(SHARE)/tallyd.8 $(addprefix $(SHARE)/options.,bash zsh fish)
	install -Dm755 $(BIN) '$(DESTDIR)$(PREFIX)/bin/tallyd'
	install -Dm644 $(SHARE)/tallyd.8 '$(DESTDIR)$(PREFIX)/share/man/man8/tallyd.8'
	install -Dm644 $(SHARE)/options.bash '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tallyd'
	install -Dm644 $(SHARE)/options.zsh '$(DESTDIR)$(ZSH_DIR)/_tallyd'
	install -Dm644 $(SHARE)/options.fish '$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/tallyd.fish'

UNIT_FILE = $(DESTDIR)$(PREFIX)/lib/systemd/system/tallyd.service
install: install-program ## program, manual, completions, systemd unit: DESTDIR and PREFIX are honoured
	install -Dm644 deploy/systemd/tallyd.service '$(UNIT_FILE)'
	sed -i 's|/usr/bin/|$(PREFIX)/bin/|' '$(UNIT_FILE)'
	[ -e '$(DESTDIR)/etc/default/tallyd' ] || install -Dm644 deploy/systemd/tallyd.default '$(DESTDIR)/etc/default/tallyd'

deb: ## build/deb/tallyd_*.deb for the Debian this runs on
	@deploy/scripts/deps build deb
	@VERSION='$(VERSION)' deploy/debian/build

clean: ## remove build/
	rm -rf build

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 20

-include infra/check.mk $(wildcard */targets.mk tests/*/targets.mk)
-include $(OBJ:.o=.d) $(B)/src/main.d $(wildcard $(B)/tests/*/*.d)
-include $(SIM_OBJ:.o=.d) $(SUPPORT_OBJ:.o=.d) $(wildcard $(B)/tests/sim/*.d)
.PHONY: all sim sim-model unit stress e2e e2e-conditions fuzz deps deps-test run test lint format install install-program deb clean help FORCE
