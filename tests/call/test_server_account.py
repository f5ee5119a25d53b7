"""The account of a server: found at its first call, read again for each change, and not guessed where a rule needs it."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import AccountError, StateError
from mailgun_mcp.identity.accounts import Accounts
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.policy.profiles import profile
from tests.support.apps import services_at
from tests.support.calls import BOUNCE, run
from tests.support.policies import policy
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio


def with_key(services: Services, key: str, name: str | None = None, region: str = "us") -> Services:
    client = Client(resolve(region=region), key, user_agent="tests")
    return replace(services, client=client, account_name=name)


@pytest.fixture
def services() -> Services:
    return with_key(services_at("http://127.0.0.1:1"), "key-one")


async def test_two_keys_and_two_regions_are_three_accounts(services: Services) -> None:
    servers = [services, with_key(services, "key-two"), with_key(services, "key-one", region="eu")]
    accounts = [await server.account.current(changes=False) for server in servers]
    assert [account.name for account in accounts] == ["us", "us-2", "eu"]
    assert [account.endpoint for account in accounts] == [server.client.endpoint.url for server in servers]
    assert len({account.binding for account in accounts}) == 3


async def test_a_new_name_holds_from_the_next_change_on(services: Services) -> None:
    await services.account.current(changes=False)
    Accounts(services.store).rename("us", "production")
    assert (await services.account.current(changes=True)).name == "production"
    assert (await services.account.current(changes=False)).name == "production"


async def test_a_server_with_a_new_key_works_as_soon_as_the_operator_accepts_it(services: Services) -> None:
    await with_key(services, "key-one", "production").account.current(changes=True)
    server = with_key(services, "key-two", "production")
    for changes in (False, True):
        with pytest.raises(AccountError, match="accounts accept production"):
            await server.account.current(changes=changes)
    Accounts(server.store).accept("production")
    assert (await server.account.current(changes=False)).name == "production"


async def test_a_call_with_a_key_that_waits_is_refused_and_recorded() -> None:
    mailgun = Recorder()
    async with recorded_services(mailgun, policy=profile("unguarded"), account_name="production") as services:
        await run(services, "get_bounce", BOUNCE)
        other = replace(services, client=Client(resolve(url="http://127.0.0.1:2"), "other", user_agent="tests"))
        for tool in ("get_bounce", "delete_bounce"):
            outcome = await run(other, tool, BOUNCE)
            assert (outcome.kind, "accounts accept production" in outcome.text) == ("refused", True)
        other.close()
        assert mailgun.changes == []
        (refused,) = [call for call in services.audit_log.calls() if call.fields["tool"] == "delete_bounce"]
        assert (refused.outcome, refused.fields["account"]) == ("refused", "production")


async def test_without_a_state_that_can_be_read_only_reads_go_on_unless_a_rule_names_accounts(
    services: Services, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    broken = replace(services, state=tmp_path / "file")
    assert (await broken.account.current(changes=False)).name == "us"
    with pytest.raises(StateError):
        await broken.account.current(changes=True)
    rule = policy("extends: guarded\nrules: [{match: {account: us}, decision: deny}]\n")
    with pytest.raises(StateError):
        await replace(broken, policy=rule).account.current(changes=False)
    assert (await replace(broken, policy=rule, account_name="main").account.current(changes=False)).name == "main"


async def test_an_endpoint_of_the_operators_own_gives_the_name(services: Services) -> None:
    own = services_at("http://127.0.0.1:8080")
    assert (await own.account.current(changes=False)).name == "127.0.0.1-8080"
    assert replace(services, simulator=True).account.assumed.name == "simulator"
