"""The glossary: what an argument means where its document doesn't say."""

import re

from mailgun_mcp.catalogue.compile.glossary import ARGUMENTS, BY_TOOL, BY_TOOLSET, describe_arguments
from tests.support.operations import catalogue

EVERY = [ARGUMENTS, *BY_TOOLSET.values(), *BY_TOOL.values()]


def described(tool: str, toolset: str, argument: str, **schema: str) -> str | None:
    value = dict(schema)
    properties = {argument: value}
    record = {"name": tool, "_meta": {"mailgun-mcp/toolset": toolset}, "inputSchema": {"properties": properties}}
    describe_arguments(record)
    return value.get("description")


def test_the_nearest_entry_describes_an_argument() -> None:
    assert described("get_thing", "things", "domain") == ARGUMENTS["domain"]
    assert described("get_route", "routes", "id") == BY_TOOLSET["routes"]["id"]
    assert described("create_domain", "domains", "domain") == BY_TOOL["create_domain"]["domain"]


def test_a_description_of_the_document_stays() -> None:
    assert described("get_thing", "things", "name", description="Its own") == "Its own"


def test_an_argument_without_an_entry_gets_none() -> None:
    assert described("get_thing", "things", "nobody_knows") is None


def test_every_tool_that_an_entry_names_exists() -> None:
    named = {name for entries in EVERY for text in entries.values() for name in re.findall(r"[a-z]+(?:_[a-z]+)+", text)}
    assert named <= set(catalogue().names)
    assert set(BY_TOOL) <= set(catalogue().names)
    assert set(BY_TOOLSET) <= set(catalogue().toolsets)
