"""An agent of smolagents with the Mailgun tools. Its tools are called without waiting, so the toolkit gets a loop of its own."""

from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from smolagents import Model, Tool, ToolCallingAgent

from mailgun_mcp import Toolkit


class MailgunTool(Tool):  # type: ignore[misc] # smolagents has no types
    """A tool of the toolkit, called from a thread without an event loop."""

    output_type = "string"
    skip_forward_signature_validation = True

    def __init__(self, portal: BlockingPortal, mailgun: Toolkit, user: str, tool: dict[str, Any]) -> None:
        required = tool.get("required", [])
        self.name = tool["title"]
        self.description = tool["description"]
        self.inputs = {
            name: {"description": name.replace("_", " "), **schema, "nullable": name not in required}
            for name, schema in tool["properties"].items()
        }
        self._portal, self._mailgun, self._user = portal, mailgun, user
        super().__init__()

    def forward(self, **arguments: Any) -> str:
        """Call the tool."""
        return self._portal.call(self._mailgun.call, self.name, arguments, self._user).text


def answer(question: str, user: str, model: Model) -> str:
    """Return the agent's answer to `user`, whom your program has authenticated."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Toolkit(preset="readonly-support")) as mailgun,
    ):
        tools = [MailgunTool(portal, mailgun, user, tool) for tool in mailgun.tools("json-schema")]
        return str(ToolCallingAgent(tools, model, verbosity_level=0).run(question))
