"""Finds everything that is wrong with a call's arguments, in one pass."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from mailgun_mcp.catalogue.answer import field_places, places_of
from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Argument, Operation
from mailgun_mcp.catalogue.saved_files import SAVE_AS
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.dates import parse
from mailgun_mcp.request.durations import for_mailgun, is_duration
from mailgun_mcp.request.formats import (
    FORMATS,
    control_character,
    header_value,
    line_break,
    path_part,
    slash,
    storage_host,
)
from mailgun_mcp.request.hints import allowed_values, instead
from mailgun_mcp.request.quick_check import Check, quick_check
from mailgun_mcp.request.received_files import MOST_ARGUMENTS
from mailgun_mcp.request.target_keys import key_faults
from mailgun_mcp.text.addresses import find_addresses
from mailgun_mcp.text.characters import excerpt
from mailgun_mcp.text.leaves import texts
from mailgun_mcp.text.sizes import count_of, size_of

MAX_DEPTH = 32
MAX_FAULTS = 20
MAX_ERRORS = 100
"""Most schema errors that are sorted. Beyond that no more are collected."""
MOST_FIELDS = 8
"""Most fields of an object that a fault names."""
MANY = 2000
"""Most items of a list that are checked one by one although the list is too long, so that all faults are named."""
MAX_VALUES = 50_000
"""Most texts, numbers and names in one call. The largest real call, 1,000 recipients with variables, has a third."""
MAX_NAME = 1000
"""Longest name in characters. A longer one would be compared and quoted in full."""
MAX_EXCERPT = 80
MAX_WRITTEN = 10_000
"""Longest list or object, in characters, that is written out just to show its beginning."""
LARGEST = 2**64
KINDS = {bool: "boolean", str: "string", int: "integer", float: "number", list: "array", dict: "object"}
"""Python type -> JSON Schema type."""
READERS: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(("rfc2822", "rfc3339", "epoch"), parse),
    "duration_months": lambda text: for_mailgun(text, "months"),
    "duration_minutes": lambda text: for_mailgun(text, "minutes"),
}
"""Encoding of a time or duration in the request -> the function that parses it."""

TextCheck = Callable[[str], str | None]


def validate(operation: Operation, arguments: Arguments) -> list[str]:
    """Return what is wrong with `arguments`, one sentence per fault; empty if they are valid.

    Never raises for the caller's data, however deep, long or odd it is.
    """
    # jsonschema recurses and visits every item, so anything too deep, too large or not finite is refused before.
    refused = _too_large(call_schema(operation), arguments) or _first_faults(_unsafe(arguments, "", 0))
    return refused or _first_faults(
        _schema_faults(operation, arguments),
        _format_faults(operation, arguments),
        _empty_faults(operation, arguments),
        _time_faults(operation, arguments),
        _rule_faults(operation, arguments),
        _field_faults(operation, arguments),
    )


def validate_schema(operation: Operation, arguments: Arguments) -> list[str]:
    """Return what is wrong with the arguments of a built-in tool. It sends no request, so only its schema counts."""
    refused = _too_large(call_schema(operation), arguments) or _first_faults(_unsafe(arguments, "", 0))
    return refused or _first_faults(_schema_faults(operation, arguments))


def _first_faults(*checks: Iterator[str]) -> list[str]:
    """Return the faults that the checks find, up to the limit. After that, they stop searching."""
    return list(islice(chain(*checks), MAX_FAULTS))


def _too_large(schema: dict[str, Any], arguments: Arguments) -> list[str]:
    """Return the faults of arguments that are too large to check item by item."""
    if len(arguments) > MOST_ARGUMENTS:
        return [f"arguments: {len(arguments):,} are more than any tool accepts"]
    if _count_values(arguments, MAX_VALUES) > MAX_VALUES:
        return [f"arguments: more than {MAX_VALUES:,} values in one call; make several calls"]
    properties = schema.get("properties") or {}
    return [
        f"{name}: takes at most {limit} items, not {len(items)}"
        for name, items in arguments.items()
        if isinstance(items, list)
        and len(items) > MANY
        and (limit := properties.get(name, {}).get("maxItems")) is not None
        and len(items) > limit
    ]


def _count_values(value: dict[str, Any] | list[Any], most: int, depth: int = 0) -> int:
    """Return how many texts, numbers and names `value` contains. Counting stops soon after `most`."""
    if depth > MAX_DEPTH:
        return 0
    count = len(value)
    for item in value.values() if isinstance(value, dict) else value:
        if count > most:
            break
        if isinstance(item, (dict, list)):
            count += _count_values(item, most - count, depth + 1)
    return count


def _unsafe(value: Any, path: str, depth: int) -> Iterator[str]:
    """Yield faults that no field of any operation may have: NaN, NUL, lone surrogates, excessive nesting."""
    if depth > MAX_DEPTH:
        yield f"{path or 'arguments'}: nested deeper than {MAX_DEPTH} levels"
    elif isinstance(value, dict):
        for key, item in value.items():
            if len(key) > MAX_NAME:
                yield f"{path or 'arguments'}: the name {_excerpt(key)} is longer than {MAX_NAME:,} characters"
            elif not _is_safe(key):
                yield from _unsafe_text(key, f"{path}: name {_excerpt(key)}")
            yield from _unsafe(item, _join(path, excerpt(key, MAX_EXCERPT)), depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unsafe(item, f"{path}[{index}]", depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{path}: {value} is not a valid JSON number"
    elif isinstance(value, int) and abs(value) > LARGEST:
        yield f"{path}: is larger than any number that Mailgun accepts"
    elif isinstance(value, str):
        yield from _unsafe_text(value, path)


def _is_safe(text: str) -> bool:
    return text.isascii() and "\0" not in text


def _unsafe_text(text: str, path: str) -> Iterator[str]:
    if "\0" in text:
        yield f"{path}: contains a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        yield f"{path}: contains a lone surrogate, which is not a character"


@lru_cache(maxsize=512)
def _validator(operation: Operation) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(call_schema(operation))


@lru_cache(maxsize=512)
def _quick_check(operation: Operation) -> Check:
    return quick_check(call_schema(operation))


def _schema_faults(operation: Operation, arguments: Arguments) -> Iterator[str]:
    if _quick_check(operation)(arguments):
        return
    errors = islice(_validator(operation).iter_errors(arguments), MAX_ERRORS)
    for error in sorted(errors, key=lambda error: [str(part) for part in error.absolute_path]):
        yield from _error_messages(error)


def _error_messages(error: Any) -> Iterator[str]:
    path = _path_text(error.absolute_path)
    match error.validator:
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            # jsonschema reports each missing name separately; its message says which one.
            name = next((name for name in missing if repr(name) in error.message), missing[0])
            yield f"{_join(path, name)}: is required{_expected(error.schema.get('properties', {}).get(name))}"
        case "additionalProperties":
            for name in error.instance:
                if name not in error.schema.get("properties", {}):
                    yield _unknown(_join(path, excerpt(name, MAX_EXCERPT)), name, error.schema, error.instance)
        case "type":
            fields = _fields(error.schema) if error.validator_value == "object" else ""
            yield f"{path}: must be {_article(error.validator_value)}{fields}, not {_described(error.instance)}"
        case "enum":
            yield f"{path}: {_excerpt(error.instance)} is not allowed; {allowed_values(error.instance, error.validator_value)}"
        case _:
            yield f"{path or 'arguments'}: {_limit(error)}"


def _fields(schema: dict[str, Any]) -> str:
    """Return the fields that an object can have: a model that gives a bare value sees where it belongs."""
    names = list(schema.get("properties", {}))[:MOST_FIELDS]
    return f" with {', '.join(names)}" if names else ""


def _unknown(path: str, name: str, schema: dict[str, Any], arguments: Arguments) -> str:
    if name == SAVE_AS:
        return (
            f"{path}: unknown argument; this server cannot write files, or not for this tool. Only a person can start "
            "it with --files DIR"
        )
    return f"{path}: unknown argument; {instead(name, schema, arguments)}"


def _limit(error: Any) -> str:
    bound = error.validator_value
    match error.validator:
        case "minimum":
            return f"{_excerpt(error.instance)} is less than {bound}"
        case "maximum":
            return f"{_excerpt(error.instance)} is more than {bound}"
        case "minItems":
            return f"needs at least {count_of(bound, 'item')}"
        case "maxItems":
            return f"takes at most {bound} items, not {len(error.instance)}"
        case "minLength":
            return f"needs at least {count_of(bound, 'character')}"
        case "maxLength":
            return f"takes at most {bound} characters, not {len(error.instance)}"
        case "pattern":
            return f"{_excerpt(error.instance)} does not match {bound}"
        case _:
            return f"{_excerpt(error.instance)} is not valid ({error.validator})"


def _format_faults(operation: Operation, arguments: Arguments) -> Iterator[str]:
    for argument in operation.arguments:
        if argument.name not in arguments:
            continue
        for item in texts(arguments[argument.name]):
            fault = next((fault for check in _checks(argument) if (fault := check(item))), None)
            if fault:
                yield f"{argument.name}: {_excerpt(item)} {fault}"
    for name, text, fault in key_faults(operation, arguments):
        yield f"{name}: {_excerpt(text)} {fault}"


def _checks(argument: Argument) -> Iterator[TextCheck]:
    if argument.format:
        yield FORMATS[argument.format]
    if argument.single_line or argument.location == "query":
        yield line_break
    yield from PLACE_CHECKS.get(argument.location, ())
    if argument.location == "path" and argument.format != "email":
        yield slash


def _foreign_host(value: str) -> str | None:
    try:
        storage_host(value)
    except ValueError as error:
        return str(error)
    return None


PLACE_CHECKS: dict[str, tuple[TextCheck, ...]] = {
    "path": (control_character, path_part),
    "page_path": (path_part, slash),
    "header": (header_value,),
    "host": (control_character, _foreign_host),
}


def _empty_faults(operation: Operation, arguments: Arguments) -> Iterator[str]:
    """Yield required lists without items: a form would omit the field."""
    for name in operation.input_schema.get("required", []):
        if arguments.get(name) == [] and not call_schema(operation)["properties"][name].get("minItems"):
            yield f"{name}: needs at least 1 item"


def _time_faults(operation: Operation, arguments: Arguments) -> Iterator[str]:
    for argument in operation.arguments:
        if argument.name not in arguments:
            continue
        times = {"": argument.encode, **argument.nested}
        for way, read in ((way, READERS[encode]) for way, encode in times.items() if encode in READERS):
            for path, text in _at(arguments.get(argument.name), way.split("/") if way else [], argument.name):
                try:
                    read(text)
                except ValueError as error:
                    if read is parse and is_duration(text) and "duration" in call_schema(operation)["properties"]:
                        yield f"{path}: {_excerpt(text)} is a length of time: give it as duration"
                    else:
                        yield f"{path}: {error}"


def _at(value: Any, way: list[str], path: str) -> Iterator[tuple[str, str]]:
    """Yield each text at the path `way` (`*/created_at`), with its own path."""
    if not way:
        if isinstance(value, str):
            yield path, value
    elif way[0] == "*" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _at(item, way[1:], f"{path}[{index}]")
    elif isinstance(value, dict):
        yield from _at(value.get(way[0]), way[1:], f"{path}.{way[0]}")


def _rule_faults(operation: Operation, arguments: Arguments) -> Iterator[str]:
    present = {name for name, value in arguments.items() if value not in (None, [], {})}
    needed: set[str] = set()
    for rule in operation.rules:
        for kind in ("at_least_one", "exactly_one", "at_most_one"):
            names = rule.get(kind)
            if names:
                yield from _count(kind, names, [name for name in names if name in present])
        if "max_recipients" in rule:
            yield from _count_recipients(rule["max_recipients"], rule["over"], arguments)
        if "needs" in rule and all(arguments.get(name) == value for name, value in rule["when"].items()):
            yield from _needed(rule, arguments, needed)
        if "requires" in rule and rule["argument"] in present:
            for name in rule["requires"]:
                if name not in present:
                    yield f"{name}: is required with {rule['argument']}"


def _needed(rule: Mapping[str, Any], arguments: Arguments, reported: set[str]) -> Iterator[str]:
    """Yield the arguments that the values of other arguments require; each argument once."""
    given = " and ".join(f"{name} {value}" for name, value in rule["when"].items())
    for name, value in rule["needs"].items():
        if (
            name in reported
            or (value is not None and arguments.get(name) == value)
            or (value is None and arguments.get(name) not in (None, ""))
        ):
            continue
        reported.add(name)
        yield f"{name}: {'is required' if value is None else f'must be {value!r}'} with {given}"


def _field_faults(operation: Operation, arguments: Arguments) -> Iterator[str]:
    if operation.answer is None or not operation.answer.fields:
        return
    for name in texts(arguments.get("fields")):
        if not places_of(operation, name):
            names = [path for path in field_places(operation) if "/" not in path]
            yield f"fields: {_excerpt(name)} is not a field of the answer; {allowed_values(name, names)}"


def _count(kind: str, names: list[str], present: list[str]) -> Iterator[str]:
    listed = ", ".join(names)
    if not present and kind != "at_most_one":
        yield f"one of {listed} is required"
    elif len(present) > 1 and kind != "at_least_one":
        yield f"only one of {listed} may be given, not {' and '.join(present)}"


def _count_recipients(most: int, names: list[str], arguments: Arguments) -> Iterator[str]:
    count = sum(max(1, len(find_addresses(text).addresses)) for name in names for text in texts(arguments.get(name)))
    if count > most:
        yield f"{', '.join(names)}: {count:,} recipients is more than Mailgun's limit of {most:,} in one call"


def _path_text(parts: Any) -> str:
    path = ""
    for part in parts:
        path = f"{path}[{part}]" if isinstance(part, int) else _join(path, excerpt(part, MAX_EXCERPT))
    return path


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _expected(schema: dict[str, Any] | None) -> str:
    return f" ({schema['type']})" if schema and "type" in schema else ""


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"


def _described(value: Any) -> str:
    return "null" if value is None else f"{KINDS[type(value)]} {_excerpt(value)}"


def _excerpt(value: Any) -> str:
    """Return the value as Python writes it. Of a large value only the beginning is written at all."""
    if isinstance(value, str) and len(value) > MAX_EXCERPT:
        return f"{value[:MAX_EXCERPT]!r}… ({len(value):,} characters)"
    if isinstance(value, (dict, list)) and size_of(value, MAX_WRITTEN) > MAX_WRITTEN:
        return f"with {count_of(len(value), 'item')}"
    text = repr(value)
    return text if len(text) <= MAX_EXCERPT else f"{text[:MAX_EXCERPT]}… ({len(text)} characters)"
