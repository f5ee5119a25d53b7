"""Processes of a race: forked from one that has imported what they need, which is most of the time of a start."""

import multiprocessing
from functools import cache
from multiprocessing.context import ForkServerContext

NEEDED = ("pytest", "httpx", "psycopg_pool", "mailgun_mcp.audit.log", "mailgun_mcp.confirm.approvals")
"""Modules that racers import; those of tests are imported by each racer itself."""
SUPPORT = ("tests.support.recorder", "tests.support.state", "tests.support.engines", "tests.support.calls")


@cache
def racing_context() -> ForkServerContext:
    """Return the context of the processes: none inherits a connection, a lock or a thread of the tests."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*NEEDED, "mailgun_mcp.store.postgresql_driver", *SUPPORT])
    return context
