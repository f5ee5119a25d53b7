"""What the tests of the state share: a store, and calls that wait for approval in it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from mailgun_mcp.confirm.approvals import Approval, Approvals
from mailgun_mcp.confirm.form import Binding, Form
from mailgun_mcp.policy.model import Level
from mailgun_mcp.store.database import Store

NOW = 1_800_000_000.0
TTL = 600.0
PATIENCE = 60.0


def asked(level: Level = "ask", *, preview: str = "seen", request: str = "request", principal: str = "local") -> Form:
    """The question about a call that deletes `mail.example.com`."""
    typed = None if level == "ask" else "mail.example.com"
    binding = Binding(principal, "main", "delete_domain", request, "policy")
    return Form("Delete a domain\nDELETE /v3/domains/mail.example.com", level, typed, binding, preview)


def request_approval(store: Store, form: Form, now: float = NOW, ttl: float = TTL, most: int = 10_000) -> Approval:
    return Approvals(store).request(
        form,
        tool="delete_domain",
        title="Delete a domain",
        account="main",
        principal=form.binding.principal,
        client="tests",
        now=now,
        ttl=ttl,
        most=most,
    )


def granted(store: Store, form: Form, now: float = NOW) -> Approval | None:
    return Approvals(store).find_approved(form.binding.digest, form.preview, now, level=form.level)


def unmeasured() -> dict[str, str]:
    """The environment without coverage, which loads sqlite3 and writes a file of its own at the end."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS_")}


def python(code: str, *arguments: object, **options: Any) -> list[str]:
    """Run `code` as a process of its own and return the lines it wrote."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **options,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def rows(store: Store, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(query, values)]
