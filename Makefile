SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo sandbox test parts unit template deploy-test deploy-check doctor-test docs-test docs-test-all programs page black-box local containers oracle oracle-sample torture worlds verify fuzz deny lint build permissions package package-twice bench bench-counts steps clean

TOOLS := .test-tools
# The world of `make sandbox`.
WORLD := shared/sandbox/worlds/default.json
# Of `make demo`. Without the AWS SDK it builds in a fraction of the time.
REPLAY := cargo run --quiet --locked --package copymend --no-default-features -- replay --repair
# Whose e-mail it shows.
DEMO := destination-vault-policy-2
SAM := $(TOOLS)/sam/bin/sam
BENCH := $(TOOLS)/tests/bin/python bench
# Of `make bench`: the runs of every scene, and the events of the storm (moto takes ever longer for a transaction, so that 10,000 take very long).
RUNS ?= 11
STORM ?= 300
FUZZ := $(TOOLS)/fuzz
FUZZ_VERSION := 0.13.2
# What `make test` runs, what fails soonest first.
TESTS := template deploy-test unit oracle-sample docs-test page build bench-counts black-box doctor-test containers
# The processor that the functions are built for: this machine's, or ARCH=x86_64, ARCH=arm64.
ARCH ?= $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
RUST_TARGET_x86_64 := x86_64-unknown-linux-gnu
RUST_TARGET_arm64 := aarch64-unknown-linux-gnu
RUST_TARGET := $(RUST_TARGET_$(ARCH))
# The SAM CLI neither asks for updates nor reports its use.
export SAM_CLI_TELEMETRY := 0

help: ## Show the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 17

demo: ## Take all sample events through the functions' own handlers, on the embedded sandbox; EVENT=NAME shows one in full.
ifdef EVENT
	@$(REPLAY) --message events/$(EVENT).json
else
	@$(REPLAY) --table events/*.json events/advisor/*.json events/delayed/*.json
	@echo
	@$(REPLAY) --message events/$(DEMO).json | sed -n '/✉/,/THE COPY THAT FAILED/ { /THE COPY THAT FAILED/d; p; }'
	@echo "The whole e-mail, and the report: make demo EVENT=$(DEMO), or any other name of the table."
endif

sandbox: ## Serve a world (WORLD=FILE) at one address that answers every AWS call of the functions (docs/sandbox.md).
	tests/black_box/install tests
	cargo build --quiet --locked --package copymend
	sandbox/run $(WORLD)

test: $(TESTS) ## Run all tests.

parts: # What .ci/run goes through. The templates are checked when one of them changed.
	@echo lint $(if $(shell tests/template/changed && echo yes),deploy-check) $(TESTS)

unit: ## Run the workspace's own tests.
	@if cargo nextest --version >/dev/null 2>&1; then \
		cargo nextest run --workspace --locked && cargo test --workspace --locked --doc; \
	else \
		cargo test --workspace --locked; \
	fi

template: ## Check what the roles of the transformed template may do, and what a release is made of.
	tests/black_box/install sam
	$(TOOLS)/sam/bin/python -m unittest discover --start-directory tests/template
	$(TOOLS)/sam/bin/python -m unittest discover --start-directory tests/release

deploy-test: ## Deploy from the sources and from a release, and delete, against an emulator of CloudFormation.
	tests/black_box/install sam deploy
	$(TOOLS)/deploy/bin/python -m unittest discover --start-directory tests/deploy

deploy-check: ## Check both templates, as written and as transformed: cfn-lint, checkov and `sam validate --lint`.
	tests/template/check

programs:
	cargo build --locked --package copymend

black-box: build programs ## Run the function under Lambda's emulator, against AWS endpoints on this machine.
	tests/black_box/install tests sam
	$(TOOLS)/tests/bin/python -m pytest tests/black_box

doctor-test: build programs ## Run `copymend doctor` on a deployment in the emulator, whose parts are broken one by one.
	tests/black_box/install sam deploy
	$(TOOLS)/deploy/bin/python -m unittest discover --start-directory tests/doctor

docs-test: programs ## Check the pages: links, names, and the blocks of shell that take seconds (docs/testing.md).
	tests/black_box/install tests
	tests/docs/links
	tests/docs/names
	$(TOOLS)/tests/bin/python tests/docs/aws
	$(TOOLS)/tests/bin/python -m unittest discover --start-directory tests/docs
	tests/docs/run

docs-test-all: programs ## The same with the long blocks, which build and install.
	tests/black_box/install tests sam deploy
	tests/docs/run --all

page: programs ## Open the HTML pages of ten thousand jobs in a browser: what they hold, speed, keyboard, accessibility, harmful texts.
	tests/page/run

local: build programs ## Hand every sample event to `sam local invoke`, in containers. As root it installs Docker where there is none.
	tests/black_box/install tests sam
	COPYMEND_CONTAINERS=required $(TOOLS)/tests/bin/python tests/containers/run.py

containers: build programs ## The same with three of them, where containers can be had; else it says why not.
	tests/black_box/install tests sam
	$(TOOLS)/tests/bin/python tests/containers/run.py -m "not every"

oracle: ## Compare 24,000 policy decisions with an independent simulator (needs Node.js).
	tests/oracle/run 24000

oracle-sample: ## Compare 2,000 of them.
	tests/oracle/run 2000

torture: ## Every fault of every call, and storms of ten thousand events (docs/reliability.md).
	cargo test --locked --package copymend-sandbox --test sandbox -- torture --include-ignored --nocapture

worlds: ## Hold the properties of grants and of the diagnosis against 10,000 random worlds.
	COPYMEND_WORLDS=10000 cargo test --locked --package copymend-sandbox --test sandbox -- worlds:: --nocapture

verify: local docs-test-all torture worlds oracle fuzz package-twice bench ## What is too long for every change: all events in containers, every block of the pages, every fault, 10,000 worlds, 24,000 decisions, fuzzing, a release made twice, benchmarks.

fuzz: ## Fuzz the policy parser and evaluation, for one minute in all.
	@[ "$$($(FUZZ)/bin/cargo-fuzz --version 2>/dev/null)" = "cargo-fuzz $(FUZZ_VERSION)" ] || \
		cargo install --quiet --locked --root $(FUZZ) --version $(FUZZ_VERSION) --force cargo-fuzz
	@mkdir -p fuzz/corpus/parse fuzz/corpus/evaluate
	@for target in parse evaluate; do \
		PATH="$(CURDIR)/$(FUZZ)/bin:$$PATH" cargo fuzz run --sanitizer none $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-dict=fuzz/policy.dict -max_len=4096 -max_total_time=30 -verbosity=0 -print_final_stats=1 2>&1 | \
			grep -v -e ' # Uses: ' -e 'ecommended dictionary'; \
	done

deny: ## Check licences, sources and advisories of the dependencies.
	tests/deny

lint: ## Check format, the templates, dependencies, lints and documentation.
	cargo fmt --all --check
	tests/black_box/install sam
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint --template template.yaml
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint --template member.yaml
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint --template examples/report-rules.yaml
	tests/deny
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --locked

build: ## Build the functions for Lambda into .aws-sam; ARCH=arm64 for Graviton processors.
	@if [ -z "$(RUST_TARGET)" ]; then \
		echo 'make build: ARCH is x86_64 or arm64, not `$(ARCH)`' >&2; exit 2; \
	elif [ ! -d "$$(rustc --print sysroot)/lib/rustlib/$(RUST_TARGET)/lib" ]; then \
		echo 'make build: ARCH=$(ARCH) needs the Rust target $(RUST_TARGET): run `rustup target add $(RUST_TARGET)`' >&2; exit 1; \
	fi
	tests/black_box/install sam build
	PATH="$(CURDIR)/$(TOOLS)/build/bin:$$PATH" AWS_DEFAULT_REGION=us-east-1 $(SAM) build --parameter-overrides Architecture=$(ARCH)
	@echo "Built for $(ARCH): .aws-sam/build/CopyRemediator and .aws-sam/build/AccessAdvisor."
	@echo "The SAM CLI is $(SAM); one of your own does as well."
	@[ "$(ARCH)" = x86_64 ] || echo "Give sam deploy and sam local invoke --parameter-overrides Architecture=$(ARCH), too."

permissions: ## Write what the templates permit anew into release/permissions.json.
	tests/black_box/install sam
	$(TOOLS)/sam/bin/python release/permissions.py

package: ## Make the release in target/package, for the processors whose Rust targets are installed (docs/releases.md).
	tests/black_box/install sam build
	PATH="$(CURDIR)/$(TOOLS)/build/bin:$$PATH" $(TOOLS)/sam/bin/python release/package.py

package-twice: ## Make the release from two clones in folders of different names, and compare the bytes.
	tests/release/twice

bench: ## Run the benchmarks of docs/performance.md: the functions beside their floor and their rival, texts, policies, commands.
	tests/black_box/install tests bench
	@# One after the other, so that none has the features that another needs of what both use.
	cargo build --locked --release --package copymend-bench-floor
	cargo build --locked --release --package copy-remediator
	cargo build --locked --release --package copymend
	COPYMEND_PROGRAM=$(CURDIR)/target/release/copymend $(BENCH)/run.py --runs $(RUNS)
	COPYMEND_PROGRAM=$(CURDIR)/target/release/copymend $(BENCH)/storm.py --events $(STORM)
	cargo bench --locked --package copymend-policy --bench policy
	cargo bench --locked --package copymend-diagnosis --bench explain
	python3 tests/bench/scan.py
	python3 tests/bench/rpo.py
	python3 tests/bench/preflight.py

bench-counts: build programs ## Count the functions' steps, calls, files and bytes, and hold them to bench/limits.toml. As root it installs strace where there is none.
	tests/black_box/install tests
	@command -v strace >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends strace; } >&2
	$(TOOLS)/tests/bin/python -m unittest discover --start-directory bench
	COPYMEND_BENCH_REMEDIATOR=.aws-sam/build/CopyRemediator/bootstrap COPYMEND_BENCH_ADVISOR=.aws-sam/build/AccessAdvisor/bootstrap \
		$(BENCH)/counted.py

steps: programs ## Show every call of one event and the longest chain; SCENE=vault-repair, or EVENT=NAME of the sandbox's default world.
	tests/black_box/install tests
	cargo build --locked --release --package copy-remediator
	@$(BENCH)/steps.py $(if $(EVENT),--event $(EVENT),$(SCENE))

clean: ## Remove everything that was built or installed.
	cargo clean
	rm -rf $(TOOLS) .aws-sam
