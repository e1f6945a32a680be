# CityGrid. `make` alone lists the commands.

PYTHON := .venv/bin/python
PACKAGES := gis layers grids incidents etl api dash_app
WORKERS ?= 2
BENCH ?= *
ARGS ?=

.PHONY: help setup run check test bench soak lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Bring everything onto this machine, start nothing
	@scripts/setup.sh test

run: ## Set up, load the synthetic city when the database is empty, serve on http://127.0.0.1:8050
	@scripts/setup.sh run
	@exec .venv/bin/citygrid serve --demo

check: ## Format, lint, types, import order
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy citygrid.py $(PACKAGES)
	.venv/bin/lint-imports

test: setup check ## Set up, check, and run every test, browser tests included
	.venv/bin/pytest -n $(WORKERS) --dist loadfile

bench: ## Side by side with the peers: make bench BENCH=routing ARGS=--quick
	@scripts/setup.sh bench
	@for file in benchmarks/$(BENCH).py; do \
	  grep -q '^if __name__' $$file || continue; \
	  echo "== $$file"; $(PYTHON) $$file $(ARGS) || exit 1; done

soak: ## Long runs: kills, floods, hours of clock
	.venv/bin/pytest -m soak -n 0

lock: ## Pin the dependencies named in setup.cfg with their hashes, without addresses
	.venv/bin/python -m pip install --quiet pip-tools
	.venv/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --extra dev --no-header \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.lock setup.cfg

clean: ## Remove the environment and everything built; the database under var/ stays
	rm -rf .venv node_modules build *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
