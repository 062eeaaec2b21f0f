PYTHON ?= python3
BIN := .venv/bin
GROUPS ?= test,dev

.PHONY: run test check snapshots clean

run: .venv/run.stamp
	@$(BIN)/movietui

# Three processes even on two cores, because many tests wait for terminals and child processes.
test: .venv/dev.stamp
	$(BIN)/python -m pytest -n 3 --dist worksteal

check: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

snapshots: .venv/dev.stamp
	$(BIN)/python -m pytest tests/movietui/test_snapshots.py --snapshot-update

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "movietui needs Python 3.11 or later; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/run.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt --config-settings editable_mode=compat -e .
	@touch $@

.venv/dev.stamp: .venv/run.stamp
	$(BIN)/python -m pip install --quiet -c constraints.txt --config-settings editable_mode=compat -e '.[$(GROUPS)]'
	@touch $@
