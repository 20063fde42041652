# Works with plain pip; every command is printed before it runs. `make` alone lists the targets.
# Another Python: make install PYTHON=python3.12. Another index, cache or proxy: pip's own settings (PIP_INDEX_URL, pip.conf, ...).

SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do "$$python" -c '$(SUITABLE)' 2>/dev/null && echo "$$python" && break; done)
VERSION := $(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
BIN := .venv/bin
INSTALLED := .venv/installed-$(VERSION)

.DEFAULT_GOAL := help
.PHONY: help install demo test lint type fix docs bench check

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1	/p' Makefile

install: $(INSTALLED) ## create .venv with lanista and the judge that verify plays in

demo: install ## train, distil, export, pack and verify a Connect X entry
	$(BIN)/lanista $(if $(wildcard runs/demo/recipe.toml),resume runs/demo,run connectx --out runs/demo)

test: install ## the default tests
	$(BIN)/python -m pytest

lint: install ## ruff and codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

type: install ## mypy, strict
	$(BIN)/mypy

fix: install ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: install ## hold the documentation against the code
	$(BIN)/python -m pytest -q tests/test_docs.py

bench: install ## every benchmark with a bar, one after the other (takes long)
	@set -e; for file in benchmarks/*.py; do echo "$(BIN)/python $$file"; $(BIN)/python "$$file"; done

check: lint type test ## what CI runs

# Nothing below runs, and no network is needed, as long as pyproject.toml and constraints.txt stay as they are.
$(INSTALLED): pyproject.toml constraints.txt
	@"$(PYTHON)" -c '$(SUITABLE)' 2>/dev/null || { echo "make: lanista needs Python 3.11, 3.12 or 3.13 and found $(if $(PYTHON),$(PYTHON)$(if $(VERSION), ($(VERSION))),none of them); install one, or name it: make install PYTHON=/path/to/python3.11" >&2; exit 1; }
	@grep -q '^version = $(VERSION)\.' .venv/pyvenv.cfg 2>/dev/null && test -x $(BIN)/pip || { echo '$(PYTHON) -m venv --clear .venv'; "$(PYTHON)" -m venv --clear .venv; }
	@test "$$(uname)" != Linux || $(BIN)/python -c 'import torch' 2>/dev/null || echo "A large download comes next: 0.4 GB with torch's CPU build, but on Linux pip by itself takes the CUDA build (several GB). For the CPU build stop here and run first: .venv/bin/python -m pip install uv && .venv/bin/uv pip install --python .venv --torch-backend=cpu torch==2.13.0"
	$(BIN)/python -m pip install --quiet -c constraints.txt hatchling editables
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[dev]'
	$(BIN)/lanista doctor --fix
	@touch $@
