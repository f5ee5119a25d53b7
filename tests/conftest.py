"""What all tests share."""

import functools
import gc
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings

from mailgun_mcp.catalogue import catalogue
from mailgun_mcp.output import logs
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.opening import open_store
from tests.support import forked
from tests.support.apps import close_opened
from tests.support.engines import SQLITE
from tests.support.postgresql import Cluster, cluster
from tests.support.upstream import Upstream, serve_upstream

# How long an example takes depends on what else the machine does.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
# A weekly run takes `--hypothesis-profile thorough`: .github/workflows/thorough.yml.
settings.register_profile("thorough", settings.get_profile("tests"), max_examples=1_000)
settings.load_profile("tests")

# A shell that runs the tests in the background has them ignore interrupts, and every server that they start inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Tests leave much garbage, and looking for it took a fifth of their time. What is imported and collected stays.
gc.set_threshold(100_000, 20, 5)
gc.disable()

NOT_COUNTED = {"attacks", "e2e", "sdk"}
"""Tests of the whole product, which run the lines that the tests of the rooms run."""
COUNTED_CASES = 3
cases_run: Counter[str] = Counter()
COUNTING: Any = sys.modules["coverage"].Coverage.current() if "coverage" in sys.modules else None

if "PYTEST_XDIST_WORKER" in os.environ:
    # The programs that tests start are not counted: see `make coverage`.
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


def pytest_configure(config: pytest.Config) -> None:
    """Prepare a process that hands the tests to others, and collects none."""
    if "PYTEST_XDIST_WORKER" in os.environ or not config.getoption("numprocesses", None):
        return
    if COUNTING is not None:
        # It would take half of its time.
        COUNTING.stop()
    gc.enable()
    forked.share()


@pytest.fixture(autouse=True)
def _only_some_tests_are_counted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Count lines during this test, unless it hardly adds any: see `make coverage`."""
    if COUNTING is None or not _is_counted(request.node):
        yield
        return
    COUNTING.start()
    yield
    COUNTING.stop()


def _is_counted(test: pytest.Item) -> bool:
    """Whether lines are counted: in quick tests of the rooms with few examples, and in the first cases of one with many."""
    if test.get_closest_marker("slow") or not NOT_COUNTED.isdisjoint(test.path.parts):
        return False
    if getattr(getattr(test, "obj", None), "is_hypothesis_test", False):
        return False
    name = f"{test.path}::{getattr(test, 'originalname', test.name)}"
    cases_run[name] += 1
    return cases_run[name] <= COUNTED_CASES


def pytest_collection_finish(session: pytest.Session) -> None:
    """Count no lines between tests, and leave what stays until the end out of garbage collections: modules and tests."""
    if COUNTING is not None:
        COUNTING.stop()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _compiled_toolsets_are_parsed_once() -> Iterator[None]:
    """Parse the same text once a session: many tests make a catalogue, and that took a sixth of their time."""
    parse = functools.cache(json.loads)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "json", SimpleNamespace(loads=lambda text: {**parse(text)}))
        yield


@pytest.fixture(scope="session", autouse=True)
def _certificates_are_loaded_once() -> Iterator[None]:
    """Give the HTTP clients of all tests the same TLS settings: loading the certificates takes longer than most tests."""
    load = httpx.create_ssl_context

    @functools.cache
    def loaded(trust_env: bool, *_: str | None) -> Any:
        return load(trust_env=trust_env)

    def settings_of(verify: Any = True, cert: Any = None, trust_env: bool = True) -> Any:
        if verify is True and cert is None:
            return loaded(trust_env, *map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR")))
        return load(verify, cert, trust_env)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", settings_of)
        yield


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """A stub of Mailgun that each test has to itself."""
    async with serve_upstream() as stub:
        yield stub


@pytest.fixture(autouse=True)
def _services_are_closed(_logs_of_its_own: None) -> Iterator[None]:
    """Close them before the logs are reset: their threads may still write a line."""
    yield
    close_opened()


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """A logger keeps its settings, secrets, and the stderr that it first wrote to: none of them is for the next test."""
    yield
    logs.reset()
    if "structlog" in sys.modules:
        # A thread may be importing it just now: the statement waits for that.
        import structlog

        structlog.reset_defaults()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests that use the state on the engines of their marker."""
    marker = metafunc.definition.get_closest_marker("engines")
    if marker is not None and "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", marker.args)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL of this session's own."""
    with cluster() as running:
        yield running


@pytest.fixture
def engine() -> str:
    """SQLite, unless the test runs on both: see `tests/support/engines.py`."""
    return SQLITE


@pytest.fixture
def state_url(engine: str, request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The database of this test, or None for SQLite."""
    if engine == SQLITE:
        yield None
        return
    running: Cluster = request.getfixturevalue("postgresql")
    url = running.lend()
    with _pools_are_closed():
        yield url
    running.take_back(url)


@contextmanager
def _pools_are_closed() -> Iterator[None]:
    """Close every pool of a test before its database goes: one that is left tries to connect for minutes.

    Its threads use `random` meanwhile, which Hypothesis takes for a fault of the test that runs then.
    """
    from mailgun_mcp.store import postgresql_driver

    pools: list[Any] = []
    new_pool = postgresql_driver.new_pool

    def remembered(*arguments: Any) -> Any:
        pools.append(new_pool(*arguments))
        return pools[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgresql_driver, "new_pool", remembered)
        yield
    for pool in pools:
        pool.close()


@pytest.fixture
def store(tmp_path: Path, state_url: str | None) -> Iterator[Store]:
    store = open_store(tmp_path / "state", state_url)
    yield store
    store.close()
