"""The MCP extension for tasks (SEP-2663): a call that waits for approval becomes a task, which ends after the answer.

Only clients that declare the extension get tasks; others repeat the call. The call is made when its client asks for the
status, so it has the principal who made it, with the scopes they have then. Any replica can do that.
"""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import Field

from mailgun_mcp.call.call_tasks import CallTask, CallTasks
from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.scopes import missing_scopes
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.confirm.confirm import MODEL_ADVICE, because
from mailgun_mcp.confirm.pending import way_to_answer
from mailgun_mcp.errors import CallError, UnknownNameError, UnknownToolError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.output.logs import logger
from mailgun_mcp.request.received_files import MARK
from mailgun_mcp.server.call_results import APPROVAL, error_result, result_of
from mailgun_mcp.server.context import ServerContext, principal_of
from mailgun_mcp.server.description import COMPLETE, TASKS
from mailgun_mcp.server.direct_calls import Called
from mailgun_mcp.settings import shell_command
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.text.durations import iso
from mailgun_mcp.text.suggest import sentence

if TYPE_CHECKING:
    from mailgun_mcp.confirm.approvals import Approval

REQUIRED: dict[str, Any] = {"requiredCapabilities": {"extensions": {TASKS: {}}}}
POLL_MS = 5_000
LARGEST = 1_000_000
"""Maximum size of a task's arguments in characters. A larger call is answered as for clients without the extension."""
RENEWED_EVERY = 10.0
"""Seconds between two renewals of a claim."""
EXPIRED = "Not made: nobody answered in time, and the approval has expired. Nothing was sent. Make the call again to ask again."
USED = (
    "Not made: the same call was made on its own meanwhile, and used the approval. Nothing was sent by this task. Read "
    "the target before you make the call again."
)
INTERRUPTED = (
    "The server ended while it made this call. It may or may not have taken effect, and it is not repeated. Read the "
    "target before you make the call again."
)
GONE = "Not made: the approval of this call is no longer stored. Nothing was sent. Make the call again to ask again."


class TaskParams(types.RequestParams):
    """The parameters of `tasks/get` and `tasks/cancel`."""

    task_id: str = Field(max_length=64)


class UpdateParams(TaskParams):
    """The parameters of `tasks/update`. No task of ours asks the client for anything."""

    input_responses: dict[str, Any]


class Tasks:
    """The tasks of one server."""

    def __init__(self, services: Services, principal: Principal | None, called: Called) -> None:
        self._services = services
        self._principal = principal
        self._called = called
        self._tasks = CallTasks(services.store)

    def add_to(self, server: Server[dict[str, Any]]) -> None:
        """Announce the extension and answer its methods."""
        server.extensions |= {TASKS: {}}
        server.add_request_handler("tasks/get", TaskParams, self._get)
        server.add_request_handler("tasks/update", UpdateParams, self._update)
        server.add_request_handler("tasks/cancel", TaskParams, self._cancel)

    async def created(
        self, context: ServerContext, caller: Caller, tool: str, arguments: Arguments, outcome: CallResult
    ) -> dict[str, Any] | None:
        """Return a new task for a call that waits for approval, or None to answer it as without tasks."""
        if outcome.approval is None or not declares_tasks(context):
            return None
        text = json.dumps(arguments, ensure_ascii=False)
        if len(text) > LARGEST or MARK in text:
            # Files that came with the message exist only during this call.
            return None
        try:
            task = await in_thread(self._create, caller, tool, arguments, outcome.approval["id"])
            approval = await in_thread(self._services.approvals.get, task.approval, self._services.clock())
        except CallError as error:
            logger().error("a call that waits for an approval cannot be a task", reason=str(error))
            return None
        return {**self._shown(task, approval), "resultType": "task", "_meta": {APPROVAL: outcome.approval}}

    def _create(self, caller: Caller, tool: str, arguments: Arguments, approval: str) -> CallTask:
        now, ttl = self._services.clock(), self._services.policy.confirmation.ttl
        return self._tasks.create(caller.principal.id, caller.client, tool, arguments, approval, now=now, ttl=ttl)

    async def _get(self, context: ServerContext, params: TaskParams) -> dict[str, Any]:
        principal, task = await self._own_task(context, params.task_id)
        approval: Approval | None = None
        message: str | None = None
        if task.status == "running" and task.claimed_until <= self._services.clock():
            await self._end(task, error_result(INTERRUPTED))
        elif task.status == "waiting":
            approval = await self._approval(task)
            message = await self._advanced(task, approval, principal)
        _, task = await self._own_task(context, params.task_id)
        if task.status == "waiting":
            approval = await self._approval(task)
        return {**COMPLETE, **self._shown(task, approval, message)}

    async def _update(self, context: ServerContext, params: UpdateParams) -> dict[str, Any]:
        """Acknowledge the request, as the extension requires. It answers no question, as we ask none."""
        await self._own_task(context, params.task_id)
        return dict(COMPLETE)

    async def _cancel(self, context: ServerContext, params: TaskParams) -> dict[str, Any]:
        """Withdraw the request for approval. A call that has started goes on, and its task says how it ended."""
        principal, task = await self._own_task(context, params.task_id)
        if task.status == "waiting":
            await in_thread(self._withdraw, task, principal)
        return dict(COMPLETE)

    async def _own_task(self, context: ServerContext, name: str) -> tuple[Principal, CallTask]:
        """Return the caller and their task of that name. Raises MCPError, also for a client without tasks."""
        if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            raise MCPError(types.METHOD_NOT_FOUND, "Method not found")
        if not declares_tasks(context):
            raise missing_capability()
        _check_header(context, name)
        principal = principal_of(context, self._principal)
        task = await in_thread(self._tasks.find, name, principal.id, self._services.clock())
        if task is None:
            raise MCPError(types.INVALID_PARAMS, "There is no such task: it does not exist, or has expired")
        return principal, task

    async def _approval(self, task: CallTask) -> "Approval | None":
        try:
            return await in_thread(self._services.approvals.get, task.approval, self._services.clock())
        except UnknownNameError:
            return None

    async def _advanced(self, task: CallTask, approval: "Approval | None", principal: Principal) -> str | None:
        """Make the call or end the task, as the person's answer says. Return what it waits for, if not for a person."""
        match approval.status if approval else None:
            case "pending":
                return None
            case "approved" | "stale":
                missing = await missing_scopes(self._services, principal.access, task.tool, task.arguments)
                if missing:
                    return f"The call waits for a token with the scope {' and '.join(sorted(missing))}"
                await self._make(task, principal)
            case "denied" if approval is not None:
                answer = approval.answers[-1]
                text = f"Not made: {answer.by} denied it{because(answer.reason)}. Nothing was sent. {MODEL_ADVICE}"
                await self._end(task, error_result(text))
            case "withdrawn":
                await in_thread(self._tasks.cancel, task, self._services.clock())
            case status:
                text = {"expired": EXPIRED, "used": USED}.get(status or "", GONE)
                await self._end(task, error_result(text))
        return None

    async def _make(self, task: CallTask, principal: Principal) -> None:
        """Make the call, unless another server makes it. It goes on when the client stops listening."""
        if not await in_thread(self._tasks.claim, task, self._services.clock()):
            return
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as group:
                group.start_soon(self._renew, task)
                await self._call(replace(task, status="running"), principal)
                group.cancel_scope.cancel()

    async def _renew(self, task: CallTask) -> None:
        while True:
            await anyio.sleep(RENEWED_EVERY)
            await in_thread(self._tasks.renew, task, self._services.clock())

    async def _call(self, task: CallTask, principal: Principal) -> None:
        caller = Caller(principal, client=task.client)
        try:
            outcome = await run(self._services, task.tool, task.arguments, caller)
        except UnknownToolError as error:
            await self._fail(task, types.INVALID_PARAMS, sentence(str(error)))
            return
        except Exception:  # noqa: BLE001 - like the server's middleware for a call without a task
            logger().exception("the call of a task failed", tool=task.tool)
            await self._fail(task, types.INTERNAL_ERROR, "Internal error")
            return
        if outcome.approval is not None:
            await in_thread(self._tasks.wait, task, outcome.approval["id"], self._services.clock())
            return
        await self._end(task, result_of(outcome))
        if not outcome.is_error:
            await self._called(task.tool, task.arguments)

    async def _end(self, task: CallTask, result: dict[str, Any]) -> None:
        await in_thread(self._tasks.end, task, "completed", result, self._services.clock())

    async def _fail(self, task: CallTask, code: int, message: str) -> None:
        await in_thread(self._tasks.end, task, "failed", {"code": code, "message": message}, self._services.clock())

    def _withdraw(self, task: CallTask, principal: Principal) -> None:
        from mailgun_mcp.audit.actions import recorded_action

        services = self._services
        with recorded_action(
            services.audit_log,
            "approvals withdraw",
            by=principal.id,
            client=task.client,
            details={"id": task.approval, "tool": task.tool},
            clock=services.clock,
        ):
            if self._tasks.cancel(task, services.clock()):
                try:
                    services.approvals.withdraw(task.approval, principal=principal.id, now=services.clock())
                except UnknownNameError:
                    return

    def _shown(self, task: CallTask, approval: "Approval | None", message: str | None = None) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "taskId": task.id,
            "status": "working" if task.status in ("waiting", "running") else task.status,
            "createdAt": iso(task.created),
            "lastUpdatedAt": iso(task.updated),
            "ttlMs": int((task.expires - task.created) * 1000),
            "pollIntervalMs": POLL_MS,
        }
        message = message or self._message(task, approval)
        payload = {"completed": "result", "failed": "error"}.get(task.status)
        return {
            **shown,
            **({"statusMessage": message} if message else {}),
            **({payload: task.outcome} if payload else {}),
        }

    def _message(self, task: CallTask, approval: "Approval | None") -> str | None:
        if task.status == "failed":
            return str(task.outcome["message"])
        if task.status == "running":
            return "Approved. The call is being made."
        if task.status != "waiting" or approval is None:
            return None
        command = shell_command("approvals", "approve", approval.id, state=self._services.store.command_directory)
        return (
            f"Waits for approval {approval.id} until {iso(approval.expires)}; nothing was sent yet. "
            f"{way_to_answer(approval.id, command, self._services.approvals_page)} Then the call is "
            "made once, when this task is read. Do not make it again."
        )


def declares_tasks(context: ServerContext) -> bool:
    """Return whether this request's client can be given a task."""
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return False
    capabilities = context.session.client_capabilities
    return bool(capabilities and TASKS in (capabilities.extensions or {}))


def missing_capability() -> MCPError:
    """Return the error for a client that did not declare the extension."""
    return MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "Missing required client capability", REQUIRED)


def _check_header(context: ServerContext, name: str) -> None:
    """Raise MCPError if the header that routes the request names another task."""
    request = context.request
    header = request.headers.get("mcp-name") if request is not None else None
    if header is not None and header != name:
        raise MCPError(types.HEADER_MISMATCH, "The header Mcp-Name does not match taskId")
