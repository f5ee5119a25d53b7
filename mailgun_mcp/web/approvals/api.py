"""The approvals API for programs: list, read, approve, deny, wait. Needs a token with the scope `mailgun:approve`."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, get_args

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.answering import may_see
from mailgun_mcp.confirm.approvals import Approval, ApprovalStatus
from mailgun_mcp.errors import CallError, UnknownNameError
from mailgun_mcp.identity.access import APPROVE
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.output.logs import logger
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.web.approvals.answers import AnswerRefused, Answers
from mailgun_mcp.web.approvals.changes import ApprovalChanges, digest_of
from mailgun_mcp.web.approvals.json_bodies import ApiError, read_body, seconds
from mailgun_mcp.web.approvals.openapi import document
from mailgun_mcp.web.approvals.views import visible
from mailgun_mcp.web.principal import principal_in
from mailgun_mcp.web.query import QueryError, check_query

PREFIX = "/api"
APPROVALS = f"{PREFIX}/approvals"
STATUSES = (*get_args(ApprovalStatus), "all")
WAIT, LONGEST_WAIT = 30.0, 60.0
LONGEST_NAME = 200
"""Maximum length of the name of a person for whom a program answers, in characters."""
NOT_FOR_ANSWERS = (
    "The API needs a token with the scope mailgun:approve: `mailgun-mcp tokens new NAME --scopes approve`. "
    "The token of the state directory belongs to the client that makes the calls, so it cannot answer them."
)
Handler = Callable[[Request, Principal], Awaitable[Any]]


class ApprovalsApi:
    """The routes of the API."""

    def __init__(self, services: Services, changes: ApprovalChanges) -> None:
        self._services = services
        self._changes = changes
        self._answers = Answers(services)

    def app(self) -> Starlette:
        """Return the app. The layers around it have authenticated the caller."""
        routes = [
            self._route("GET", f"{PREFIX}/openapi.json", self._document),
            self._route("GET", APPROVALS, self._list, "status"),
            self._route("GET", f"{APPROVALS}/wait", self._wait_for_any, "status", "state", "seconds"),
            self._route("GET", f"{APPROVALS}/{{id}}", self._get),
            self._route("GET", f"{APPROVALS}/{{id}}/wait", self._wait, "seconds"),
            self._route("POST", f"{APPROVALS}/{{id}}/approve", self._approve),
            self._route("POST", f"{APPROVALS}/{{id}}/deny", self._deny),
        ]
        app = Starlette(routes=routes, exception_handlers={HTTPException: _no_route})
        # Every answer is JSON, so none redirects.
        app.router.redirect_slashes = False
        return app

    def _route(self, method: str, path: str, handler: Handler, *parameters: str) -> Route:
        async def answer(request: Request) -> Response:
            try:
                caller = _caller(request)
                check_query(request, parameters)
                return JSONResponse(await handler(request, caller), headers={"Cache-Control": "no-store"})
            except ApiError as error:
                return error.response()
            except QueryError as error:
                return ApiError(400, "invalid", str(error)).response()
            except UnknownNameError:
                return ApiError(404, "not_found", "There is no approval with this id.").response()
            except AnswerRefused as error:
                return ApiError(409, "refused", str(error)).response()
            except CallError as error:
                logger().error("the approvals API failed", reason=str(error))
                message = "The state cannot be read or written at the moment. Nothing was done. Try again."
                return ApiError(503, "unavailable", message).response()

        return Route(path, answer, methods=[method])

    async def _document(self, request: Request, caller: Principal) -> Mapping[str, Any]:  # noqa: ARG002 - as all handlers
        return document()

    async def _list(self, request: Request, caller: Principal) -> Mapping[str, Any]:
        status = _status(request)
        return _listing(await in_thread(self._services.approvals.list, self._services.clock()), caller, status)

    async def _wait_for_any(self, request: Request, caller: Principal) -> Mapping[str, Any]:
        """Return the list as soon as it differs from the state that the query parameter `state` names."""
        status = _status(request)
        span = seconds(request.query_params.get("seconds"), WAIT, LONGEST_WAIT)
        await self._changes.wait(request.query_params.get("state", ""), span)
        return _listing(await self._changes.current(), caller, status)

    async def _get(self, request: Request, caller: Principal) -> Mapping[str, Any]:
        return (await self._find(request, caller)).full_record

    async def _wait(self, request: Request, caller: Principal) -> Mapping[str, Any]:
        """Return the approval as soon as it is no longer pending."""
        span = seconds(request.query_params.get("seconds"), WAIT, LONGEST_WAIT)
        approval = await self._find(request, caller)
        if approval.status == "pending":
            await self._changes.wait_for(approval.id, span)
            approval = await self._find(request, caller)
        return approval.full_record

    async def _approve(self, request: Request, caller: Principal) -> Mapping[str, Any]:
        body = await read_body(request, ("typed", "on_behalf_of"))
        approval = await self._find(request, caller)
        person, relay = _person(caller, body)
        answered = await self._answers.approve(approval, person, "api", typed=body.get("typed"), relay=relay)
        return answered.full_record

    async def _deny(self, request: Request, caller: Principal) -> Mapping[str, Any]:
        body = await read_body(request, ("reason", "on_behalf_of"))
        approval = await self._find(request, caller)
        person, relay = _person(caller, body)
        answered = await self._answers.deny(approval, person, "api", reason=body.get("reason", ""), relay=relay)
        return answered.full_record

    async def _find(self, request: Request, caller: Principal) -> Approval:
        name = str(request.path_params["id"])
        approval = await in_thread(self._services.approvals.get, name, self._services.clock())
        if not may_see(approval, caller.access):
            raise UnknownNameError(f"there is no approval {name}")
        return approval


def _caller(request: Request) -> Principal:
    """Return who calls. Their token must have been made for answering: the operator's own client token was not."""
    caller = principal_in(request.scope)
    if not caller.authenticated or caller.access.scopes is None:
        raise ApiError(403, "insufficient_scope", NOT_FOR_ANSWERS)
    if APPROVE not in caller.access.scopes:
        raise ApiError(403, "insufficient_scope", f"The token of {caller} does not have the scope {APPROVE}.")
    return caller


def _person(caller: Principal, body: Mapping[str, str]) -> tuple[Principal, str | None]:
    """Return whose answer it is, and the program that passes it on (or None). Raises ApiError."""
    name = body.get("on_behalf_of", "").strip()
    if "on_behalf_of" not in body:
        if caller.access.relay:
            raise ApiError(
                400, "invalid", "on_behalf_of is missing: say whose answer it is. This token relays answers of people."
            )
        return caller, None
    if not caller.access.relay:
        message = f"The token of {caller} does not relay answers: make one that does with `mailgun-mcp tokens new NAME --relay`."
        raise ApiError(403, "not_a_relay", message)
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ApiError(400, "invalid", f"on_behalf_of must be a name of at most {LONGEST_NAME} characters.")
    return Principal(name, access=caller.access), caller.id


def _status(request: Request) -> str:
    status = request.query_params.get("status", "pending")
    if status not in STATUSES:
        raise ApiError(400, "invalid", f"status must be one of {', '.join(STATUSES)}.")
    return status


def _listing(approvals: tuple[Approval, ...], caller: Principal, status: str) -> Mapping[str, Any]:
    shown = [one for one in visible(approvals, caller) if status in ("all", one.status)]
    return {"state": digest_of(approvals), "approvals": [one.record for one in shown]}


async def _no_route(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        return ApiError(405, "method_not_allowed", "Method not allowed.").response()
    return ApiError(status, "not_found", "Not found. See /api/openapi.json.").response()
