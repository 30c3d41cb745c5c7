# Everything a newcomer needs: `make demo` to watch a delivery day, `make test` to run all tests.
SHELL := /bin/sh
VENV ?= .venv
# The newest Python that really runs here (a shim on the path may not).
PYTHON ?= $(shell for name in python3.14 python3.13 python3.12 python3.11 python3; do \
	if $$name -c 'import sys, venv; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
	>/dev/null 2>&1; then echo $$name; break; fi; done)
BIN := $(VENV)/bin
PLUGINS := plugins/shopify plugins/woocommerce plugins/shipstation plugins/xero plugins/sms
EDITABLE := -e . $(foreach plugin,$(PLUGINS),-e $(plugin))

DIST ?= dist
# Where tests keep their databases: in memory where there is room, which spares waiting for a disk.
# Those that kill processes keep to the disk.
MEMORY := $(shell test -w /dev/shm && test "$$(df -Pk /dev/shm | awk 'NR==2 {print $$4}')" -gt 4000000 && echo /dev/shm)
KILLING ?=
PYTEST := $(BIN)/python -m pytest -q --no-header -o tmp_path_retention_policy=failed

.PHONY: setup assets demo test quick check wheels bench pins clean

setup: $(VENV)/.ready assets

$(VENV)/.ready: requirements/dev.txt requirements/tool.txt pyproject.toml $(wildcard plugins/*/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with the venv module is needed"; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version); this takes a minute the first time"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "python's venv module does not work; on Debian: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/tool.txt
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install -q --compile-bytecode --require-hashes -r requirements/dev.txt
	@VIRTUAL_ENV=$(abspath $(VENV)) HUB_SKIP_ASSETS=1 $(BIN)/uv pip install -q --no-deps --no-build-isolation $(EDITABLE)
	@touch $@

assets: $(VENV)/.ready
	@command -v npm >/dev/null 2>&1 || test -f hub/web/static/dist/.srchash || \
	  VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install -q --require-hashes -r requirements/node.txt
	@$(BIN)/python hatch_build.py

demo: setup
	@$(BIN)/hub demo

test: setup
	@PYTEST_DEBUG_TEMPROOT=$(MEMORY) $(PYTEST) -n 2 --dist loadfile -m "not demo and not chaos"
	@$(PYTEST) -n 2 --dist load -m "demo or chaos" $$(grep -rlE 'mark\.(demo|chaos)' tests plugins --include='test_*.py') $(KILLING)

quick: setup
	@PYTEST_DEBUG_TEMPROOT=$(MEMORY) $(PYTEST) -n 2 --dist loadfile -m "not whole and not demo and not chaos and not e2e"

check: setup
	@$(BIN)/ruff check hub plugins tests bench
	@$(BIN)/ruff format --check hub plugins tests bench
	@$(BIN)/mypy hub $(foreach plugin,$(PLUGINS),$(plugin)/hub_$(notdir $(plugin)))
	@if command -v npm >/dev/null 2>&1; then cd frontend && \
	  { test -x node_modules/.bin/tsc || npm install --no-save --ignore-scripts --no-audit --no-fund --silent; } && \
	  node_modules/.bin/tsc --noEmit; else echo "the pages' types are checked where npm is installed"; fi
	@$(BIN)/python -m pytest -q --no-header tests/test_layers.py tests/test_style.py

wheels: setup
	@mkdir -p $(DIST)
	@for folder in . $(PLUGINS); do \
	  $(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation -w $(DIST) $$folder || exit 1; done

bench: setup
	@for file in bench/*.py; do $(BIN)/python $$file || exit 1; done

pins:
	@for name in tool run dev node; do uv pip compile -q --universal --generate-hashes \
	  --python-version 3.11 --no-header requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean:
	rm -rf $(VENV) hub/web/static/dist frontend/node_modules
