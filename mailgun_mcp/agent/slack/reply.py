"""Shows one run in its thread: text while it is written, a line for each call, and the questions to people."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mailgun_mcp.agent.conversations import Run
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.slack.notices import FAULTS
from mailgun_mcp.agent.slack.questions import Questions
from mailgun_mcp.agent.slack.stream import Chunk, MessageStream, task_chunk, text_chunks
from mailgun_mcp.agent.slack.text import escaped, literal
from mailgun_mcp.agent.slack.thread import Thread
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.output.logs import logger

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

PAUSE = 0.7
"""Seconds between two pieces of text: Slack accepts a few hundred a minute."""
THINKING = "is thinking…"
THIRD_PARTY_TEXT = "\n\nFrom here on the assistant has read text that third parties wrote. Calls that could do harm need a person's yes.\n\n"
ENDED_WITHOUT_TEXT = ("done", "waiting")


class Reply:
    """One run in its thread."""

    def __init__(self, client: "AsyncWebClient", runner: Runner, questions: Questions, thread: Thread) -> None:
        self._client = client
        self._runner = runner
        self._questions = questions
        self._thread = thread
        self._stream = MessageStream(client, thread)
        self._text = ""
        self._titles: dict[str, str] = {}
        self._shown_at = 0.0
        self._write: Callable[[str], str] = escaped
        self._warned = False

    async def show(self, run: Run, principal: Principal) -> None:
        """Show the run until it ends. What Slack refuses is logged, and the run goes on."""
        await self._say_that_it_works()
        if (await self._runner.get(principal, run.conversation)).third_party_text:
            self._write, self._warned = literal, True
        async for event in self._runner.watch(run, principal):
            try:
                await self._show(event)
            except FAULTS as error:
                logger().error("Slack did not take a message", error=str(error)[:300], conversation=run.conversation)

    async def _show(self, event: Event) -> None:
        body = event.body
        match event.kind:
            case "text":
                self._text += body["text"]
                if time.monotonic() - self._shown_at >= PAUSE:
                    await self._flush()
            case "tool_started":
                self._titles[body["call"]] = body["title"]
                await self._flush(self._line(body, "in_progress", "…"))
            case "tool_finished":
                status = "complete" if body["status"] == "done" else "error"
                undo = f", undo: {body['undo']}" if body.get("undo") else ""
                await self._flush(self._line(body, status, f": {body['status']}{undo}"))
            case "third_party_text" if not self._warned:
                self._text += THIRD_PARTY_TEXT
                await self._flush()
                self._write, self._warned = literal, True
            case "warning":
                self._text += f"\n\n{body['text']}\n\n"
            case "approval_needed":
                await self._flush(self._line(body, "pending", ": waits for a person"))
                await self._stream.stop()
                await self._questions.ask(self._thread, body)
            case "approval_answered":
                await self._questions.show_outcome(body["approval"])
            case "ended":
                await self._end(body)

    async def _end(self, body: dict[str, Any]) -> None:
        if body["outcome"] not in ENDED_WITHOUT_TEXT:
            self._text += f"\n\n{body['text']}"
        await self._flush()
        await self._stream.stop()

    async def _flush(self, *more: Chunk) -> None:
        text, self._text = self._text, ""
        chunks = [*text_chunks(self._write(text)), *more]
        if chunks:
            self._shown_at = time.monotonic()
            await self._stream.add(chunks)

    def _line(self, body: dict[str, Any], status: str, words: str) -> Chunk:
        title = self._titles.get(body["call"], body.get("title") or body["tool"])
        return task_chunk(body["call"], escaped(f"{title}{words}"), status)

    async def _say_that_it_works(self) -> None:
        if not self._thread.is_private:
            return
        try:
            await self._client.assistant_threads_setStatus(
                channel_id=self._thread.channel, thread_ts=self._thread.ts, status=THINKING
            )
        except FAULTS as error:
            # Without an assistant thread, a chat with the app has no status.
            logger().debug("Slack shows no status", reason=str(error)[:300])
