"""What a principal may do at all: scopes, accounts and domains. The policy then decides on each call."""

from collections.abc import Iterable
from dataclasses import dataclass

from mailgun_mcp.catalogue.types import RISKS, Risk
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.text.suggest import unknown

PREFIX = "mailgun:"
APPROVE = f"{PREFIX}approve"
"""The scope for answering approvals. It belongs to no risk: whoever answers need not be able to make calls."""

METRICS = f"{PREFIX}metrics"
"""The scope for reading `/metrics`. It belongs to no risk either."""


def scope_of(risk: Risk) -> str:
    """Return the scope that a call of this risk needs."""
    return f"{PREFIX}{risk}"


READ = scope_of("read")
SCOPES = (*(scope_of(risk) for risk in RISKS), APPROVE, METRICS)
"""All scopes. Those for calls come first, from the lowest risk to the highest."""
CHANGING = frozenset(SCOPES) - {READ, APPROVE, METRICS}
"""The scopes of calls that do more than read."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a principal may do. None: no restriction."""

    scopes: frozenset[str] | None = None
    accounts: tuple[str, ...] | None = None
    """Names of accounts."""
    domains: tuple[str, ...] | None = None
    """Globs of the domains that calls may name. If set, a call that names no domain is refused."""
    relay: bool = False
    """Whether the principal is a program that passes on answers of people whom it has authenticated itself."""

    def has(self, scope: str) -> bool:
        """Return whether the principal has this scope."""
        return self.scopes is None or scope in self.scopes

    def reaches(self, account: str) -> bool:
        """Return whether the principal may use the named account, answer approvals in it, and read its records."""
        return self.accounts is None or account in self.accounts

    def permits(self, risk: Risk) -> bool:
        """Return whether the principal may make calls of this risk."""
        return self.has(scope_of(risk))

    @property
    def listed_scopes(self) -> tuple[str, ...]:
        """The scopes in their fixed order."""
        return tuple(scope for scope in SCOPES if self.has(scope))


EVERYTHING = Access()
"""What the user who runs the server may do."""


def parse_scopes(names: Iterable[str]) -> frozenset[str]:
    """Return the scopes with these names, with or without `mailgun:`. Raises SettingsError for an unknown one."""
    scopes = {name if name.startswith(PREFIX) else f"{PREFIX}{name}" for name in names}
    for scope in sorted(scopes - set(SCOPES)):
        raise SettingsError(unknown("scope", scope, SCOPES))
    return frozenset(scopes)
