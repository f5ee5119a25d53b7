"""People's own Mailgun accounts: whose key a call is made with, and which keys are stored at all."""

import json
from dataclasses import replace
from typing import Any

import pytest

from mailgun_mcp.call.personal_accounts import CHECKED_WITHIN, IDLE, MOST_CHECKS, KeyRefused, PersonalAccounts
from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.access import SCOPES, Access
from mailgun_mcp.identity.accounts import Accounts
from mailgun_mcp.identity.personal_keys import PersonalKeys
from mailgun_mcp.identity.principal import ANONYMOUS, Principal
from mailgun_mcp.output.logs import redactor
from mailgun_mcp.policy.profiles import profile
from tests.support.own_keys import (
    ANN,
    ANNS,
    BEN,
    BENS,
    BY_ANN,
    BY_BEN,
    LIMITED,
    NEWER,
    SECRET,
    SHARED,
    KeyedMailgun,
    own_key_server,
)
from tests.support.recorder import Clock

pytestmark = pytest.mark.anyio

DOMAIN = {"domain": "ann.example.com"}


@pytest.fixture
def mailgun() -> KeyedMailgun:
    return KeyedMailgun()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(mailgun: KeyedMailgun, clock: Clock) -> Services:
    return own_key_server(mailgun, clock=clock)


def personal(services: Services) -> PersonalAccounts[Services]:
    assert services.personal is not None
    return services.personal


async def made(services: Services, caller: Caller, tool: str = "list_domains", **arguments: Any) -> dict[str, Any]:
    outcome = await run(services, tool, arguments, caller)
    assert outcome.structured is not None, outcome.text
    return outcome.structured


async def test_a_call_is_made_with_the_callers_own_key(services: Services, mailgun: KeyedMailgun) -> None:
    assert await personal(services).store(ANN, "eu", f" {ANNS}\n") == "personal-ann-login.example.com"
    assert await personal(services).store(BEN, "us", BENS) == "personal-ben"
    mailgun.seen.clear()
    assert (await made(services, BY_ANN))["account"] == "personal-ann-login.example.com"
    await made(services, BY_BEN)
    hosts = [(key, line.partition("/")[0]) for key, line in mailgun.seen]
    assert hosts == [(ANNS, "GET api.eu.mailgun.net"), (BENS, "GET api.mailgun.net")]


async def test_without_a_key_a_call_says_where_to_store_one(services: Services, mailgun: KeyedMailgun) -> None:
    outcome = await run(services, "list_domains", {}, BY_ANN)
    assert (outcome.kind, "/personal-key" in outcome.text, mailgun.seen) == ("refused", True, [])
    assert "you may use none of the accounts" in (await run(services, "list_domains", {}, Caller(ANONYMOUS))).text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("no-such-key-at-all", "does not accept this key in the region us"),
        (LIMITED, "may not list domains"),
        ("", "Enter the API key"),
        ("two words", "not an API key"),
        ("käse", "not an API key"),
        ("x" * 201, "not an API key"),
        ("pubkey-0123456789", "public validation key"),
    ],
)
async def test_a_wrong_key_is_not_stored(text: str, why: str, services: Services) -> None:
    with pytest.raises(KeyRefused, match=why) as caught:
        await personal(services).store(ANN, "us", text)
    assert not text or text not in str(caught.value)
    assert await personal(services).stored(ANN.id) is None
    assert Accounts(services.store).list() == ()


async def test_a_key_that_mailgun_cannot_be_asked_about_is_not_stored(
    services: Services, mailgun: KeyedMailgun
) -> None:
    mailgun.down = True
    with pytest.raises(KeyRefused, match="could not be checked with Mailgun"):
        await personal(services).store(ANN, "us", ANNS)
    assert await personal(services).stored(ANN.id) is None


async def test_a_region_that_is_none_is_refused_before_anything_is_sent(
    services: Services, mailgun: KeyedMailgun
) -> None:
    for region in ("", "de", "https://evil.example.com"):
        with pytest.raises(KeyRefused, match="Choose the region"):
            await personal(services).store(ANN, region, ANNS)
    assert mailgun.seen == []


async def test_nobody_without_a_proof_stores_a_key_or_uses_one(services: Services) -> None:
    with pytest.raises(KeyRefused, match="proved"):
        await personal(services).store(ANONYMOUS, "us", ANNS)
    await personal(services).store(Principal(ANONYMOUS.id), "us", ANNS)
    assert await personal(services).services_of(ANONYMOUS) is None


async def test_keys_cannot_be_tried_out(services: Services, mailgun: KeyedMailgun, clock: Clock) -> None:
    for number in range(MOST_CHECKS):
        with pytest.raises(KeyRefused, match="does not accept"):
            await personal(services).store(ANN, "us", f"guess-number-{number:04}")
    with pytest.raises(KeyRefused, match="too many"):
        await personal(services).store(ANN, "us", ANNS)
    assert len(mailgun.seen) == MOST_CHECKS
    await personal(services).store(BEN, "us", BENS)
    clock.now += CHECKED_WITHIN
    await personal(services).store(ANN, "us", ANNS)


async def test_a_removed_key_is_not_used_any_more_on_any_server(services: Services, mailgun: KeyedMailgun) -> None:
    await personal(services).store(ANN, "us", ANNS)
    other = own_key_server(mailgun, state=services.state, clock=services.clock)
    await made(other, BY_ANN)
    assert await personal(services).remove(ANN.id)
    assert not await personal(services).remove(ANN.id)
    mailgun.seen.clear()
    for server in (services, other):
        assert (await run(server, "list_domains", {}, BY_ANN)).kind == "refused"
    assert mailgun.seen == []


async def test_a_replaced_key_is_another_account(services: Services, mailgun: KeyedMailgun, clock: Clock) -> None:
    await personal(services).store(ANN, "us", ANNS)
    first = (await made(services, BY_ANN))["account"]
    await personal(services).store(ANN, "us", BENS)
    assert (await made(services, BY_ANN))["account"] == f"{first}-2"
    assert mailgun.seen[-1][0] == BENS
    clock.now += IDLE + 1
    await made(services, BY_ANN)
    await personal(services).aclose()


async def test_the_same_key_is_an_account_of_its_own_for_each_person(services: Services) -> None:
    """What is kept for one of them is not shown to the other, nor to who shares the key's account on the server."""
    await personal(services).store(ANN, "us", ANNS)
    await personal(services).store(BEN, "us", ANNS)
    stored = Accounts(services.store).list()
    assert {account.name for account in stored} == {"personal-ann-login.example.com", "personal-ben"}
    assert len({key.fingerprint for account in stored for key in account.keys}) == 2


async def test_beside_a_shared_account_the_caller_chooses(mailgun: KeyedMailgun) -> None:
    services = own_key_server(mailgun, shared=True, account_name="team")
    await made(services, BY_ANN)
    assert mailgun.seen[-1][0] == SHARED
    await personal(services).store(ANN, "us", ANNS)
    own = "personal-ann-login.example.com"
    assert f"team or {own}" in (await run(services, "list_domains", {}, BY_ANN)).text
    mailgun.seen.clear()
    assert (await made(services, BY_ANN, account=own))["account"] == own
    assert (await made(services, BY_ANN, account="team"))["account"] == "team"
    await made(services, BY_ANN, "get_domain", **DOMAIN)
    await made(services, BY_ANN, "get_domain", domain="shared.example.com")
    assert mailgun.keys_of("/v4/domains/ann") == [ANNS]
    assert mailgun.keys_of("/v4/domains/shared") == [SHARED]
    mailgun.seen.clear()
    await made(services, BY_BEN)
    assert mailgun.seen[-1][0] == SHARED
    assert own not in (await run(services, "list_domains", {"account": own}, BY_BEN)).text.replace(repr(own), "")


async def test_a_token_of_some_accounts_reaches_no_other(mailgun: KeyedMailgun) -> None:
    services = own_key_server(mailgun, shared=True, account_name="team")
    await personal(services).store(ANN, "us", ANNS)
    mailgun.seen.clear()
    narrow = Caller(replace(ANN, access=Access(frozenset(SCOPES), accounts=("team",))))
    await made(services, narrow)
    own = Caller(replace(ANN, access=Access(frozenset(SCOPES), accounts=("personal-ann-login.example.com",))))
    await made(services, own)
    assert [key for key, _ in mailgun.seen] == [SHARED, ANNS]


async def test_whoami_says_whether_a_key_is_stored_and_where(mailgun: KeyedMailgun) -> None:
    services = own_key_server(mailgun, public_url="https://mail.example.com/")
    page = "https://mail.example.com/personal-key"
    known = await made(services, BY_ANN, "whoami")
    assert (known["accounts"], known["own_key"]) == ([], {"stored": False, "page": page})
    await personal(services).store(ANN, "us", ANNS)
    known = await made(services, BY_ANN, "whoami")
    own = "personal-ann-login.example.com"
    assert (known["accounts"], known["own_key"]) == ([own], {"stored": True, "account": own, "page": page})
    assert (await made(services, BY_BEN, "whoami"))["own_key"] == {"stored": False, "page": page}


async def test_an_approval_in_ones_own_account_runs_there(mailgun: KeyedMailgun) -> None:
    services = own_key_server(mailgun, policy=profile("strict"))
    await personal(services).store(ANN, "us", ANNS)
    arguments = {"domain": "ann.example.com", "address": "a@example.com"}
    await run(services, "delete_bounce", arguments, BY_ANN)
    (waiting,) = services.approvals.list(services.clock(), "pending")
    assert (waiting.account, waiting.principal) == ("personal-ann-login.example.com", ANN.id)
    services.approvals.approve(waiting.id, by="olga", now=services.clock(), typed=waiting.typed)
    assert not (await run(services, "delete_bounce", arguments, BY_ANN)).is_error
    assert [key for key, line in mailgun.seen if line.startswith("DELETE")] == [ANNS]


async def test_no_key_is_in_a_log_the_state_or_the_audit_log(services: Services) -> None:
    await personal(services).store(ANN, "us", ANNS)
    await made(services, BY_ANN)
    await personal(services).remove(ANN.id)
    await personal(services).store(ANN, "us", ANNS)
    services.close()
    kept = b"".join(path.read_bytes() for path in services.state.iterdir() if path.is_file())
    assert ANNS.encode() not in kept
    assert ANNS not in json.dumps(redactor().value({"text": f"it is {ANNS}"}))
    names = [call.fields["tool"] for call in services.audit_log.calls()]
    assert [name for name in names if name.startswith("personal-key")] == [
        "personal-key store",
        "personal-key remove",
        "personal-key store",
    ]


async def test_a_key_that_cannot_be_decrypted_is_not_used(services: Services, mailgun: KeyedMailgun) -> None:
    await personal(services).store(ANN, "us", ANNS)
    other = own_key_server(mailgun, state=services.state, secret=NEWER)
    mailgun.seen.clear()
    outcome = await run(other, "list_domains", {}, BY_ANN)
    assert (outcome.is_error, mailgun.seen) == (True, [])
    both = own_key_server(mailgun, state=services.state, secret=f"{NEWER} {SECRET}")
    await made(both, BY_ANN)
    assert mailgun.seen[-1][0] == ANNS


async def test_a_key_that_was_moved_to_another_principal_does_not_open(services: Services) -> None:
    await personal(services).store(ANN, "us", ANNS)
    with services.store.writing() as connection:
        connection.execute("UPDATE personal_keys SET principal = ?", (BEN.id,))
    with pytest.raises(StateError, match="was changed"):
        PersonalKeys(services.store, personal(services)._keys._keys).find(BEN.id)
    assert (await run(services, "list_domains", {}, BY_BEN)).is_error
