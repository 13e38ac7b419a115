# Every target sets up what it needs. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
PAIR := -n 2 --dist worksteal
# What tests must cover whole: files, or folders of them (`shared/kinds/*`).
WHOLE := 'shared/lifecycle.py' 'shared/kinds.py' 'shared/quotas.py' 'shared/crypto.py' 'shared/sealed_secrets.py' 'shared/workloads.py' 'shared/builds.py' 'shared/components.py' 'shared/networking.py' 'shared/compute.py' 'shared/rules.py' 'shared/errors.py'

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

setup: .venv/ready  ## create .venv and install everything
.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[test]'
	@touch $@

demo: setup  ## play the whole story against a host of its own
	$(BIN)/python -m tools.demo

test: setup  ## test every rule and every operation, in five minutes
	$(BIN)/python -m pytest -m 'not slow' -p tests.support.pace $(PAIR)

full: setup  ## run all tests, with the coverage gates
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PAIR)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --skip-covered --fail-under=95
	@$(BIN)/python -m tools.gates $(WHOLE)

check: setup  ## lint, types, import rules, the derived files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m shared.compile --check

fmt: setup  ## format, and write what is derived from openapi.yaml and kinds.py
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/python -m shared.compile

fuzz: setup  ## search for bad answers with schemathesis (15 minutes; MINUTES=1 for less)
	$(BIN)/python -m tools.fuzz --minutes $(or $(MINUTES),15)

prove: setup  ## prove what is claimed of the worst day: one line a claim
	$(BIN)/python -m tools.prove

model: setup  ## walk the lifecycle's model; each guard's removal by its shortest trace (GUARDS="cap")
	$(BIN)/python -m tests.faults.explorer $(GUARDS)

soak: setup  ## 20 minutes of mixed load at half capacity, with a restart (MINUTES=2 for less)
	$(BIN)/python -m tools.soak --minutes $(or $(MINUTES),20)

wave: setup  ## measure a purge of 100 projects due at once, and sweeps beside 10,000 that are not
	$(BIN)/python -m tools.wave

bench: setup  ## measure, as ratios in one run
	$(BIN)/python -m tools.bench

firebase: setup  ## run under Firebase's own emulator suite (needs Node and npm)
	$(BIN)/python -m tools.firebase

.PHONY: help setup demo test full check fmt fuzz prove model soak wave bench firebase
