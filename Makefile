# The two that a new machine needs: `make up` and `make test`. `make` alone prints what there is.

PYTHON ?= python3
VENV   := .venv
TOOLS  := $(VENV)/installed
NODE   := function/tests/dynalite
TESTS  := $(NODE)/node_modules/.package-lock.json
FLAGS  ?= --local

# Where Cargo puts what it builds: only Cargo knows, because CARGO_TARGET_DIR and its configuration decide.
TARGET  = $(shell cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
BESIDE  = $(TARGET)/beside-python

# With a test among what is built, Cargo chooses features as for `cargo test`, so `make test` compiles none of this again.
TRY     = --locked --workspace --bin deployer --test redact
RELEASE = --locked --release -p deployer

# The path of the binary that a build with these arguments has made, in Cargo's own words.
binary  = $$(cargo build --quiet $(1) --message-format json | sed -n 's|.*"executable":"\([^"]*/deployer\)".*|\1|p')

.DEFAULT_GOAL := help
.PHONY: beside-python help setup build ready release up plan status down test bench bench-function bench-load crash-matrix random-edits reference pictures check format lint deny docs clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "up, plan, status and down go to the local AWS. For AWS itself: make up FLAGS="

setup: $(TOOLS) ## Install the local AWS, cargo-lambda and zig into .venv

# The stamp is made last, so an interrupted installation starts over. The package of zig puts none on the path; the link is
# relative, so that the checkout can be moved.
$(TOOLS): deployer/local/requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: Python 3.10 or newer is needed: https://www.python.org" >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "make: Rust is needed: https://rustup.rs" >&2; exit 1; }
	@rm -rf $(VENV)
	@echo "make: installing the local AWS, cargo-lambda and zig into $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV) >&2
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deployer/local/requirements.txt >&2
	@cd $(VENV)/bin && ln -s ../lib/python3*/site-packages/ziglang/zig zig
	@touch $(TOOLS)
	@echo "make: the local AWS, cargo-lambda and zig are installed" >&2

# The second emulator of the function's tests, and a Node.js for it.
$(TESTS): $(TOOLS) function/tests/requirements.txt $(NODE)/package-lock.json
	@echo "Installing a second DynamoDB emulator for the tests" >&2
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r function/tests/requirements.txt >&2
	@PATH="$$PWD/$(VENV)/bin:$$PATH" npm ci --loglevel=error --no-audit --no-fund --ignore-scripts --prefix $(NODE) >&2
	@touch $(TESTS)

build: ## Build the deployer binary for trying: quickly, not optimised
	@command -v cargo >/dev/null || { echo "make: Rust is needed: https://rustup.rs" >&2; exit 1; }
	@cargo build $(TRY)

release: ## Build the deployer binary optimised, and print its path
	@cargo build $(RELEASE)
	@echo "$(call binary,$(RELEASE))"

# Both take their time on a new machine, and neither needs the other.
ready:
	@$(MAKE) --no-print-directory setup & setup=$$!; \
	$(MAKE) --no-print-directory build || { wait $$setup; exit 1; }; \
	wait $$setup

up: ## Deploy the stack and print its URL
	@start=$$(date +%s); \
	$(MAKE) --no-print-directory ready || exit 1; \
	ready=$$(date +%s); \
	"$(call binary,$(TRY))" up $(FLAGS); status=$$?; \
	echo "make: deployer and its tools took $$((ready - start)) s, up $$(($$(date +%s) - ready)) s" >&2; \
	exit $$status

plan: ready ## Show what up would change
	@"$(call binary,$(TRY))" plan $(FLAGS)

status: ready ## Show the stack's condition and its URL
	@"$(call binary,$(TRY))" status $(FLAGS)

down: ready ## Remove the stack
	@"$(call binary,$(TRY))" down $(FLAGS)

test: setup $(TESTS) ## Run all tests
	@cargo test --workspace --locked --no-fail-fast
	@$(VENV)/bin/python -m unittest discover -s deployer/local

# Cargo's dev profile, because that is what drives the measured binary, and the tests have built it already.
bench: setup release ## Measure up, plan, status and down, beside the fewest calls and Terraform
	@DEPLOYER_BINARY="$(call binary,$(RELEASE))" cargo bench --locked --profile dev -p deployer --bench deployments -- $(BENCH)

# What the function was before, with its libraries, apart from everything else. The stamp is made last here too.
beside-python: function/benches/beside_python/requirements.txt
	@[ "$(BESIDE)/installed" -nt $< ] || { \
	echo "Installing the function's Python original into $(BESIDE)" >&2; \
	rm -rf "$(BESIDE)" && $(PYTHON) -m venv "$(BESIDE)" >&2 && \
	"$(BESIDE)/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r $< >&2 && \
	touch "$(BESIDE)/installed"; }

# The package that is measured is the one that a plan has built, as for AWS.
bench-function: setup build beside-python ## Measure the function, cold and warm, beside its Python original
	@"$(call binary,$(TRY))" plan --local --release >/dev/null
	@cargo bench --locked -p function --bench beside_python

bench-load: setup release ## Measure the load generator, beside wrk and oha
	@DEPLOYER_BINARY="$(call binary,$(RELEASE))" cargo bench --locked -p deployer --bench load -- $(BENCH)

crash-matrix: setup $(TESTS) ## Break up and down at every call, in every way
	@cargo test --locked --workspace --test crash_matrix -- --ignored --nocapture

random-edits: setup ## Deploy after each of 200 random edits of a project, and look for code that is stale
	@cargo test --locked --workspace --test packaging -- --ignored --nocapture

reference: ## Write the book's reference of commands and of the manifest from the code
	@cargo test --quiet --locked --workspace --test book -- --ignored

# Terminal emulation is needed for the pictures only.
pictures: setup build docs/pictures/requirements.txt ## Draw the README's pictures from real runs against the local AWS
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r docs/pictures/requirements.txt >&2
	@PATH="$$PWD/$(VENV)/bin:$$PATH" $(VENV)/bin/python docs/pictures/make.py "$(call binary,$(TRY))"

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
	@if [ -d .deployer ]; then cargo run --quiet --locked -p deployer -- local stop; fi
	@cargo clean
	@rm -rf $(VENV) .deployer $(NODE)/node_modules
