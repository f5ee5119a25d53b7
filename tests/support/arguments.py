"""Arguments that fit an operation's input schema: the fewest that make a call, and all of them."""

from typing import Any

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Argument, Operation
from mailgun_mcp.catalogue.resource import KEYED_BY_ADDRESS
from mailgun_mcp.catalogue.types import Arguments

BY_FORMAT = {
    "hostname": "mg.example.com",
    "email": "ann+news@example.com",
    "ip": "192.0.2.7",
    "uri": "https://example.com/hook?a=1&b=2",
    "event-filter": "failed OR rejected",
}
BY_PLACE = {
    "host": "storage-us-east4.api.mailgun.net",
    "header": "646d00a1b32c35364a2ad34f",
    "page_path": "WzMseyJiIjoi",
    "page_url": "page=2&pivot=a%40b",
}
BY_PATTERN = {
    "^([0-9]+h)?[0-9]+m$|^[0-9]+h$": "1h30m",
    "^(2[4-9]|[3-6][0-9]|7[0-2])h$": "24h",
    "^[0-2]?[0-9]:[0-5][0-9]([AaPp][Mm])?$": "17:30",
}
BY_RESOURCE = {
    **dict.fromkeys(KEYED_BY_ADDRESS, BY_FORMAT["email"]),
    "ip_allowlist_entry": BY_FORMAT["ip"],
}
"""Resource -> a name by which a call can find it, where any text would not do."""
MOMENT = "2026-11-23T09:00:00+01:00"


def minimal(operation: Operation) -> Arguments:
    """Return the required arguments, and what the operation's rules ask for beyond them."""
    names = list(call_schema(operation).get("required", []))
    for rule in operation.rules:
        options = rule.get("at_least_one") or rule.get("exactly_one") or []
        if options and not set(options) & set(names):
            names.append(options[0])
    return _values(operation, _with_required(operation, names))


def maximal(operation: Operation) -> Arguments:
    """Return every argument; of those that exclude each other the first."""
    names = list(call_schema(operation).get("properties", {}))
    for rule in operation.rules:
        for name in (rule.get("exactly_one") or rule.get("at_most_one") or [])[1:]:
            if name in names:
                names.remove(name)
    return _values(operation, [name for name in names if _requirements(operation, name) <= set(names)])


def _with_required(operation: Operation, names: list[str]) -> list[str]:
    return list(dict.fromkeys([*names, *(needed for name in names for needed in _requirements(operation, name))]))


def _requirements(operation: Operation, name: str) -> set[str]:
    return {needed for rule in operation.rules if rule.get("argument") == name for needed in rule["requires"]}


def _values(operation: Operation, names: list[str]) -> Arguments:
    arguments = {argument.name: argument for argument in operation.arguments}
    properties = call_schema(operation)["properties"]
    values = {name: _argument_value(arguments[name], properties[name]) for name in names}
    for rule in operation.rules:
        if "needs" in rule and all(values.get(name) == value for name, value in rule["when"].items()):
            values |= {name: value for name, value in rule["needs"].items() if value is not None}
    for effect in operation.affects:
        if effect.resource in BY_RESOURCE:
            for path in filter(None, (effect.key, effect.renamed)):
                values = _with_key(values, path.split("/"), BY_RESOURCE[effect.resource])
    return {**values, "fields": list(operation.answer.fields)} if operation.answer and "fields" in values else values


def _with_key(values: Any, path: list[str], key: str) -> Any:
    """Return the values with `key` at the path, where there is a text."""
    if isinstance(values, list):
        return [_with_key(item, path[1:], key) for item in values]
    if isinstance(values, dict):
        return {name: _with_key(item, path[1:], key) if name == path[0] else item for name, item in values.items()}
    return key if values == "some text" else values


def _argument_value(argument: Argument, schema: dict[str, Any]) -> Any:
    if argument.encode == "file":
        return {"text": f"content of {argument.name}"}
    if argument.encode == "files":
        return [{"text": "one", "filename": "one.txt"}, {"base64": "dHdv", "content_type": "image/png"}]
    if argument.location in BY_PLACE and "enum" not in schema:
        return BY_PLACE[argument.location]
    if argument.encode.startswith("duration_"):
        return "12h"
    if argument.format:
        value = BY_FORMAT[argument.format]
        return [value] if schema["type"] == "array" else value
    return value_of(schema)


def value_of(schema: dict[str, Any]) -> Any:
    """Return a value that fits `schema`, with every property filled in."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            return _object(schema)
        case "array":
            return [value_of(schema["items"])] * max(1, schema.get("minItems", 1))
        case "integer" | "number":
            return schema.get("default", schema.get("minimum", 1))
        case "boolean":
            return True
    return _text(schema)


def _object(schema: dict[str, Any]) -> dict[str, Any]:
    known = {name: value_of(value) for name, value in schema.get("properties", {}).items()}
    extra = schema["additionalProperties"]
    if not extra:
        return known
    return {**known, "X-Any": value_of(extra) if isinstance(extra, dict) else {"nested": [1, True, None, "ü"]}}


def _text(schema: dict[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return MOMENT
    if "pattern" in schema:
        return BY_PATTERN[schema["pattern"]]
    text = str(schema.get("default", "some text"))
    return text.ljust(schema.get("minLength", 0), "x")
