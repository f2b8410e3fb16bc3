# Everything a person or CI does with this repository. `make help` lists it.

VENV ?= .venv
BIN := $(VENV)/bin
IMAGE ?= clusternet-capi-fn:v0.1.0
COVERAGE ?= 97
FUZZ_SECONDS ?= 300
FUZZ_ARGS ?=
BENCH_ARGS ?=
LAB_RELEASE ?= 1.14

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
SHELL := /bin/sh

# A step's line is coloured on a terminal only.
ifeq ($(NO_COLOR),)
  bold := $(shell [ -t 2 ] && printf '\033[1;36m')
  plain := $(shell [ -t 2 ] && printf '\033[0m')
endif
step = @printf '%s==> %s%s\n' '$(bold)' '$(1)' '$(plain)' >&2

## Use

DEMO := $(addprefix examples/kustomization/,namespaces.yaml clusters registration-token.yaml fleet.yaml)

.PHONY: demo
demo: $(VENV)/.runtime ## render the files of examples/kustomization and print the result (needs no kustomize)
	$(call step,clusternet-capi-fn render $(DEMO))
	@$(BIN)/clusternet-capi-fn render $(DEMO)
	$(call step,clusternet-capi-fn plan $(DEMO))
	@$(BIN)/clusternet-capi-fn plan $(DEMO) >&2

## Check

.PHONY: test
test: lint unit ## lint, types, import contracts, tests with coverage (no host programs needed)

SCRIPTS := $(wildcard action/*) .ci/audit .ci/container-rig .ci/find-python .ci/install-tools .ci/run requirements/lock krm_fn/starters/flux/render.sh
WORKFLOWS := action.yml examples/ci/plan-comment.yml $(wildcard examples/flux/ci/*.yml) \
  examples/tokens/ci-variable/.github/workflows/render.yaml

.PHONY: lint
lint: $(VENV)/.dev ## ruff, mypy, import-linter, shellcheck, actionlint, zizmor, codespell, pymarkdown
	$(call step,ruff)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "Not formatted: run $(BIN)/ruff format ." >&2; exit 1; }
	$(call step,mypy)
	@$(BIN)/mypy --no-error-summary
	$(call step,import-linter)
	@PYTHONPATH=. $(BIN)/lint-imports >$(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }
	$(call step,shellcheck)
	@$(BIN)/shellcheck --severity warning $(SCRIPTS)
	@if [ -x .cache/tools/actionlint ]; then \
	  printf '%s==> actionlint%s\n' '$(bold)' '$(plain)' >&2; \
	  .cache/tools/actionlint -shellcheck $(BIN)/shellcheck .github/workflows/*.yml examples/ci/*.yml \
	    examples/flux/ci/*.yml examples/tokens/ci-variable/.github/workflows/*.yaml; \
	else echo "actionlint is not here: make tools builds it" >&2; fi
	$(call step,zizmor)
	@$(BIN)/zizmor --quiet --offline --no-progress --config .github/zizmor.yml .github $(WORKFLOWS)
	$(call step,codespell)
	@$(BIN)/codespell *.md Makefile Dockerfile pyproject.toml action action.yml bench docs examples fuzz krm_fn schema templates tests .ci .github
	$(call step,pymarkdown)
	@$(BIN)/pymarkdown scan --recurse *.md docs examples tests/corpus

.PHONY: unit
unit: $(VENV)/.dev ## tests with coverage (no host programs needed)
	$(call step,pytest)
	@$(BIN)/pytest --quiet -n auto --ignore tests/hosts --cov --cov-report=term:skip-covered --cov-fail-under=$(COVERAGE) $(PYTEST_ARGS)

.PHONY: hosts
hosts: $(VENV)/.dev ## tests that drive kustomize, kubectl, kpt and the image (skips what the machine lacks)
	$(call step,pytest tests/hosts)
	@$(BIN)/pytest --quiet -n 2 --dist loadfile tests/hosts $(PYTEST_ARGS)

.PHONY: tools
tools: ## fetch or build the host programs that `make hosts` and `make lab` drive, into .cache/tools
	@.ci/install-tools

.PHONY: lab
lab: $(VENV)/.dev ## start real control planes to play with, see docs/lab.md (after make tools)
	@$(BIN)/python -m tests.hosts.lab up $(LAB_RELEASE)

.PHONY: lab-down
lab-down: $(VENV)/.dev ## end what `make lab` started
	@$(BIN)/python -m tests.hosts.lab down

.PHONY: fuzz
fuzz: $(VENV)/.fuzz ## fuzz for FUZZ_SECONDS (300)
	$(call step,fuzzing$(if $(FUZZ_ARGS),, for $(FUZZ_SECONDS) seconds))
	@$(BIN)/python fuzz/run.py --seconds $(FUZZ_SECONDS) $(FUZZ_ARGS)

.PHONY: audit
audit: ## ask for known vulnerabilities of what the image holds
	$(call step,pip-audit)
	@.ci/audit

.PHONY: bench
bench: $(VENV)/.dev ## measure against cat, PyYAML, ruamel.yaml and the Go SDK
	$(call step,benchmarks)
	@$(BIN)/python bench/run.py $(BENCH_ARGS)

## Ship

.PHONY: image
image: ## build the image IMAGE with docker
	docker build --tag $(IMAGE) .

.PHONY: release-check
release-check: ## every place that names the version agrees, and the changelog has it
	@.ci/version --check

.PHONY: lock
lock: ## write requirements/*.txt anew (needs uv)
	@requirements/lock

.PHONY: clean
clean: ## remove the virtual environment and everything that was made
	rm -rf $(VENV) .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist .coverage*

.PHONY: help
help: ## list these commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- the virtual environment -----------------------------------------------------------------------------------------

# One for use (.runtime), which development (.dev) and fuzzing (.fuzz) add to. Everything comes by hash.
pip = $(BIN)/python -m pip --quiet --disable-pip-version-check install --no-deps --require-hashes

$(BIN)/python:
	$(call step,making $(VENV))
	@python=$$(.ci/find-python) && "$$python" -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml | $(BIN)/python
	$(call step,installing clusternet-capi-fn into $(VENV))
	@$(pip) --requirement requirements/runtime.txt --requirement requirements/build.txt
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	$(call step,installing the development tools)
	@$(pip) --requirement requirements/dev.txt
	@touch $@

$(VENV)/.fuzz: requirements/fuzz.txt $(VENV)/.dev
	@$(pip) --requirement requirements/fuzz.txt || echo "atheris does not install here: fuzzing with hypothesis alone" >&2
	@touch $@
