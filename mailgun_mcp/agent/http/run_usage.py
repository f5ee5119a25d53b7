"""The tokens of one run, as OpenAI's protocols count them."""

from typing import Any

from mailgun_mcp.agent.errors import NotFoundError
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.usage import Usage
from mailgun_mcp.identity.principal import Principal


class RunUsage:
    """What a run uses. Events tell what the conversation has used so far, with the runs before."""

    def __init__(self, before: Usage) -> None:
        self._before = (before.input_tokens or 0, before.output_tokens or 0)
        self._now = self._before

    def see(self, event: Event) -> None:
        """Read an event of the run."""
        if event.kind == "usage":
            self._now = (event.body["input_tokens"], event.body["output_tokens"])

    @property
    def as_completion(self) -> dict[str, int]:
        """The usage as Chat Completions names it."""
        read, written = self._used
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}

    @property
    def as_response(self) -> dict[str, Any]:
        """The usage as Responses names it."""
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
        return self._now[0] - self._before[0], self._now[1] - self._before[1]


async def usage_before(runner: Runner, principal: Principal, conversation: str) -> Usage:
    """Return what a conversation has used by now: nothing where it does not exist yet."""
    try:
        return await runner.usage(principal, conversation)
    except NotFoundError:
        return Usage()
