# What a newcomer types. Everything is installed into .venv (and Debian packages, if some are missing): see scripts/setup.
# `make demo` and `make test` start with `make setup`, which is quick when nothing is to do.

MAKEFLAGS += --no-print-directory --no-builtin-rules
BIN := .venv/bin
DEMO ?= drill run regional-outage --plan examples/voicehive/plan.yaml --directory var/demo --within 225s

.PHONY: help setup storage demo test lint prove bench docs clean lock

help:
	@echo "make demo     lose a region, bring it back, and see what clients really lost (under 4 minutes once installed)"
	@echo "make setup    only install what is needed"
	@echo "make storage  build a real S3 server for the lab (needs Go; without it the lab runs a stand-in)"
	@echo "make test     lint and every test that fits in 20 minutes"
	@echo "make prove    what takes longer: ten demos in a row, the controller killed at many points"
	@echo "make bench    measurements"
	@echo "make docs     write into the docs what their commands print now"
	@echo "make lint     style, types, and the order of the rooms"
	@echo "make lock     renew requirements.lock from pyproject.toml"
	@echo "make clean    remove what was made here (stops a lab that still runs)"

setup:
	@scripts/setup test

demo:
	@scripts/setup demo && exec $(BIN)/holdfast $(DEMO)

storage:
	@scripts/storage

lint: setup
	@scripts/lint

test: setup
	@scripts/storage || echo "storage: tests run on the stand-in alone; what they leave out stands in the last lines"
	@scripts/lint && exec scripts/tests

prove: setup
	@scripts/storage || echo "storage: what needs a real S3 server is left out, and named in the last lines"
	@$(BIN)/python -m bench.demos 10
	@$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=searching --timeout 3600
	@exec $(BIN)/python -m pytest --prove --timeout 3600

bench: setup
	@exec $(BIN)/python -m bench

docs: setup
	@PYTHONPATH=tests $(BIN)/python -m unit.docs_shown

lock:
	@scripts/lock

clean:
	@scripts/clean
