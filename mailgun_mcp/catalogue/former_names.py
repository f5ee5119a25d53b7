"""Names that tools and toolsets once had. They still work wherever a person or a client writes one."""

FORMER_TOOLS = {
    "list_bounce_classification_domain_entities": "list_bounce_domain_entities",
    "list_bounce_classification_entity_rules": "list_bounce_entity_rules",
    "list_dynamic_pool_assignable_domains": "list_dynamic_pool_eligible_domains",
}
"""Former name -> the name of today, short enough for the prefix that a plugin puts before it."""
FORMER_TOOLSETS = {"local": "builtin"}


def tool_names(name: str) -> list[str]:
    """Return the name of a tool and those that it once had: a glob that matched then still matches."""
    return [name, *(former for former, current in FORMER_TOOLS.items() if current == name)]


def toolset_names(name: str) -> list[str]:
    """Return the name of a toolset and those that it once had."""
    return [name, *(former for former, current in FORMER_TOOLSETS.items() if current == name)]


def current_tool(name: str) -> str:
    """Return the name that the tool has today."""
    return FORMER_TOOLS.get(name, name)
