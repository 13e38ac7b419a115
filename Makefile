# Every target sets up what it needs. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
PAIR := -n 2 --dist worksteal
# What tests must cover whole: files, or rooms of them.
WHOLE := 'shared/errors.py' 'shared/quotas.py' 'shared/lifecycle.py' 'shared/kinds/*' 'shared/keys/envelope.py' \
  'shared/log/*' 'ce/verify.py'
# WHEELS= builds from source what has no wheel for this machine (an Intel Mac).
WHEELS = --only-binary :all:
LOCK = $(BIN)/uv pip compile --quiet --no-config --no-build --universal --python-version 3.11 \
  --generate-hashes --no-annotate --custom-compile-command 'make lock' $(UPGRADE)
UPGRADE = --upgrade

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

setup: .venv/ready  ## create .venv and install everything
.venv/ready: pyproject.toml tests/requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes $(WHEELS) -r tests/requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Uses whatever uv there is now, and trusts the index once: what comes of it is read as a change.
lock:  ## renew both locks (UPGRADE= only adds what pyproject.toml asks for anew)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet 'uv>=0.8,<1'
	$(LOCK) pyproject.toml --extra test --output-file tests/requirements.lock
	$(LOCK) deploy/requirements.in --constraint tests/requirements.lock \
	  --output-file deploy/requirements.lock

demo: setup  ## play the whole story against a host of its own
	$(BIN)/python -m tools.demo

test: setup  ## test every rule and every operation, in ten minutes
	$(BIN)/python -m pytest -m 'not slow' -p tests.support.pace $(PAIR)

rest: setup  ## run the tests that `make test` leaves out
	$(BIN)/python -m pytest -m 'slow and not alone' $(PAIR)
	$(BIN)/python -m pytest -m alone

full: setup  ## run all tests, with the coverage gates
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m 'not alone' $(PAIR)
	$(BIN)/coverage run -m pytest -m alone
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --skip-covered --fail-under=95
	@$(BIN)/python -m tools.gates $(WHOLE)

check: setup  ## lint, types, import rules, the derived files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.openapi --check
	$(BIN)/python -m tools.locks

fmt: setup  ## format, and write what is derived from openapi.yaml and the kinds
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/python -m tools.openapi

fuzz: setup  ## search for bad answers with schemathesis (15 minutes; MINUTES=1 for less)
	$(BIN)/python -m tools.fuzz --minutes $(or $(MINUTES),15)

prove: setup  ## prove what is claimed of the worst day: one line a claim
	$(BIN)/python -m tools.prove

model: setup  ## walk the lifecycle's model; each guard's removal by its shortest trace (GUARDS="cap")
	$(BIN)/python -m tests.faults.explorer $(GUARDS)

soak: setup  ## 20 minutes of mixed load at half capacity, with a restart (MINUTES=2 for less)
	$(BIN)/python -m tools.soak --minutes $(or $(MINUTES),20)

commands: setup  ## type the command lines of tools/commands.tsv (WITHOUT=1: and what holds each rule)
	$(BIN)/python -m tools.commands $(if $(WITHOUT),--without)

wave: setup  ## measure a purge of 100 projects due at once, and sweeps beside 10,000 that are not
	$(BIN)/python -m tools.wave

bench: setup  ## measure, as ratios in one run
	$(BIN)/python -m tools.bench

shots: setup  ## take the console's pictures for the documentation, and time its first list
	$(BIN)/python -m tools.shots

firebase: setup  ## run under Firebase's own emulator suite (needs Node and npm)
	$(BIN)/python -m tools.firebase

.PHONY: help setup lock demo test rest full check fmt fuzz prove model soak commands wave bench shots firebase
