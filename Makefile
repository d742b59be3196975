PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Every file that is installed has a hash in the lock files, so no index can put another in its place; longvid itself is
# then linked without asking an index for anything.
INSTALL = $(PYTHON) -m venv $(VENV) && \
	$(BIN)/python -m pip install --quiet --require-hashes --requirement $(1) && \
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .

.PHONY: venv runtime demo test fast soak other-python lint bench bench-peers audit lock clean

venv: $(INSTALLED)

$(INSTALLED): pyproject.toml requirements-test.txt
	$(call INSTALL,requirements-test.txt)
	touch $@

# What a cluster node needs: the same versions, without what only tests need.
runtime:
	$(call INSTALL,requirements.txt)

demo: venv
	$(BIN)/longvid demo --out demo_corpus

# Two processes, a file in one of them, in the order of tests/conftest.py.
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: venv
	$(PYTEST)

# Without Ray and long media: about two minutes on two idle cores. Three processes, since some tests wait for others.
fast: venv
	$(PYTEST) -n 3 -m 'not ray and not slow and not soak'

# An import of everything and `make fast` on another Python, installed once: make other-python OTHER=python3.13
OTHER ?= python3.13
OTHER_VENV = .venv-$(notdir $(OTHER))
other-python:
	$(MAKE) venv VENV=$(OTHER_VENV) PYTHON=$(OTHER)
	$(OTHER_VENV)/bin/python -c 'import model, pipeline.build, pipeline.cli, pipeline.train, schemas, stages, workers'
	$(MAKE) fast VENV=$(OTHER_VENV) PYTHON=$(OTHER)

soak: venv
	$(BIN)/python -m pytest -m 'soak or not soak' --hypothesis-profile soak

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy pipeline stages schemas workers model
	$(BIN)/codespell

bench: venv
	@for script in $$(ls benchmarks | grep '^[a-z]' | grep -v '^peers'); do $(BIN)/python -m benchmarks.$${script%.py} || exit 1; done

# Whole builds of other engines on the same files; each gets an environment of its own in .venv-peers (10 GB).
bench-peers: venv
	$(BIN)/python -m benchmarks.peers

# Asks a public service which of the pinned versions have known faults.
audit: venv
	@.ci/audit $(BIN)/pip-audit

# Writes both lock files anew, for the dependencies of pyproject.toml on all systems; versions in them stay where they fit.
LOCK = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 \
	--custom-compile-command 'make lock' pyproject.toml
lock: venv
	$(LOCK) --extra build --output-file requirements.txt
	$(LOCK) --extra build --extra test --constraint requirements.txt --output-file requirements-test.txt

clean:
	rm -rf .venv .venv-* demo_corpus
