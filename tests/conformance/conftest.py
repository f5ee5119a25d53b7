"""The marker of the official suite: `-m "not conformance"` leaves it out."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "conformance: runs the official MCP conformance suite, which needs Node and npm")
