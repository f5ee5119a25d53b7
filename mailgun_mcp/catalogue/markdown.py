"""The reference of the tools as Markdown: for `tools show`, the MCP resources and the generated docs."""

import json
from typing import Any

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Operation, Raise


def tool_reference(operation: Operation) -> str:
    """Return the reference for one tool."""
    schema = call_schema(operation)
    required = schema.get("required", [])
    lines = [
        f"# {operation.name}",
        "",
        f"{operation.title}. {operation.tool['description']}",
        "",
        f"`{operation.method} {operation.path}`, toolset `{operation.toolset}`, risk `{operation.risk}`{_effects(operation)}",
        "",
    ]
    lines += [f"{sentence}\n" for sentence in raise_sentences(operation)]
    properties = schema.get("properties", {})
    if properties:
        lines += ["| argument | type | required | description |", "| --- | --- | --- | --- |"]
        lines += [_row(name, value, name in required) for name, value in properties.items()]
    else:
        lines.append("No arguments.")
    return "\n".join(lines) + "\n"


def toolset_index(catalogue: Catalogue) -> str:
    """Return the list of all tools by toolset."""
    lines = ["# Tools", ""]
    for toolset, title in catalogue.toolsets.items():
        lines += [
            f"## {title} (`{toolset}`)",
            "",
            "| tool | operation | risk | what it does |",
            "| --- | --- | --- | --- |",
        ]
        lines += [
            f"| `{operation.name}` | `{operation.method} {operation.path}` | {operation.risk} | {operation.title} |"
            for operation in catalogue
            if operation.toolset == toolset
        ]
        lines.append("")
    return "\n".join(lines)


def raise_sentences(operation: Operation) -> list[str]:
    """Return sentences that say when a call is riskier than its operation."""
    return [f"Risk `{item.risk}` {condition(item)}, because {item.reason}." for item in operation.raises]


def condition(item: Raise) -> str:
    """Return when a call is riskier than its operation, as the end of a sentence."""
    if item.narrows:
        return f"where it leaves an existing {item.narrows.resource.replace('_', ' ')} with fewer {item.narrows.field}"
    return "with " + " or ".join(_given(name, expected) for name, expected in item.when.items())


def _given(name: str, expected: Any) -> str:
    if isinstance(expected, list):
        values = " or ".join(f"`{json.dumps(value)}`" for value in expected)
        return f"`{name}` of {values}" if values else f"`{name}`"
    if "more_than" in expected:
        return f"more than {expected['more_than']} `{name}`"
    return f"`{expected['contains']}` in `{name}`"


def _effects(operation: Operation) -> str:
    effects = []
    if operation.bulk and operation.risk != "read":
        effects.append("affects many things at once")
    if operation.undo:
        effects.append(operation.undo.summary)
    return "".join(f", {effect}" for effect in effects)


def _row(name: str, schema: dict[str, Any], required: bool) -> str:
    notes = [schema["description"]] if "description" in schema else []
    if "enum" in schema:
        notes.append("one of " + ", ".join(f"`{value}`" for value in schema["enum"]))
    if "default" in schema:
        notes.append(f"default `{schema['default']}`")
    bounds = [f"{word} {schema[key]}" for key, word in BOUNDS.items() if key in schema]
    notes += [", ".join(bounds)] if bounds else []
    return f"| `{name}` | {_kind(schema)} | {'yes' if required else ''} | {'; '.join(notes).replace('|', '/')} |"


BOUNDS = {"minimum": "at least", "maximum": "at most", "maxItems": "items at most", "maxLength": "characters at most"}


def _kind(schema: dict[str, Any]) -> str:
    if schema["type"] == "array":
        return f"array of {schema.get('items', {}).get('type', 'string')}"
    return "time" if schema.get("format") == "date-time" else str(schema["type"])
