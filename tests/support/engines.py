"""Runs the tests of a module on SQLite and on PostgreSQL.

    pytestmark = on_both_engines

The fixtures `store` and `state_url` follow. `store.reopened()` is the same state with another connection.
"""

import pytest

SQLITE, POSTGRESQL = "sqlite", "postgresql"
on_both_engines = pytest.mark.engines(SQLITE, POSTGRESQL)
on_sqlite = pytest.mark.engines(SQLITE)
"""For what is about the file, or files beside it."""
on_postgresql = pytest.mark.engines(POSTGRESQL)
