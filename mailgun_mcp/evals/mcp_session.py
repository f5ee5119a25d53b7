"""A session with another MCP server: a command that speaks MCP on stdio and uses the local simulator as Mailgun."""

import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailgun_mcp.app.mailgun_clients import SIMULATOR_KEY
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.evals.person import Person
from mailgun_mcp.evals.session import MadeCall, Outcome
from mailgun_mcp.evals.task import Task
from mailgun_mcp.evals.world import World
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.simulator.loopback import LoopbackServer

if TYPE_CHECKING:
    from mcp import Client

PATIENCE = 30.0
"""Seconds that the server has for an answer."""
TYPED = re.compile(r"^To confirm, type: (.+)$", re.MULTILINE)


@dataclass(slots=True)
class McpSession:
    """A connection to an MCP server, with a person who answers its elicitations."""

    world: World
    client: "Client"
    person: Person
    calls: list[MadeCall] = field(default_factory=list)

    async def tools(self) -> list[dict[str, Any]]:
        """Return the tools from all pages of the list."""
        tools, cursor = [], None
        while True:
            page = await self.client.list_tools(cursor=cursor)
            tools += [tool.model_dump(by_alias=True, exclude_none=True) for tool in page.tools]
            cursor = page.next_cursor
            if not cursor:
                return tools

    async def call(self, tool: str, arguments: Arguments) -> MadeCall:
        """Make a call. A protocol error counts as a result too."""
        from mcp import MCPError

        asked, first = len(self.person.questions), len(self.world.requests)
        self.person.watch(tool, arguments)
        structured = None
        try:
            result = await self.client.call_tool(tool, arguments)
        except MCPError as error:
            text, failed = str(error), True
        else:
            text = "\n".join(getattr(part, "text", f"[{part.type}]") for part in result.content)
            structured, failed = result.structured_content, bool(result.is_error)
        questions = tuple(self.person.questions[asked:])
        refused = any(not question.yes for question in questions)
        outcome: Outcome = "done" if not failed else "refused" if refused else "failed"
        made = MadeCall(tool, arguments, outcome, text, structured, questions, (first, len(self.world.requests)))
        self.calls.append(made)
        return made


@asynccontextmanager
async def mcp_session(
    task: Task, world: World, directory: Path, policy: str, command: str
) -> AsyncIterator[McpSession]:
    """Start the server, with the simulator on a port of this machine, and connect to it.

    Raises SettingsError if the command cannot be started or does not speak MCP.
    """
    from mcp import Client, StdioServerParameters

    simulator = LoopbackServer(world.app)
    try:
        names = {"url": simulator.url, "key": SIMULATOR_KEY, "policy": policy, "state": str(directory / "state")}
        program, *words = command_words(command, names)
        environment = {"MAILGUN_API_KEY": SIMULATOR_KEY, "MAILGUN_API_URL": simulator.url}
        person = Person(task.person)
        parameters = StdioServerParameters(command=program, args=words, env=environment)
        client = Client(parameters, elicitation_callback=_answering(person), read_timeout_seconds=PATIENCE)
        connected = False
        try:
            async with client:
                connected = True
                yield McpSession(world, client, person)
        except Exception as error:
            if connected:
                raise
            raise SettingsError(f"--server: {_reason(error)}: {command}") from error
    finally:
        simulator.stop()


def _reason(error: Exception) -> str:
    """Return why there is no connection to the server."""
    cause: BaseException = error
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    if isinstance(cause, OSError):
        return f"the command cannot be started: {cause.strerror}"
    return f"the command does not answer as an MCP server on stdio: {cause}"


def command_words(command: str, names: dict[str, str]) -> list[str]:
    """Return the words of a command with names such as `{url}` replaced. Raises SettingsError for an empty command."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise SettingsError(f"--server: {error}: {command}") from error
    if not words:
        raise SettingsError("--server: give the command that starts the server")
    for name, value in names.items():
        words = [word.replace(f"{{{name}}}", value) for word in words]
    return words


def _answering(person: Person) -> Any:
    async def answer(_: Any, params: Any) -> Any:
        from mcp_types import ElicitResult

        question = person.answer()
        if not question.yes:
            return ElicitResult(action="decline", content={"reason": question.reason} if question.reason else None)
        properties = getattr(params, "requested_schema", {}).get("properties", {})
        return ElicitResult(action="accept", content=_yes(properties, params.message))

    return answer


def _yes(properties: dict[str, Any], message: str) -> dict[str, Any]:
    """Return the content that accepts a form: true for each flag, and the text that the form asks to type."""
    typed = TYPED.search(message)
    content: dict[str, Any] = {}
    for name, schema in properties.items():
        if schema.get("type") == "boolean":
            content[name] = True
        elif typed and name != "reason":
            content[name] = typed[1]
    return content
