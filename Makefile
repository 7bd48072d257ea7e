# Everyday commands; `make help` lists them. Works with GNU make 3.81 and later.
SHELL := /bin/sh
BIN := .venv/bin
PYTHON := $(BIN)/python
PIP := $(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes
PYTEST := $(PYTHON) -m pytest $(if $(SATCHEL_NO_SKIPS),-p tests.no_skips)
PARALLEL := -n auto --dist loadgroup
ARGS :=

.DEFAULT_GOAL := help
.PHONY: help run test browser lint check fix bench lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/ready ## Start a whole store with its sandbox (PORT=8000 moves it), Ctrl-C ends it
	@$(PYTHON) -m sandbox.run

test: .venv/ready-dev ## Run the tests (ARGS="-k carts" picks some)
	@$(PYTEST) $(PARALLEL) $(ARGS)

browser: .venv/ready-dev ## Run only the journeys that drive Chromium
	@$(PYTEST) -m browser $(ARGS)

lint: .venv/ready-dev ## Check style, types, imports, templates, dependencies and migrations
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/djlint app sandbox --quiet --lint
	@$(BIN)/deptry .
	@scripts/check-migrations

check: lint test ## Everything that must hold before a commit: lint, then test

fix: .venv/ready-dev ## Repair what the checks can repair by themselves
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: .venv/ready-dev ## Measure the store under load
	@$(PYTHON) -m bench $(ARGS)

lock: .venv/ready-dev ## Pin all dependencies anew (ARGS=--upgrade moves them forward)
	@scripts/lock $(ARGS)

clean: ## Remove the environment and all caches; keep the store's data in instance/
	rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@scripts/make-venv

.venv/ready: .venv/bin/python requirements.txt requirements-sandbox.txt
	@echo "Installing what the store needs ..."
	@$(PIP) -r requirements.txt -r requirements-sandbox.txt
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.txt
	@echo "Installing what the tests and checks need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@
