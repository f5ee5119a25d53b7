"""Chooses the tools that fit a client: some take only so many, and all shorten or drop long names."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailgun_mcp.catalogue.catalogue import Catalogue
    from mailgun_mcp.cli.clients import ClientProgram

SELECTING = ("toolsets", "preset", "tools", "exclude_tools", "read_only", "no_deprecated")
"""The settings that choose tools."""
LONGEST_TOOL_NAME = 64
"""Characters that the large providers accept at most. Most clients prefix the name with `mcp__<server>__`."""
POPULAR_TOOLSETS = (
    "messages",
    "domains",
    "events",
    "bounces",
    "complaints",
    "unsubscribes",
    "allowlist",
    "metrics",
    "logs",
    "templates",
    "webhooks",
    "routes",
    "tracking",
    "lists",
)


def tool_count(catalogue: "Catalogue", toolsets: Sequence[str] | None = None) -> int:
    """Return how many tools a server with this catalogue, or with these toolsets of it, lists."""
    from mailgun_mcp.catalogue.builtin_tools import BUILTIN_TOOLS, offered

    if toolsets is None:
        return len(catalogue) + len(offered(catalogue))
    if not toolsets:
        return len(BUILTIN_TOOLS)
    chosen = catalogue.select(toolsets=toolsets)
    return len(chosen) + len(offered(chosen))


def is_over_limit(client: "ClientProgram", catalogue: "Catalogue") -> bool:
    """Return whether the server has more tools than the client accepts."""
    return client.tool_limit is not None and tool_count(catalogue) > client.tool_limit


def fitting_toolsets(client: "ClientProgram", catalogue: "Catalogue") -> list[str]:
    """Return the most popular toolsets that fit the client's limit, or none if it has no limit.

    Half of the limit is left for other servers.
    """
    if client.tool_limit is None:
        return []
    room = client.tool_limit // 2
    chosen: list[str] = []
    for name in POPULAR_TOOLSETS:
        if name in catalogue.toolsets and tool_count(catalogue, [*chosen, name]) <= room:
            chosen.append(name)
    return chosen


def excess_of_names(server: str, catalogue: "Catalogue") -> int:
    """Return by how many characters the longest tool name exceeds the limit with this server name, or 0."""
    longest = max(catalogue.names, key=len, default="")
    return max(0, len(f"mcp__{server}__{longest}") - LONGEST_TOOL_NAME)
