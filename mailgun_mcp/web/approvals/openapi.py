"""The OpenAPI document of the approvals API."""

from functools import cache
from typing import Any

from mailgun_mcp import __version__
from mailgun_mcp.confirm.bounded_text import LONGEST_REASON

TEXT: dict[str, Any] = {"type": "string"}
TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}
BEHALF = {**TEXT, "description": "The person whose answer it is. Only for tokens that relay, which must name one."}
ERRORS = {
    "400": "The request is not valid.",
    "401": "The token is missing or not valid.",
    "403": "The token does not have the scope that this needs.",
    "404": "There is no such approval.",
    "409": "The answer was not accepted. The message says why.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "503": "The state cannot be used at the moment.",
}


@cache
def document() -> dict[str, Any]:
    """Return the document."""
    wait = _query("seconds", {"type": "number", "minimum": 0, "maximum": 60, "default": 30}, "The longest wait.")
    status = _query("status", {**TEXT, "enum": [*_STATUSES, "all"], "default": "pending"}, "Only those of this status.")
    state = _query("state", TEXT, "The `state` of the list that the caller already has.")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Approvals of mailgun-mcp",
            "version": __version__,
            "description": "Calls that wait for a person, and the answers to them.",
        },
        "security": [{"token": []}],
        "paths": {
            "/api/openapi.json": {"get": _get("document", "This document", {"type": "object"}, [])},
            "/api/approvals": {"get": _get("list", "List approvals", _ref("List"), [status])},
            "/api/approvals/wait": {
                "get": _get("wait_for_any", "Wait until the list changes", _ref("List"), [status, state, wait])
            },
            "/api/approvals/{id}": {
                "get": _get("get", "One approval, with complete arguments", _ref("Approval"), [_ID])
            },
            "/api/approvals/{id}/wait": {
                "get": _get(
                    "wait", "Wait until an approval no longer waits for an answer", _ref("Approval"), [_ID, wait]
                )
            },
            "/api/approvals/{id}/approve": {
                "post": _post("approve", "Approve: the same call, made again, runs once", "Approve")
            },
            "/api/approvals/{id}/deny": {"post": _post("deny", "Deny: the call is not made", "Deny")},
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _SCHEMAS,
        },
    }


_STATUSES = ("pending", "approved", "denied", "used", "expired", "stale", "withdrawn")
_ID = {"name": "id", "in": "path", "required": True, "schema": TEXT, "description": "The id of the approval."}
_ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["by", "at", "yes"],
    "additionalProperties": False,
    "properties": {
        "by": TEXT,
        "at": TIME,
        "yes": {"type": "boolean"},
        "reason": TEXT,
        "relayed_by": {**TEXT, "description": "The token of the program that brought the answer."},
    },
}
_SUMMARY: dict[str, Any] = {
    "id": TEXT,
    "status": {**TEXT, "enum": list(_STATUSES)},
    "tool": TEXT,
    "title": TEXT,
    "text": {**TEXT, "description": "The form that a person is shown."},
    "level": {**TEXT, "enum": ["ask", "typed", "approval", "two_people"]},
    "typed": {"type": ["string", "null"], "description": "What the person must type to approve."},
    "account": TEXT,
    "principal": {**TEXT, "description": "Who made the call."},
    "client": TEXT,
    "target": TEXT,
    "created": TIME,
    "expires": TIME,
    "answers": {"type": "array", "items": {"$ref": "#/components/schemas/Answer"}},
}
_CALL: dict[str, Any] = {
    "type": "object",
    "description": "The call as data, nothing shortened. Empty for approvals of version 0.1.",
    "properties": {
        "target": TEXT,
        "facts": TEXTS,
        "arguments": {"type": "object"},
        "recipients": TEXTS,
        "recipient_count": {"type": "integer"},
        "senders": TEXTS,
        "destinations": TEXTS,
    },
}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


_SCHEMAS: dict[str, Any] = {
    "Answer": _ANSWER,
    "Summary": _object(_SUMMARY, list(_SUMMARY)),
    "Approval": _object({**_SUMMARY, "call": _CALL}, [*_SUMMARY, "call"]),
    "List": _object(
        {
            "state": {**TEXT, "description": "Identifies the list, for `wait`."},
            "approvals": {"type": "array", "items": {"$ref": "#/components/schemas/Summary"}},
        },
        ["state", "approvals"],
    ),
    "Approve": _object({"typed": {**TEXT, "description": "What the form asks to type."}, "on_behalf_of": BEHALF}, []),
    "Deny": _object(
        {
            "reason": {**TEXT, "description": f"The model is told its first {LONGEST_REASON} characters."},
            "on_behalf_of": BEHALF,
        },
        [],
    ),
    "Error": _object({"error": _object({"code": TEXT, "message": TEXT}, ["code", "message"])}, ["error"]),
}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _answers(schema: dict[str, Any], statuses: list[str]) -> dict[str, Any]:
    errors = {code: {"description": ERRORS[code], "content": _content(_ref("Error"))} for code in statuses}
    return {"200": {"description": "Done.", "content": _content(schema)}, **errors}


def _get(name: str, summary: str, schema: dict[str, Any], parameters: list[dict[str, Any]]) -> dict[str, Any]:
    statuses = ["400", "401", "403", "404", "503"] if _ID in parameters else ["400", "401", "403", "503"]
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": _answers(schema, statuses),
    }


def _post(name: str, summary: str, body: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [_ID],
        "requestBody": {"required": False, "content": _content(_ref(body))},
        "responses": _answers(_ref("Approval"), list(ERRORS)),
    }
