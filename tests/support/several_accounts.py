"""A server of two accounts, each on a simulator of its own, and those who may use one of them or both."""

from pathlib import Path
from typing import Any

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.access import SCOPES, Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.settings import Settings
from tests.support.apps import opened, own_state

TABLES: dict[str, Any] = {
    "production": {"api_key_env": "UNUSED", "region": "eu"},
    "staging": {"api_key_env": "UNUSED", "principals": ["ann*", "sam"]},
}


def access(**bounds: Any) -> Access:
    return Access(frozenset(SCOPES), **bounds)


ANN = Caller(Principal("ann", access=access()))
"""May use both."""
PRO = Caller(Principal("pro", access=access(accounts=("production",))))
"""Whose token is for production."""
SAM = Caller(Principal("sam", access=access(accounts=("staging",))))
BEN = Caller(Principal("ben", access=access()))
"""Whom the file keeps out of staging."""
ZOE = Caller(Principal("zoe", access=access(accounts=("staging",))))
"""Whose token is for an account that the file keeps her out of."""


def two_accounts(state: Path | None = None, **options: Any) -> Services:
    """Return the services. Each account has the demo's domains; `production_domain` adds one to production."""
    settings = Settings(simulator=True, accounts=TABLES, state=str(state or own_state()), **options)
    return opened(create_services(settings))
