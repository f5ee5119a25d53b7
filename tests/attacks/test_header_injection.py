"""The attacker ends the line of a header and begins one of their own: a `Bcc` inside a subject, a tag or a name."""

from typing import Any

import pytest

from mailgun_mcp.request.validate import validate
from tests.support.operations import find

MESSAGE: dict[str, Any] = {
    "domain": "mg.example.com",
    "from": "a@mg.example.com",
    "to": ["bob@good.example"],
    "template": "welcome",
}
BREAKS = ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
FIELDS = ["from", "subject", "template", "version", "secondary_dkim", "secondary_dkim_public", "sending_ip_pool"]


@pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
def test_no_field_of_a_message_that_stands_in_a_header_has_two_lines(line_break: str) -> None:
    text = f"hi{line_break}Bcc: eve@evil.example"
    arguments: list[dict[str, Any]] = [
        *({name: text} for name in FIELDS),
        *({name: [text]} for name in ("to", "cc", "bcc", "tags", "suppress_headers")),
        {"headers": {"X-Note": text}},
    ]
    let_through = [call for call in arguments if not validate(find("send_message"), {**MESSAGE, **call})]
    assert let_through == []


def test_the_same_message_in_one_line_is_valid() -> None:
    values = dict.fromkeys(FIELDS, "a@mg.example.com")
    assert validate(find("send_message"), {**MESSAGE, **values, "tags": ["a"], "headers": {"X-Note": "hi"}}) == []


@pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
def test_no_header_of_a_template_has_two_lines(line_break: str) -> None:
    headers = {"Subject": f"hi{line_break}Bcc: eve@evil.example"}
    for tool in ("create_template", "update_template_version", "create_account_template"):
        faults = validate(find(tool), {"domain": "mg.example.com", "name": "x", "headers": headers})
        assert [fault for fault in faults if fault.startswith("headers")], tool
