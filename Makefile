# Every command of the project. `make` alone lists them.

HOST ?= 127.0.0.1
PORT ?= 8000
# Two, as a small machine has: more processes than cores make timed tests lie.
WORKERS ?= 2
DATA := var

BIN := .venv/bin
PACKAGES := psychometrics cat_engine item_bank web
COMPILE := uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

# One core for each process's linear algebra: processes are what we have many of.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test check fix campaign bench lock clean runtime tools

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: runtime ## serve the demonstration on http://127.0.0.1:8000 (HOST=, PORT= change that); data in ./var
	@CAT_ENGINE_HOST=$(HOST) CAT_ENGINE_PORT=$(PORT) CAT_ENGINE_DATA_DIRECTORY=$(DATA) exec $(BIN)/cat-engine demo

demo-reset: ## forget the demonstration's data
	rm -rf $(DATA)

test: tools ## everything CI checks: style, types, imports, then all tests on real servers and a real browser
	@$(BIN)/python -m tests.services
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --durations 10

check: tools ## style, types, import lines and templates, without the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint --lint --quiet --allow-empty-input web/templates cat_engine/interactions

fix: tools ## mend what tools can mend by themselves
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

campaign: tools ## kill, cut and fill for as long as it takes, and count what was lost
	$(BIN)/python -m tests.faults.campaign

bench: tools ## run every benchmark; each prints one JSON line
	@for file in benchmarks/[a-z]*.py; do $(BIN)/python -m benchmarks.$$(basename $$file .py) || exit 1; done

lock: ## compile requirements/*.txt again (needs uv)
	$(COMPILE) pyproject.toml requirements/runtime.in --output-file requirements/runtime.txt
	$(COMPILE) requirements/test.in --output-file requirements/test.txt

clean: ## remove the virtual environment, the data and every cache
	rm -rf .venv $(DATA) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .schemathesis
	find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

runtime:
	@requirements/environment.sh runtime

tools:
	@requirements/environment.sh test
