# Every target is also a plain command; docs/plain-commands.md lists them. UV is taken from PATH, or put into a cache by the machine's Python.
PYTHON3 ?= python3
PORT ?= 8000
BACKEND ?= sqlite
ORDERS ?= 10000
CLOUD ?= azure
ENV ?= dev
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/twofold
UV := $(or $(shell command -v uv 2>/dev/null),$(CACHE)/uv/bin/uv)
PY := .venv/bin/python
SPREAD := -n 2 --dist loadfile --no-loadscope-reorder
LOCK := $(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock" pyproject.toml

.PHONY: install run dev test test-fast test-deep parity check format up conformance certify observe audit sbom image drift bench fuzz schemathesis openapi lock build tools clean help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(UV):
	$(PYTHON3) -m venv $(CACHE)/uv
	$(CACHE)/uv/bin/python -m pip install -q --disable-pip-version-check uv

install: .venv/.installed  ## brings .venv to the locks

.venv/.installed: requirements/dev.txt pyproject.toml | $(UV)
	@$(PY) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || $(UV) venv -q --clear --python 3.13 .venv
	$(UV) pip sync -q --python $(PY) --require-hashes requirements/dev.txt
	$(UV) pip install -q --python $(PY) --no-deps --no-build-isolation -e .
	@touch $@

run: install  ## serves on 127.0.0.1:$(PORT), SQLite under .data/
	@exec .venv/bin/twofold run --port $(PORT)

dev: install  ## as in the cloud CLOUD=azure|aws (or local), on emulators; anew at each change
	@exec .venv/bin/twofold dev --cloud $(CLOUD) --port $(PORT)

tools: install  ## the Pulumi CLI, Azurite, otelcol, Checkov, actionlint, Kusto's parser, into the cache outside the tree; looks for Redis and Prometheus
	-@$(PY) tools/pulumi_cli.py
	-@$(PY) -m twofold.emulators.azurite
	-@$(PY) tools/redis_server.py
	-@$(PY) tools/otelcol.py
	-@$(PY) tools/checkov.py
	-@$(PY) tools/actionlint.py
	-@$(PY) tools/kusto.py
	-@$(PY) tools/prometheus.py

test: install tools  ## each promise once a cloud; a missing tool is a skip, under CI=true a failure
	$(PY) -m pytest $(SPREAD) -m "not deep"
	$(PY) -m tests.parity.matrix --check

test-fast: install  ## what needs no tool: units, contract, the portability contract on SQLite
	$(PY) -m pytest $(SPREAD) -m "not deep" tests/unit tests/contract tests/conformance/test_sqlite.py

test-deep: install tools  ## everything, with every option and many more examples
	$(PY) -m pytest $(SPREAD) --hypothesis-profile=deep

parity: install  ## rewrites docs/parity.md from the last run of the tests
	$(PY) -m tests.parity.matrix

check: install  ## formatting, types, import rules, bandit, the service itself
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/bandit -q -c pyproject.toml -r twofold api stacks
	.venv/bin/twofold check

certify: install  ## the contract and the orders walk against the deployed stack ENV-CLOUD, and a dated record of it
	$(PY) -m tests.certify $(CLOUD) --env $(ENV)

observe: install  ## the service with /metrics on 127.0.0.1:$(PORT), and a Prometheus that graphs it
	@$(PY) tools/observe.py --port $(PORT)

audit: install  ## known vulnerabilities of everything locked; asks PyPI
	for lock in aws azure dev; do .venv/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/$$lock.txt || exit 1; done

sbom: install  ## both artifacts and what they are made of (CycloneDX), into .build/
	.venv/bin/twofold sbom aws
	.venv/bin/twofold sbom azure

image: install  ## CLOUD=aws|azure: the artifact as a container image, where an engine answers
	.venv/bin/twofold build --cloud $(CLOUD) --image

format: install  ## rewrites the sources as ruff formats them
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

up: install  ## deploys dev-$(CLOUD), CLOUD=azure|aws; with EMULATED=1 onto an AWS account emulated here, until Ctrl-C
	$(if $(filter file,$(origin CLOUD)),$(error name the cloud: CLOUD=azure or CLOUD=aws))
	@exec $(if $(EMULATED),$(PY) tools/emulated_account.py $(CLOUD),pulumi up --stack dev-$(CLOUD))

conformance: install  ## the portability contract on one BACKEND=sqlite|dynamodb|cosmos|secrets|queues|caches
	$(PY) -m pytest tests/conformance/test_$(BACKEND).py -v

drift: install  ## what was changed by hand in the stack $(ENV)-$(CLOUD); changes nothing, an error when there is something
	pulumi refresh --preview-only --diff --expect-no-changes --non-interactive --stack $(ENV)-$(CLOUD)

bench: install  ## ORDERS=10000 through the local service: throughput, none lost, none double; then each stack's program
	$(PY) -m bench.orders $(ORDERS)
	$(PY) -m bench.program

fuzz: install  ## EXAMPLES=20000 odd requests through each door's code
	TWOFOLD_TEST_FUZZ=$(or $(EXAMPLES),20000) $(PY) -m pytest --hypothesis-profile=deep tests/fuzz

schemathesis: install  ## every operation, every check, all doors; EXAMPLES=165 an operation and phase
	TWOFOLD_TEST_EXAMPLES=$(or $(EXAMPLES),165) $(PY) -m pytest tests/schemathesis -s

openapi: install  ## rewrites openapi.json from the service
	.venv/bin/twofold openapi

lock: $(UV)  ## renews the hash-pinned locks
	$(LOCK) --extra aws -o requirements/aws.txt
	$(LOCK) --extra azure -o requirements/azure.txt
	$(LOCK) --all-extras --group dev -o requirements/dev.txt
	cd tools/checkov && $(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-emit-index-url \
		--no-annotate --custom-compile-command "make lock" requirements.in -o requirements.txt

build: install  ## the kit's wheel, into dist/
	$(PY) -m hatchling build -t wheel

clean:  ## removes what was built; .data/ stays
	rm -rf .build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
