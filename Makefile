.DEFAULT_GOAL := help
.PHONY: help sim install install-test boot-test test check bench faults fuzz mutants soak format clean

# Passed on to what is run: make sim ARGS="--port 8081", make test ARGS="-k steering"
ARGS ?=

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

sim: ## drive a simulated rover on this computer
	@tools/venv.sh
	@.venv/bin/rover sim $(ARGS)

install: ## install on this Raspberry Pi: shows every step, asks first
	@if [ "$$(id -u)" = 0 ]; then ./install.sh $(ARGS); else sudo ./install.sh $(ARGS); fi

test: ## set up what the tests need and run them all
	@tools/test-setup.sh
	@tools/venv.sh test
	@.venv/bin/python -m pytest -n auto --maxprocesses 4 $(ARGS)

check: ## linters, types, layers, all tests, coverage: what a change has to pass
	@tools/check.sh

bench: ## measure how fast it is
	@tools/venv.sh test
	@.venv/bin/python -m benchmarks $(ARGS)

install-test: ## install into Debian roots made by debootstrap (root, minutes)
	@tools/test-setup.sh install
	@python3 tools/install_test.py $(ARGS)

boot-test: ## boot an installed Debian in an emulator; upgrade it, break it (root, ten minutes)
	@tools/test-setup.sh boot
	@python3 tools/install_boot_test.py $(ARGS)

faults: ## break every single thing while it drives; measure how it stops
	@tools/test-setup.sh faults
	@tools/venv.sh test
	@.venv/bin/python -m benchmarks.faults $(ARGS)

fuzz: ## send it a million times whatever anybody can send it
	@tools/venv.sh test fuzz
	@.venv/bin/python -m benchmarks.fuzz $(ARGS)

mutants: ## break what safety rests on, line by line: does a test notice?
	@tools/venv.sh test mutants
	@.venv/bin/python tools/mutants.py $(ARGS)

soak: ## drive and break the rover for 30 simulated hours and 10 real minutes
	@tools/venv.sh test
	@.venv/bin/python -m benchmarks.soak $(ARGS)

format: ## lay the code out and mend what ruff can mend
	@tools/venv.sh test dev
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

clean: ## remove .venv and everything that was made
	rm -rf .venv .coverage .coverage.* build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
