"""The tokens of one run, as OpenAI's protocols report them."""

from typing import Any

from mailgun_mcp.agent.errors import NotFoundError
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.usage import Usage
from mailgun_mcp.identity.principal import Principal


class RunUsage:
    """The usage of one run. Events report the total of the conversation, including earlier runs."""

    def __init__(self, before: Usage) -> None:
        self._before = (before.input_tokens or 0, before.output_tokens or 0)
        self._now = self._before

    def see(self, event: Event) -> None:
        """Take the usage from an event of the run."""
        if event.kind == "usage":
            self._now = (event.body["input_tokens"], event.body["output_tokens"])

    @property
    def as_completion(self) -> dict[str, int]:
        """The usage in the fields of Chat Completions."""
        read, written = self._used
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}

    @property
    def as_response(self) -> dict[str, Any]:
        """The usage in the fields of Responses."""
        read, written = self._used
        return {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + written,
        }

    @property
    def _used(self) -> tuple[int, int]:
        # A run that is asked for again is one of those before.
        return max(0, self._now[0] - self._before[0]), max(0, self._now[1] - self._before[1])


async def usage_before(runner: Runner, principal: Principal, conversation: str) -> Usage:
    """Return what a conversation has used so far. Nothing if it does not exist yet."""
    try:
        return await runner.usage(principal, conversation)
    except NotFoundError:
        return Usage()
