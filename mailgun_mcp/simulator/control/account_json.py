"""Writes an account as JSON and reads it back: the fields of its records, by their types, and nothing else.

What is read comes from a file that someone may have given away: it can only ever become data.
"""

from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from mailgun_mcp.simulator.model.account import Account, Administration
from mailgun_mcp.simulator.model.clock import Clock, SystemClock
from mailgun_mcp.simulator.model.event_log import EventLog, MailEvent
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.series import Series
from mailgun_mcp.text.suggest import suggest

FORMAT = "mailgun-mcp simulator account"
VERSION = 1
MOST_SECONDS = 1e11
"""Of a moment; later ones have no date."""

LEFT_OUT: dict[type, frozenset[str]] = {
    Account: frozenset({"clock"}),
    Administration: frozenset({"parent"}),
    Series: frozenset({"_cells"}),
}
"""Fields that follow from where the record stands."""
NAMES = {"Account": Account, "StoredMessage": StoredMessage}
"""Types that records name before they are there."""
PLAIN: dict[Any, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (float, int),
    NoneType: (NoneType,),
}

Known = tuple[Any, Field[Any]]
"""The type of a field, and the field."""


class CodecError(ValueError):
    """A document that is no account."""


def snapshot(account: Account) -> dict[str, Any]:
    """Return the account, and what time it is there, as a JSON document."""
    return {"format": FORMAT, "version": VERSION, "now": account.clock.now(), "account": encode(Account, account)}


def restored(document: Any, clock: Clock) -> Account:
    """Return the account of a document, with this clock. Raises CodecError, which says where it is wrong."""
    check_document(document)
    try:
        account: Account = decode(Account, document["account"], clock=clock)
    except (ValueError, TypeError, RecursionError) as error:
        raise CodecError(f"account{error}" if isinstance(error, CodecError) else "account: nested wrongly") from error
    for owner in account.with_subaccounts(all_regions=True):
        owner.clock = clock
    for below in account.administration.subaccounts.values():
        below.account.administration.parent = account
    return account


def check_document(document: Any) -> None:
    """Raise CodecError when a document says that it is something else."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise CodecError("this is no account of the simulator")
    if document.get("version") != VERSION:
        raise CodecError(f"version {document.get('version')!r} is not one that this release reads ({VERSION})")
    if document.keys() != {"format", "version", "now", "account"} or not _is_moment(document["now"]):
        raise CodecError("it does not hold just format, version, now (a number) and account")


def _is_moment(value: Any) -> bool:
    return _is(value, float) and 0 <= value < MOST_SECONDS


def encode(kind: Any, value: Any) -> Any:
    """Return `value`, which is of the type `kind`, as JSON."""
    if kind is EventLog:
        return [encode(MailEvent, event) for event in value]
    if kind is bytes:
        return b64encode(value).decode()
    if is_dataclass(kind):
        known: dict[str, Known] = _fields_of(kind)  # type: ignore[arg-type]  # what a record's type is can be hashed
        return {name: encode(hint, getattr(value, name)) for name, (hint, _) in known.items()}
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if value is None else encode(_besides_none(kind), value)
    if origin is dict:
        pairs = [[encode(inner[0], key), encode(inner[1], item)] for key, item in value.items()]
        return dict(pairs) if _is_text(inner[0]) else pairs
    if origin in (list, deque):
        return [encode(inner[0], item) for item in value]
    if origin is set:
        return sorted(encode(inner[0], item) for item in value)
    if origin is tuple:
        return [encode(item_kind, item) for item_kind, item in zip(_items(inner, value), value, strict=True)]
    return list(value) if isinstance(value, tuple) else value


def decode(kind: Any, value: Any, **given: Any) -> Any:
    """Return what `encode` made `value` of. `given` are fields that were left out. Raises CodecError."""
    if kind is EventLog:
        return EventLog(decode(list[MailEvent], value))
    if kind is bytes:
        return b64decode(_of(str, value), validate=True)
    if is_dataclass(kind):
        return _record(kind, _of(dict, value), given)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _one_of(kind, value)
    if origin in CONTAINERS:
        return CONTAINERS[origin](inner, value)
    if origin is Literal:
        if value not in inner:
            raise CodecError(f": {value!r} is not one of {', '.join(map(repr, inner))}")
        return value
    if kind is object:
        return tuple(decode(object, item) for item in value) if isinstance(value, list) else value
    return value if kind is Any else _of(kind, value)


def _record(kind: Any, value: dict[str, Any], given: dict[str, Any]) -> Any:
    known = _fields_of(kind)
    for name in value:
        if name not in known:
            raise CodecError(f": unknown field {name!r}; the nearest is {suggest(name, known)!r}")
    found = {name: _at(f".{name}", hint, value[name]) for name, (hint, _) in known.items() if name in value}
    for name, (_, field) in known.items():
        if name not in found and field.default is MISSING and field.default_factory is MISSING:
            raise CodecError(f": lacks {name!r}")
        if isinstance(found.get(name), deque) and field.default_factory is not MISSING:
            found[name] = deque(found[name], field.default_factory().maxlen)
    if kind is Account and not given:
        given = {"clock": SystemClock()}
    return kind(**found, **given)


def _at(where: str, kind: Any, value: Any) -> Any:
    try:
        return decode(kind, value)
    except CodecError as error:
        raise CodecError(f"{where}{error}") from error


def _one_of(kind: Any, value: Any) -> Any:
    if value is None and NoneType in get_args(kind):
        return None
    return decode(_besides_none(kind), value)


def _besides_none(kind: Any) -> Any:
    kinds = [one for one in get_args(kind) if one is not NoneType]
    # Unions of plain types (str | int) are JSON as they are.
    return kinds[0] if len(kinds) == 1 else Any


def _mapping(inner: tuple[Any, ...], value: Any) -> dict[Any, Any]:
    if _is_text(inner[0]):
        return {decode(inner[0], key): _at(f"[{key!r}]", inner[1], item) for key, item in _of(dict, value).items()}
    pairs = [_of(list, pair) for pair in _of(list, value)]
    if any(len(pair) != 2 for pair in pairs):
        raise CodecError(": a pair has not two parts")
    return {decode(inner[0], key): _at(f"[{key!r}]", inner[1], item) for key, item in pairs}


def _sequence(inner: tuple[Any, ...], value: Any) -> list[Any]:
    return [_at(f"[{place}]", inner[0], item) for place, item in enumerate(_of(list, value))]


def _fixed(inner: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    kinds = _items(inner, _of(list, value))
    if len(kinds) != len(value):
        raise CodecError(f": has {len(value)} parts, not {len(kinds)}")
    return tuple(_at(f"[{place}]", kind, value[place]) for place, kind in enumerate(kinds))


def _items(inner: tuple[Any, ...], value: Any) -> list[Any]:
    return [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)


CONTAINERS: dict[Any, Callable[[tuple[Any, ...], Any], Any]] = {
    dict: _mapping,
    list: _sequence,
    set: lambda inner, value: set(_sequence(inner, value)),
    deque: lambda inner, value: deque(_sequence(inner, value)),
    tuple: _fixed,
}


def _is_text(kind: Any) -> bool:
    return kind is str or get_origin(kind) is Literal


def _of(kind: Any, value: Any) -> Any:
    if not _is(value, kind):
        raise CodecError(f": {type(value).__name__} where {kind.__name__} belongs")
    return value


def _is(value: Any, kind: Any) -> bool:
    if isinstance(value, bool) and kind is not bool:
        return False
    return isinstance(value, PLAIN.get(kind, (kind,)))


@cache
def _fields_of(kind: Any) -> dict[str, Known]:
    hints = get_type_hints(kind, localns=NAMES)
    left_out = LEFT_OUT.get(kind, frozenset())
    return {field.name: (hints[field.name], field) for field in fields(kind) if field.name not in left_out}
