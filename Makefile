# Two commands set everything up by themselves: `make bench` measures, `make test` tests.
SHELL := /bin/bash
PYTHON ?= python3
PROFILE ?= quick
RUNTIME ?= local
TARGETS ?= streamlit django+angular
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet
# as many tests at a time as tests/conftest.py says, in the order of their folders; a module's stay together
BESIDE := -n auto --dist loadgroup --no-loadscope-reorder
LOCKED := $(wildcard requirements/*.txt)

.PHONY: bench setup base-image images test unit test-setup lint perf docs lock clean

bench: setup ## measure and compare
	@$(BIN)/chatbench run $(TARGETS) --profile $(PROFILE) --runtime $(RUNTIME) $(ARGS)

setup: $(VENV)/.bench ## environments, locked dependencies, front-end build
	@$(BIN)/chatbench setup $(TARGETS) --runtime $(RUNTIME)

base-image: ## the base of all container images, of Debian's packages: where no image registry is within reach
	@compose/base-image

images: $(VENV)/.bench ## every container image of TARGETS, and their seeded data
	@$(BIN)/chatbench setup $(TARGETS) --runtime docker

test: test-setup ## every test there is, a real browser included
	@$(MAKE) --no-print-directory lint
	@$(BIN)/pytest $(BESIDE) $(ARGS)

unit: $(VENV)/.dev ## unit tests: no network, no browser
	@$(BIN)/pytest $(BESIDE) tests/unit $(ARGS)

test-setup: $(VENV)/.dev
	@$(BIN)/chatbench setup --all

lint: $(VENV)/.dev ## formatting, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

perf: $(VENV)/.dev ## benchmarks: goal, value, met or missed
	@$(BIN)/chatbench setup --all
	@$(BIN)/python -m tests.perf

$(VENV)/bin/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "chatbench needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	@echo "setting up $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed; on Debian: apt install python3-venv"; exit 1; }
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

docs: $(VENV)/.bench ## the generated pages of the documentation
	@$(BIN)/python -m docs.generate

lock: | $(VENV)/bin/uv ## write the lock files anew
	@echo 'uv>=0.13' | $(BIN)/uv pip compile $(LOCK) $(UPGRADE) - -o requirements/uv.txt
	@$(BIN)/uv pip compile $(LOCK) $(UPGRADE) pyproject.toml requirements/build.in -o requirements/bench.txt
	@$(BIN)/uv pip compile $(LOCK) $(UPGRADE) pyproject.toml requirements/build.in --group dev -o requirements/dev.txt
	@# the generator in its image is the generator outside of it; of Streamlit it takes the messages alone
	@$(BIN)/uv pip compile $(LOCK) $(UPGRADE) -c requirements/bench.txt requirements/generator.in -o requirements/generator.txt
	@$(BIN)/uv pip compile $(LOCK) $(UPGRADE) -c requirements/bench.txt --no-deps requirements/messages.in -o requirements/messages.txt
	@for in in requirements/node.in requirements/redis.in targets/*/requirements.in targets/*/*/requirements.in \
	  targets/*/*/requirements-*.in tests/perf/twins/*/requirements.in harness/part_templates/*/requirements.in; do \
	  test -f $$in && $(BIN)/uv pip compile $(LOCK) $(UPGRADE) $$in -o $${in%.in}.txt; done; true

clean: ## remove environments and caches, never results
	rm -rf $(VENV) .chatbench targets/web/*/dist targets/web/*/node_modules targets/web/*/.angular
