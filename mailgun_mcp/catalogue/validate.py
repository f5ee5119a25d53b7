"""Says everything that is wrong with a call's arguments, at once."""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from mailgun_mcp.catalogue.operation import Arguments, Operation
from mailgun_mcp.catalogue.places import FORMATS, control_character, line_break
from mailgun_mcp.nearest import nearest

MAX_DEPTH = 32
MAX_FAULTS = 20
SHOWN = 80


def faults(operation: Operation, arguments: Arguments) -> list[str]:
    """Return what is wrong with `arguments`, a sentence each; nothing when they are right.

    Never raises for the caller's data, however deep, long or odd it is.
    """
    found = [*_unsafe(arguments, "", 0)]
    if found:
        # jsonschema recurses: what is too deep or not finite is not shown to it.
        return found[:MAX_FAULTS]
    found += _schema_faults(operation, arguments)
    found += _format_faults(operation, arguments)
    found += _rule_faults(operation, arguments)
    return found[:MAX_FAULTS]


def _unsafe(value: Any, place: str, depth: int) -> Iterator[str]:
    """Yield what no field of any operation may hold: NaN, NUL, lone surrogates, bottomless nesting."""
    if depth > MAX_DEPTH:
        yield f"{place or 'arguments'}: nested deeper than {MAX_DEPTH} levels"
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _unsafe_text(key, f"{place}: name {_shown(key)}")
            yield from _unsafe(item, f"{place}.{key}" if place else key, depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unsafe(item, f"{place}[{index}]", depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{place}: {value} is not a number that JSON knows"
    elif isinstance(value, str):
        yield from _unsafe_text(value, place)


def _unsafe_text(text: str, place: str) -> Iterator[str]:
    if "\0" in text:
        yield f"{place}: holds a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        yield f"{place}: holds a lone surrogate, which is no character"


@lru_cache(maxsize=512)
def _validator(operation: Operation) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(operation.input_schema)


def _schema_faults(operation: Operation, arguments: Arguments) -> Iterator[str]:
    validator = _validator(operation)
    for error in sorted(
        validator.iter_errors(arguments), key=lambda error: [str(part) for part in error.absolute_path]
    ):
        yield from _told(error)


def _told(error: Any) -> Iterator[str]:
    place = _place(error.absolute_path)
    match error.validator:
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            # jsonschema reports each missing name on its own: the message names which.
            name = next((name for name in missing if repr(name) in error.message), missing[0])
            yield f"{_join(place, name)}: is required{_expected(error.schema.get('properties', {}).get(name))}"
        case "additionalProperties":
            known = error.schema.get("properties", {})
            for name in error.instance:
                if name not in known:
                    yield _unknown(_join(place, name), name, known)
        case "type":
            yield f"{place}: must be {_article(error.validator_value)}, not {_kind(error.instance)} {_shown(error.instance)}"
        case "enum":
            yield _not_in_enum(place, error)
        case _:
            yield f"{place or 'arguments'}: {_limit(error)}"


def _unknown(place: str, name: str, known: dict[str, Any]) -> str:
    like = nearest(name, known)
    if like:
        return f"{place}: unknown argument; did you mean {like}?"
    return f"{place}: unknown argument; " + (f"known are {', '.join(known)}" if known else "there are none here")


def _not_in_enum(place: str, error: Any) -> str:
    options = error.validator_value
    like = (
        nearest(error.instance, [option for option in options if isinstance(option, str)])
        if isinstance(error.instance, str)
        else None
    )
    told = f"did you mean {like!r}?" if like else f"must be one of {', '.join(map(str, options[:50]))}"
    return f"{place}: {_shown(error.instance)} is not allowed; {told}"


def _limit(error: Any) -> str:
    bound = error.validator_value
    match error.validator:
        case "minimum":
            return f"{_shown(error.instance)} is less than {bound}"
        case "maximum":
            return f"{_shown(error.instance)} is more than {bound}"
        case "minItems":
            return f"needs at least {bound} item(s)"
        case "maxItems":
            return f"takes at most {bound} items, not {len(error.instance)}"
        case "minLength":
            return f"needs at least {bound} character(s)"
        case "maxLength":
            return f"takes at most {bound} characters, not {len(error.instance)}"
        case "pattern":
            return f"{_shown(error.instance)} does not match {bound}"
        case _:
            return f"{_shown(error.instance)} is not valid ({error.validator})"


def _format_faults(operation: Operation, arguments: Arguments) -> Iterator[str]:
    for argument in operation.arguments:
        for item in _texts(arguments.get(argument.name)):
            fault = FORMATS[argument.format](item) if argument.format else None
            if fault is None and argument.place in ("path", "header", "host"):
                fault = control_character(item)
            if fault is None and (argument.single_line or argument.place == "query"):
                fault = line_break(item)
            if fault:
                yield f"{argument.name}: {_shown(item)} {fault}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _rule_faults(operation: Operation, arguments: Arguments) -> Iterator[str]:
    given = {name for name, value in arguments.items() if value not in (None, [], {})}
    for rule in operation.rules:
        for kind in ("at_least_one", "exactly_one", "at_most_one"):
            names = rule.get(kind)
            if names:
                yield from _count(kind, names, [name for name in names if name in given])
        if "max_recipients" in rule:
            yield from _count_recipients(rule["max_recipients"], rule["over"], arguments)
        if "requires" in rule and rule["argument"] in given:
            for name in rule["requires"]:
                if name not in given:
                    yield f"{name}: is required with {rule['argument']}"


def _count(kind: str, names: list[str], given: list[str]) -> Iterator[str]:
    listed = ", ".join(names)
    if not given and kind != "at_most_one":
        yield f"one of {listed} is required"
    elif len(given) > 1 and kind != "at_least_one":
        yield f"only one of {listed} may be given, not {' and '.join(given)}"


def _count_recipients(most: int, names: list[str], arguments: Arguments) -> Iterator[str]:
    """A single string may hold several addresses, so addresses are counted, not items."""
    from email.utils import getaddresses

    texts = [text for name in names for text in arguments.get(name) or [] if isinstance(text, str)]
    count = sum(max(1, len(getaddresses([text]))) for text in texts)
    if count > most:
        yield f"{', '.join(names)}: {count:,} recipients is more than Mailgun's limit of {most:,} in one call"


def _place(path: Any) -> str:
    place = ""
    for part in path:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    return place


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _expected(schema: dict[str, Any] | None) -> str:
    return f" ({schema['type']})" if schema and "type" in schema else ""


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"


def _kind(value: Any) -> str:
    names = {bool: "boolean", str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _shown(value: Any) -> str:
    if value is None:
        return ""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"
