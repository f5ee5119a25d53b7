"""The report on how the tools of two commits differ."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.operations import catalogue

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def tools_diff() -> ModuleType:
    """The script `.ci/tools_diff.py`, which is in no package."""
    spec = importlib.util.spec_from_file_location("tools_diff", ROOT / ".ci" / "tools_diff.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_equal_lists_need_one_line(tools_diff: ModuleType) -> None:
    tools = {"a": {"name": "a"}}
    assert tools_diff.report(tools, tools) == "The tools are the same.\n"


def test_what_was_added_removed_and_changed_is_shown(tools_diff: ModuleType) -> None:
    before = {"a": {"name": "a", "title": "One"}, "b": {"name": "b"}}
    after = {"a": {"name": "a", "title": "Two"}, "c": {"name": "c"}}
    lines = tools_diff.report(before, after).splitlines()
    assert {"| number | 2 | 2 |", "Added: `c`", "Removed: `b`", '-  "title": "One"', '+  "title": "Two"'} <= set(lines)


def test_the_servers_own_list_is_read(tools_diff: ModuleType) -> None:
    assert set(tools_diff.listed(ROOT)) > set(catalogue().names)
