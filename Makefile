# Every command builds the environment it needs in .venv, with the versions of constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Only errors: what pip says about the machine's own settings is no news about this project.
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt

# Two workers each with one thread, so that linear algebra does not fight over the cores.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test test-slow test-cuda lint format docs studies bench clean distclean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Train a small multi-task network on real data, with and without bargaining
	$(BIN)/bargain demo

test: $(VENV)/.dev ## Run the tests but for the slow ones
	$(PYTEST) -m "not slow and not cuda"

test-slow: $(VENV)/.dev ## Run the slow tests
	$(PYTEST) -m "slow and not cuda"

test-cuda: $(VENV)/.dev ## Run the tests that need an NVIDIA GPU
	$(PYTEST) -m cuda

lint: $(VENV)/.dev ## Check format, style, types and the purity of the core
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Format the code and repair what ruff can repair
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev ## Build the documentation and run its examples
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	$(BIN)/sphinx-build -q -W --keep-going -b doctest docs docs/_build/doctest

studies: $(VENV)/.dev ## Run the studies anew: tables and pictures
	OMP_NUM_THREADS=1 $(BIN)/python docs/studies/auxiliary.py
	OMP_NUM_THREADS=1 $(BIN)/python docs/studies/landscape.py
	OMP_NUM_THREADS=1 $(BIN)/python docs/studies/physics.py
	OMP_NUM_THREADS=1 $(BIN)/python docs/studies/qm9.py
	OMP_NUM_THREADS=1 $(BIN)/python docs/studies/every.py
	OMP_NUM_THREADS=1 $(BIN)/python docs/studies/scarce.py
	OMP_NUM_THREADS=1 $(BIN)/python docs/studies/sweep.py
	OMP_NUM_THREADS=1 $(BIN)/python docs/studies/selfsupervised.py
	OMP_NUM_THREADS=1 $(BIN)/python docs/studies/mt10.py
	MUJOCO_GL=$${MUJOCO_GL:-osmesa} OMP_NUM_THREADS=1 $(BIN)/python docs/studies/scenes.py

bench: $(VENV)/.dev ## Measure speed, next to the peers
	$(BIN)/python -m benchmarks

clean: ## Remove builds and caches
	rm -rf dist docs/_build .benchmarks .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## Remove the environment as well
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info < (3, 11) and sys.exit("bargain needs Python 3.11 or newer, \
	and $(PYTHON) is Python %d.%d: name another one, as in make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv --clear $(VENV)

# NumPy, SciPy and the data, without a deep-learning framework: a small download.
$(VENV)/.demo: pyproject.toml constraints.txt $(BIN)/python
	$(INSTALL) --editable '.[demo]'
	@touch $@

# torch goes first, by its pin: a plain range may fetch gigabytes of CUDA libraries.
$(VENV)/.dev: pyproject.toml constraints.txt $(BIN)/python
	$(INSTALL) torch
	$(INSTALL) --editable '.[dev]'
	@touch $@
