"""Writes an account as JSON and reads it back. Only the declared fields of its records are written and read.

The file may come from someone else, so reading it can only create data, never run code.
"""

from base64 import b64encode
from collections import deque
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any

from mailgun_mcp.simulator.model.account import Account, Administration
from mailgun_mcp.simulator.model.clock import Clock
from mailgun_mcp.simulator.model.event_log import EventLog
from mailgun_mcp.simulator.model.series import Series
from mailgun_mcp.simulator.model.stored_messages import StoredMessages

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

FORMAT = "mailgun-mcp simulator account"
VERSION = 1
MOST_SECONDS = 1e11
"""The latest valid time in seconds since 1970. Later times cannot be written as a date."""

PLAIN = frozenset({NoneType, bool, int, float, str})
"""Types whose values are JSON as they are."""
LEFT_OUT: dict[type, frozenset[str]] = {
    Account: frozenset({"clock"}),
    Administration: frozenset({"parent"}),
}
"""Fields that are not written, because they follow from the record's position in the account."""


class CodecError(ValueError):
    """A document that does not describe an account."""


def snapshot(account: Account) -> dict[str, Any]:
    """Return the account and its current time as one JSON document, the format of earlier releases."""
    return {"format": FORMAT, "version": VERSION, "now": account.clock.now(), "account": encode(account)}


def restored(document: Any, clock: Clock) -> Account:
    """Return the account in a document, with `clock` as its clock. Raises CodecError with the position of the fault."""
    check_document(document)
    from pydantic import ValidationError

    try:
        wrapped = _document().model_validate({"account": _with_clock(document["account"], clock)})
    except ValidationError as error:
        raise CodecError(_first(error)) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise CodecError("account: its structure is not valid") from error
    account: Account = wrapped.account  # type: ignore[attr-defined]  # the model is made when it is needed
    account.administration.parent = None
    for below in account.administration.subaccounts.values():
        below.account.administration.parent = account
    return account


def check_document(document: Any) -> None:
    """Raise CodecError unless the document has the right format and version."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise CodecError("this is not an account of the simulator")
    if document.get("version") != VERSION:
        raise CodecError(f"version {document.get('version')!r} is not one that this release reads ({VERSION})")
    if document.keys() != {"format", "version", "now", "account"} or not _is_moment(document["now"]):
        raise CodecError("it must have format, version, now (a number) and account, and nothing else")


def _is_moment(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MOST_SECONDS


def encode(value: Any) -> Any:
    """Return a record or value as JSON. A mapping whose keys are not strings becomes a list of pairs."""
    if type(value) in PLAIN or isinstance(value, str | int | float):
        return value
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return dict(value) if _is_plain(value.values()) else {key: encode(item) for key, item in value.items()}
        return [[encode(key), encode(item)] for key, item in value.items()]
    if isinstance(value, list | tuple | deque | EventLog):
        return list(value) if _is_plain(value) else [encode(item) for item in value]
    if is_dataclass(value):
        record: Any = type(value)
        return {
            name: item if type(item := getattr(value, name)) in PLAIN else encode(item)
            for name in _written_fields(record)
        }
    if isinstance(value, StoredMessages):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, set):
        return sorted(encode(item) for item in value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Series):
        return encode(value.to_document())
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _is_plain(values: Iterable[Any]) -> bool:
    return PLAIN.issuperset(map(type, values))


@cache
def _written_fields(record: Any) -> tuple[str, ...]:
    left_out = LEFT_OUT.get(record, frozenset())
    return tuple(field.name for field in fields(record) if field.name not in left_out)


def _with_clock(account: Any, clock: Clock) -> Any:
    """Return the JSON of an account with the clock set in it and in the accounts that it contains."""
    if not isinstance(account, dict):
        return account
    document = {**account, "clock": clock}
    if document.get("other_region") is not None:
        document["other_region"] = _with_clock(document["other_region"], clock)
    match document.get("administration"):
        case {"subaccounts": dict(subaccounts), **rest}:
            document["administration"] = {
                **rest,
                "subaccounts": {
                    key: {**below, "account": _with_clock(below.get("account"), clock)}
                    if isinstance(below, dict)
                    else below
                    for key, below in subaccounts.items()
                },
            }
    return document


@cache
def _document() -> "type[BaseModel]":
    from pydantic import ConfigDict, create_model

    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    return create_model("Document", __config__=config, account=(Account, ...))


def _first(error: "ValidationError") -> str:
    """Return the path of the first fault, and what is wrong there."""
    fault = error.errors(include_url=False)[0]
    path = "".join(
        f"[{part!r}]" if isinstance(part, int) or not part.isidentifier() else f".{part}" for part in fault["loc"]
    )
    return f"{path.removeprefix('.')}: {fault['msg']}"
