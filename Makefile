# Two commands on a bare machine with Python >= 3.11:  make demo   and   make test
PYTHON ?= python3
VENV   ?= .venv/main
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint bench docs clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   a real video clip becomes an IMU recording, then real exercises are learnt; in out/"
	@echo "make test   install what the tests need and run them all"
	@echo "make lint   ruff, basedpyright, import contracts, codespell"
	@echo "make bench  the benchmarks; rewrites the table in benchmarks/README.md"
	@echo "make docs   regenerate the pictures and tables in docs/"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python >= 3.11 is needed; got $$($(PYTHON) --version). Try: make PYTHON=python3.11 demo"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "cannot make a virtual environment; on Debian/Ubuntu: apt-get install python3-venv"; exit 2; }
	@$(PIP) --upgrade pip

# A stamp a set of extras: reinstalled when what is to be installed changes.
$(VENV)/.video: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing imusim with its video part (about 1.3 GB, once) ..."
	@$(PIP) -e ".[video]"
	@touch $@

$(VENV)/.train: pyproject.toml constraints.txt $(VENV)/.video
	@echo "installing what training needs (PyTorch, about 1 GB, once) ..."
	@$(PIP) -e ".[video,train]"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing what the tests and linters need (about 1 GB more, once) ..."
	@$(PIP) -e ".[dev]"
	@touch $@ $(VENV)/.video $(VENV)/.train

# The picture comes first; only then is installed what training needs.
demo: $(VENV)/.video
	@$(BIN)/imusim demo --out out
	@$(MAKE) --no-print-directory $(VENV)/.train
	@$(BIN)/mujo demo --out out/mujo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/codespell imusim mujo tests examples benchmarks docs README.md CHANGELOG.md CONTRIBUTING.md

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.run

docs: $(VENV)/.video
	$(BIN)/python -m imusim.viz.placements_page --out docs
	$(BIN)/python -m imusim.allan.sensors_page --out docs

clean:
	rm -rf out build dist .pytest_cache .ruff_cache
