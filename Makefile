# The way in: `make demo` shows the main job, `make test` checks everything. Both install what they need into .venv.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# the engine's own environment: torch lives here alone
ENGINE := .venv-engine
ENGINE_BIN := $(ENGINE)/bin
ENGINE_READY := $(ENGINE)/.ready
# numba keys its disk cache by the CPU's name; a generic one keeps the compiled kernels valid across machines
export NUMBA_CPU_NAME ?= generic
# make images; the engine's is 5 GB
IMAGES ?= control-plane berth-fetch
# make cluster
NAME ?= berth
NODES ?= 100
GPUS ?= 8
REAL ?= 0
VERSION ?= 1.37.2
DRIVER ?= kwok
E2E := PYTHONPATH=e2e $(BIN)/python -m berth_e2e

$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Berth needs Python 3.11 or later: make PYTHON=python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing pinned dependencies into $(VENV) (once, about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@echo "compiling the solver's kernels (once, half a minute)"
	@$(BIN)/python -c 'from berth_solver.warm import warm; warm()'
	@touch $@

$(ENGINE_READY): engine/constraints.txt engine/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Berth needs Python 3.11 or later: make PYTHON=python3.11 ...")'
	@test -x $(ENGINE_BIN)/python || $(PYTHON) -m venv $(ENGINE)
	@echo "installing the engine's pinned dependencies into $(ENGINE) (once, about two minutes; 5 GB)"
	@$(ENGINE_BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r engine/constraints.txt
	@$(ENGINE_BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e engine
	@touch $@

.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: install
install: $(READY) ## make .venv with the pinned dependencies

.PHONY: engine
engine: $(ENGINE_READY) ## make .venv-engine with torch and the engine's other pinned dependencies

.PHONY: demo
demo: $(READY) ## plan a small fragmented GPU cluster: placement, proof, moves and a picture
	@$(BIN)/berth demo

.PHONY: demo-ui
demo-ui: $(READY) ## the demo's cluster as a page in the browser: why pods wait, what a plan would do, what-if; Ctrl-C ends it
	@$(BIN)/berth ui --demo

.PHONY: tools
tools: $(READY) ## build Kubernetes, etcd and KWOK from source (once, 10 minutes; needs Go)
	@PYTHONPATH=e2e $(BIN)/python -m berth_e2e.tools $(VERSION)

.PHONY: cluster
cluster: $(READY) ## a local cluster with Berth: NODES=100 GPUS=8 REAL=0 NAME=berth VERSION=1.37.2 DRIVER=kwok
	@$(E2E) up --name $(NAME) --nodes $(NODES) --gpus $(GPUS) --real $(REAL) --version $(VERSION) --driver $(DRIVER)

.PHONY: cluster-down
cluster-down: $(READY) ## take it down, whatever is left of it: NAME=berth
	@$(E2E) down --name $(NAME)

.PHONY: demo-cluster
demo-cluster: $(READY) ## on a real control plane: a pod waits, a plan is made and carried out, the pod runs
	@$(E2E) demo $(if $(KEEP),--keep)

.PHONY: e2e
e2e: $(READY) ## the tests on a real control plane alone
	@PYTHONPATH=e2e $(BIN)/python -m berth_e2e.tools --skip-without-go $(VERSION)
	$(BIN)/pytest e2e/tests

.PHONY: e2e-node
e2e-node: $(READY) $(ENGINE_READY) ## helm install on real kubelets, from images to uninstall (10 minutes; Linux, root, Debian's packages)
	@PYTHONPATH=e2e $(BIN)/python -m berth_e2e.tools --skip-without-go $(VERSION)
	$(BIN)/pytest -m "" -s -rs e2e/tests/test_chart_on_real_nodes.py

.PHONY: images
images: ## build the images with docker, podman or buildah: IMAGES="control-plane berth-fetch engine" BASE=... (see docs/images.md)
	@for name in $(IMAGES); do images/build.sh $$name || exit; done

.PHONY: lint
lint: $(READY) ## ruff, mypy --strict and the floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	MYPYPATH=. $(BIN)/mypy -p benchmarks
	MYPYPATH=. $(BIN)/mypy charts/render.py
	MYPYPATH=. $(BIN)/mypy -p docs.tooling
	$(BIN)/lint-imports

.PHONY: engine-test
engine-test: $(READY) $(ENGINE_READY) ## the engine's types and tests alone
	cd engine && ../$(ENGINE_BIN)/mypy
	cd engine && ../$(ENGINE_BIN)/python -m pytest $(ENGINE_ARGS)

.PHONY: test
test: lint engine-test ## lint, all tests but the slow matrices, and a sub-grid of the benchmarks
	$(BIN)/python -m benchmarks.run --quick --seed 78 --out out/bench-quick
	@PYTHONPATH=e2e $(BIN)/python -m berth_e2e.tools --skip-without-go
	$(BIN)/pytest tests -n 2 --dist worksteal
	$(BIN)/pytest e2e/tests

.PHONY: test-all
test-all: ENGINE_ARGS = -m ""
test-all: lint engine-test ## everything, slow matrices and Kubernetes 1.36 too
	$(BIN)/python -m benchmarks.run --quick --seed 78 --out out/bench-quick
	@PYTHONPATH=e2e $(BIN)/python -m berth_e2e.tools --skip-without-go 1.37.2 1.36.3
	$(BIN)/pytest tests -n 2 --dist worksteal -m ""
	$(BIN)/pytest e2e/tests -m ""

.PHONY: bench
bench: $(READY) ## the whole benchmark grid, beside the paper's model (about an hour; tables and JSON in out/)
	$(BIN)/python -m benchmarks.run --all --out out/bench

.PHONY: docs
docs: .venv-docs/.ready ## build the documentation as a static site into out/site; broken links fail
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict   # not --quiet: then warnings do not count

.venv-docs/.ready: docs/requirements.txt
	@test -x .venv-docs/bin/python || $(PYTHON) -m venv .venv-docs
	@.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r docs/requirements.txt
	@touch $@

.PHONY: docs-reference
docs-reference: $(READY) ## write docs/reference and docs/pictures from schemas and code
	$(BIN)/python -m docs.tooling.reference

.PHONY: manifests
manifests: $(READY) ## write the chart's copies of the kinds, and manifests/install*.yaml from the chart
	$(BIN)/python -m charts.render

.venv-checkov/.ready: tests/security/checkov/constraints.txt
	@test -x .venv-checkov/bin/python || $(PYTHON) -m venv .venv-checkov
	@.venv-checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.PHONY: checkov
checkov: $(READY) .venv-checkov/.ready ## install checkov apart (once, a minute), and hold what is installed against it
	$(BIN)/pytest -m "" tests/security/test_checkov.py

.PHONY: page-api
page-api: $(READY) ## write ui/openapi.json, which the page's client is made from
	@$(BIN)/python -c 'import json; from berth_ui.openapi import document; print(json.dumps(document(), indent=1))' > ui/openapi.json

.PHONY: page
page: page-api ## build the dashboard's page into ui/berth_ui/assets (needs Node 20.19 or later)
	@cd ui/page && npm ci --silent && npm run --silent api && npm run --silent build

.PHONY: page-images
page-images: page ## renew the pictures of the page in docs/images (needs chromium)
	@cd ui/page && BERTH_IMAGES=1 npm run --silent browser

.PHONY: lock
lock: ## resolve the dependencies anew into constraints.txt, the engine's into its own, and the images' (needs uv)
	uv pip compile pyproject.toml --group dev --generate-hashes --no-header --no-annotate -p 3.11 --universal -o constraints.txt
	cd engine && uv pip compile pyproject.toml --group dev --generate-hashes --no-header --no-annotate -p 3.11 --universal -o constraints.txt
	uv pip compile pyproject.toml -c constraints.txt --generate-hashes --no-header --no-annotate -p 3.11 --universal -o images/control-plane/constraints.txt
	uv pip compile images/berth-fetch/requirements.in -c constraints.txt --generate-hashes --no-header --no-annotate -p 3.11 --universal -o images/berth-fetch/constraints.txt
	uv pip compile images/build-requirements.in -c constraints.txt --generate-hashes --no-header --no-annotate -p 3.11 --universal -o images/build-constraints.txt
	cd engine && uv pip compile pyproject.toml -c constraints.txt --generate-hashes --no-header --no-annotate -p 3.11 --universal -o ../images/engine/constraints.txt
	cd tests/security/checkov && uv pip compile requirements.in --generate-hashes --no-header --no-annotate -p 3.11 --universal -o constraints.txt
	uv pip compile docs/requirements.in --generate-hashes --no-header --no-annotate -p 3.11 --universal -o docs/requirements.txt

.PHONY: clean
clean: ## remove the environment and caches
	rm -rf $(VENV) $(ENGINE) .venv-docs .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
