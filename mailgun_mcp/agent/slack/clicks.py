"""Clicks on the buttons of a question. One click answers; the approvals store decides who was first.

The asker answers in their own thread, as in any chat. In the approvers' channel, the same people may answer as on the
approvals page: principals with the scope `approve` who, at the higher levels, are not the asker.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from slack_sdk.webhook.async_client import AsyncWebhookClient

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.errors import AgentError, BusyError, NotFoundError
from mailgun_mcp.agent.http.requests import answer_run
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.slack import blocks
from mailgun_mcp.agent.slack.messages import CLIENT
from mailgun_mcp.agent.slack.notices import FAULTS, tell
from mailgun_mcp.agent.slack.people import People
from mailgun_mcp.agent.slack.questions import Questions
from mailgun_mcp.agent.slack.thread import Thread
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.answering import may_see
from mailgun_mcp.confirm.approvals import Approval
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.output.logs import logger
from mailgun_mcp.web.approvals.answers import AnswerRefused, Answers

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

STRANGER = "This app does not know you, so your click does not count."
NOT_YOURS = "Only the person who asked can answer here."
GONE = "This call no longer exists."
WRONG = "This is not the name. Type it as it is shown above."
IN_CHANNEL_ONLY = "Calls are approved in the approvers' channel here."


class Clicks:
    """Handles the answers of people."""

    def __init__(
        self, services: Services, runner: Runner, client: "AsyncWebClient", people: People, questions: Questions
    ) -> None:
        self._runner = runner
        self._client = client
        self._people = people
        self._questions = questions
        self._answers = Answers(services)

    async def press(self, payload: Mapping[str, Any]) -> None:
        """Handle a click on a button."""
        action = payload["actions"][0]
        pressed = _pressed(payload, str(action.get("value", "")))
        principal = self._people.clicker(payload)
        if principal is None:
            await self._tell(payload["user"]["id"], pressed, STRANGER)
            return
        if action["action_id"] == blocks.OPEN:
            return
        approval = await self._pending(pressed, principal, payload)
        if approval is None:
            return
        yes = action["action_id"] == blocks.APPROVE
        if yes and approval.typed is not None:
            await self._client.views_open(trigger_id=payload["trigger_id"], view=blocks.form(approval, pressed))
        else:
            await self._answer(payload, pressed, approval, principal, yes=yes, typed=None)

    async def wrong_name(self, payload: Mapping[str, Any]) -> dict[str, str] | None:
        """Return what is wrong with a submitted form, by field, or None."""
        pressed, typed = _sent(payload)
        try:
            approval = await self._questions.approval(pressed.approval)
        except UnknownNameError:
            return {blocks.TYPED: GONE}
        if approval.typed is not None and typed.strip() != approval.typed.strip():
            return {blocks.TYPED: WRONG}
        return None

    async def submit(self, payload: Mapping[str, Any]) -> None:
        """Handle a submitted form with the name that must be typed."""
        pressed, typed = _sent(payload)
        principal = self._people.clicker(payload)
        if principal is None:
            return
        approval = await self._pending(pressed, principal, payload)
        if approval is not None:
            await self._answer(payload, pressed, approval, principal, yes=True, typed=typed)

    async def _pending(
        self, pressed: blocks.Pressed, principal: Principal, payload: Mapping[str, Any]
    ) -> Approval | None:
        """Return the approval if the person may read it and it is pending. If not, respond and return None."""
        try:
            approval = await self._visible(pressed, principal, payload)
        except (UnknownNameError, NotFoundError):
            await self._tell(payload["user"]["id"], pressed, NOT_YOURS)
            return None
        if approval.status == "pending":
            return approval
        await self._replace(pressed, approval)
        return None

    async def _visible(self, pressed: blocks.Pressed, principal: Principal, payload: Mapping[str, Any]) -> Approval:
        """Return the approval if the person may read it where they clicked. Raises UnknownNameError, NotFoundError."""
        approval = await self._questions.approval(pressed.approval)
        if self._is_approvers_channel(pressed):
            if not may_see(approval, principal.access):
                raise UnknownNameError(pressed.approval)
            return approval
        thread = _thread(pressed, payload)
        if await self._runner.asked_for(principal, thread.conversation, approval.id):
            return approval
        raise NotFoundError(thread.conversation)

    async def _answer(
        self,
        payload: Mapping[str, Any],
        pressed: blocks.Pressed,
        approval: Approval,
        principal: Principal,
        *,
        yes: bool,
        typed: str | None,
    ) -> None:
        try:
            if self._is_approvers_channel(pressed):
                await self._answer_for_another(approval, principal, yes=yes, typed=typed)
            else:
                await self._answer_own(_thread(pressed, payload), approval, principal, yes=yes, typed=typed)
        except (AgentError, AnswerRefused, StateError) as error:
            now = await self._questions.approval(approval.id)
            if now.status == "pending":
                await self._tell(payload["user"]["id"], pressed, str(error))
                return
        await self._replace(pressed, await self._questions.approval(approval.id))

    async def _answer_for_another(
        self, approval: Approval, principal: Principal, *, yes: bool, typed: str | None
    ) -> None:
        if yes:
            await self._answers.approve(approval, principal, "chat", typed=typed)
        else:
            await self._answers.deny(approval, principal, "chat", reason="")

    async def _answer_own(
        self, thread: Thread, approval: Approval, principal: Principal, *, yes: bool, typed: str | None
    ) -> None:
        file = self._people.file
        if file is None or (yes and file.approve_in == "channel"):
            raise AnswerRefused(IN_CHANNEL_ONLY)
        answers = [Answer(approval.id, yes, typed)]
        try:
            await self._runner.answer(principal, thread.conversation, answers, run=answer_run(answers), client=CLIENT)
        except BusyError:
            # The answer counts. The current run goes on with it, or the next one.
            return

    def _is_approvers_channel(self, pressed: blocks.Pressed) -> bool:
        file = self._people.file
        return file is not None and file.approvers_channel == pressed.channel and not pressed.thread

    async def _replace(self, pressed: blocks.Pressed, approval: Approval) -> None:
        """Show the outcome in the message that was clicked, and in all others about the call."""
        if pressed.ephemeral and approval.status != "pending":
            await self._respond(
                pressed, replace_original=True, blocks=blocks.answered(approval), text=blocks.outcome(approval)
            )
        await self._questions.show_outcome(approval.id)

    async def _tell(self, user: str, pressed: blocks.Pressed, text: str) -> None:
        """Send a sentence that only the person who clicked sees."""
        await tell(self._client, pressed.channel, user, text, thread=pressed.thread or None)

    async def _respond(self, pressed: blocks.Pressed, **message: Any) -> None:
        try:
            webhook = AsyncWebhookClient(pressed.response_url, session=self._client.session)
            await webhook.send(**message)
        except FAULTS as error:
            logger().warning("a question in Slack could not be closed", error=str(error)[:300])


def _pressed(payload: Mapping[str, Any], value: str) -> blocks.Pressed:
    container = payload.get("container") or {}
    button = blocks.button_of(value)
    return blocks.Pressed(
        button.approval,
        button.thread,
        str(container.get("channel_id") or (payload.get("channel") or {}).get("id") or ""),
        str(container.get("message_ts") or ""),
        str(payload.get("response_url") or ""),
        bool(container.get("is_ephemeral")),
    )


def _sent(payload: Mapping[str, Any]) -> tuple[blocks.Pressed, str]:
    """Return where the form was opened, and what was typed."""
    view = payload["view"]
    pressed = blocks.Pressed(**json.loads(view["private_metadata"]))
    return pressed, str(view["state"]["values"][blocks.TYPED][blocks.TYPED].get("value") or "")


def _thread(pressed: blocks.Pressed, payload: Mapping[str, Any]) -> Thread:
    return Thread(payload["team"]["id"], pressed.channel, pressed.thread, payload["user"]["id"])
