# Everything works on a fresh machine with only Python 3.11+ and pip: `make demo`, `make test`.
#
#   make demo     watch a session against the simulator; installs only what the package needs to run
#   make test     all tests, in parallel; TESTS=tests/policy for some of them
#   make quick    the tests without those marked slow
#   make check    what CI runs
#   make bench    the benchmarks

PYTHON ?= python3
RESOLUTION ?= locked# or lowest-direct: the oldest versions that pyproject.toml allows; needs uv
VENV ?= $(if $(filter locked,$(RESOLUTION)),.venv,.venv-$(RESOLUTION))
# Tests often wait for the processes that they start, so there are two workers more than there are cores.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 2)')
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
READY := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

# Tests start some hundred processes: without bytecode each would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick check lint types spelling drift coverage collected wheel tools-diff bench compile docs lock clean

demo: $(RUNTIME)
	$(BIN)/python -m mailgun_mcp demo

test: $(READY)
	$(PYTEST) $(TESTS)

quick: $(READY)
	$(PYTEST) -m 'not slow' $(TESTS)

# What needs one core each runs side by side, the longest first.
check: $(READY)
	$(MAKE) --jobs=2 types collected lint spelling drift wheel
	$(MAKE) coverage

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/yamllint --strict .github
	$(BIN)/zizmor --offline --quiet --persona pedantic .github

types: $(READY)
	$(BIN)/mypy

# Tests misspell some words on purpose.
spelling: $(READY)
	$(BIN)/codespell .ci .github Makefile *.md *.toml benchmarks docs mailgun_mcp prompts server.json tools
	$(BIN)/codespell --ignore-words tests/data/misspelled.txt tests

drift: $(READY)
	$(BIN)/python -m mailgun_mcp.catalogue.compile --check
	$(BIN)/python -m docs.generate --check

# One process imports all tests before four do so at the same time, and each would compile them and what they import.
collected: $(READY)
	@found="$$($(BIN)/python -m pytest --collect-only -qq)" || { echo "$$found"; exit 1; }

# All tests. Counting lines and branches doubles the time, so tests/conftest.py does so in fast tests only, not in those
# of the whole product, not in properties, and in the first cases of a test; programs that tests start are not counted.
coverage: $(READY)
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest --numprocesses $(WORKERS) --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# A pip in the environment, and bytecode of what nobody imports, would take four fifths of the time.
PIP_INSTALL := --disable-pip-version-check install --quiet --no-compile

# The built wheel, in an empty environment outside the checkout: what a user installs.
wheel: $(READY)
	rm -rf dist build/wheel
	$(BIN)/python -m build --no-isolation --wheel --outdir dist .
	$(PYTHON) -m venv --without-pip build/wheel
	$(BIN)/python -m pip --python build/wheel/bin/python $(PIP_INSTALL) dist/*.whl
	cd build && PYTHONSAFEPATH=1 wheel/bin/python ../tests/wheel_smoke.py

# How the tools that a client is shown differ from those of another commit.
BASE ?= origin/main
tools-diff: $(READY)
	@$(BIN)/python .ci/tools_diff.py $(BASE)

BENCHMARKS := grader search.recall policy audit_log postgresql load simulator stages transports growth large_calls chat

# All of them, also after one that breaks a limit.
bench: $(READY)
	@$(BIN)/python benchmarks/tokens.py | tail -1
	@broken=; \
	$(BIN)/python benchmarks/speed.py --floors || broken=' speed'; \
	for name in $(BENCHMARKS); do \
		echo "benchmarks.$$name"; \
		$(BIN)/python -m benchmarks.$$name || broken="$$broken $$name"; \
	done; \
	[ -z "$$broken" ] || { echo "These ended with an error or broke a limit:$$broken" >&2; exit 1; }

# What is generated: compiled catalogue and prompts, tables in the docs.
compile: $(READY)
	$(BIN)/python -m mailgun_mcp.catalogue.compile

docs: compile
	$(BIN)/python -m docs.generate

# Needs uv; run it after a change of the dependencies in pyproject.toml.
lock:
	uv lock

.PHONY: python
python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or later is needed: make PYTHON=python3.11 ...' >&2; exit 1; }

$(RUNTIME): uv.lock .ci/install.py | python
	$(PYTHON) .ci/install.py $(VENV) --resolution $(RESOLUTION)
	@touch $@

$(READY): uv.lock pyproject.toml .ci/install.py | python
	$(PYTHON) .ci/install.py $(VENV) --group dev --resolution $(RESOLUTION)
	@touch $@ $(RUNTIME)

clean:
	rm -rf .venv .venv-lowest-direct dist build .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
