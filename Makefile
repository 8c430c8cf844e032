# make demo       install, run the example tasks with the built-in model and the default arms, print the paths of the reports
# make demo-full  the same with every arm that fits and three seeds
# make calibrate-verdict  the verdict's error rates by simulation (half an hour on two cores); writes its table to docs/
# make advisor-score  the advisor's first choice for 60 published comparisons, beside simple rules
# make test       install the test extras, run the tests
# make screenshots  the README's pictures anew, of the newest demo's reports; needs Chromium
# make check      ruff and mypy --strict
# make bench      speed beside peers (lm-evaluation-harness, TRL), into benchmarks/results/; prints the README's table;
#                 some half an hour on two idle cores, goes on where it was stopped; BENCH="--data FOLDER --fresh" passes options on
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
export PIP_REQUIRE_VIRTUALENV := 1

.PHONY: bench demo demo-full advisor-score calibrate-verdict screenshots test check clean
.DELETE_ON_ERROR:

demo: .venv/installed
	$(BIN)/tuneworthy demo

demo-full: .venv/installed
	$(BIN)/tuneworthy demo --full

advisor-score: .venv/installed
	@$(BIN)/python -m advisor.score

calibrate-verdict: .venv/installed
	@$(BIN)/python -m evals.calibrate_verdict

screenshots: .venv/installed-test
	$(BIN)/python docs/screenshots.py

test: .venv/installed-test
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed-bench
	$(BIN)/python -m benchmarks $(BENCH)
	$(BIN)/python -m benchmarks.table

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

.venv/installed-test: .venv/installed
	$(PIP) --editable '.[test]'
	@touch $@

.venv/installed-dev: .venv/installed
	$(PIP) --editable '.[dev]'
	@touch $@

.venv/installed-bench: .venv/installed
	$(PIP) --editable '.[bench]'
	@touch $@
