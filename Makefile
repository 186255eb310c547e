# Everything runs inside .venv, which needs only python3 (3.11 or newer) and the package index.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: help setup page demo serve test faults soak fuzz audit check acceptance bench lock migration schema docs

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

setup: .venv/ready  ## the virtual environment, with every dependency pinned and hashed

.venv/ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Sluice needs Python 3.11 or newer: set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@# setuptools warns about every editable package that has common names; these never leave this folder.
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The pages for browsers: the dashboard on /, GraphiQL on /graphql. Each is built once, and again when its sources have changed.
DASHBOARD = dashboard/dist/index.html
GRAPHIQL = graph/graphiql/dist/index.html
PAGES = $(DASHBOARD) $(GRAPHIQL)
# Node is the machine's, or the package index's.
WITH_NODE = requirements/with-node.sh
# npm waits for minutes for a registry that is silent; one answer of it tells whether it is there.
REGISTRY = npm --prefix $(1) view esbuild version --fetch-retries=0 --fetch-timeout=5000
BUILD = npm --prefix $(1) ci && npm --prefix $(1) run build
# Where the registry cannot be reached a plain page does; a page that cannot be built although it can is a fault in `make test`.
BUILD_IF_POSSIBLE = if ! $(WITH_NODE) $(REGISTRY) >/dev/null 2>&1; then echo "npm's registry cannot be reached from here: $(2)"; \
	elif ! $(WITH_NODE) sh -c '$(BUILD)' >.venv/page.log 2>&1; then tail -n 30 .venv/page.log; \
		echo "A page could not be built (see above, and .venv/page.log): $(2)"; $(IF_BROKEN); fi
IF_BROKEN = true

page: setup  ## the pages for a browser on / and /graphql, built anew; needs the npm registry
	$(WITH_NODE) sh -c '$(call BUILD,dashboard) && $(call BUILD,graph/graphiql)'

$(DASHBOARD): $(wildcard dashboard/*.*) $(shell find dashboard/src -type f -not -path '*/gql/*') schema.graphql | .venv/ready
	@$(call BUILD_IF_POSSIBLE,dashboard,a browser gets an older dashboard on / or a page that says so.)

$(GRAPHIQL): $(wildcard graph/graphiql/*.* graph/graphiql/examples/*) | .venv/ready
	@$(call BUILD_IF_POSSIBLE,graph/graphiql,a browser gets a plain page on /graphql.)

demo: setup $(PAGES)  ## the whole way of four files, on servers of its own
	$(BIN)/sluice demo

serve: setup $(PAGES)  ## API, workers, PostgreSQL and Redis until Ctrl-C
	$(BIN)/sluice serve

check: setup  ## format, lint, types, layers, and the API's promises to the clients of the last release
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.compatibility

# Most tests wait for processes. Each runner has a PostgreSQL and a Redis of its own.
RUNNERS ?= 2
test: IF_BROKEN = false
test: check $(PAGES)  ## all checks and tests, against real PostgreSQL and Redis
	$(BIN)/pytest --numprocesses $(RUNNERS) --dist loadfile

SEEDS ?= 5
faults: setup  ## the fault suite, each case with 5 seeds (SEEDS=n), and 100 kills over one job: half an hour
	SLUICE_FAULT_SEEDS=$(SEEDS) SLUICE_FAULT_KILLS=100 $(BIN)/pytest tests/faults

MINUTES ?= 10
soak: setup  ## random schedules of faults for MINUTES=n; prints the seed of one that fails
	$(BIN)/python -m tests.faults.soak --minutes $(MINUTES)

fuzz: setup  ## random damage to files and schemas for MINUTES=n; prints the seed of what fails
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

SERVICE ?= pypi
AUDIT = $(BIN)/pip-audit --strict --vulnerability-service $(SERVICE) --timeout 10 --progress-spinner off --disable-pip --require-hashes
audit: setup  ## known weaknesses of every pinned package; needs a vulnerability database, SERVICE=pypi or osv
	@for file in runtime dev node; do \
		echo "auditing requirements/$$file.txt with the database $(SERVICE)"; \
		$(AUDIT) -r requirements/$$file.txt || { \
			echo "NOT AUDITED, or not clean. Packages with known weaknesses stand in a table above: make lock takes newer ones."; \
			echo "Without a table the database could not be asked (it is not the package index, and a mirror has none): run this"; \
			echo "where it can be reached, or ask another one: make audit SERVICE=osv."; \
			exit 1; }; \
	done

acceptance: setup  ## 500 MB and all real flights, measured: some minutes
	$(BIN)/python -m benchmarks.acceptance

PROFILE ?=
bench: setup  ## ratios to raw COPY and the like, side by side: half an hour; PROFILE=1: only where the time goes
	$(BIN)/python -m benchmarks $(if $(PROFILE),--profile)

schema: setup  ## writes schema.graphql anew
	$(BIN)/python -m graph.schema > schema.graphql

docs: setup  ## writes the examples of tests/clients into docs/clients anew
	$(BIN)/python -m tests.clients.pages

migration: setup  ## writes a migration for changed models: make migration NAME=what_changed
	$(BIN)/tortoise makemigrations -n $(NAME)

COMPILE = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --annotation-style line

lock: setup  ## pins all dependencies anew
	$(COMPILE) --output-file requirements/runtime.txt pyproject.toml
	$(COMPILE) --extra embedded --extra dev --output-file requirements/dev.txt pyproject.toml
	$(COMPILE) --output-file requirements/node.txt requirements/node.in
	$(COMPILE) --output-file tests/clients/requirements/ariadne-codegen.txt tests/clients/requirements/ariadne-codegen.in
	$(COMPILE) --output-file tests/clients/requirements/gql.txt tests/clients/requirements/gql.in
	cd tests/clients && npm update --package-lock-only
