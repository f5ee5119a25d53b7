"""Watch an assistant use the simulator: a real client starts the real server and makes calls.

It needs no account, key or network, and saves nothing.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

from mailgun_mcp.cli.exits import FAILED, OK
from mailgun_mcp.cli.output import out, paint
from mailgun_mcp.text.characters import excerpt

EXAMPLES = "  mailgun-mcp demo"
DOMAIN = "mail.example.com"
SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: none."""


def run(_: argparse.Namespace) -> int:
    """Play the session. Return FAILED if a step does not go as expected."""
    import anyio

    return anyio.run(_play)


async def _play() -> int:
    with TemporaryDirectory(prefix="mailgun-mcp-") as state:
        return await _session(state)


async def _session(state: str) -> int:
    from mcp import Client, StdioServerParameters

    out(paint("mailgun-mcp: an assistant's session against the simulator", "bold"))
    out(paint("$ mailgun-mcp serve --simulator", "dim"))
    arguments = ["-m", "mailgun_mcp", "serve", "--simulator", "--state", state]
    command = StdioServerParameters(command=sys.executable, args=arguments)
    async with Client(command, elicitation_callback=_Person()) as client:
        story = _Story(client)
        for number, step in enumerate(STEPS, 1):
            out()
            out(paint(f"{number}. {step.title}", "bold", "cyan"))
            if not await step.play(story):
                out(paint("   this step did not go as expected", "red"))
                return FAILED
    out()
    out(paint("This was the real server and the real protocol. Only Mailgun was simulated.", "bold"))
    out("Next: `mailgun-mcp install --client NAME`, then `mailgun-mcp doctor`.")
    return OK


class _Person:
    """Shows the form, and answers as a person who first declines and later agrees."""

    def __init__(self) -> None:
        self._asked = 0

    async def __call__(self, context: Any, params: Any) -> Any:  # noqa: ARG002 - the SDK defines the names
        from mcp_types import ElicitResult

        out(paint("   the person is asked:", "bold"))
        for line in params.message.splitlines():
            out(f"   {paint('|', 'yellow')} {line}")
        self._asked += 1
        if self._asked == 1:
            out(paint("   and declines", "bold"))
            return ElicitResult(action="decline")
        (word,) = re.findall(r"^To confirm, type: (.+)$", params.message, re.MULTILINE)
        out(paint(f"   and types {word}", "bold"))
        return ElicitResult(action="accept", content={"confirm": word})


@dataclass(slots=True)
class _Story:
    """The session, and the values that one step passes to the next."""

    client: Any
    message_id: str = ""

    async def call(self, tool: str, **arguments: Any) -> Any:
        listing = ", ".join(f"{name}={_short(value)}" for name, value in arguments.items())
        out(f"   {paint('calls', 'dim')} {paint(tool, 'green')}({listing})")
        return await self.client.call_tool(tool, arguments)

    def say(self, text: str) -> None:
        out(f"   {text}")


async def _find_tools(story: _Story) -> bool:
    tools = (await story.client.list_tools()).tools
    risks: dict[str, int] = {}
    for tool in tools:
        risk = tool.meta["mailgun-mcp/risk"]
        risks[risk] = risks.get(risk, 0) + 1
    story.say(f"{len(tools)} tools: {', '.join(f'{count} {risk}' for risk, count in risks.items())}")
    return len(tools) >= 238


async def _read_domain(story: _Story) -> bool:
    result = await story.call("get_domain", domain=DOMAIN)
    if result.is_error:
        return False
    domain = result.structured_content["domain"]
    story.say(f"{domain['name']} is {paint(domain['state'], 'green')}")
    for record in (result.structured_content.get("sending_dns_records") or [])[:SHOWN]:
        story.say(paint(f"{record.get('record_type')} {record.get('name')}: {record.get('valid')}", "dim"))
    return bool(domain["name"] == DOMAIN)


async def _send(story: _Story) -> bool:
    result = await story.call(
        "send_message",
        domain=DOMAIN,
        to=["alice@example.org"],
        subject="Hello from an assistant",
        text="Sent through mailgun-mcp.",
        tags=["demo"],
        **{"from": f"Demo <demo@{DOMAIN}>"},
    )
    if result.is_error:
        return False
    story.message_id = result.structured_content["id"].strip("<>")
    story.say(f"{result.structured_content['message']} {paint(result.structured_content['id'], 'dim')}")
    return True


async def _read_events(story: _Story) -> bool:
    result = await story.call(
        "query_logs",
        filter={"AND": [{"attribute": "message_id", "comparator": "=", "values": [{"value": story.message_id}]}]},
    )
    if result.is_error:
        return False
    events = [event["event"] for event in result.structured_content["items"]]
    story.say(f"events of that message: {paint(', '.join(events), 'green')}")
    return "delivered" in events


async def _find_bounce(story: _Story) -> bool:
    result = await story.call("list_bounces", domain=DOMAIN, limit=3)
    if result.is_error:
        return False
    for bounce in result.structured_content["items"]:
        story.say(f"{paint(bounce['address'], 'yellow')} {bounce['code']}: {bounce['error']}")
    return bool(result.structured_content["items"])


async def _make_mistake(story: _Story) -> bool:
    result = await story.call("list_bounces", domain="bounces", limt=5)
    for line in result.content[0].text.splitlines():
        story.say(paint(line, "yellow"))
    return bool(result.is_error)


async def _delete_in_bulk(story: _Story) -> bool:
    result = await story.call("clear_bounces", domain=DOMAIN)
    story.say(paint(result.content[0].text, "red"))
    left = await story.call("list_bounces", domain=DOMAIN, limit=1)
    still_there = bool(left.structured_content["items"])
    story.say(paint("the bounces are still there", "green") if still_there else "")
    return bool(result.is_error) and still_there


async def _delete_and_undo(story: _Story) -> bool:
    result = await story.call("clear_bounces", domain=DOMAIN)
    if result.is_error:
        return False
    story.say(paint(result.structured_content["message"], "yellow"))
    undone = await story.call("undo_operation", id=result.structured_content["undo"]["id"])
    story.say(paint(undone.structured_content["message"], "green"))
    left = await story.call("list_bounces", domain=DOMAIN, limit=SHOWN)
    story.say(f"{len(left.structured_content['items'])} bounces, with their dates and reasons")
    return undone.structured_content["not_put_back"] == [] and bool(left.structured_content["items"])


@dataclass(frozen=True, slots=True)
class _Step:
    title: str
    play: Any


STEPS = (
    _Step("It finds its tools", _find_tools),
    _Step("It sends a message", _send),
    _Step("It reads the events of the message", _read_events),
    _Step("It reads a domain", _read_domain),
    _Step("It finds a bounce", _find_bounce),
    _Step("It makes a mistake: every fault is reported at once, and nothing is sent", _make_mistake),
    _Step("It tries to delete all bounces: a person is asked and declines, so nothing is deleted", _delete_in_bulk),
    _Step("It tries again and the person agrees. That was a mistake, so it is undone", _delete_and_undo),
)


def _short(value: Any) -> str:
    return excerpt(repr(value), 40)
