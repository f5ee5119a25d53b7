"""Why a text is not JSON, in plain words."""

import pytest

from mailgun_mcp.text.json_faults import json_fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"{", "it is not valid JSON (line 1, column 2)"),
        ('{"a": 1,\n]', "it is not valid JSON (line 2, column 1)"),
        (b" \n", "it is empty"),
        (b'{"a": "\xff"}', "it is not UTF-8"),
        (b"[" * 100_000, "its values are nested too deeply"),
        (b"[" * 202 + b"]" * 202, "its values are nested too deeply"),
        (b'{"a": ' * 500 + b"1" + b"}" * 500, "its values are nested too deeply"),
        (b"9" * 6000, "it contains a number that is too long"),
        (b'"\\ud800"', "it contains a number or an escape that JSON does not have"),
    ],
)
def test_each_fault_is_said_in_words(text: bytes | str, fault: str) -> None:
    assert json_fault(text) == fault
