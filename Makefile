# The two that a new machine needs: `make up` and `make test`. `make` alone prints what there is.

PYTHON ?= python3
VENV   := .venv
TOOLS  := $(VENV)/installed
NODE   := function/tests/dynalite
TESTS  := $(NODE)/node_modules/.package-lock.json
BESIDE := target/beside-python
BINARY := target/release/deployer
FLAGS  ?= --local

.DEFAULT_GOAL := help
.PHONY: crash-matrix bench-function help setup build up plan status down test check format lint deny docs bench bench-load clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "up, plan, status and down go to the local AWS. For AWS itself: make up FLAGS="

setup: $(TOOLS) ## Install the local AWS, cargo-lambda and zig into .venv

# The stamp is made last, so an interrupted installation starts over. zig is not on the path of its package.
$(TOOLS): deployer/local/requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: Python 3.10 or newer is needed: https://www.python.org" >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "make: Rust is needed: https://rustup.rs" >&2; exit 1; }
	@rm -rf $(VENV)
	@echo "Installing the local AWS, cargo-lambda and zig into $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV) >&2
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r deployer/local/requirements.txt >&2
	@ln -s "$$($(VENV)/bin/python -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')/zig" $(VENV)/bin/zig
	@touch $(TOOLS)

# The second emulator of the function's tests, and a Node.js for it.
$(TESTS): $(TOOLS) function/tests/requirements.txt $(NODE)/package-lock.json
	@echo "Installing a second DynamoDB emulator for the tests" >&2
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r function/tests/requirements.txt >&2
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" npm ci --loglevel=error --no-audit --no-fund --ignore-scripts --prefix $(NODE) >&2
	@touch $(TESTS)

build: ## Build the deployer binary
	@cargo build --release --locked -p deployer

up: setup build ## Deploy the stack and print its URL
	@$(BINARY) up $(FLAGS)

plan: setup build ## Show what up would change
	@$(BINARY) plan $(FLAGS)

status: setup build ## Show the stack's condition and its URL
	@$(BINARY) status $(FLAGS)

down: setup build ## Remove the stack
	@$(BINARY) down $(FLAGS)

test: setup $(TESTS) ## Run all tests
	@cargo test --workspace --locked --no-fail-fast
	@$(VENV)/bin/python -m unittest discover -s deployer/local

# Cargo's dev profile, because that is what drives the measured binary, and the tests have built it already.
bench: setup build ## Measure up, plan, status and down, beside the fewest calls and Terraform
	@DEPLOYER_BINARY=$(BINARY) cargo bench --locked --profile dev -p deployer --bench deployments -- $(BENCH)

# What the function was before, with its libraries, apart from everything else. The stamp is made last here too.
$(BESIDE)/installed: function/benches/beside_python/requirements.txt
	@rm -rf $(BESIDE)
	@echo "Installing the function's Python original into $(BESIDE)" >&2
	@$(PYTHON) -m venv $(BESIDE) >&2
	@$(BESIDE)/bin/python -m pip install --quiet --disable-pip-version-check -r $< >&2
	@touch $@

# The package that is measured is the one that a plan has built. What measures must not slow it down, so it is a release: so is
# the one after it.
bench-function: setup build $(BESIDE)/installed ## Measure the function, cold and warm, beside its Python original
	@$(BINARY) plan --local >/dev/null
	@cargo bench --locked -p function --bench beside_python

bench-load: setup build ## Measure the load generator, beside wrk and oha
	@DEPLOYER_BINARY=$(BINARY) cargo bench --locked -p deployer --bench load -- $(BENCH)

crash-matrix: setup $(TESTS) ## Break up and down at every call, in every way
	@cargo test --locked -p deployer --test crash_matrix -- --ignored --nocapture

check: format lint deny docs test ## Everything that has to pass before a change lands

format:
	@cargo fmt --all --check

lint:
	@cargo clippy --workspace --all-targets --locked -- -D warnings

# cargo-deny is one more program to have. The bans are also a test, so that they hold without it.
deny:
	@if command -v cargo-deny >/dev/null; then cargo deny --locked check bans licenses sources; \
	else echo "cargo-deny is not installed: only the bans are checked, by make test"; fi

docs:
	@RUSTDOCFLAGS="-D warnings" cargo doc --workspace --locked --no-deps --document-private-items

clean: ## Stop the local AWS, and remove it with everything that was built
	@if [ -x $(BINARY) ]; then $(BINARY) local stop; fi
	@rm -rf $(VENV) .deployer target $(NODE)/node_modules
