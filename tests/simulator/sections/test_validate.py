"""Validation: what an address looks like, and what became of mail to it."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.suppressions import Complaint

pytestmark = pytest.mark.anyio


async def verdict(mailgun: httpx.AsyncClient, address: str, **more: Any) -> dict[str, Any]:
    answer = await mailgun.get("/v4/address/validate", params={"address": address, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("address", "result", "risk", "reason"),
    [
        ("ann@x.example", "deliverable", "low", []),
        ("no-address", "undeliverable", "high", ["malformed address; missing @ sign"]),
        ("a b@x.example", "undeliverable", "high", ["failed grammar check"]),
        ("a@nowhere.invalid", "undeliverable", "high", ["No MX records found for domain"]),
        ("bounce-1@x.example", "undeliverable", "high", ["mailbox_does_not_exist"]),
        ("complain@x.example", "do_not_send", "high", ["mailbox_complains"]),
        ("defer@x.example", "unknown", "unknown", ["unknown_provider"]),
        ("ann@mailinator.com", "do_not_send", "high", ["mailbox_is_disposable_address"]),
        ("ann@catchall.example", "catch_all", "medium", ["catch_all"]),
        ("support@x.example", "deliverable", "medium", ["mailbox_is_role_address"]),
    ],
)
async def test_an_address_is_judged(
    address: str, result: str, risk: str, reason: list[str], mailgun: httpx.AsyncClient
) -> None:
    found = await verdict(mailgun, address)
    assert (found["result"], found["risk"], found["reason"]) == (result, risk, reason)


async def test_what_the_account_knows_counts(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    plain.complaints["ann@x.example"] = Complaint("ann@x.example", 0.0)
    assert (await verdict(mailgun, "Ann@x.example"))["result"] == "do_not_send"
    assert (await verdict(mailgun, "typo@gmial.example"))["result"] == "undeliverable"


@pytest.mark.parametrize(
    ("address", "meant"), [("ann@gmial.com", "ann@gmail.com"), ("ann@hotmal.com", "ann@hotmail.com")]
)
async def test_a_typing_error_is_named(address: str, meant: str, mailgun: httpx.AsyncClient) -> None:
    found = await verdict(mailgun, address)
    assert (found["did_you_mean"], found["result"]) == (meant, "undeliverable")


@pytest.mark.parametrize(
    ("address", "root"),
    [("an.n+shop@gmail.com", "ann@gmail.com"), ("ann+shop@x.example", "ann@x.example"), ("ann@x.example", None)],
)
async def test_the_mailbox_behind_a_tag_is_named(address: str, root: str | None, mailgun: httpx.AsyncClient) -> None:
    assert (await verdict(mailgun, address)).get("root_address") == root


async def test_mail_that_was_opened_tells_of_the_person(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    form = {"from": f"a@{plain.name}", "to": "open@x.example", "subject": "Hi", "text": "x", "o:tracking": "yes"}
    assert (await mailgun.post(f"/v3/{plain.name}/messages", data=form)).status_code == 200
    found = await verdict(mailgun, "open@x.example")
    assert found["engagement"] == {"engaging": True, "behavior": "engager", "is_bot": False}
    assert found["last_seen"] > 0
    assert "engagement" not in await verdict(mailgun, "nobody.yet@x.example")


async def test_without_a_provider_lookup_only_who_had_mail_is_known(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    assert (await verdict(mailgun, "new@x.example", provider_lookup="false"))["result"] == "unknown"
    form = {"from": f"a@{plain.name}", "to": "new@x.example", "subject": "Hi", "text": "x"}
    await mailgun.post(f"/v3/{plain.name}/messages", data=form)
    assert (await verdict(mailgun, "new@x.example", provider_lookup="false"))["result"] == "deliverable"
