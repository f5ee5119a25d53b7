"""What every chat protocol does with a request: find its caller, read its JSON, and answer errors with their status."""

import json
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.errors import AgentError, BadMessageError, ForbiddenError, TooLargeError
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.text.json_faults import json_fault
from mailgun_mcp.web.bodies import BodyTooLargeError, read_bounded
from mailgun_mcp.web.principal import principal_in
from mailgun_mcp.web.query import QueryError, check_query

MOST = 4 * 1024 * 1024
"""Maximum size of a body in bytes. Clients send the whole chat along, although it is not read."""
ATTACHMENTS = frozenset(
    {"image", "image_url", "input_image", "file", "input_file", "document", "audio", "input_audio", "video", "binary"}
)
"""What the protocols call parts of a message that are not text."""
LEFT_OUT = "[Attachments that were left out, because this assistant reads only text: {}]"
NOT_AUTHENTICATED = (
    "This server does not know who you are, so you cannot say yes here: anyone on this machine could. Answer with "
    "`mailgun-mcp approvals approve {}` in a terminal."
)

RELAY = (
    "This token belongs to a program that relays answers of people. "
    "It must send them to the approvals API, with their names."
)

Handler = Callable[[Request], Awaitable[Response]]


def answering(handler: Handler, *, parameters: Sequence[str] | None = None) -> Handler:
    """Return a handler that answers errors with their status and text.

    `parameters` are those of the query. None: any, because another's protocol has the route.
    """

    async def handle(request: Request) -> Response:
        try:
            if parameters is not None:
                check_query(request, parameters)
            return await handler(request)
        except AgentError as error:
            return failure(error)
        except QueryError as error:
            return failure(BadMessageError(str(error)))
        except StateError as error:
            return JSONResponse({"error": {"message": str(error), "type": "StateError"}}, 503)
        except ClientDisconnect:
            return Response(status_code=400)

    return handle


def failure(error: AgentError) -> JSONResponse:
    """Return an error as JSON, in a form that OpenAI's clients also understand."""
    content = {"message": str(error), "type": error.kind, "code": error.code, "param": None}
    approvals = getattr(error, "approvals", None)
    return JSONResponse({"error": {**content, **({"approvals": list(approvals)} if approvals else {})}}, error.status)


def caller(request: Request) -> Principal:
    """Return who made the request."""
    return principal_in(request.scope)


async def read_whole(request: Request) -> bytes:
    """Return the bytes of the body. Raises TooLargeError."""
    try:
        return await read_bounded(request, MOST)
    except BodyTooLargeError as error:
        raise TooLargeError(f"The request has more than {MOST:,} bytes.") from error


async def json_object(request: Request) -> dict[str, Any]:
    """Return the body of a request. Raises BadMessageError, TooLargeError."""
    body = await read_whole(request)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadMessageError(f"The body cannot be read: {json_fault(body)}.") from error
    if not isinstance(value, dict):
        raise BadMessageError("The request must be a JSON object.")
    return value


def text_of(content: Any) -> str:
    """Return the text of a message: a string, or the text among its parts, with a note if it also has files or images."""
    if isinstance(content, str):
        return content
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if part.get("type") in ("text", "input_text")]
    text = "\n".join(text for text in texts if isinstance(text, str))
    files = sum(part.get("type") in ATTACHMENTS for part in parts)
    return f"{text}\n{LEFT_OUT.format(files)}" if text.strip() and files else text


def check_answers(principal: Principal, answers: list[Answer]) -> list[Answer]:
    """Return the answers. Raises ForbiddenError for a yes from an unauthenticated person or a relay."""
    for answer in answers:
        if answer.yes and not principal.authenticated:
            raise ForbiddenError(NOT_AUTHENTICATED.format(answer.approval))
        if answer.yes and principal.access.relay:
            raise ForbiddenError(RELAY)
    return answers


def answer_run(answers: list[Answer]) -> str:
    """Return a run id for these answers, so that the same answers belong to the same run."""
    parts = sorted([answer.approval, answer.yes] for answer in answers)
    return f"answer-{sha256(json.dumps(parts).encode()).hexdigest()[:24]}"


def key_of(request: Request, principal: Principal) -> str | None:
    """Return what the header `Idempotency-Key` makes of ids, another for each caller, or None without one."""
    key = request.headers.get("idempotency-key")
    return sha256(json.dumps([principal.id, key]).encode()).hexdigest()[:24] if key else None


def message_run(*parts: str) -> str:
    """Return a run id for a message that has an id from the client."""
    return f"message-{sha256(json.dumps(parts).encode()).hexdigest()[:24]}"
