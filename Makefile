# Everything runs from here on a machine that has Python, pip, venv and make; nothing but `install` needs a network.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
VENV   ?= .venv
MINUTES ?= 60
WORKERS ?= 2
BIN    := $(VENV)/bin
# The browser side is checked where its tools are: after `npm ci` in widgets/js.
IN_JS  := if [ -x widgets/js/node_modules/.bin/biome ] && command -v npm > /dev/null; then cd widgets/js &&
# Quiet: pip's notices and index warnings are not the reader's concern; its errors still print.
PIP    := -m pip --disable-pip-version-check -qq install
# A file's tests stay in one process, which starts a module's node, kernel or browser once.
IN_PARTS := --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help install demo lab test test-long lint format bench strategies soak recorded picture contracts peers hub \
	binder site constraints clean

help:            ## what each target does
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(VENV)/.installed: pyproject.toml constraints.txt kernel/kernelspec/kernel.json
	@echo "installing into $(VENV) (once, a minute or two)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed  ## environment only

demo: install    ## run tutorial 00 headless on our kernel and print the verdict
	@$(BIN)/python -m subnetlab demo

lab: install     ## JupyterLab on the tutorial, with our kernel
	@$(BIN)/python -m subnetlab lab

test: install    ## the whole test suite, in two processes (WORKERS=1 for one, on a machine of one core)
	@$(BIN)/python -m pytest $(IN_PARTS) -m "not long and not network"

test-long: install  ## also what takes minutes
	@$(BIN)/python -m pytest $(IN_PARTS) -m "not network"

lint: install    ## style, types, layers, stripped notebooks
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/nbstripout --keep-id --verify tutorials/*.ipynb
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/pyright
	@$(IN_JS) npm run --silent lint && npm run --silent types; fi

format: install  ## put style right where a tool can
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .
	@$(IN_JS) npm run --silent format; fi
	@$(BIN)/nbstripout --keep-id tutorials/*.ipynb

bench: install   ## side-by-side measurements, written to build/bench.json (BENCH="--only devnet,kernel")
	@$(BIN)/python $(PIP) --constraint constraints.txt --editable '.[dev,bench]'
	@$(BIN)/python -m tests.benchmarks $(BENCH)

strategies: install  ## every strategy beside the others, written to docs/strategies.md; broken off, it goes on
	@$(BIN)/python -m tests.benchmarks.strategies $(STRATEGIES)

soak: install    ## kernel, server and page memory over an hour of live dashboards (MINUTES=60)
	@$(BIN)/python $(PIP) --constraint constraints.txt --editable '.[dev,bench]'
	@$(BIN)/python -m tests.benchmarks --only soak --minutes $(MINUTES)

recorded: install  ## run tutorial 00 again and keep it as the recording that Binder and sl.open show
	@rm -f build/recorded.zip
	@$(BIN)/python -m subnetlab demo --out build/recorded --keep build/recorded.zip
	@mv build/recorded.zip tutorials/recorded.zip
	@$(MAKE) --no-print-directory picture

contracts: install ## compile the contracts that the package ships
	@$(BIN)/python -m tests.compile_contracts

peers: build/peers/.installed tests/peers/js/node_modules/.installed ## Ethereum clients and nodes of others, for tests/peers and `make bench`

build/peers/.installed: tests/peers/requirements.txt
	@$(PYTHON) -m venv build/peers
	@build/peers/bin/python $(PIP) --no-deps --no-compile --requirement $<
	@touch $@

tests/peers/js/node_modules/.installed: tests/peers/js/package-lock.json
	@cd tests/peers/js && npm ci --silent --no-audit --no-fund
	@touch $@

hub: install build/hub/.installed tests/hub/js/node_modules/.installed ## JupyterHub and its proxy, for tests/hub

build/hub/.installed: tests/hub/requirements.txt
	@$(PYTHON) -m venv build/hub
	@build/hub/bin/python $(PIP) --no-deps --no-compile --requirement $<
	@echo "import site; site.addsitedir('$$($(BIN)/python -c 'import site; print(site.getsitepackages()[0])')')" > \
	    "$$(build/hub/bin/python -c 'import site; print(site.getsitepackages()[0])')/subnetlab.pth"
	@touch $@

tests/hub/js/node_modules/.installed: tests/hub/js/package-lock.json
	@cd tests/hub/js && npm ci --silent --no-audit --no-fund
	@touch $@

picture: install ## draw docs/run.svg from the recording
	@$(BIN)/python -c "import pathlib, subnetlab as sl; \
	    pathlib.Path('docs/run.svg').write_text(sl.open('tutorials/recorded.zip').animation())"

binder:          ## what Binder does, in a clean environment, then tutorial 00 within 2 GB (BINDER="--configured-index")
	@binder/check $(BINDER)

site: install    ## the site, offline, into build/site/html
	@$(BIN)/python docs/site/build.py

constraints:     ## resolve the newest versions that pyproject.toml allows, from a clean environment
	rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	build/constraints/bin/python $(PIP) --editable '.[dev]'
	@( echo "# What a release is tested with; made by 'make constraints', used by 'make install'."; \
	   build/constraints/bin/python -m pip freeze --exclude-editable | sed -E 's/\+cpu$$//' ) > constraints.txt
	rm -rf build/constraints

clean:           ## remove what was built, not the environment
	rm -rf build dist .pytest_cache .ruff_cache .import_linter_cache
