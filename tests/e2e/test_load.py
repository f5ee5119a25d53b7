"""Fifty clients at once, each with a connection of its own: no call fails, and the server's memory stays where it is."""

import pytest

from benchmarks.load import load

pytestmark = pytest.mark.slow


def test_many_clients_are_all_answered() -> None:
    found = load(50, 0.1)
    assert (found.errors, found.first_error) == (0, "")
    assert found.calls >= 50, "each client calls at least once"
    assert found.calls % 50 == 0
    assert found.is_kept
    assert 0 < found.p50 <= found.p99 <= found.longest
