# What a newcomer types. `make demo` is the shortest way from a fresh clone to an answer.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
PYTHON ?= python3
FUZZ_SECONDS ?= 120
REQUEST ?= Restart the checkout deployment in the prod namespace, create a VPC 10.0.0.0/16 with a subnet 10.0.1.0/24 in it, and tell me Meta's closing price on April 21.

.PHONY: help setup demo test check format-check lint style deny bench eval fuzz

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## Install what building and testing need (apt, when root or sudo is there)
	@deploy/setup.sh

demo: setup ## Build, fetch models, build the catalogue, answer a real request
	$(CARGO) build --release --locked -p silverback-cli
	target/release/silverback models pull
	target/release/silverback catalogue build
	@# 1 means that something was not answered, which the plan says: that is an answer too.
	target/release/silverback ask "$(REQUEST)" || [ $$? -eq 1 ]

test: setup ## Run all tests, with the real models and a real etcd
	@deploy/test.sh

check: setup format-check lint style deny ## Check format, lints, style limits, licences and who may name what

format-check:
	$(CARGO) fmt --all -- --check

lint:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

style:
	$(PYTHON) -m unittest discover --quiet --start-directory deploy --pattern '*_test.py'
	$(PYTHON) -B -m unittest discover --quiet --start-directory workers/adapters/drafts --pattern '*_test.py'
	$(PYTHON) deploy/check_style.py

deny:
	@deploy/deny.sh

bench: setup ## Measure on this machine, in one run (log: target/bench.log)
	@deploy/bench.sh

eval: setup ## Score the requests of tests/requests with the real models
	$(CARGO) build --release --locked -p silverback-cli
	target/release/silverback models pull
	target/release/silverback catalogue build
	@for cases in tests/requests/*.jsonl; do target/release/silverback eval "$$cases"; done
	target/release/silverback eval --retrieval tests/requests/*.jsonl tests/retrieval/*.jsonl workers/catalogue/tests/user_words.jsonl

fuzz: ## Feed hostile bytes to what reads from outside, FUZZ_SECONDS a target (needs nightly and cargo-fuzz)
	@for target in command_line description gate pack service_model; do \
		mkdir -p fuzz/corpus/$$target; \
		if [ $$target = description ]; then cp workers/catalogue/tests/fixtures/brought/*.json fuzz/corpus/description/; fi; \
		$(CARGO) +nightly fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=4096 -timeout=20; done
