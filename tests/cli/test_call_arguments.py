"""Arguments as a person writes them: one JSON or YAML object, or `name=value` read by the declared type."""

import io
import sys
from typing import Any

import pytest

from mailgun_mcp.cli.call_arguments import read_call_arguments, tool_and_arguments
from mailgun_mcp.settings import SettingsError

SCHEMA = {
    "type": "object",
    "properties": {
        "subject": {"type": "string"},
        "limit": {"type": "integer"},
        "test": {"type": "boolean"},
        "to": {"type": "array", "items": {"type": "string"}},
        "ids": {"type": "array", "items": {"type": "integer"}},
        "variables": {"type": "object"},
    },
}


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ([], {}),
        (['{"subject": "Hi", "limit": 3}'], {"subject": "Hi", "limit": 3}),
        (["{subject: Hi, limit: 3}"], {"subject": "Hi", "limit": 3}),
        (["{}"], {}),
        (["subject=2026"], {"subject": "2026"}),
        (["subject=a=b"], {"subject": "a=b"}),
        (["subject="], {"subject": ""}),
        (["subject={{name}}"], {"subject": "{{name}}"}),
        (["limit=3", "test=true"], {"limit": 3, "test": True}),
        (["limit=many"], {"limit": "many"}),
        (["to=a@x.example", "to=b@x.example"], {"to": ["a@x.example", "b@x.example"]}),
        (["to=Kim, Lee <a@x.example>"], {"to": ["Kim, Lee <a@x.example>"]}),
        (["to=[a@x.example, b@x.example]"], {"to": ["a@x.example", "b@x.example"]}),
        (["ids=1", "ids=2"], {"ids": [1, 2]}),
        (['variables={"a": 1}'], {"variables": {"a": 1}}),
        (["unknown=1"], {"unknown": "1"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_arguments_are_read_by_the_declared_type(words: list[str], arguments: dict[str, Any]) -> None:
    assert read_call_arguments(words, SCHEMA) == arguments


def test_a_dash_reads_the_object_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"limit": 2}'))
    assert read_call_arguments(["-"], SCHEMA) == {"limit": 2}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["[]"], "must be name=value pairs, or a JSON or YAML object"),
        (["word"], "must be name=value pairs, or a JSON or YAML object"),
        (["{"], "neither JSON nor YAML"),
        (['{"limit": 1, "limit": 2}'], "contains the same key twice"),
        (["[" * 100_000], "not usable JSON"),
        (["{name:", "value}"], "must be one word, in quotes"),
        (["=x", "limit=1"], "must be name=value"),
        (["limit=1", "limit=2"], "limit is given twice, but takes one value"),
        (["variables=1"], "must be name=value pairs, or a JSON or YAML object"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_what_is_neither_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_call_arguments(words, SCHEMA)


@pytest.mark.parametrize(
    "words",
    [["get_domain", "a=1", "b=2"], ["a=1", "get_domain", "b=2"], ["a=1", "b=2", "get_domain"]],
)
def test_the_tool_is_found_before_and_after_its_arguments(words: list[str]) -> None:
    assert tool_and_arguments(words[0], words[1:]) == ("get_domain", ["a=1", "b=2"])


@pytest.mark.parametrize("word", ['{"a": 1}', "-", "{a: 1}"])
def test_the_tool_may_stand_behind_an_object(word: str) -> None:
    assert tool_and_arguments(word, ["get_domain"]) == ("get_domain", [word])


def test_a_missing_tool_is_named_as_the_fault() -> None:
    with pytest.raises(SettingsError, match="the name of the tool is missing"):
        tool_and_arguments("a=1", ["b=2"])
    assert tool_and_arguments("no-such.tool", ["a"]) == ("no-such.tool", ["a"])
