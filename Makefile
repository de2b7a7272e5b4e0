# gp: GNU make and pkg-config, nothing generated. `make V=1` shows the commands.
# A new tool is bin/gp-x.c, man/gp-x.1, test/programs/gp-x.bats and one word in TOOLS.

VERSION := 0.1.0
TOOLS := gp-read-config gp-find-pr gp-find-missing gp-set-tag gp-open-pr gp-merge gp-check-status gp-set-status gp-report gp-forge-local gp-forge-github gp-forge-azdo gp-options
WRAPPERS := gp gp-new gp-promote gp-status gp-refresh

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
PKG_CONFIG ?= pkg-config
INSTALL ?= install
BATS ?= bats

# release, asan; lint builds its own beside them. Programs are in build/VARIANT, objects below it.
VARIANT ?= release
B := build/$(VARIANT)

# Each library is one module's affair: its flags reach that module and the linker only.
PKG_common/data/json := libcjson
PKG_common/data/yaml := yaml-0.1
PKG_common/http/http := libcurl
$(foreach file,objects objects-write memory,$(eval PKG_common/git/$(file) := libgit2))
PKGS := libcjson yaml-0.1 libcurl libgit2

# Ours, apart from the user's CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS, which come last and win.
# memmem(3) and flock(2) are beyond POSIX.1-2008: glibc and musl show them with _GNU_SOURCE, macOS with
# _DARWIN_C_SOURCE, the BSDs as long as nothing asks for less (hence no _POSIX_C_SOURCE).
# -iquote, not -I: our yaml.h must not hide libyaml's <yaml.h>.
GP_CPPFLAGS := -D_GNU_SOURCE -D_DARWIN_C_SOURCE -iquote common
GP_CFLAGS := -std=c11 -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wconversion -Wundef -Wvla -Wformat=2 $(if $(WERROR),-Werror)
ifeq ($(VARIANT),fuzz)
HARDEN_CFLAGS := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
HARDEN_LDFLAGS := -fsanitize=address,undefined
else ifeq ($(VARIANT),asan)
HARDEN_CFLAGS := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
HARDEN_LDFLAGS := -fsanitize=address,undefined
else
HARDEN_CFLAGS := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
HARDEN_LDFLAGS := -pie
endif
# A program is linked with the libraries it uses and no others.
ifeq ($(shell uname -s),Darwin)
GP_LDFLAGS := $(HARDEN_LDFLAGS) -Wl,-dead_strip_dylibs
else
GP_LDFLAGS := $(HARDEN_LDFLAGS) -Wl,-z,relro,-z,now -Wl,--as-needed
endif

PROGRAMS := $(TOOLS:%=$(B)/%)
COMMON := $(patsubst %.c,$(B)/obj/%.o,$(wildcard common/*/*.c common/*/*/*.c))
# A fuzz target is test/fuzz/x.c, x.dict where words help, corpus/x/ for old crashes, and SEEDS_x, directories of inputs.
FUZZERS := $(patsubst test/fuzz/%.c,$(B)/fuzz/%,$(filter-out test/fuzz/standalone.c,$(wildcard test/fuzz/*.c)))
SEEDS_setter := test/units/setter
# Several answers stand behind each other there; and http.c is a part of them.
MAX_LEN_api-github := 16384
MAX_LEN_api-azdo := 16384
PKG_test/fuzz/api-github := libcurl
PKG_test/fuzz/api-azdo := libcurl
# Programs that tests call, not installed.
DRIVER_SOURCES := $(wildcard test/*/*-driver.c)
DRIVERS := $(patsubst %.c,$(B)/%,$(notdir $(DRIVER_SOURCES)))
OBJECTS := $(COMMON) $(TOOLS:%=$(B)/obj/bin/%.o) $(DRIVER_SOURCES:%.c=$(B)/obj/%.o) \
	$(FUZZERS:$(B)/fuzz/%=$(B)/obj/test/fuzz/%.o) $(B)/obj/test/fuzz/standalone.o
MAN := $(wildcard man/*.[157])

# QUIET leaves out the lines of single files.
say = $(if $(V),,@$(if $(and $(QUIET),$(filter CC AR,$(1))),,printf '  %-4s %s\n' $(1) $(patsubst $(B)/%,%,$@);))

.DEFAULT_GOAL := all
# One line for each target that has a ## comment.
help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.* ## /\1\t/p' Makefile | sort | awk -F '\t' '{ printf "  %-14s %s\n", $$1, $$2 }'

all: $(PROGRAMS) ## build the programs, in build/release

$(B)/%: $(B)/obj/bin/%.o $(B)/libgp.a
	$(call say,LINK)$(CC) $(GP_LDFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ \
		$$($(PKG_CONFIG) --libs $(PKGS)) $(LDLIBS)

$(foreach source,$(DRIVER_SOURCES),$(eval $(B)/$(basename $(notdir $(source))): $(B)/obj/$(source:.c=.o) $(B)/libgp.a))
$(DRIVERS):
	$(call say,LINK)$(CC) $(GP_LDFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $$($(PKG_CONFIG) --libs $(PKGS)) $(LDLIBS)

# With the fuzzer, which brings a main, or with one that replays files.
$(B)/fuzz/%: $(B)/obj/test/fuzz/%.o $(if $(filter fuzz,$(VARIANT)),,$(B)/obj/test/fuzz/standalone.o) $(B)/libgp.a
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(GP_LDFLAGS) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer) $(CFLAGS) \
		$(LDFLAGS) -o $@ $^ $$($(PKG_CONFIG) --libs $(PKGS)) $(LDLIBS)

$(B)/libgp.a: $(COMMON)
	$(call say,AR)rm -f $@ && $(AR) qcs $@ $^

$(B)/obj/%.o: %.c Makefile | can-build
	$(call say,CC)mkdir -p $(@D) && $(CC) $(GP_CPPFLAGS) -DGP_VERSION='"$(VERSION)"' $(GP_CFLAGS) $(HARDEN_CFLAGS) \
		$(if $(PKG_$*),$$($(PKG_CONFIG) --cflags $(PKG_$*))) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d)

# Before anything is compiled, so that a missing library is one clear line instead of a page of a compiler's.
can-build:
	@CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' scripts/install-deps --check build

deps: ## install what the build needs (LEVEL=test, lint, bench: more)
	@CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' scripts/install-deps $(or $(LEVEL),build)

JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
SUBMAKE = $(MAKE) --no-print-directory
# A build that somebody else's command needs uses all processors, unless the user has said how many.
BUILD = $(SUBMAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS)) all

# What is missing has to be there before the sub-make looks for it.
demo: ## build, then promote a release in a scratch directory
	@+$(SUBMAKE) deps LEVEL=build
	@echo 'building gp: $(words $(COMMON) $(TOOLS)) files'
	@+$(BUILD) QUIET=1
	@scripts/demo

TESTS ?= $(sort $(wildcard test/*/*.bats))
# What is too long to run each time is drawn: one of PARTS parts, chosen by SEED, a commit's id.
PARTS ?= 50
SEED ?= $(shell git rev-parse --verify --quiet HEAD 2>/dev/null || echo 0)

# One test file more at a time than there are processors: tests wait for something now and then.
test: ## run all tests (TESTS='FILE ...', BATS_FLAGS, PARTS, SEED)
	@+$(SUBMAKE) deps LEVEL=test
	@+$(BUILD)
	@+$(SUBMAKE) replay $(DRIVERS)
	@GP_BUILD='$(CURDIR)/$(B)' GP_PARTS='$(PARTS)' GP_SEED='$(SEED)' \
		TEST_PYTHON="$$(python3 -c 'import sys; print(sys.executable)')" PATH='$(CURDIR)/$(B):$(CURDIR)/scripts':"$$PATH" $(BATS) $(BATS_FLAGS) \
		$$(parallel --version 2>/dev/null | grep -q '^GNU' && echo --jobs $$(($(JOBS) + 1)) --no-parallelize-within-files) $(TESTS)

# A minute of the suite: the setter, the streams and options that all programs share, the story and the forge protocol.
QUICK := $(wildcard test/units/*.bats) $(patsubst %,test/programs/%.bats,common gp-options gp-set-tag) \
	test/flows/story.bats
test-quick: ## run a minute of them: test/units, common, gp-options, gp-set-tag, story
	@+$(SUBMAKE) test TESTS='$(QUICK)'

# With sanitizers: the units, the setter, the attacks and a story on each forge; one of ten parts of the other files is
# drawn, for most of them is the same code again. An error that a sanitizer finds must not look like a closed gate, hence
# an exit status of its own.
ASAN_ALWAYS := $(wildcard test/attacks/*.bats test/units/*.bats) test/programs/gp-set-tag.bats \
	$(patsubst %,test/flows/%.bats,story story-azdo story-github)
ASAN_DRAWN = $(shell printf '%s\n' $(filter-out $(ASAN_ALWAYS) test/fire/%,$(TESTS)) | \
	awk -v part=$$((0x$$(printf %.7s '$(SEED)') % 10)) 'NR % 10 == part')
asan: ASAN_TESTS = $(if $(filter command line,$(origin TESTS)),$(TESTS),$(ASAN_ALWAYS) $(ASAN_DRAWN))
asan: ## run the tests that sanitizers are for, with sanitizers
	@echo 'drawn by $(SEED): $(or $(ASAN_DRAWN),nothing)'
	@+ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:exitcode=99 LSAN_OPTIONS=exitcode=99 \
		UBSAN_OPTIONS=print_stacktrace=1:exitcode=99 $(SUBMAKE) test VARIANT=asan TESTS='$(ASAN_TESTS)'

# Each target of test/fuzz for so many seconds, as many at a time as there are processors, and says what it came to:
# how often it ran, how many edges of the program it has reached. What it finds stays in build/fuzz/found.
SECONDS ?= 60
fuzz: ## run each fuzz target for SECONDS (60)
	@+$(SUBMAKE) deps LEVEL=lint
	@+$(SUBMAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS)) --keep-going fuzz-run VARIANT=fuzz CC=clang

fuzz-run: $(FUZZERS:%=%-run)
$(FUZZERS:%=%-run): $(B)/fuzz/%-run: $(B)/fuzz/%
	@mkdir -p $(B)/found $(B)/corpus/$*
	@$< -max_total_time=$(SECONDS) -timeout=60 -rss_limit_mb=2048 -max_len=$(or $(MAX_LEN_$*),4096) -print_final_stats=1 \
		-artifact_prefix=$(B)/found/$*- $(addprefix -dict=,$(wildcard test/fuzz/$*.dict)) \
		$(B)/corpus/$* $(wildcard test/fuzz/corpus/$*) $(SEEDS_$*) >$<.log 2>&1 || { tail -n 60 $<.log; exit 1; }
	@awk '/^#[0-9]+.* cov: / { n = substr($$1, 2); for (i = 2; i < NF; i++) v[$$i] = $$(i + 1) } \
		END { printf "  %-4s $* %s runs, %s edges, %s features\n", "FUZZ", n, v["cov:"], v["ft:"] }' $<.log

# The seeds and old crashes once each, without a fuzzer.
replay: $(FUZZERS:%=%-replay)
$(FUZZERS:%=%-replay): $(B)/fuzz/%-replay: $(B)/fuzz/%
	@find $(wildcard test/fuzz/corpus/$*) $(SEEDS_$*) -type f -exec $< {} + >$<.log 2>&1 || { tail -n 20 $<.log; exit 1; }
	@printf '  %-4s %s\n' FUZZ "$* $$(tail -n 1 $<.log)"

# Each program's main path under valgrind.
valgrind: ## run each program's main path under valgrind
	@+$(SUBMAKE) deps LEVEL=lint
	@+GP_VALGRIND=1 $(SUBMAKE) test TESTS=test/fire/valgrind.bats

# All of the faults, kills, races, failed allocations and hostile names, of which make test draws a part: about half an
# hour.
under-fire: ## run all faults, kills and races (half an hour)
	@+$(SUBMAKE) test PARTS=1 \
		TESTS='test/attacks/hostile-names.bats $(patsubst %,test/fire/%.bats,alloc faults kills races)'

# The conformance suite over one forge: make check-forge FORGE=name runs it over gp-forge-name from PATH.
check-forge: ## run the conformance suite over gp-forge-NAME (FORGE=NAME)
	@test -n '$(FORGE)' || { echo 'usage: make check-forge FORGE=name' >&2; exit 64; }
	@+FORGE='$(FORGE)' $(SUBMAKE) test TESTS=test/forge/forge.bats

# What gp asks of a forge, held to what its vendor publishes; the test forge, to the vendor's own client.
test-contract: ## hold requests to what GitHub and Azure DevOps publish
	@+$(SUBMAKE) deps LEVEL=contract
	@+MAKE='$(MAKE)' test/fakes/hub/contract/run github azdo

# What gp costs in a large repository, beside what others do there: prints ratios and puts them into README.
bench: ## measure gp in a large repository
	@+$(SUBMAKE) deps LEVEL=bench
	@+$(BUILD)
	@test/bench/run

# Linters that no distribution has, each at one version, from the registry of its language.
ACTIONLINT := build/tools/actionlint
ACTION_VALIDATOR := build/tools/node_modules/.bin/action-validator
CHECK_JSONSCHEMA := build/tools/python/bin/check-jsonschema
lint-tools: $(ACTIONLINT) $(ACTION_VALIDATOR) $(CHECK_JSONSCHEMA)
$(ACTIONLINT):
	@GOBIN='$(CURDIR)/$(@D)' GOFLAGS= go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7
$(ACTION_VALIDATOR):
	@npm install --silent --no-save --ignore-scripts --no-fund --no-audit --prefix build/tools \
		@action-validator/core@0.6.0 @action-validator/cli@0.6.0
$(CHECK_JSONSCHEMA):
	@python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target build/tools/python \
		check-jsonschema==0.33.3

lint: ## check the code (STEPS='STEP ...')
	@+$(SUBMAKE) deps LEVEL=lint
	@+$(SUBMAKE) lint-tools
	@GP_LINT_PARTS='$(LINT_PARTS)' GP_SEED='$(SEED)' TOOLS='$(TOOLS)' WRAPPERS='$(WRAPPERS)' PKGS='$(PKGS)' \
		FLAGS='$(GP_CPPFLAGS) -DGP_VERSION="$(VERSION)" $(GP_CFLAGS)' MAKE='$(MAKE)' test/lint/run $(STEPS)

# An installed wrapper is one file: the options they share are put in, the line for checkouts is taken out.
put = $(if $(V),,@printf '  %-4s %s\n' INST '$(DESTDIR)$(1)';)
install: all ## install programs and man pages (PREFIX, DESTDIR)
	$(if $(V),,@)$(INSTALL) -d '$(DESTDIR)$(BINDIR)' $(foreach n,1 5 7,'$(DESTDIR)$(MANDIR)/man$(n)')
	$(call put,$(BINDIR))$(INSTALL) -m 755 $(PROGRAMS) '$(DESTDIR)$(BINDIR)'
	$(if $(V),,@)for w in $(WRAPPERS); do \
		sed -e '/options\.sh" # checkout$$/r scripts/options.sh' -e '/# checkout$$/d' "scripts/$$w" >"$(B)/$$w.tmp" && \
		$(INSTALL) -m 755 "$(B)/$$w.tmp" "$(DESTDIR)$(BINDIR)/$$w" && rm "$(B)/$$w.tmp" || exit 1; \
	done
	$(call put,$(MANDIR))for m in $(MAN); do $(INSTALL) -m 644 "$$m" "$(DESTDIR)$(MANDIR)/man$${m##*.}" || exit 1; done

uninstall: ## remove what install has put there
	$(if $(V),,@)for f in $(TOOLS) $(WRAPPERS); do rm -f "$(DESTDIR)$(BINDIR)/$$f"; done
	$(if $(V),,@)for m in $(MAN:man/%=%); do rm -f "$(DESTDIR)$(MANDIR)/man$${m##*.}/$$m"; done

installcheck: all ## install into a scratch directory and try what is there
	@PROGRAMS='$(TOOLS) $(WRAPPERS)' VERSION='$(VERSION)' MAKE='$(MAKE)' test/lint/installcheck '$(CURDIR)/build/installcheck'

clean: ## remove build/
	rm -rf build

FUZZ_RUNS := $(FUZZERS:%=%-run) $(FUZZERS:%=%-replay)
.PHONY: $(FUZZ_RUNS) all asan bench can-build check-forge clean demo deps fuzz fuzz-run help install installcheck lint lint-tools \
	replay test test-contract test-quick under-fire uninstall valgrind
.SECONDARY: $(OBJECTS)
.DELETE_ON_ERROR:
