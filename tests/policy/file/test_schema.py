"""The shape of a policy file: unknown keys, keys without a value and empty records are refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from mailgun_mcp.policy.file.schema import MODELS, PolicyDocument, json_schema

RULE = {"match": {"tool": "delete_*"}, "decision": "deny"}


def faults(document: dict[str, Any]) -> list[tuple[int | str, ...]]:
    """Return the path of each fault."""
    try:
        PolicyDocument.model_validate({"version": 1, **document})
    except ValidationError as error:
        return [fault["loc"] for fault in error.errors()]
    return []


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"rule": []}, ("rule",)),
        ({"send": {"allow_recipients": None}}, ("send", "allow_recipients")),
        ({"undo": {}}, ("undo",)),
        ({"send": {"recipients_per_call": "5"}}, ("send", "recipients_per_call")),
        ({"send": {"allow_domains": ["ann@example.com"]}}, ("send", "allow_domains", 0)),
        ({"rules": [{**RULE, "level": "typed"}]}, ("rules", 0)),
        ({"notify": {"url": "http://example.com/"}}, ("notify", "url")),
    ],
)
def test_a_fault_is_reported_at_its_path(document: dict[str, Any], path: tuple[int | str, ...]) -> None:
    assert faults(document) == [path]


def test_an_empty_list_of_recipients_is_a_value() -> None:
    assert faults({"send": {"allow_recipients": []}}) == []


def test_one_glob_is_read_as_a_list() -> None:
    document = PolicyDocument.model_validate({"version": 1, "rules": [RULE]})

    assert document.rules is not None
    assert document.rules[0].match.tool == ["delete_*"]


def test_no_key_of_the_published_schema_takes_null() -> None:
    assert "null" not in str({**json_schema()["$defs"], "Condition": {}})


def test_every_section_of_the_file_has_a_model() -> None:
    assert {path[0] for path in MODELS if path} <= set(PolicyDocument.model_fields)
