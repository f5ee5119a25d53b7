"""The messages that ask a person about a call: where they are posted, and what they show after the answer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailgun_mcp.agent.slack import blocks
from mailgun_mcp.agent.slack.notices import FAULTS, QUIET
from mailgun_mcp.agent.slack.people import People
from mailgun_mcp.agent.slack.thread import Thread
from mailgun_mcp.agent.threads import in_thread
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.approvals import Approval
from mailgun_mcp.output.logs import logger
from mailgun_mcp.settings import shell_command

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

LOCK = "Slack questions"
"""Lock for transactions that write these messages, so that no two run at once."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that asks about a call."""

    channel: str
    ts: str


class Questions:
    """The questions of one server."""

    def __init__(self, services: Services, client: "AsyncWebClient", people: People, page: str | None) -> None:
        """`page` is the URL of the approvals page."""
        self._services = services
        self._client = client
        self._people = people
        self._page = page

    async def ask(self, thread: Thread, body: dict[str, Any]) -> None:
        """Ask the person who wanted the call. If somebody else must answer, also ask in the approvers' channel."""
        file = self._people.file
        if file is None:
            return
        approval = await self.approval(body["approval"])
        in_channel = file.approvers_channel is not None and (not body["answerable"] or file.approve_in == "channel")
        if in_channel and file.approvers_channel is not None:
            question = self._blocks(approval, "", may_approve=True, where=self._elsewhere(approval))
            await self._post(approval, question, channel=file.approvers_channel)
        where = blocks.IN_CHANNEL if in_channel else self._elsewhere(approval)
        question = self._blocks(approval, thread.ts, may_approve=body["answerable"] and not in_channel, where=where)
        if thread.is_private:
            await self._post(approval, question, channel=thread.channel, thread_ts=thread.ts)
        else:
            await self._client.chat_postEphemeral(
                channel=thread.channel,
                user=thread.user,
                thread_ts=thread.ts,
                blocks=question,
                text=blocks.summary(approval),
            )

    async def approval(self, name: str) -> Approval:
        """Return an approval. Raises UnknownNameError."""
        return await in_thread(self._services.approvals.get, name, self._services.clock())

    async def show_outcome(self, name: str) -> None:
        """Show the outcome in every message about a call. Those that only one person sees change by their clicks."""
        approval = await self.approval(name)
        for posted in await in_thread(self._posted, name):
            try:
                if approval.status == "pending":
                    await self._show_progress(approval, posted)
                else:
                    await self._client.chat_update(
                        channel=posted.channel,
                        ts=posted.ts,
                        blocks=blocks.answered(approval),
                        text=blocks.outcome(approval),
                    )
            except FAULTS as error:
                logger().warning("a question in Slack could not be closed", approval=name, error=str(error)[:300])
        if approval.status != "pending":
            await in_thread(self._forget, name)

    async def _show_progress(self, approval: Approval, posted: Posted) -> None:
        file = self._people.file
        if file is None or posted.channel != file.approvers_channel:
            return
        question = self._blocks(approval, "", may_approve=True, where=self._elsewhere(approval))
        progress = blocks.notice(blocks.outcome(approval))
        await self._client.chat_update(
            channel=posted.channel, ts=posted.ts, blocks=[*question, *progress], text=blocks.summary(approval)
        )

    def _blocks(self, approval: Approval, thread: str, *, may_approve: bool, where: str) -> blocks.Blocks:
        page = f"{self._page}/{approval.id}" if self._page else None
        return blocks.question(approval, thread, may_approve=may_approve, where=where, page=page)

    def _elsewhere(self, approval: Approval) -> str:
        if self._page:
            return "on the approvals page"
        command = shell_command("approvals", "approve", approval.id, state=self._services.store.command_directory)
        return f"with `{command}` in a terminal"

    async def _post(self, approval: Approval, question: blocks.Blocks, **where: Any) -> None:
        text = blocks.summary(approval)
        answer = await self._client.chat_postMessage(blocks=question, text=text, **QUIET, **where)
        await in_thread(self._keep, approval.id, Posted(str(answer["channel"]), str(answer["ts"])))

    def _keep(self, approval: str, posted: Posted) -> None:
        with self._services.store.writing(lock=LOCK) as connection:
            connection.execute(
                "INSERT INTO slack_questions (approval, channel, ts) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (approval, posted.channel, posted.ts),
            )

    def _posted(self, approval: str) -> list[Posted]:
        with self._services.store.reading() as connection:
            rows = connection.execute(
                "SELECT channel, ts FROM slack_questions WHERE approval = ?", (approval,)
            ).fetchall()
        return [Posted(row["channel"], row["ts"]) for row in rows]

    def _forget(self, approval: str) -> None:
        with self._services.store.writing(durable=False, lock=LOCK) as connection:
            connection.execute("DELETE FROM slack_questions WHERE approval = ?", (approval,))
