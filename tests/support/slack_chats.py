"""Chats in Slack: a runner with a scripted model, served to a fake Slack."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from mailgun_mcp.agent.slack.served import ServedSlack, serve_slack
from tests.support.chat_ways import Seen
from tests.support.chats import ANN, BEN, Chat
from tests.support.fake_slack import SECRETS, TEAM, FakeSlack, Workspace, fake_slack, text_of

U_ANN, U_BEN, U_EVE = "U0ANN", "U0BEN", "U0EVE"
"""Eve is in the workspace, and nobody here."""
OFFICE, APPROVERS = "C0OFFICE", "C0APPROVERS"
EVERYTHING = ["read", "write", "send", "destructive", "credential", "billing"]
USERS = {
    U_ANN: {"principal": ANN.id, "scopes": EVERYTHING},
    U_BEN: {"principal": BEN.id, "scopes": [*EVERYTHING, "approve"]},
}
PAGE = "https://mail-admin.example.com/approvals"


def write_file(directory: Path, **content: Any) -> Path:
    """Write the operator's file, and return its path."""
    path = directory / "slack.yaml"
    path.write_text(json.dumps({"team": TEAM, "users": USERS, **content}), encoding="utf-8")
    return path


class SlackChat:
    """A chat in Slack."""

    def __init__(
        self,
        chat: Chat,
        served: ServedSlack,
        slack: FakeSlack,
        people: Workspace,
        file: Path,
        client: httpx.AsyncClient,
    ) -> None:
        self.chat = chat
        self.client = client
        self.served = served
        self.slack = slack
        self.people = people
        self.file = file

    async def settled(self) -> None:
        """Wait until everything that was begun is shown."""
        await self.served.app.settled()

    async def asked(self, text: str = "Clear the bounces.", **where: Any) -> str:
        """Have ann write a message, and return the time of the question that it leads to."""
        before = self.people.questions()
        await self.people.message(text, **{"user": U_ANN, **where})
        (ts, *_) = [ts for ts in self.people.questions() if ts not in before]
        return ts


@asynccontextmanager
async def slack_chat(
    *responses: Any, chat: Chat | None = None, page: str | None = PAGE, **content: Any
) -> AsyncIterator[SlackChat]:
    """Give a chat in Slack. `content` is what the operator's file has besides the team and the users."""
    async with fake_slack() as slack, chat or Chat(*responses) as talk:
        file = write_file(talk.state, api_url=f"{slack.url}/api/", **content)
        served = serve_slack(talk.services, talk.runner, str(file), page, SECRETS)
        app: Any = served.apps.get("/slack") or Starlette()
        transport = httpx.ASGITransport(app=app)
        async with served.running(), httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            people = Workspace(slack, None if content.get("socket_mode") else client, served.app.settled)
            try:
                yield SlackChat(talk, served, slack, people, file, client)
            finally:
                await talk.runner.aclose()


NOBODY = {ANN.id: U_ANN, BEN.id: U_BEN}


class SlackWay:
    """Slack, as the people of a workspace use it."""

    def __init__(self, chat: SlackChat) -> None:
        self._chat = chat
        self._thread: str | None = None
        self._typed: dict[str, str] = {}

    async def ask(self, text: str) -> Seen:
        people, before = self._chat.people, self._chat.slack.shown()
        questions = people.questions()
        payload = await people.message(text, user=U_ANN, thread=self._thread)
        self._thread = self._thread or payload["event"]["ts"]
        return self._seen(before, [ts for ts in people.questions() if ts not in questions])

    async def answer(
        self, approval: dict[str, str], *, yes: bool, typed: bool = True, edited: bool = False, by: str = ANN.id
    ) -> Seen:
        people, before, user = self._chat.people, self._chat.slack.shown(), NOBODY.get(by, U_EVE)
        questions = people.questions()
        button = people.buttons(approval["ts"]).get("Allow" if yes else "Refuse") or self._typed_button(approval)
        if edited:
            button = {**button, "arguments": {"domain": "victim.example"}}
        words = approval["typed"] if yes and typed else "not now" if yes else None
        await people.press(approval["ts"], "", user=user, typed=words, button=button)
        seen = self._seen(before, [ts for ts in people.questions() if ts not in questions])
        refused = {"Only the person who asked": 404, "does not know you": 403}
        return next((Seen(status, seen.text) for words, status in refused.items() if words in seen.text), seen)

    async def forge(self, approval: str) -> Seen:
        people, slack = self._chat.people, self._chat.slack
        button = {"action_id": "mailgun_approve", "value": f"{approval}|{self._thread or '1.1'}"}
        ts = slack.time()
        slack.messages[ts] = {"channel": "D0ANN", "thread_ts": self._thread}
        before = slack.shown()
        await people.press(ts, "", user=U_ANN, button=button)
        return self._seen(before, [])

    def _typed_button(self, approval: dict[str, str]) -> dict[str, Any]:
        """Return the button as it was before the message said what became of the call."""
        return {"action_id": "mailgun_approve", "value": approval["button"]}

    def _seen(self, before: str, questions: list[str]) -> Seen:
        people, slack = self._chat.people, self._chat.slack
        asked = []
        for ts in questions:
            button = people.buttons(ts)["Refuse"]
            name = button["value"].partition("|")[0]
            typed = [line for line in text_of(slack.messages[ts]).splitlines() if line.startswith("To confirm, type: ")]
            asked.append(
                {"id": name, "ts": ts, "button": button["value"], "typed": typed[0][18:].strip() if typed else ""}
            )
        shown = slack.shown()
        return Seen(200, shown[len(before) :] if shown.startswith(before) else shown, asked)
