"""What a choice of tools costs, and what a client does with it."""

import argparse
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.catalogue.tool_costs import estimated_tokens, list_bytes
from mailgun_mcp.cli.clients import CLIENTS, ClientProgram
from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.output import as_json, out, table


@dataclass(frozen=True, slots=True)
class Budget:
    """The cost of a list of tools."""

    tools: int
    bytes: int
    """Size on the wire in bytes, including output schemas and annotations."""
    tokens: int
    """Approximate number of tokens of the names, descriptions and input schemas."""


def budget_of(tools: list[dict[str, Any]]) -> Budget:
    """Return the cost of the tools."""
    return Budget(len(tools), list_bytes(tools), estimated_tokens(tools))


def show_budget(arguments: argparse.Namespace, tools: list[dict[str, Any]]) -> int:
    """Print the cost of the tools, and how the client on the command line, or each client, treats them."""
    budget = budget_of(tools)
    clients = {arguments.client: CLIENTS[arguments.client]} if arguments.client else CLIENTS
    effects = {name: effect_of(client, budget) for name, client in clients.items()}
    if arguments.json:
        costs = {"tools": budget.tools, "bytes": budget.bytes, "tokens": budget.tokens}
        as_json({**costs, "clients": effects})
        return OK
    out(f"{budget.tools} tools, {budget.bytes:,} bytes, about {budget.tokens:,} tokens")
    table([(CLIENTS[name].title, effect) for name, effect in effects.items()])
    return OK


def effect_of(client: ClientProgram, budget: Budget) -> str:
    """Return how the client treats a list of this size, as a sentence without the final full stop."""
    if client.tool_limit is not None and budget.tools > client.tool_limit:
        excess = budget.tools - client.tool_limit
        return f"accepts {client.tool_limit} tools from all servers together: {excess} are too many"
    if client.defers_above is not None and budget.tools > client.defers_above:
        return "lists names only, and loads a tool when it is needed"
    room = f", {client.tool_limit - budget.tools} left for other servers" if client.tool_limit is not None else ""
    return f"loads all of them{room}"
