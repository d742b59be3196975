PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: venv demo test soak lint bench clean

venv: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[test]' --constraint constraints.txt
	touch $@

demo: venv
	$(BIN)/longvid demo --out demo_corpus

test: venv
	$(BIN)/python -m pytest

soak: venv
	$(BIN)/python -m pytest -m 'soak or not soak'

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy pipeline stages schemas workers model

bench: venv
	@for script in $$(ls benchmarks | grep '^[a-z]'); do $(BIN)/python -m benchmarks.$${script%.py} || exit 1; done

clean:
	rm -rf .venv demo_corpus
