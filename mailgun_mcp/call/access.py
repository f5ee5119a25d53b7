"""Whether the principal of a call may make it at all, whatever the policy says: its scopes, accounts and domains.

Scopes are checked when the risk of a call is known, and again when the current state of its target raises that risk.
"""

from functools import lru_cache

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.catalogue.builtin_tools import READ_RESULT, UNDO_OPERATION, WHOAMI
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.search.tools import CALL_TOOL, DESCRIBE_TOOLS, SEARCH_TOOLS
from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.errors import DeniedError
from mailgun_mcp.identity.access import CHANGING, READ, Access, scope_of
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.globs import TextPredicate, host_matcher
from mailgun_mcp.policy.model import Decision

FOR_EVERY_DOMAIN = frozenset({READ_RESULT, SEARCH_TOOLS, DESCRIBE_TOOLS, UNDO_OPERATION, WHOAMI})
"""Built-in tools that show only the catalogue or what the caller has seen before, and undo, whose steps are checked."""
NAMES_NO_DOMAIN = "{} does not name a domain, and this token allows calls for certain domains only"


def needed_scopes(operation: Operation, access: Access, *, dry_run: bool = False) -> frozenset[str]:
    """Return the scopes that a call needs, as far as they are known before it is prepared.

    What an undo will do is known only once it is planned. Until then, any scope that permits changes is enough.
    """
    if operation.name == WHOAMI:
        return frozenset()
    if operation.name == UNDO_OPERATION:
        if dry_run:
            return frozenset({READ})
        return frozenset() if any(access.has(scope) for scope in CHANGING) else frozenset({scope_of("write")})
    return frozenset({scope_of(operation.risk)})


def may_be_shown(tool: Record, access: Access) -> bool:
    """Return whether to list a tool for a principal: its scopes must cover at least some calls of the tool."""
    if tool["name"] == WHOAMI:
        return True
    if tool["name"] in (UNDO_OPERATION, CALL_TOOL):
        return any(access.has(scope) for scope in CHANGING)
    return access.permits(tool["_meta"]["mailgun-mcp/risk"])


def check_scopes(call: Call) -> None:
    """Raise DeniedError for a call that the principal has no scope for."""
    access = call.caller.principal.access
    if access.scopes is None:
        return
    dry_run = call.arguments.get("dry_run") is True
    _refuse_without(call, needed_scopes(call.operation, access, dry_run=dry_run))


def check_risk(call: Call, facts: Facts) -> None:
    """Raise DeniedError if the call turned out to be riskier than the principal's scopes allow."""
    _refuse_without(call, frozenset({scope_of(facts.operation.risk)}))


def may_use_account(call: Call) -> bool:
    """Return whether the principal may use the account of the call."""
    return call.caller.principal.access.reaches(call.account.name)


def check_account(call: Call) -> None:
    """Raise DeniedError if the principal may not use the account. The error says that it does not exist."""
    if call.operation.name != WHOAMI and not may_use_account(call):
        _refuse(call, "access/accounts", "this token may use none of the accounts of this server")


def check_domains(call: Call, facts: Facts) -> None:
    """Raise DeniedError if the principal is limited to some domains and the call names another one, or none."""
    domains = call.caller.principal.access.domains
    if domains is None:
        return
    if not facts.domains:
        _refuse(call, "access/domains", NAMES_NO_DOMAIN.format(facts.operation.name))
    if not all(map(_matcher(domains), facts.domains)):
        _refuse(call, "access/domains", "this token does not allow all domains that the call names")


def check_builtin_domains(call: Call) -> None:
    """Raise DeniedError if the principal is limited to some domains and a built-in tool would show others."""
    if call.caller.principal.access.domains is not None and call.operation.name not in FOR_EVERY_DOMAIN:
        _refuse(call, "access/domains", NAMES_NO_DOMAIN.format(call.operation.name))


@lru_cache(maxsize=256)
def _matcher(domains: tuple[str, ...]) -> TextPredicate:
    return host_matcher(domains)


def _refuse_without(call: Call, scopes: frozenset[str]) -> None:
    missing = sorted(scope for scope in scopes if not call.caller.principal.access.has(scope))
    if missing:
        _refuse(
            call, "access/scopes", f"this call needs the scope {', '.join(missing)}, which this token does not have"
        )


def _refuse(call: Call, rule: str, reason: str) -> None:
    call.record.decision = Decision("deny", rule, reason)
    raise DeniedError(f"Refused ({rule}): {reason}. Nothing was sent. The person who runs the server can change that.")
