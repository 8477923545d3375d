# On a new machine, run `make up` or `make test`. `make` alone lists the targets.

PYTHON ?= python3
VENV   := .venv
TOOLS  := $(VENV)/installed
NODE   := function/tests/dynalite
DYNALITE := $(NODE)/node_modules/.package-lock.json
FLAGS  ?= --local

# Cargo's target folder. CARGO_TARGET_DIR or Cargo's configuration can change it, so Cargo is asked.
TARGET  = $(shell cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
PYTHON_ORIGINAL = $(TARGET)/python-original

# The test target makes Cargo select the same features as `cargo test`, so `make test` does not compile these crates again.
DEV     = --locked --workspace --bin deployer --test redact
RELEASE = --locked --release -p deployer

# The path of the binary that a build with these arguments produces, from Cargo's JSON messages.
binary  = $$(cargo build --quiet $(1) --message-format json | sed -n 's|.*"executable":"\([^"]*/deployer\)".*|\1|p')

.DEFAULT_GOAL := help
.PHONY: python-original help setup build ready release up plan status down test bench bench-function bench-load crash-matrix random-edits reference pictures check format lint deny docs clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "up, plan, status and down go to the local AWS. For AWS itself: make up FLAGS="

setup: $(TOOLS) ## Install the local AWS, cargo-lambda and zig into .venv

# The stamp is written last, so an interrupted installation starts again. Zig's Python package does not put zig on the path,
# so a link does. The link is relative, so that the checkout can be moved.
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

# Dynalite, the second DynamoDB emulator of the function's tests, and the Node.js that runs it.
$(DYNALITE): $(TOOLS) function/tests/requirements.txt $(NODE)/package-lock.json
	@echo "Installing a second DynamoDB emulator for the tests" >&2
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r function/tests/requirements.txt >&2
	@PATH="$$PWD/$(VENV)/bin:$$PATH" npm ci --loglevel=error --no-audit --no-fund --ignore-scripts --prefix $(NODE) >&2
	@touch $(DYNALITE)

build: ## Build the deployer binary quickly, without optimisation
	@command -v cargo >/dev/null || { echo "make: Rust is needed: https://rustup.rs" >&2; exit 1; }
	@cargo build $(DEV)

release: ## Build the optimised deployer binary, and print its path
	@cargo build $(RELEASE)
	@echo "$(call binary,$(RELEASE))"

# Installs the tools and builds the binary at the same time. Both take long on a new machine.
ready:
	@$(MAKE) --no-print-directory setup & setup=$$!; \
	$(MAKE) --no-print-directory build || { wait $$setup; exit 1; }; \
	wait $$setup

up: ## Deploy the stack and print its URL
	@start=$$(date +%s); \
	$(MAKE) --no-print-directory ready || exit 1; \
	ready=$$(date +%s); \
	"$(call binary,$(DEV))" up $(FLAGS); status=$$?; \
	echo "make: deployer and its tools took $$((ready - start)) s, up $$(($$(date +%s) - ready)) s" >&2; \
	exit $$status

plan: ready ## Show what up would change
	@"$(call binary,$(DEV))" plan $(FLAGS)

status: ready ## Show the stack's state and its URL
	@"$(call binary,$(DEV))" status $(FLAGS)

down: ready ## Remove the stack
	@"$(call binary,$(DEV))" down $(FLAGS)

test: setup $(DYNALITE) ## Run all tests
	@cargo test --workspace --locked --no-fail-fast
	@$(VENV)/bin/python -m unittest discover -s deployer/local

# The benchmark itself uses the dev profile, which the tests have compiled already. The measured binary is the release build.
bench: setup release ## Measure up, plan, status and down, compared with the minimal calls and with Terraform
	@DEPLOYER_BINARY="$(call binary,$(RELEASE))" cargo bench --locked --profile dev -p deployer --bench deployments -- $(BENCH)

# The original Python function's libraries, in a virtual environment of their own. The stamp is written last, as above.
python-original: function/benches/python_comparison/requirements.txt
	@[ "$(PYTHON_ORIGINAL)/installed" -nt $< ] || { \
	echo "Installing the libraries of the function's Python original into $(PYTHON_ORIGINAL)" >&2; \
	rm -rf "$(PYTHON_ORIGINAL)" && $(PYTHON) -m venv "$(PYTHON_ORIGINAL)" >&2 && \
	"$(PYTHON_ORIGINAL)/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r $< >&2 && \
	touch "$(PYTHON_ORIGINAL)/installed"; }

# The measured package is the one that `plan` builds for AWS.
bench-function: setup build python-original ## Measure the function's cold starts and warm invocations, compared with its Python original
	@"$(call binary,$(DEV))" plan --local --release >/dev/null
	@cargo bench --locked -p function --bench python_comparison

bench-load: setup release ## Measure the load generator, compared with wrk and oha
	@DEPLOYER_BINARY="$(call binary,$(RELEASE))" cargo bench --locked -p deployer --bench load -- $(BENCH)

crash-matrix: setup $(DYNALITE) ## Inject every fault at every call of up and down
	@cargo test --locked --workspace --test crash_matrix -- --ignored --nocapture

random-edits: setup ## Deploy after each of 200 random edits of a project, and check for stale code
	@cargo test --locked --workspace --test packaging -- --ignored --nocapture

reference: ## Generate the book's command and manifest reference from the code
	@cargo test --quiet --locked --workspace --test book -- --ignored

# Terminal emulation is needed for the pictures only.
pictures: setup build docs/pictures/requirements.txt ## Draw the README's pictures from real runs against the local AWS
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r docs/pictures/requirements.txt >&2
	@PATH="$$PWD/$(VENV)/bin:$$PATH" $(VENV)/bin/python docs/pictures/make.py "$(call binary,$(DEV))"

check: format lint deny docs test ## Run everything that has to pass before a change lands

format:
	@cargo fmt --all --check

lint:
	@cargo clippy --workspace --all-targets --locked -- -D warnings

# cargo-deny is optional. A test checks the bans as well.
deny:
	@if command -v cargo-deny >/dev/null; then cargo deny --locked check bans licenses sources; \
	else echo "cargo-deny is not installed: only the bans are checked, by make test"; fi

docs:
	@RUSTDOCFLAGS="-D warnings" cargo doc --workspace --locked --no-deps --document-private-items

clean: ## Stop the local AWS, and remove it and everything that was built
	@if [ -d .deployer ]; then cargo run --quiet --locked -p deployer -- local stop; fi
	@cargo clean
	@rm -rf $(VENV) .deployer $(NODE)/node_modules
