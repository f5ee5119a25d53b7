"""The texts of the resources that no tool reads."""

from collections.abc import Callable, Mapping

from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.builtin_tools import OWN_TOOLS, builtin_operation
from mailgun_mcp.catalogue.markdown import tool_reference, toolset_index
from mailgun_mcp.catalogue.presets import PRESETS
from mailgun_mcp.catalogue.procedures import Tools
from mailgun_mcp.errors import UnknownNameError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.text.compact_json import compact
from mailgun_mcp.text.durations import iso

SHOWN = ("tool", "risk", "account", "region", "subaccount", "policy", "undoes", "decision", "grants", "confirmation")
"""Fields of a log entry that are shown. Not its arguments: they may quote third-party text, and terminals show them."""
OUTCOME = ("status", "attempts", "ms", "request_id")

Text = Callable[[Services, Tools, Mapping[str, str]], str | None]


def log_entry(services: Services, principal: Principal, call: str) -> str | None:
    """Return an entry of the audit log as JSON. A principal sees only their own calls."""
    if not services.store.exists:
        return None
    try:
        logged = services.audit_log.call(call)
    except UnknownNameError:
        return None
    if logged.fields.get("principal") != principal.id:
        return None
    entry = {
        "call": logged.id,
        "at": iso(logged.at),
        **{name: logged.fields[name] for name in SHOWN if name in logged.fields},
        "outcome": logged.outcome,
        **{name: logged.result[name] for name in OUTCOME if name in logged.result},
    }
    return compact(entry)


def _index(services: Services, tools: Tools, _: Mapping[str, str]) -> str:
    return toolset_index(
        services.catalogue.select(exclude=[name for name in services.catalogue.names if name not in tools])
    )


def _tool(services: Services, tools: Tools, values: Mapping[str, str]) -> str | None:
    name = values["name"]
    if name in OWN_TOOLS and name in tools:
        return tool_reference(builtin_operation(name))
    if name not in services.catalogue:
        return None
    operation = services.catalogue.find(name)
    return tool_reference(operation) if operation.name in tools else None


def _presets(_: Services, __: Tools, ___: Mapping[str, str]) -> str:
    rows = [f"| `{name}` | {preset.description} |" for name, preset in PRESETS.items()]
    note = "A person chooses them when the server is started: `--preset NAME`."
    return "\n".join(["# Presets", "", note, "", "| preset | for |", "| --- | --- |", *rows, ""])


def _policy(services: Services, tools: Tools, _: Mapping[str, str]) -> str:
    from mailgun_mcp.policy.file.table import rows

    policy = services.policy
    operations = [operation for operation in services.catalogue if operation.name in tools]
    own = [builtin_operation(name) for name in OWN_TOOLS if name in tools]
    table = [
        f"| `{row.operation.name}` | {row.operation.risk} | {str(row).replace('|', chr(92) + '|')} | `{row.rule}` |"
        for row in rows(policy, [*operations, *own])
    ]
    about = "A person changes it where the server is started. A refused call was not sent."
    head = [f"# Policy {policy.name}", "", about, "", "| tool | risk | decision | rule |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *table, ""])


TEXTS: Mapping[str, Text] = {"tools": _index, "tool": _tool, "presets": _presets, "policy": _policy}
"""Kind of resource -> function that returns its text, or None if it does not exist."""
