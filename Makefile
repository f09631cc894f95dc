# Every target is also a plain command; the README lists them. UV is taken from PATH, or put into .uv by the machine's Python.
PYTHON3 ?= python3
PORT ?= 8000
BACKEND ?= sqlite
ORDERS ?= 10000
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/twofold
UV := $(or $(shell command -v uv 2>/dev/null),$(CACHE)/uv/bin/uv)
PY := .venv/bin/python
LOCK := $(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock" pyproject.toml

.PHONY: install run test check format conformance audit sbom bench fuzz schemathesis openapi lock build tools clean help

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(UV):
	$(PYTHON3) -m venv $(CACHE)/uv
	$(CACHE)/uv/bin/python -m pip install -q --disable-pip-version-check uv

install: .venv/.installed  ## brings .venv to the locks

.venv/.installed: requirements/dev.txt pyproject.toml | $(UV)
	@test -x $(PY) || $(UV) venv -q --python 3.13 .venv
	$(UV) pip sync -q --python $(PY) --require-hashes requirements/dev.txt
	$(UV) pip install -q --python $(PY) --no-deps --no-build-isolation -e .
	@touch $@

run: install  ## serves on 127.0.0.1:$(PORT), SQLite under .data/
	@exec .venv/bin/twofold run --port $(PORT)

tools: install  ## the Pulumi CLI, DynamoDB Local, Azurite, otelcol and Checkov, into the cache outside the tree; looks for a Redis
	-@$(PY) tools/pulumi_cli.py
	-@$(PY) tools/dynamodb_local.py
	-@$(PY) tools/azurite.py
	-@$(PY) tools/redis_server.py
	-@$(PY) tools/otelcol.py
	-@$(PY) tools/checkov.py

test: install tools  ## everything; a missing tool is a skip, under CI=true a failure
	$(PY) -m pytest

check: install  ## formatting, types, import rules, bandit
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/bandit -q -c pyproject.toml -r twofold api stacks

audit: install  ## known vulnerabilities of everything locked; asks PyPI
	for lock in aws azure dev; do .venv/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/$$lock.txt || exit 1; done

sbom: install  ## both artifacts and what they are made of (CycloneDX), into .build/
	.venv/bin/twofold sbom aws
	.venv/bin/twofold sbom azure

format: install  ## rewrites the sources as ruff formats them
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

conformance: install  ## the portability contract on one BACKEND=sqlite|dynamodb|cosmos|secrets|queues|caches
	$(PY) -m pytest tests/conformance/test_$(BACKEND).py -v

bench: install  ## ORDERS=10000 through the local service: throughput, none lost, none double
	$(PY) -m bench.orders $(ORDERS)

fuzz: install  ## EXAMPLES=20000 odd requests through each door's code
	TWOFOLD_TEST_FUZZ=$(or $(EXAMPLES),20000) $(PY) -m pytest tests/fuzz

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
