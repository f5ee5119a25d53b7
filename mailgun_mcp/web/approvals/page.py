"""The pages of pending calls: the list, each call with its form, and the routes that take answers."""

from collections.abc import AsyncGenerator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.answering import may_see
from mailgun_mcp.confirm.approvals import Approval
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.identity.access import APPROVE
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.web.approvals.answers import AnswerRefused, Answers
from mailgun_mcp.web.approvals.changes import ApprovalChanges, digest_of
from mailgun_mcp.web.approvals.views import ApprovalView, channel_of, view, visible
from mailgun_mcp.web.pages.pages import PageRequest, Pages

TEMPLATES = (Path(__file__).parent / "templates",)
HOME = "/approvals"
RECENT = 10
"""Number of answered calls that are listed below the pending ones."""
BEAT = 20.0
"""Seconds between two signs of life on a stream."""
NOTICES = {
    "approved": "Approved. The call runs once, when the assistant makes it again.",
    "one-more": "Your approval is recorded. One more person must approve the call.",
    "denied": "Denied. The call is not made, and the assistant is told.",
}
"""Word in the URL after an answer -> the message that the person sees."""


class ApprovalsPage:
    """The routes of the page."""

    def __init__(self, services: Services, pages: Pages, changes: ApprovalChanges) -> None:
        self._services = services
        self._pages = pages
        self._changes = changes
        self._answers = Answers(services)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self._pages.route(HOME, self._list, scope=APPROVE),
            self._pages.route(f"{HOME}/events", self._events, scope=APPROVE, document=False),
            self._pages.route(f"{HOME}/{{id}}", self._show, scope=APPROVE),
            self._pages.form_route(f"{HOME}/{{id}}/approve", self._approve, scope=APPROVE),
            self._pages.form_route(f"{HOME}/{{id}}/deny", self._deny, scope=APPROVE),
        ]

    async def _list(self, page: PageRequest) -> Response:
        approvals = visible(await in_thread(self._services.approvals.list, page.now), page.session.principal)
        pending = [self._view(approval, page) for approval in approvals if approval.status == "pending"]
        answered = [self._view(approval, page) for approval in approvals if approval.status != "pending"]
        return page.render(
            TEMPLATES,
            "list.html",
            pending=sorted(pending, key=lambda one: one.approval.expires),
            answered=answered[::-1][:RECENT],
            digest=digest_of(tuple(approvals)),
        )

    async def _show(self, page: PageRequest) -> Response:
        return await self._shown(page)

    async def _shown(self, page: PageRequest, fault: str | None = None) -> Response:
        """Return the page of one call. `fault` says what was wrong with the answer."""
        shown = self._view(await self._find(page), page)
        notice = NOTICES.get(page.request.query_params.get("notice", ""))
        return page.render(TEMPLATES, "show.html", 400 if fault else 200, shown=shown, fault=fault, notice=notice)

    async def _approve(self, page: PageRequest) -> Response:
        approval = await self._find(page)
        try:
            answered = await self._answers.approve(
                approval, page.session.principal, channel_of(page.session), typed=page.form.get("typed")
            )
        except AnswerRefused as error:
            return await self._shown(page, str(error))
        notice = "approved" if answered.status == "approved" else "one-more"
        return page.redirect(f"{HOME}/{approval.id}?notice={notice}")

    async def _deny(self, page: PageRequest) -> Response:
        approval = await self._find(page)
        try:
            await self._answers.deny(
                approval, page.session.principal, channel_of(page.session), reason=page.form.get("reason", "")
            )
        except AnswerRefused as error:
            return await self._shown(page, str(error))
        return page.redirect(f"{HOME}/{approval.id}?notice=denied")

    async def _find(self, page: PageRequest) -> Approval:
        name = str(page.request.path_params["id"])
        approval = await in_thread(self._services.approvals.get, name, page.now)
        if not may_see(approval, page.session.principal.access):
            raise UnknownNameError(f"There is no approval {name}")
        return approval

    def _view(self, approval: Approval, page: PageRequest) -> ApprovalView:
        return view(approval, page.session.principal, channel_of(page.session), page.now)

    async def _events(self, page: PageRequest) -> Response:
        """Return a stream with an event for each change. Events are empty: the script then fetches what changed."""
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(page.request), media_type="text/event-stream", headers=headers)

    async def _stream(self, request: Request) -> AsyncGenerator[str, None]:
        seen = request.headers.get("last-event-id", "")
        while await self._pages.find_session(request) is not None:
            try:
                digest = await self._changes.wait(seen, BEAT)
            except StateError:
                return
            yield f"id: {digest}\nevent: changed\ndata: {digest}\n\n" if digest != seen else ": alive\n\n"
            seen = digest
