"""Former names of tools, toolsets and arguments. They still work wherever a person or a client writes one."""

from collections.abc import Mapping
from functools import lru_cache

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments

FORMER_TOOLS = {
    "list_bounce_classification_domain_entities": "list_bounce_domain_entities",
    "list_bounce_classification_entity_rules": "list_bounce_entity_rules",
    "list_dynamic_pool_assignable_domains": "list_dynamic_pool_eligible_domains",
}
"""Former name -> current name, short enough for the prefix that a plugin adds."""
FORMER_TOOLSETS = {"local": "builtin"}
FORMER_ARGUMENTS = {tool: {"template_version": "version"} for tool in ("send_message", "send_mime_message")}
"""Tool -> former name of an argument -> current name. Mailgun's own names need no entry."""
DOMAIN_NAMES = ("domain_name", "sending_domain", "signing_domain", "authority_name")
"""Names under which every tool with an argument `domain` takes it. Mailgun's API mixes them, and so do models."""
FORMER_SCOPES = {"domain_name": "domain", "authority_name": "domain", "name": "domain"}
"""Former name of a scope argument (what says where a resource is) in old snapshots -> current name."""


def tool_names(name: str) -> list[str]:
    """Return the current and former names of a tool, so that a glob that once matched still matches."""
    return [name, *(former for former, current in FORMER_TOOLS.items() if current == name)]


def toolset_names(name: str) -> list[str]:
    """Return the current and former names of a toolset."""
    return [name, *(former for former, current in FORMER_TOOLSETS.items() if current == name)]


def current_tool(name: str) -> str:
    """Return the current name of the tool."""
    return FORMER_TOOLS.get(name, name)


@lru_cache(maxsize=512)
def argument_aliases(operation: Operation) -> Mapping[str, str]:
    """Return other names for an operation's arguments: Mailgun's own, which were once ours, and former ones."""
    names: dict[str, list[str]] = {}
    for argument in operation.arguments:
        if argument.wire.isidentifier() and argument.encode != "family":
            names.setdefault(argument.wire, []).append(argument.name)
    # A name that Mailgun uses twice, in path and body, such as for two IPs, was never a single name of ours.
    own = {wire: called[0] for wire, called in names.items() if called not in ([wire], []) and len(called) == 1}
    present = {argument.name for argument in operation.arguments}
    domains = {name: "domain" for name in DOMAIN_NAMES if name not in present} if "domain" in present else {}
    return {**domains, **_of_lists(present), **own, **FORMER_ARGUMENTS.get(operation.name, {})}


def _of_lists(present: set[str]) -> dict[str, str]:
    """Return what `address` means in a tool for a mailing list that has no argument of that name."""
    if "address" in present or "list_address" not in present:
        return {}
    return {"address": "member_address" if "member_address" in present else "list_address"}


def current_arguments(operation: Operation, arguments: Arguments) -> Arguments:
    """Return the arguments under their current names.

    Nothing changes unless a former name is used, or if two names for the same argument are.
    """
    aliases = argument_aliases(operation)
    if not aliases:
        return arguments
    names = {argument.name for argument in operation.arguments}
    if not any(name in aliases and name not in names for name in arguments):
        return arguments
    renamed = {aliases.get(name, name): value for name, value in arguments.items()}
    return renamed if len(renamed) == len(arguments) else arguments


def current_path(operation: Operation, path: str) -> str:
    """Return a path in the arguments (`domain_name`, `variables.plan`) under its current name."""
    head, dot, rest = path.partition(".")
    if any(argument.name == head for argument in operation.arguments):
        return path
    return f"{argument_aliases(operation).get(head, head)}{dot}{rest}"
