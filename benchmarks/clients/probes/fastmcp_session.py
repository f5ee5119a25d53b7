"""Runs a session with the server in search mode, in an interpreter that has FastMCP. Prints the results as JSON."""

import asyncio
import json
import sys

from fastmcp import Client
from fastmcp.client.transports import StdioTransport


async def main() -> None:
    """Use prompts, skills, workflow tools and search mode."""
    command, *arguments = sys.argv[1:]
    async with Client(StdioTransport(command, arguments, keep_alive=False)) as client:
        prompt = await client.get_prompt("diagnose_delivery", {"domain": "mail.example.com"})
        (skill,) = await client.read_resource("skill://mailgun-deliverability/SKILL.md")
        found = await client.call_tool("search_tools", {"queries": ["draw a chart of bounces"]})
        explained = await client.call_tool("explain_delivery", {"domain": "mail.example.com"})
        read = await client.call_tool("read_tool", {"name": "list_domains", "arguments": {}})
        chart = await client.call_tool("call_tool", {"name": "chart_metrics", "arguments": {"metric": "bounces"}})
        seen = {
            "tools": [tool.name for tool in await client.list_tools()],
            "prompts": [each.name for each in await client.list_prompts()],
            "prompt": prompt.messages[0].content.text,
            "skill": skill.text,
            "found": found.structured_content,
            "explained": explained.structured_content,
            "domains": read.structured_content,
            "chart": [block.type for block in chart.content],
        }
    sys.stdout.write(json.dumps(seen))


asyncio.run(main())
