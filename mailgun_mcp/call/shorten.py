"""Shortens an answer to what a model needs: the relevant fields, each once, and all times in one format.

The names of the fields left out are listed once, with the way to get them.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from mailgun_mcp.catalogue.answer import EVERY_KEY, chosen_fields
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.output.json_paths import LEFT_OUT, replace, tree_of

HOW = "full=true returns everything, fields=[…] only the fields that it names"
MOST_NAMES = 40
OURS = ("next", "unexpected")
"""Fields of a result that are not Mailgun's."""
LONGEST_PATH = 64
NAME = re.compile(r"[A-Za-z0-9@_/.-]+")
PAGE_LINKS = {
    "query": "paging",
    "path": "paging",
    "url": "paging",
    "body_skip": "pagination",
    "body_token": "pagination",
}
"""Page style -> the field in which Mailgun repeats what `next` says."""
MAIL_DATE = re.compile(
    r"[A-Z][a-z]{2}, ([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) "
    r"(?:GMT|UTC|([+-])([0-9]{2})([0-9]{2}))"
)
MONTHS = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})?")
EPOCH = re.compile(r"[0-9]{9,10}(\.[0-9]{1,9})?")
"""Seconds since 1970, as text: the output schema turned the number into one."""
FIRST, LAST = 0, 253_402_300_799
"""First and last time that a date can express, in seconds since 1970: up to the year 9999."""

Selection = dict[str, Any]
"""Field -> the selection inside it; empty selects the whole field."""


def shorten(operation: Operation, arguments: Arguments, result: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a read or write in the form that a model gets."""
    result = _without_page_links(operation, result)
    if operation.answer and LEFT_OUT in result:
        # The server uses this key itself, and its content is not fenced.
        result = {key: value for key, value in result.items() if key != LEFT_OUT}
    fields = chosen_fields(operation, arguments)
    if operation.answer and fields is not None:
        named = bool(arguments.get("fields"))
        covered = () if named else [key for key, other in operation.answer.unless.items() if result.get(other)]
        fields = [field for field in fields if field not in covered]
        result = _with_fields(operation.answer.items, fields, result, named=named)
    if operation.answer and operation.answer.repeats:
        result = _without_repeats(operation.answer.repeats, result)
    return replace(result, tree_of(operation.times), _time) if operation.times else result


def utc(value: Any) -> Any:
    """Return a time as ISO 8601 in UTC, in whatever form Mailgun wrote it; anything else unchanged.

    Mailgun's times without an offset are in UTC.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _written(datetime.fromtimestamp(value, UTC)) if FIRST < value < LAST else value
    if not isinstance(value, str):
        return value
    if EPOCH.fullmatch(value):
        return _written(datetime.fromtimestamp(float(value), UTC))
    try:
        if match := MAIL_DATE.fullmatch(value):
            return _written(_mail_date(match))
        if ISO_DATE.fullmatch(value):
            return _written(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        pass
    return value


def _mail_date(match: re.Match[str]) -> datetime:
    """Return a time in the format of mail headers. The standard library's parser takes ten times as long."""
    day, month, year, hour, minute, second, sign, hours, minutes = match.groups()
    if month not in MONTHS:
        raise ValueError(f"{month} is not a month")
    zone = UTC
    if sign is not None:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        zone = timezone(offset if sign == "+" else -offset)
    return datetime(int(year), MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=zone)


def _time(value: Any, _: Any, __: str) -> Any:
    return utc(value)


def _written(moment: datetime) -> str:
    moment = moment.astimezone(UTC) if moment.tzinfo not in (None, UTC) else moment
    return moment.isoformat()[: len("2026-11-28T12:00:00")] + "Z"


def _without_page_links(operation: Operation, result: dict[str, Any]) -> dict[str, Any]:
    name = PAGE_LINKS.get(operation.pages.style) if operation.pages else None
    links = result.get(name) if name else None
    if name is None or not isinstance(links, dict):
        return result
    rest = {key: value for key, value in result.items() if key != name}
    total = links.get("total")
    return {**rest, name: {"total": total}} if name == "pagination" and isinstance(total, int) else rest


def _with_fields(path: str, fields: list[str], result: dict[str, Any], *, named: bool) -> dict[str, Any]:
    selection = _selection(fields)
    missing: dict[str, None] = {}
    if not path:
        ours: dict[str, Any] = {key: result[key] for key in OURS if key in result}
        shown = _selected(result, selection, "", missing) | ours
        for name in ours:
            missing.pop(name, None)
    else:
        shown = _inside(result, path.split("/"), selection, missing)
    names = list(dict.fromkeys(filter(None, map(_last_part, missing))))[:MOST_NAMES]
    return {**shown, LEFT_OUT: {"fields": names, "how": HOW}} if names and not named else shown


def _last_part(path: str) -> str:
    """Return the last part of a field's path, which is enough to select it. Empty for what nobody would call a name."""
    return _last_part_of_short(path) if len(path) <= LONGEST_PATH else ""


@lru_cache(maxsize=4096)
def _last_part_of_short(path: str) -> str:
    return path.rpartition("/")[2] if NAME.fullmatch(path) else ""


def _inside(fields: dict[str, Any], path: list[str], selection: Selection, missing: dict[str, None]) -> dict[str, Any]:
    """Return the answer with only the selected fields of the items at `path`."""
    if path == [EVERY_KEY]:
        chosen = {key: value for key, value in fields.items() if isinstance(value, dict) and key not in OURS}
        return {**fields, **{key: _selected(value, selection, "", missing) for key, value in chosen.items()}}
    value = fields.get(path[0])
    if path[1:] and isinstance(value, dict):
        return {**fields, path[0]: _inside(value, path[1:], selection, missing)}
    if isinstance(value, list):
        items = [_selected(item, selection, "", missing) if isinstance(item, dict) else item for item in value]
        return {**fields, path[0]: items}
    return fields


def _selection(fields: Iterable[str]) -> Selection:
    selection: Selection = {}
    for field in fields:
        branch = selection
        for key in field.split("/"):
            branch = branch.setdefault(key, {})
    return selection


def _selected(item: dict[str, Any], selection: Selection, path: str, missing: dict[str, None]) -> dict[str, Any]:
    """Return the selected fields. Non-empty fields that are not selected are added to `missing`."""
    shown: dict[str, Any] = {}
    for key, value in item.items():
        inner = selection.get(key)
        if inner is None:
            if value or value == 0:
                missing[path + key] = None
        elif inner and isinstance(value, (dict, list)):
            part = _part(value, inner, f"{path}{key}/", missing)
            if part:
                shown[key] = part
        elif value is not None:
            shown[key] = value
    return shown


def _part(value: Any, selection: Selection, path: str, missing: dict[str, None]) -> Any:
    if isinstance(value, list):
        return [_part(item, selection, path, missing) for item in value]
    return _selected(value, selection, path, missing) if isinstance(value, dict) else value


def _without_repeats(repeats: dict[str, str], result: dict[str, Any]) -> dict[str, Any]:
    for path, other in repeats.items():
        parent, _, name = path.rpartition("/")

        def without(item: Any, _: Any, __: str, name: str = name, other: str = other) -> Any:
            if isinstance(item, dict) and name in item and item[name] == item.get(other):
                return {key: value for key, value in item.items() if key != name}
            return item

        result = replace(result, tree_of((parent,)), without)
    return result
