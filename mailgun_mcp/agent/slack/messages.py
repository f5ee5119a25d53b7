"""Messages from people. Each becomes a message in the conversation of its thread."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mailgun_mcp.agent.errors import AgentError, NotFoundError
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.slack.notices import tell
from mailgun_mcp.agent.slack.people import People
from mailgun_mcp.agent.slack.text import from_slack
from mailgun_mcp.agent.slack.thread import Thread
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.principal import Principal

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

CLIENT = "chat:slack"
STOP = "stop"
STRANGER = "This app does not know you. Ask whoever runs it to add you: your user id is {}, in the workspace {}."
FORWARDED = "Forwarded messages are not read. Write in your own words what you want."
FILES = "Files are not read. Write what you want."
HINT = " Write `stop` to cancel."
PROMPTS = (
    "Why did mail bounce this week?",
    "Is the DNS of my sending domain right?",
    "How many mails were sent and opened in the last seven days?",
)
WELCOME = "What should I look into?"


class Messages:
    """Passes messages from people on to the runner."""

    def __init__(self, runner: Runner, client: "AsyncWebClient", people: People) -> None:
        self._runner = runner
        self._client = client
        self._people = people

    async def receive(self, payload: Mapping[str, Any]) -> None:
        """Handle the message of an event. Ignore it unless a person wrote it in a place where the app answers."""
        event = payload["event"]
        if not self._is_for_us(event) or not self._people.is_from_a_person(payload):
            return
        channel, user = str(event["channel"]), str(event["user"])
        thread = Thread(payload["team_id"], channel, str(event.get("thread_ts") or event["ts"]), user)
        principal = self._people.author(payload)
        if principal is None:
            if thread.is_private:
                await self._tell(thread, STRANGER.format(user, thread.team))
        elif event.get("attachments"):
            await self._tell(thread, FORWARDED)
        elif event.get("subtype") == "file_share" or event.get("files"):
            await self._tell(thread, FILES)
        else:
            await self._say(thread, principal, from_slack(str(event.get("text", ""))).strip(), str(event["ts"]))

    async def greet(self, payload: Mapping[str, Any]) -> None:
        """Suggest prompts when a person opens a new thread with the assistant."""
        opened = payload["event"].get("assistant_thread") or {}
        if self._people.who(payload.get("team_id"), opened.get("user_id")) is None:
            return
        await self._client.assistant_threads_setSuggestedPrompts(
            channel_id=opened["channel_id"],
            thread_ts=opened["thread_ts"],
            title=WELCOME,
            prompts=[{"title": text, "message": text} for text in PROMPTS],
        )

    def _is_for_us(self, event: Mapping[str, Any]) -> bool:
        if event["type"] == "message":
            return event.get("channel_type") == "im"
        file = self._people.file
        return file is not None and event.get("channel") in file.channels

    async def _say(self, thread: Thread, principal: Principal, text: str, ts: str) -> None:
        try:
            if text.casefold() == STOP:
                await self._runner.cancel(principal, thread.conversation)
            else:
                # A message's time is its id: Slack sends an event again if it got no answer.
                await self._runner.start(principal, thread.conversation, text, run=f"slack-{ts}", client=CLIENT)
        except NotFoundError:
            await self._tell(thread, "Nothing is running here.")
        except (AgentError, StateError) as error:
            await self._tell(thread, f"{error}{HINT if getattr(error, 'status', 0) == 409 else ''}")

    async def _tell(self, thread: Thread, text: str) -> None:
        await tell(self._client, thread.channel, thread.user, text, thread=thread.ts)
