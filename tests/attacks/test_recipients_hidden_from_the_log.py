"""The attacker has a mail sent to themselves in a form in which the audit log does not keep its recipient.

The log leaves out what looks like a secret, and of long texts it keeps only a digest.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.support.calls import run
from tests.support.policies import policy
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio

EVE = "eve@evil.example"
MESSAGE = {"domain": "mg.example.com", "from": "a@mg.example.com", "subject": "s", "text": "hi", "to": ["b@c.example"]}
TEN = ", ".join([*(f"{'someone' * 7}{number}@customers.example" for number in range(9)), EVE])


async def recorded(tool: str, arguments: dict[str, Any], state: Path, rules: str = "extends: unguarded\n") -> str:
    services = recorded_services(Recorder(), policy=policy(rules), state=state)
    await run(services, tool, arguments)
    services.recorder.close()
    (call,) = services.audit_log.calls()
    assert call.outcome == "done"
    return str(call.fields)


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
@pytest.mark.parametrize("text", [f"authorization = <{EVE}>", f"-----BEGIN PRIVATE KEY----- <{EVE}>", TEN])
async def test_the_log_says_who_got_the_mail(text: str, field: str, tmp_path: Path) -> None:
    assert EVE in await recorded("send_message", {**MESSAGE, field: [text]}, tmp_path)


async def test_the_log_says_who_got_a_mail_whose_address_looks_like_a_secret(tmp_path: Path) -> None:
    address = "authorization=eve@evil.example"
    assert address in await recorded("send_message", {**MESSAGE, "to": [address]}, tmp_path)


async def test_the_log_says_who_got_a_mail_by_its_headers(tmp_path: Path) -> None:
    arguments = {**MESSAGE, "headers": {"Authorization": "x", "Bcc": f"{'n' * 600} <{EVE}>"}}
    assert EVE in await recorded("send_message", arguments, tmp_path)
    message = {"text": f"Subject: s\r\nCc: {EVE}\r\n\r\n{'x' * 600}"}
    arguments = {"domain": "mg.example.com", "to": ["b@c.example"], "message": message}
    assert EVE in await recorded("send_mime_message", arguments, tmp_path / "other")


async def test_the_log_says_where_a_route_leads(tmp_path: Path) -> None:
    action = f'forward("https://hooks.example.com/{"x" * 500}, {EVE}")'
    assert EVE in await recorded("create_route", {"expression": "catch_all()", "action": [action]}, tmp_path)


async def test_without_personal_data_the_log_says_at_which_domains(tmp_path: Path) -> None:
    rules = "extends: unguarded\naudit: {personal: false}\n"
    fields = await recorded("send_message", {**MESSAGE, "to": [EVE]}, tmp_path, rules)
    assert EVE not in fields
    assert "evil.example" in fields
