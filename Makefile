# Everything on a fresh machine with only Python 3.11+ and pip: `make demo`, `make test`.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check lint types drift wheel bench compile docs lock clean

demo: $(READY)
	$(BIN)/mailgun-mcp demo

test: $(READY)
	$(BIN)/python -m pytest $(TESTS)

check: lint types drift test wheel

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

drift: $(READY)
	$(BIN)/python -m mailgun_mcp.catalogue.compile --check
	$(BIN)/python -m docs.generate --check

# The built wheel, in an empty environment outside the checkout: what a user installs.
wheel: $(READY)
	rm -rf dist build/wheel
	$(BIN)/python -m build --no-isolation --wheel --outdir dist .
	$(PYTHON) -m venv build/wheel
	build/wheel/bin/pip install --quiet --disable-pip-version-check dist/*.whl
	cd build && PYTHONSAFEPATH=1 wheel/bin/python ../tests/wheel_smoke.py

bench: $(READY)
	$(BIN)/python benchmarks/tokens.py | tail -1
	$(BIN)/python benchmarks/policy.py
	$(BIN)/python benchmarks/journal.py
	$(BIN)/python benchmarks/simulator.py
	$(BIN)/python benchmarks/speed.py

# What is generated: compiled catalogue and prompts, tables in the docs.
compile: $(READY)
	$(BIN)/python -m mailgun_mcp.catalogue.compile

docs: compile
	$(BIN)/python -m docs.generate

# Needs uv; run after a change of dependencies.
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url -o requirements-dev.lock

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or later is needed: make PYTHON=python3.11 ...' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
