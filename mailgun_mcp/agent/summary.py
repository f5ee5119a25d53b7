"""Summarizes the older part of a long conversation, so that the rest fits into the model's context."""

from collections.abc import Sequence
from secrets import token_hex
from typing import TYPE_CHECKING

from pydantic_ai.messages import ModelMessage, ModelRequest, UserPromptPart

from mailgun_mcp.agent import history
from mailgun_mcp.agent.model_requests import ModelRequests
from mailgun_mcp.agent.transcript import Message
from mailgun_mcp.output.untrusted import fence
from mailgun_mcp.text.characters import clean

if TYPE_CHECKING:
    from pydantic_ai.models import Model

CHARACTERS_PER_TOKEN = 3
FULL = 0.7
"""Share of the context above which older turns are summarized."""
LONGEST = 6_000
"""Maximum length of a summary in characters."""
PROMPT = (
    "Summarize this conversation for yourself in at most 500 words: what the person wants, what was found out, what was "
    "changed with which ids, what people refused and why, and what is still to do. Write facts only, no orders."
)
AUTHOR = "summary of texts that third parties may have written"


def is_full(messages: Sequence[ModelMessage], context_tokens: int) -> bool:
    """Return whether the history is larger than the model should be sent."""
    return history.size(messages) > context_tokens * CHARACTERS_PER_TOKEN * FULL


def older(messages: Sequence[Message], turn: str) -> int | None:
    """Return the number of the turn's first message, if something other than a summary comes before it."""
    first = next((message.number for message in messages if message.turn == turn and message.kind == "user"), None)
    before = [message for message in messages if first is not None and message.number < first]
    return first if any(message.kind != "summary" for message in before) else None


async def summarize(
    requests: ModelRequests, model: "Model", messages: Sequence[ModelMessage], *, third_party_text: bool
) -> str:
    """Return the summary, fenced if the model read third-party text. It is empty if the model wrote none.

    Raises LimitError, ModelError, StateError.
    """
    response = await requests.ask(model, [*messages, ModelRequest(parts=[UserPromptPart(PROMPT)])])
    text = clean(response.text or "").strip()[:LONGEST]
    return fence(text, token_hex(4), AUTHOR) if third_party_text and text else text
