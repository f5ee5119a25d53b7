"""Checks arguments against an operation's input schema and rules. Errors are worded as Mailgun's are.

It covers only the portable subset of JSON Schema that the catalogue compiles to. Importing `jsonschema` would
take longer than importing the whole simulator.
"""

import re
from collections.abc import Callable
from email.utils import getaddresses
from typing import Any

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Argument, Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.formats import FORMATS
from mailgun_mcp.simulator.http.body import File
from mailgun_mcp.simulator.http.documented import Schema
from mailgun_mcp.simulator.replies.reply import ApiError
from mailgun_mcp.text.compact_json import compact

ConstraintCheck = Callable[[Any, Any], bool]
ConstraintText = Callable[[str, Any, Any], str]

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}

LIMITS: dict[str, tuple[ConstraintCheck, ConstraintText]] = {
    "enum": (
        lambda value, bound: value in bound,
        lambda name, value, bound: (
            f"Invalid {name.replace('_', ' ')} '{value}'. It can be any of: {', '.join(repr(option) for option in bound)}."
        ),
    ),
    "minimum": (
        lambda value, bound: value >= bound,
        lambda name, _, bound: f"The '{name}' parameter can't be smaller than {bound}",
    ),
    "maximum": (
        lambda value, bound: value <= bound,
        lambda name, _, bound: f"The '{name}' parameter can't be larger than {bound}",
    ),
    "minLength": (
        lambda value, bound: len(value) >= bound,
        lambda name, _, bound: f"{name} is too short. It must be at least {bound} characters.",
    ),
    "maxLength": (
        lambda value, bound: len(value) <= bound,
        lambda name, _, bound: f"{name} is too long. It must be at most {bound} characters.",
    ),
    "minItems": (
        lambda value, bound: len(value) >= bound,
        lambda name, _, bound: f"Need at least {bound} of '{name}'",
    ),
    "maxItems": (
        lambda value, bound: len(value) <= bound,
        lambda name, _, bound: (
            f"Too many '{name}', max is {bound}" if name else f"Batch size should be less than {bound}"
        ),
    ),
    "pattern": (
        lambda value, bound: re.search(bound, value) is not None,
        lambda name, value, _: f"Invalid value '{value}' for parameter '{name}'",
    ),
}


def check(operation: Operation, arguments: Arguments) -> None:
    """Raise ApiError for the first fault in `arguments`."""
    schema = call_schema(operation)
    for argument in operation.arguments:
        if argument.name in arguments:
            _check_argument(argument, schema["properties"][argument.name], arguments[argument.name])
        elif argument.name in schema.get("required", ()) and argument.location != "host":
            raise ApiError(400, f"{argument.wire} parameter is missing")
    for rule in operation.rules:
        for kind, of_rule in RULES.items():
            if kind in rule:
                of_rule(operation, rule, arguments)


def wrong_type(name: str, kind: str) -> ApiError:
    """Return the error for a value that is not of the type `kind`."""
    article = "an" if kind[0] in "aio" else "a"
    return ApiError(
        400, f"'{name}' parameter is not {article} {kind}" if name else f"The request body is not {article} {kind}"
    )


def _check_argument(argument: Argument, schema: Schema, value: Any) -> None:
    _check_value(argument.wire, schema, value)
    if argument.format in KINDS and argument.location != "path":
        fault = FORMATS[argument.format]
        if any(fault(text) for text in (value if isinstance(value, list) else [value])):
            raise ApiError(400, f"'{argument.wire}' parameter is not a valid {KINDS[argument.format]}")


# Not in the table: Mailgun accepts any word in a filter of events, and then finds nothing.
KINDS = {"email": "address. please check documentation", "hostname": "domain name", "ip": "IP address", "uri": "url"}


def _check_value(name: str, schema: Schema, value: Any) -> None:
    if isinstance(value, File):
        return
    kind = schema.get("type", "object")
    if not _is_a(kind, value):
        raise wrong_type(name, kind)
    # Most schemas have no limits.
    for keyword, (holds, text) in () if LIMITS.keys().isdisjoint(schema) else LIMITS.items():
        if keyword in schema and not holds(value, schema[keyword]):
            raise ApiError(400, text(name, value, schema[keyword]))
    if kind == "array":
        for item in value:
            _check_value(name, schema["items"], item)
    elif kind == "object":
        _check_object(name, schema, value)


def _is_a(kind: str, value: Any) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _check_object(name: str, schema: Schema, value: dict[str, Any]) -> None:
    properties, extra = schema.get("properties", {}), schema.get("additionalProperties", True)
    for key in schema.get("required", ()):
        if key not in value:
            raise ApiError(400, f"{key} parameter is missing")
    for key, item in value.items():
        if key in properties:
            _check_value(_inside(name, key), properties[key], item)
        elif extra is False:
            raise ApiError(400, f"Unknown parameter '{_inside(name, key)}'")
        elif isinstance(extra, dict):
            _check_value(_inside(name, key), extra, item)


def _inside(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def _wires(operation: Operation, names: list[str]) -> list[str]:
    wires = {argument.name: argument.wire for argument in operation.arguments}
    return [wires[name] for name in names]


def _given(names: list[str], arguments: Arguments) -> list[str]:
    return [name for name in names if arguments.get(name) not in (None, [], {})]


def _quoted(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _at_least_one(operation: Operation, rule: dict[str, Any], arguments: Arguments) -> None:
    names = rule.get("at_least_one") or rule["exactly_one"]
    if not _given(names, arguments):
        raise ApiError(400, f"Need at least one of {_quoted(_wires(operation, names))} parameters specified")


def _at_most_one(operation: Operation, rule: dict[str, Any], arguments: Arguments) -> None:
    names = rule.get("at_most_one") or rule["exactly_one"]
    if len(_given(names, arguments)) > 1:
        raise ApiError(400, f"Only one parameters {_quoted(_wires(operation, names))} is allowed")


def _exactly_one(operation: Operation, rule: dict[str, Any], arguments: Arguments) -> None:
    _at_least_one(operation, rule, arguments)
    _at_most_one(operation, rule, arguments)


def _requires(operation: Operation, rule: dict[str, Any], arguments: Arguments) -> None:
    if _given([rule["argument"]], arguments) and len(_given(rule["requires"], arguments)) < len(rule["requires"]):
        raise ApiError(400, f"{_wires(operation, rule['requires'])[0]} parameter is missing")


def _needs(operation: Operation, rule: dict[str, Any], arguments: Arguments) -> None:
    """Raise ApiError for a missing argument. Unsuitable values are left to the operation, which has its own errors."""
    if all(arguments.get(name) == value for name, value in rule["when"].items()):
        fits = all(arguments.get(name) == value for name, value in rule["needs"].items() if value is not None)
        missing = [name for name, value in rule["needs"].items() if value is None and name not in arguments]
        if fits and missing:
            raise ApiError(400, f"{_wires(operation, missing)[0]} parameter is missing")


def _max_recipients(_: Operation, rule: dict[str, Any], arguments: Arguments) -> None:
    texts = [text for name in rule["over"] for text in arguments.get(name, ())]
    most = rule["max_recipients"]
    # Each address has a character at least, so short texts need not be parsed.
    if sum(len(text) + 1 for text in texts) > most and len(getaddresses(texts)) > most:
        raise ApiError(400, f"Too many recipients, max is {most}")


def _max_bytes(_: Operation, rule: dict[str, Any], arguments: Arguments) -> None:
    names = rule["over"] or arguments.keys()
    if sum(_weight(arguments[name]) for name in names if name in arguments) <= rule["max_bytes"]:
        return
    megabytes = rule["max_bytes"] // 1024 // 1024
    if rule["over"] and all(isinstance(arguments.get(name), File) for name in rule["over"]):
        raise ApiError(400, f"CSV file is too big, max allowed size is {megabytes} MB")
    if rule["max_bytes"] < 1024 * 1024:
        kilobytes = rule["max_bytes"] // 1024
        raise ApiError(
            400, f"Send options (parameters starting with o:, h:, v:, or t:) are limited to {kilobytes} kB total"
        )
    raise ApiError(413, f"request size exceeds {rule['max_bytes'] / 1024 / 1024:.1f}MiB")


def _weight(value: Any) -> int:
    match value:
        case File():
            return len(value.data)
        case str():
            return len(value.encode("utf-8", "replace"))
        case list():
            return sum(map(_weight, value))
        case _:
            return len(compact(value).encode("utf-8", "replace"))


Constraint = Callable[[Operation, dict[str, Any], Arguments], None]

RULES: dict[str, Constraint] = {
    "at_least_one": _at_least_one,
    "at_most_one": _at_most_one,
    "exactly_one": _exactly_one,
    "requires": _requires,
    "needs": _needs,
    "max_recipients": _max_recipients,
    "max_bytes": _max_bytes,
}
