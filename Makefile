PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: help install demo lab test test-long lint types layers bench notebooks clean

help:            ## what each target does
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed  ## environment only

demo: install    ## run tutorial 00 headless on our kernel and print the verdict
	$(BIN)/python -m subnetlab demo

lab: install     ## JupyterLab on the tutorial, with our kernel
	$(BIN)/python -m subnetlab lab

test: install    ## the whole test suite
	$(BIN)/python -m pytest -m "not long and not network"

test-long: install  ## also what takes minutes
	$(BIN)/python -m pytest -m "not network"

lint: install    ## style, types, layers
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: install   ## side-by-side measurements, written to build/bench.json
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf build dist .pytest_cache .ruff_cache
