"""What else is wrong with a policy file is found although parts of it have the wrong shape."""

from typing import Any

import pytest
from pydantic import ValidationError

from mailgun_mcp.policy.file.schema import PolicyDocument
from mailgun_mcp.policy.file.without_faults import values_without_faults


def rest_of(document: dict[str, Any]) -> dict[str, Any] | None:
    with pytest.raises(ValidationError) as raised:
        PolicyDocument.model_validate(document)
    return values_without_faults(document, raised.value)


def test_each_fault_is_left_out_and_the_rest_stays() -> None:
    match = {
        "tool": ["a", 5, "b", 6],
        "risk": ["send", "destroy"],
        "domain": {"one_of": "x"},
        "recipients": {"more_than": "x"},
    }
    document = {"version": 1, "rules": [{"match": match, "decision": "alow"}, "x"], "limits": 3, "sned": {}}
    rest = rest_of(document)
    assert rest is not None
    assert rest["rules"] == [
        {"match": {"tool": ["a", "b"], "risk": ["send"]}, "decision": "deny"},
        {"match": {}, "decision": "deny"},
    ]
    assert rest.keys() == {"version", "rules"}
    assert document["limits"] == 3


@pytest.mark.parametrize(
    "document",
    [{"version": 9, "rules": {}}, {"rules": [[], None, {"match": []}]}, {"version": 1, "tests": [1, {"call": 2}]}],
)
def test_no_fault_makes_the_rest_unreadable(document: dict[str, Any]) -> None:
    assert (rest_of(document) or {}).get("version") == 1
