PYTHON ?= python3
BIN := .venv/bin
GROUPS ?= test,dev,docs
MASTER ?= local-cluster[2,1,1024]
CLUSTER_TESTS ?= tests/cluster
PYTHONS ?= python3.11 python3.12 python3.13
CPU_TORCH ?= https://download.pytorch.org/whl/cpu
GPU ?= /proc/driver/nvidia/version
REPLY_SECONDS ?= 5

.PHONY: run test test-cluster java check snapshots texts pictures docs cpu-torch dist clean

run: .venv/run.stamp
	@$(BIN)/movietui

# Four processes even on two cores, because many tests wait for terminals and child processes.
#
# Compiled first, because hundreds of child processes import the program; where PYTHONDONTWRITEBYTECODE is set, each would
# compile it again. compileall does not follow the links to data and models.
test: .venv/dev.stamp
	@$(BIN)/python -m compileall -q data models movietui tests
	$(BIN)/python -m pytest -n 4 --dist worksteal

# Spark's tests, or only CLUSTER_TESTS, with two executors as processes of their own. They need Java 17 or later, and half a
# gigabyte more in .venv.
test-cluster: java
	@$(MAKE) --no-print-directory .venv/spark.stamp
	MOVIETUI_TEST_MASTER='$(MASTER)' $(BIN)/python -m pytest $(CLUSTER_TESTS)

# Fail, and say what to install, where Java is missing or too old for Spark.
java: .venv/dev.stamp
	@$(BIN)/python -c 'import sys; from movietui.data.cluster.session import missing_java; sys.exit(missing_java() or 0)'

check: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

snapshots: .venv/dev.stamp
	$(BIN)/python -m pytest tests/movietui/test_snapshots.py --snapshot-update

# Collects the texts that can be translated in data/languages/movietui.pot.
texts: .venv/dev.stamp
	$(BIN)/python -m tests.texts

# Draws docs/pictures with the app itself and its demo, in about five minutes on two cores.
pictures: .venv/dev.stamp
	$(BIN)/python -m tests.docs_pictures

docs: .venv/docs.stamp
	$(BIN)/mkdocs build --quiet --strict
	@echo 'open build/site/index.html'

# Print pip's option for the build of torch for processors, unless its index does not reply within seconds. On Linux, the
# default build has gigabytes that only a GPU needs.
cpu-torch:
	@if [ "$$(uname)" = Linux ] && [ ! -e $(GPU) ] && $(PYTHON) -c '$(REPLIES)' $(CPU_TORCH)/torch/ 2> /dev/null; then \
		echo --extra-index-url $(CPU_TORCH); fi

REPLIES = import signal, sys, urllib.request; signal.setitimer(signal.ITIMER_REAL, $(REPLY_SECONDS)); \
	urllib.request.urlopen(sys.argv[1]).read(1)

# A source distribution and a wheel made from it, checked, and tried on each of PYTHONS that is there.
dist: .venv/dist.stamp
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python -m tests.fresh_install dist/*.whl $(PYTHONS)

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

# pip would compile packages in one process, with their tests, which takes half of the time of an installation. Some
# packages have files that are no valid Python.
INSTALL = $(BIN)/python -m pip install --quiet --no-compile
HERE = -c constraints.txt --config-settings editable_mode=compat
COMPILE = $(BIN)/python -m compileall -qq -j 0 -x 'site-packages/.*/tests?/' \
	$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') || true

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "movietui needs Python 3.11 or later; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/run.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) $$($(MAKE) -s cpu-torch) $(HERE) -e .
	@$(COMPILE)
	@touch $@

.venv/dev.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) $$($(MAKE) -s cpu-torch) $(HERE) -e '.[$(GROUPS)]'
	@$(COMPILE)
	@touch .venv/run.stamp $@ $(if $(findstring docs,$(GROUPS)),.venv/docs.stamp)

.venv/docs.stamp: .venv/run.stamp
	$(INSTALL) $(HERE) -e '.[docs]'
	@$(COMPILE)
	@touch $@

.venv/spark.stamp: .venv/dev.stamp
	$(INSTALL) $(HERE) -e '.[spark]'
	@$(COMPILE)
	@touch $@

.venv/dist.stamp: .venv/run.stamp
	$(INSTALL) $(HERE) -e '.[dist]'
	@$(COMPILE)
	@touch $@
