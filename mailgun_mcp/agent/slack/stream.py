"""A message of the app that grows while it is being written."""

from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError

from mailgun_mcp.agent.slack.notices import QUIET
from mailgun_mcp.agent.slack.thread import Thread

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

Chunk = dict[str, Any]
ENDED = frozenset({"message_not_in_streaming_state", "msg_too_long", "message_not_found", "too_many_blocks"})
"""Errors of a message that takes no more, as Slack ends a silent one after a while. The text continues in the next."""
LONGEST = 10_000
"""Maximum length of one piece of text, in characters."""


class MessageStream:
    """Writes messages in a thread, one after another, for as long as there is something to say."""

    def __init__(self, client: "AsyncWebClient", thread: Thread) -> None:
        self._client = client
        self._thread = thread
        self._ts: str | None = None

    async def add(self, chunks: list[Chunk]) -> None:
        """Append these chunks to the message. Raises the exceptions in `notices.FAULTS`."""
        if self._ts is not None:
            try:
                await self._client.chat_appendStream(channel=self._thread.channel, ts=self._ts, chunks=chunks)
                return
            except SlackApiError as error:
                if error.response["error"] not in ENDED:
                    raise
        try:
            await self._begin(chunks)
        except SlackApiError as error:
            if error.response["error"] in ("ratelimited", "invalid_auth", "token_revoked", "account_inactive"):
                raise
            await self._post(chunks)

    async def stop(self) -> None:
        """Complete the message. Raises the exceptions in `notices.FAULTS`."""
        ts, self._ts = self._ts, None
        if ts is None:
            return
        try:
            await self._client.chat_stopStream(channel=self._thread.channel, ts=ts)
        except SlackApiError as error:
            if error.response["error"] not in ENDED:
                raise

    async def _begin(self, chunks: list[Chunk]) -> None:
        answer = await self._client.chat_startStream(
            channel=self._thread.channel,
            thread_ts=self._thread.ts,
            recipient_team_id=self._thread.team,
            recipient_user_id=self._thread.user,
            chunks=chunks,
        )
        self._ts = str(answer["ts"])

    async def _post(self, chunks: list[Chunk]) -> None:
        """Post the chunks as a plain message: not every workspace and channel has streams."""
        text = "\n".join(chunk.get("text") or f"{chunk['title']}: {chunk['status']}" for chunk in chunks)
        await self._client.chat_postMessage(
            channel=self._thread.channel, thread_ts=self._thread.ts, markdown_text=text, **QUIET
        )


def text_chunks(text: str) -> list[Chunk]:
    """Return a text in pieces that Slack accepts."""
    return [{"type": "markdown_text", "text": text[at : at + LONGEST]} for at in range(0, len(text), LONGEST)]


def task_chunk(call: str, title: str, status: str) -> Chunk:
    """Return the line about a call."""
    return {"type": "task_update", "id": call, "title": title[:250], "status": status}
