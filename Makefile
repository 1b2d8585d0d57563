# `make demo` and `make test` need nothing prepared but make, Python 3.11+ and Debian's packages.
SHELL := /bin/bash
PY := .venv/bin/python
LOCK := .venv/bin/pip-compile --quiet --strip-extras --generate-hashes --no-emit-options --no-header
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo demo-check test check bench lock openapi docs clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Install what is missing and make .venv with the geoplan command
	@scripts/setup.sh run

setup-dev:
	@scripts/setup.sh dev

demo: setup ## Make a synthetic country, plan six estates on it, serve the map
	@.venv/bin/geoplan demo

demo-check: setup ## The same without staying up: fetch the page and a tile, exit 0 or 1
	@.venv/bin/geoplan demo --check

test: setup-dev ## Run all tests, the browser tests included
	@$(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile

check: setup-dev ## Style, types, import directions, generated files
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(PY) -m api.openapi --check web/openapi.json
	@$(PY) -m geoplan.cli.reference --check docs/reference
	@cd web && npm run --silent check

bench: setup-dev ## Measure, each figure beside a peer in the same run (installs the peers)
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-peers.lock
	@$(PY) -m benchmarks

docs: setup-dev ## Write the reference from the code
	@$(PY) -m geoplan.cli.reference docs/reference

openapi: setup-dev ## Write web/openapi.json and the client's types from the API
	@$(PY) -m api.openapi web/openapi.json && cd web && npm run --silent gen

lock: setup-dev ## Resolve the dependencies again, with hashes and without addresses
	@$(LOCK) --extra build --output-file requirements.lock pyproject.toml
	@$(LOCK) --allow-unsafe --extra build --extra dev --output-file requirements-dev.lock pyproject.toml
	@$(LOCK) --allow-unsafe --extra build --extra dev --extra peers --constraint requirements-dev.lock --output-file requirements-peers.lock pyproject.toml

clean: ## Remove what was built; the database and runs in .geoplan stay
	@rm -rf .venv web/node_modules web/dist dist .mypy_cache .ruff_cache .pytest_cache
