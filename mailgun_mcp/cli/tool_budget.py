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
    """What a list of tools costs."""

    tools: int
    bytes: int
    """On the wire, with output schemas and annotations."""
    tokens: int
    """Of names, descriptions and input schemas, about."""


def budget_of(tools: list[dict[str, Any]]) -> Budget:
    """Return what the tools cost."""
    return Budget(len(tools), list_bytes(tools), estimated_tokens(tools))


def show_budget(arguments: argparse.Namespace, tools: list[dict[str, Any]]) -> int:
    """Print what the tools cost, and what the client named on the command line, or each, does with them."""
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
    """Return what the client does with a list of this size, as a sentence without its end."""
    if client.tool_limit is not None and budget.tools > client.tool_limit:
        excess = budget.tools - client.tool_limit
        return f"takes {client.tool_limit} tools from all servers together: {excess} are too many"
    if client.defers_above is not None and budget.tools > client.defers_above:
        return "lists names only, and loads a tool when it is needed"
    room = f", {client.tool_limit - budget.tools} left for other servers" if client.tool_limit is not None else ""
    return f"loads all of them{room}"
