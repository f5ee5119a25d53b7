"""Presets: choices of tools that exist, are small, and do what their description says."""

import pytest

from mailgun_mcp.catalogue.builtin_tools import listed
from mailgun_mcp.catalogue.catalogue import Catalogue, is_deprecated
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.presets import MOST_TOOLS, PRESETS, preset, tools_of_presets
from tests.support.operations import catalogue


def tools_of(name: str) -> Catalogue:
    return catalogue().select(tools=tools_of_presets([name], catalogue()))


def test_every_preset_has_fewer_tools_than_the_strictest_client_takes() -> None:
    assert [
        f"{name}: {len(listed(tools_of(name)))} tools" for name in PRESETS if len(listed(tools_of(name))) >= MOST_TOOLS
    ] == []


def test_no_preset_names_a_tool_twice() -> None:
    def repeated(name: str) -> set[str]:
        tools = tools_of_presets([name], catalogue())
        return {tool for tool in tools if tools.count(tool) > 1}

    assert [f"{name}: {sorted(repeated(name))}" for name in PRESETS if repeated(name)] == []


def test_no_preset_has_a_deprecated_tool() -> None:
    assert [
        f"{name}: {tool['name']}" for name in PRESETS for tool in tools_of(name).tools() if is_deprecated(tool)
    ] == []


def test_what_says_that_it_reads_only_does() -> None:
    reading = [name for name, each in PRESETS.items() if "Reads only" in each.description]
    assert "readonly-support" in reading
    assert [name for name in reading if tools_of(name).changes_something] == []


def test_each_toolset_that_most_people_need_is_in_a_preset() -> None:
    covered = {operation.toolset for name in PRESETS for operation in tools_of(name)}
    assert {
        "messages",
        "domains",
        "logs",
        "bounces",
        "templates",
        "routes",
        "webhooks",
        "metrics",
        "lists",
    } <= covered


def test_presets_add_up() -> None:
    both = set(tools_of_presets(["templates", "suppressions"], catalogue()))
    assert both == {operation.name for name in ("templates", "suppressions") for operation in tools_of(name)}


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(CatalogueError, match="unknown preset 'template': did you mean 'templates'"):
        preset("template")
