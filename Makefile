# Each target does its own set-up: a .venv with the locked dependencies, built once and kept while the lock stands.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/$(VENV)
export UV_PYTHON_DOWNLOADS := never

.PHONY: demo test check lint types contracts generated readme screenshots cast bench interop chaos live clean

$(READY): pyproject.toml uv.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "mocdeck needs Python 3.11 to 3.13; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	$(BIN)/uv sync --quiet --locked --compile-bytecode --all-groups --inexact --python $(BIN)/python
	@touch $(READY)

demo: $(READY)
	$(BIN)/mocdeck demo

test: $(READY)
	$(BIN)/python -m pytest -q -m 'not bench and not interop and not live'

check: lint types contracts generated

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports --no-cache

generated: $(READY)
	$(BIN)/python scripts/protos.py --check
	$(BIN)/python scripts/readme.py --check
	$(BIN)/python scripts/screenshots.py --check

readme: $(READY)
	$(BIN)/python scripts/readme.py

screenshots: $(READY)
	$(BIN)/python scripts/screenshots.py

cast: $(READY)
	$(BIN)/python scripts/cast.py

bench: $(READY)
	$(BIN)/python -m pytest -q -s -m bench tests/bench

interop: $(READY)
	$(BIN)/python -m pytest -q -m interop tests/interop

chaos: $(READY)
	MOCDECK_CRASH_CLIENTS=40 MOCDECK_CHAOS_KILLS=1000 MOCDECK_CHAOS_SEED=$$RANDOM $(BIN)/python -m pytest -q -m chaos tests/e2e

live: $(READY)
	$(BIN)/python -m pytest -q -s -m live tests/e2e

clean:
	rm -rf $(VENV)
