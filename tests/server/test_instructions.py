"""What clients tell their model at the start."""

import re

import pytest

from mailgun_mcp.catalogue.presets import PRESETS, tools_of_presets
from mailgun_mcp.server.instructions import GLOSSES, MOST_CHARACTERS, STARTS, instructions
from tests.support.apps import services_at
from tests.support.operations import catalogue

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize("search_mode", [False, True])
def test_they_are_never_cut_and_name_every_toolset(search_mode: bool) -> None:
    text = instructions(services_at(NOWHERE, search_mode=search_mode))
    assert len(text) <= MOST_CHARACTERS
    index = text.rpartition("Toolsets: ")[2]
    assert re.findall(r"(\w+)(?: \([^)]*\))?[,.]", index) == list(catalogue().toolsets)


def test_they_name_only_what_is_offered() -> None:
    for preset in PRESETS:
        chosen = catalogue().select(tools=tools_of_presets([preset], catalogue()))
        services = services_at(NOWHERE, catalogue=chosen)
        text = instructions(services)
        offered = {*chosen.names, *chosen.toolsets, *services.builtin_tools}
        named = {word for word in re.findall(r"[a-z]+(?:_[a-z]+)+", text) if word != "left_out"}
        assert named <= offered, preset


def test_without_changes_there_is_no_talk_of_undo() -> None:
    services = services_at(NOWHERE, catalogue=catalogue().select(read_only=True))
    assert "undo" not in instructions(services)


def test_glosses_and_starts_are_of_what_exists() -> None:
    assert set(GLOSSES) <= set(catalogue().toolsets)
    assert set(STARTS) <= set(services_at(NOWHERE).workflows)
