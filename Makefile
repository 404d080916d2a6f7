# make run [CORES=n] [STUDY=my_study.yaml]   set up, then run the default study, or yours laid over it
# make test            set up, then run the tests                make help    these lines
# make check           lint, format, types                       make bench   benchmarks
# make status          what runs in this folder, and how far it is
# make cluster         set up with the SLURM plugin (also: make gpu, gaff, quantum, crate)
# make docs            the documentation as a site, in build/docs (pictures: those of results/)
# make config          regenerate config.yaml, schema and docs   make lock    regenerate the locks (needs uv)
SHELL := /bin/bash
CORES ?= 2
PYTHON ?= python3
BIN := .venv/bin
SOURCES := src scripts workflow tests benchmarks envs docs

ifneq ($(words $(CURDIR)),1)
$(error The path "$(CURDIR)" holds a blank, which neither make nor Snakemake copes with. Move or rename the folder)
endif

.PHONY: run help status test test-slow check format bench config docs lock clean cluster crate gpu gaff quantum
.DELETE_ON_ERROR:

run: .venv/core.installed
	MOXIE_COMMAND='make run CORES=$(CORES)$(if $(STUDY), STUDY="$(STUDY)")' \
	  $(BIN)/python workflow/run.py --cores $(CORES) $(if $(STUDY),--configfile $(STUDY))

help:
	@sed -n '/^# /!q; s/^# //p' Makefile

status: .venv/core.installed
	@$(BIN)/python -m moxie status

test: .venv/test.installed
	$(BIN)/pytest -n 2 -m "not slow"

test-slow: .venv/test.installed
	$(BIN)/pytest -m slow

check: .venv/test.installed
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/snakefmt --check --line-length 120 Snakefile workflow/rules
	$(BIN)/mypy
	$(BIN)/snakemake --lint

format: .venv/test.installed
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/snakefmt --line-length 120 Snakefile workflow/rules

bench: .venv/test.installed
	$(BIN)/python -m benchmarks

cluster crate gpu gaff quantum: %: .venv/%.installed

config: .venv/core.installed
	$(BIN)/python -m moxie.config_reference

docs: .venv/docs.installed
	$(BIN)/python docs/site/prepare.py build/docs-source results
	$(BIN)/python -m sphinx -W --keep-going --quiet -b html -c docs/site build/docs-source build/docs
	@echo "Open build/docs/index.html."

lock:
	cd envs && for name in core cluster crate docs gpu gaff quantum test; do uv pip compile --quiet --universal --fork-strategy fewest \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 $$name.in -o $$name.txt; done
	$(PYTHON) envs/make_conda_file.py
	$(BIN)/python envs/make_licences.py

clean:
	rm -rf .venv .cache .snakemake

# A virtual environment with exactly the locked packages; made again when a lock changes.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("moxie needs Python 3.11 or newer, and $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.12" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/%.installed: envs/%.txt pyproject.toml | .venv/bin/python
	@echo "Installing the packages of $<; this takes a minute or two."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
