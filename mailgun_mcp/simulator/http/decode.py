"""Reads the arguments of an operation from a request: the reverse of `request/build`."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any

from mailgun_mcp.catalogue.operation import Argument, Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.coerce import coerce_scalar
from mailgun_mcp.simulator.http.aliases import apply_aliases
from mailgun_mcp.simulator.http.body import (
    JSON,
    MULTIPART,
    URLENCODED,
    Field,
    Fields,
    File,
    media_type,
    parse_form,
    parse_json,
    parse_query,
)
from mailgun_mcp.simulator.http.checks import wrong_type
from mailgun_mcp.simulator.http.documented import Schema
from mailgun_mcp.simulator.http.unknown_parameters import OnUnknown, refuse_unknown
from mailgun_mcp.simulator.model.clock import parse_mail_date, parse_rfc3339
from mailgun_mcp.simulator.replies.reply import ApiError

FILES_AS_TEXT = frozenset({"pem"})
"""Files of a form that may also be sent as plain fields."""

TYPED = frozenset({"integer", "number", "boolean"})
INTEGER = re.compile(r"[+-]?[0-9]+")
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as it was received over HTTP."""

    query: str
    headers: Mapping[str, str]
    """The names are in lower case."""
    content: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


@dataclass(frozen=True, slots=True)
class _Plan:
    """An operation's arguments by location and wire name."""

    by_location: dict[str, dict[str, Argument]]
    families: tuple[Argument, ...]
    only: dict[str, Argument]
    """The arguments without a wire name, by location: body, page_url."""
    multipart_only: bool


@lru_cache(maxsize=1024)
def _plan(operation: Operation) -> _Plan:
    by_location: dict[str, dict[str, Argument]] = {}
    families = tuple(argument for argument in operation.arguments if argument.encode == "family")
    for argument in operation.arguments:
        if argument not in families:
            by_location.setdefault(argument.location, {})[argument.wire] = argument
    form = by_location.get("form", {})
    return _Plan(
        by_location,
        families,
        {argument.location: argument for argument in operation.arguments if not argument.wire},
        any(argument.encode in ("file", "files") for argument in form.values()) and "message" in form,
    )


def decode(
    operation: Operation, path: Mapping[str, str], sent: RawRequest, on_unknown: OnUnknown = refuse_unknown
) -> Arguments:
    """Return the arguments of a request. Raises ApiError for what cannot be read.

    `on_unknown` is called with the name of each unknown parameter, which is then dropped.
    """
    plan = _plan(operation)
    arguments: Arguments = {}
    for wire, text in path.items():
        argument = _in_path(plan, wire)
        arguments[argument.name] = _decoded(operation, argument, [text])
    _take_headers(plan, sent, arguments)
    _take_query(operation, plan, sent.query, arguments, on_unknown)
    if operation.body == "json":
        _take_json(operation, plan, sent, arguments, on_unknown)
    elif operation.body:
        _take_form(operation, plan, apply_aliases(operation.name, _form(plan, sent)), arguments, on_unknown)
    elif sent.content and media_type(sent.content_type) in (MULTIPART, URLENCODED):
        _take_form_for_query(operation, plan, parse_form(sent.content, sent.content_type), arguments)
    return arguments


def _in_path(plan: _Plan, wire: str) -> Argument:
    """Return an argument of the path. On a legacy path, it may be one that the current API has in the query."""
    argument = plan.by_location.get("path", {}).get(wire) or plan.by_location.get("query", {}).get(wire)
    return argument or plan.by_location["page_path"][""]


def _take_headers(plan: _Plan, sent: RawRequest, arguments: Arguments) -> None:
    for wire, argument in plan.by_location.get("header", {}).items():
        # Clients send many types; `SimulatedRequest.accept` has the header unchanged.
        if wire.lower() in sent.headers and wire != "Accept":
            arguments[argument.name] = sent.headers[wire.lower()]


def _take_query(operation: Operation, plan: _Plan, query: str, arguments: Arguments, on_unknown: OnUnknown) -> None:
    if not query:
        return
    # Form fields may be in the query too: Mailgun's SDK for Node sends some of them there.
    arguments_by_wire = plan.by_location.get("form", {}) | plan.by_location.get("query", {})
    fields = apply_aliases(operation.name, parse_query(query))
    if "page_url" in plan.only and not fields.keys() <= arguments_by_wire.keys():
        arguments[plan.only["page_url"].name] = query
        return
    for wire, values in fields.items():
        if wire not in arguments_by_wire:
            on_unknown(wire)
        elif not _is_left_blank(operation, arguments_by_wire[wire], values[-1]):
            arguments[arguments_by_wire[wire].name] = _decoded(operation, arguments_by_wire[wire], values)


def _is_left_blank(operation: Operation, argument: Argument, value: Field) -> bool:
    """Return whether a number or a flag is blank. Mailgun ignores it, and the PHP SDK sends `false` as a blank."""
    return value == "" and operation.input_schema["properties"][argument.name].get("type") in TYPED


def _form(plan: _Plan, sent: RawRequest) -> Fields:
    kind = media_type(sent.content_type)
    if plan.multipart_only and kind != MULTIPART:
        raise _wrong_media(MULTIPART, kind)
    if sent.content and kind not in (MULTIPART, URLENCODED):
        raise _wrong_media(MULTIPART, kind)
    return parse_form(sent.content, sent.content_type)


def _take_form(operation: Operation, plan: _Plan, fields: Fields, arguments: Arguments, on_unknown: OnUnknown) -> None:
    arguments_by_wire = plan.by_location.get("form", {})
    for wire, values in fields.items():
        if wire in arguments_by_wire:
            if not _is_left_blank(operation, arguments_by_wire[wire], values[-1]):
                arguments[arguments_by_wire[wire].name] = _decoded(operation, arguments_by_wire[wire], values)
            continue
        family = next((family for family in plan.families if wire.startswith(family.wire)), None)
        if family is None:
            on_unknown(wire)
            continue
        arguments.setdefault(family.name, {})[wire[len(family.wire) :]] = _text(wire, values[-1])


def _take_form_for_query(operation: Operation, plan: _Plan, fields: Fields, arguments: Arguments) -> None:
    """Take query parameters from a form. The reference has them in the query, but Mailgun's SDKs send a form."""
    for wire, argument in plan.by_location.get("query", {}).items():
        if wire in fields and argument.name not in arguments:
            arguments[argument.name] = _decoded(operation, argument, fields[wire])


def _take_json(
    operation: Operation, plan: _Plan, sent: RawRequest, arguments: Arguments, on_unknown: OnUnknown
) -> None:
    kind = media_type(sent.content_type)
    whole = plan.only.get("body")
    if whole and kind in (MULTIPART, URLENCODED):
        arguments[whole.name] = [_single(operation, whole, parse_form(sent.content, sent.content_type), on_unknown)]
        return
    # Mailgun's SDK for Node labels JSON as a form when it deletes a tag. Mailgun reads it as JSON.
    called_a_form = kind == URLENCODED and sent.content.startswith(b"{")
    if sent.content and kind != JSON and not called_a_form:
        raise _wrong_media(JSON, kind)
    value = parse_json(sent.content)
    if whole:
        items = operation.input_schema["properties"][whole.name].get("items", {})
        arguments[whole.name] = _numbers_as_text(items, _from_json(value, whole))
        return
    if not isinstance(value, dict):
        raise wrong_type("", "object")
    arguments_by_wire = plan.by_location.get("json", {})
    for wire, item in value.items():
        if wire not in arguments_by_wire:
            on_unknown(wire)
            continue
        arguments[arguments_by_wire[wire].name] = _from_json(item, arguments_by_wire[wire])


def _numbers_as_text(item: Schema, value: Any) -> Any:
    """Return a batch with numbers as text where the catalogue has text. Clients send SMTP codes as either."""
    if not isinstance(value, list):
        return value
    texts = {name: schema for name, schema in item.get("properties", {}).items() if schema.get("type") == "string"}
    return [
        {
            name: coerce_scalar(each, texts[name]) if name in texts and type(each) is int else each
            for name, each in entry.items()
        }
        if isinstance(entry, dict)
        else entry
        for entry in value
    ]


def _single(operation: Operation, whole: Argument, fields: Fields, on_unknown: OnUnknown) -> dict[str, Any]:
    """Return the entry of a batch that comes as a form. A form always describes a single entry."""
    properties = operation.input_schema["properties"][whole.name]["items"]["properties"]
    entry: dict[str, Any] = {}
    for wire, values in fields.items():
        name = "tags" if wire == "tag" and "tags" in properties else wire
        if name not in properties:
            on_unknown(wire)
            continue
        texts = [_text(wire, value) for value in values]
        entry[name] = texts if properties[name]["type"] == "array" else texts[-1]
    return entry


def _decoded(operation: Operation, argument: Argument, values: list[Field]) -> Any:
    if argument.encode in ("file", "files"):
        files = [_file(argument.wire, value) for value in values]
        return files if argument.encode == "files" else files[-1]
    schema = operation.input_schema["properties"][argument.name]
    texts = [_text(argument.wire, value) for value in values]
    value = DECODERS[argument.encode](argument.wire, schema, texts)
    return _from_json(value, argument) if argument.encode == "json" else value


def _file(wire: str, value: Field) -> File:
    if isinstance(value, str) and wire in FILES_AS_TEXT:
        return File(wire, "text/plain", value.encode("utf-8", "replace"))
    if isinstance(value, str):
        raise ApiError(400, f"'{wire}' parameter is not a file")
    return value


def _text(wire: str, value: Field) -> str:
    if isinstance(value, File):
        raise ApiError(400, f"'{wire}' parameter is a file")
    return value


def _scalar(wire: str, schema: Schema, text: str) -> Any:
    kind = schema.get("type", "string")
    if kind == "string":
        return _option(schema, text)
    try:
        return SCALARS[kind](text)
    except (KeyError, ValueError) as error:
        raise wrong_type(wire, kind) from error


def _option(schema: Schema, text: str) -> str:
    """Return the catalogue's word for an option that is a flag or another word. Mailgun reads `False` as `no`."""
    options = schema.get("enum", ())
    if text in options or "yes" not in options or text.lower() not in FLAGS:
        return text
    return "yes" if FLAGS[text.lower()] else "no"


def _integer(text: str) -> int:
    if not INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if "_" in text or not isfinite(number):
        raise ValueError(text)
    return number


SCALARS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": lambda text: FLAGS[text.lower()],
}
"""Type -> how Mailgun parses it. It accepts more spellings than `request/coerce`, which must not lose information."""


def _json_field(wire: str, schema: Schema, texts: list[str]) -> Any:
    try:
        return _spelled_out(schema, json.loads(texts[-1]))
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"'{wire}' parameter is not a valid JSON") from error


def _spelled_out(schema: Schema, value: Any) -> Any:
    """Return a list with strings turned into objects, because Mailgun accepts a plain address as a member."""
    item = schema.get("items", {})
    if item.get("type") != "object" or len(item.get("required", ())) != 1 or not isinstance(value, list):
        return value
    return [{item["required"][0]: each} if isinstance(each, str) else each for each in value]


def _repeated(wire: str, schema: Schema, texts: list[str]) -> list[Any]:
    return [_scalar(wire, schema["items"], text) for text in texts]


def _comma(wire: str, schema: Schema, texts: list[str]) -> list[Any]:
    return _repeated(wire, schema, [part.strip() for text in texts for part in text.split(",") if part.strip()])


def _date(parse: Callable[[str], float], standard: str) -> Callable[[str, Schema, list[str]], str]:
    def decoded(_: str, __: Schema, texts: list[str]) -> str:
        try:
            parse(texts[-1])
        except ValueError as error:
            raise ApiError(400, f"{texts[-1]} is not an {standard} compliant date") from error
        return texts[-1]

    return decoded


def _last(wire: str, schema: Schema, texts: list[str]) -> Any:
    return _scalar(wire, schema, texts[-1])


DECODERS: dict[str, Callable[[str, Schema, list[str]], Any]] = {
    "text": _last,
    "flag": _last,
    "yes_no": _last,
    "yes": _last,
    "rfc2822": _date(parse_mail_date, "RFC-2822"),
    # Durations are parsed where they are used.
    "duration_months": _last,
    "duration_minutes": _last,
    "epoch": _date(parse_mail_date, "RFC-2822"),
    "rfc3339": _date(parse_rfc3339, "RFC-3339"),
    "repeat": _repeated,
    "comma": _comma,
    "json": _json_field,
}


def _from_json(value: Any, argument: Argument) -> Any:
    """Return a JSON value with its yes/no words and comma-separated lists converted to the catalogue's types."""
    if argument.encode in IN_JSON:
        return _unwritten(value, [], argument.encode)
    for path, encode in argument.nested.items():
        if encode in IN_JSON:
            value = _unwritten(value, path.split("/"), encode)
    return value


IN_JSON: dict[str, Callable[[Any], Any]] = {
    "yes_no": lambda value: FLAGS.get(value, value) if isinstance(value, str) else value,
    "comma": lambda value: value.split(",") if isinstance(value, str) else value,
}


def _unwritten(value: Any, path: list[str], encode: str) -> Any:
    if not path:
        return IN_JSON[encode](value)
    head, rest = path[0], path[1:]
    if head == "*" and isinstance(value, list):
        return [_unwritten(item, rest, encode) for item in value]
    if isinstance(value, dict) and head in value:
        return {**value, head: _unwritten(value[head], rest, encode)}
    return value


def _wrong_media(expected: str, got: str) -> ApiError:
    return ApiError(400, f"Invalid request content type. Expecting '{expected}' but got '{got}'")
