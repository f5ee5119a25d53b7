"""Whom a call reaches, where its recorded arguments do not show it."""

from typing import Any

import pytest

from mailgun_mcp.audit.reach import LONGEST, MOST, unshown
from mailgun_mcp.output.logs import withhold
from tests.support.policies import facts

SEND: dict[str, Any] = {"domain": "mg.example.com", "from": "a@mg.example.com", "text": "x" * 900}


def reached(recorded: Any, *, personal: bool = True, **arguments: Any) -> Any:
    call = facts("send_message", {**SEND, **arguments})
    return unshown(call, {**call.arguments, **recorded}, personal=personal)


def test_nothing_is_added_where_the_arguments_show_it() -> None:
    assert reached({"text": {"characters": 900}}, to=["bob@good.example"]) is None


def test_recipients_and_places_that_were_left_out_are_named() -> None:
    assert reached({"to": ["[redacted]"]}, to=["Bob <bob@good.example>"], archive_to="https://evil.example/x") == {
        "count": 2,
        "names": ["bob@good.example", "evil.example"],
    }


def test_without_personal_data_only_domains_are_named() -> None:
    recorded = {"to": "[personal]"}
    assert reached(recorded, personal=False, to=["bob@good.example", "al@good.example"]) == {
        "count": 2,
        "domains": ["good.example"],
    }


def test_a_host_is_not_personal_data() -> None:
    recorded = {"to": "[personal]", "archive_to": {"characters": 900}}
    found = reached(recorded, personal=False, to=["bob@good.example"], archive_to="https://evil.example/x")
    assert found == {"count": 2, "domains": ["good.example", "evil.example"]}


@pytest.mark.parametrize("length", [3, 200])
def test_of_many_the_rarest_domains_are_kept(length: int) -> None:
    customers = [f"{'u' * length}{number}@customers.example" for number in range(900)]
    found = reached({"to": {"items": 901}}, to=[*customers, "eve@evil.example"])
    assert found["count"] == 901
    assert found["names"][0] == "eve@evil.example"
    assert len(found["names"]) <= MOST
    assert sum(map(len, found["names"])) <= LONGEST


def test_a_target_that_was_left_out_is_named() -> None:
    call = facts("delete_bounce", {"domain": "mg.example.com", "address": "authorization=x@b.example"})
    assert unshown(call, {"domain": "mg.example.com", "address": "authorization=[redacted]"}, personal=True) == {
        "count": 1,
        "names": ["authorization=x@b.example"],
    }


def test_secrets_are_not_named() -> None:
    withhold("hunter2hunter2")
    names = reached({"to": []}, to=["hunter2hunter2@b.example", f"key-{'0' * 32}@c.example"])["names"]
    assert names == ["[redacted]@b.example", "[redacted]@c.example"]
    call = facts("create_smtp_credentials", {"domain": "a.example", "login": ["x"], "password": ["hidden"]})
    assert unshown(call, {**call.arguments, "password": ["[redacted]"]}, personal=True) is None
