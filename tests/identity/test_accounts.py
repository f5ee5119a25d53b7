"""Which key opens which account: names belong to keys, and a new key under an old name waits for the operator."""

import pytest

from mailgun_mcp.errors import AccountError, UnknownNameError
from mailgun_mcp.identity.accounts import Accounts, KeyInUse
from mailgun_mcp.store.database import Store
from tests.support.engines import on_both_engines, on_sqlite
from tests.support.state import NOW

pytestmark = on_both_engines

US, EU = "https://api.mailgun.net", "https://api.eu.mailgun.net"


def key(fingerprint: str, name: str | None = None, endpoint: str = US) -> KeyInUse:
    region = "us" if endpoint == US else "eu"
    return KeyInUse(endpoint, region, fingerprint * 8, name, default_name=region)


def test_a_key_opens_the_same_account_each_time(store: Store) -> None:
    first = Accounts(store).open(key("aaaa"), NOW)
    again = Accounts(store).open(key("aaaa"), NOW + 1)
    assert (first.account.name, first.notice) == ("us", "")
    assert (again.account, again.notice) == (first.account, "")


def test_keys_and_endpoints_that_nobody_named_open_accounts_of_their_own(store: Store) -> None:
    opened = [Accounts(store).open(one, NOW) for one in (key("aaaa"), key("bbbb"), key("aaaa", endpoint=EU))]
    assert [one.account.name for one in opened] == ["us", "us-2", "eu"]
    assert len({one.account.id for one in opened}) == 3
    assert "accounts accept NAME --from us-2" in opened[1].notice
    assert [account.name for account in Accounts(store).list()] == ["us", "us-2", "eu"]


def test_a_name_is_given_to_an_account_that_had_none(store: Store) -> None:
    unnamed = Accounts(store).open(key("aaaa"), NOW).account
    named = Accounts(store).open(key("aaaa", "production"), NOW).account
    assert (named.name, named.id) == ("production", unnamed.id)
    assert Accounts(store).open(key("aaaa"), NOW).account == named


def test_a_key_under_another_name_than_its_own_is_refused(store: Store) -> None:
    Accounts(store).open(key("aaaa", "production"), NOW)
    with pytest.raises(AccountError, match=r"belongs to the account production, not to sandbox: .* rename production"):
        Accounts(store).open(key("aaaa", "sandbox"), NOW)
    Accounts(store).open(key("bbbb", "sandbox"), NOW)
    with pytest.raises(AccountError, match="belongs to the account production"):
        Accounts(store).open(key("aaaa", "sandbox"), NOW)


def test_a_new_key_under_an_old_name_waits_until_the_operator_accepts_it(store: Store) -> None:
    accounts = Accounts(store)
    account = accounts.open(key("aaaa", "production"), NOW).account
    for _ in range(2):
        with pytest.raises(AccountError, match=r"run `.* accounts accept production"):
            accounts.open(key("bbbb", "production"), NOW)
    (listed,) = accounts.list()
    assert [one.fingerprint[:4] for one in listed.waiting] == ["bbbb"]
    assert accounts.accept("production").fingerprint == "bbbb" * 8
    opened = accounts.open(key("bbbb", "production"), NOW).account
    assert (opened.id, opened.fingerprint) == (account.id, "bbbb" * 8)
    assert accounts.open(key("aaaa", "production"), NOW).account == account


def test_another_endpoint_under_an_old_name_waits_too(store: Store) -> None:
    Accounts(store).open(key("aaaa", "production"), NOW)
    with pytest.raises(AccountError, match="another API key or endpoint"):
        Accounts(store).open(key("aaaa", "production", EU), NOW)


def test_of_several_keys_that_wait_the_operator_chooses(store: Store) -> None:
    accounts = Accounts(store)
    accounts.open(key("aaaa", "production"), NOW)
    for fingerprint in ("bbbb", "cccc"):
        with pytest.raises(AccountError):
            accounts.open(key(fingerprint, "production"), NOW)
    with pytest.raises(AccountError, match=r"2 API keys are waiting .* choose with --key: bbbbbbbb \(.*\), cccccccc"):
        accounts.accept("production")
    assert accounts.accept("production", fingerprint="cccc").fingerprint == "cccc" * 8
    with pytest.raises(AccountError, match="the account production was used"):
        accounts.open(key("bbbb", "production"), NOW)


def test_nothing_is_accepted_that_does_not_wait(store: Store) -> None:
    Accounts(store).open(key("aaaa", "production"), NOW)
    with pytest.raises(AccountError, match="no API key is waiting"):
        Accounts(store).accept("production")
    with pytest.raises(UnknownNameError, match="did you mean 'production'"):
        Accounts(store).accept("producton")


def test_a_key_that_waits_may_get_an_account_of_its_own_instead(store: Store) -> None:
    accounts = Accounts(store)
    accounts.open(key("aaaa", "production"), NOW)
    with pytest.raises(AccountError):
        accounts.open(key("bbbb", "production"), NOW)
    assert accounts.open(key("bbbb", "staging"), NOW).account.name == "staging"
    assert accounts.list()[0].waiting == ()


def test_the_keys_of_one_account_can_become_those_of_another(store: Store) -> None:
    accounts = Accounts(store)
    old, new = accounts.open(key("aaaa"), NOW).account, accounts.open(key("bbbb"), NOW).account
    assert [one.fingerprint[:4] for one in accounts.accept_from("us", "us-2")] == ["bbbb"]
    assert accounts.open(key("bbbb"), NOW).account.id == old.id
    assert [account.name for account in accounts.list()] == ["us"]
    assert accounts.names() == {old.id: "us", new.id: "us"}
    with pytest.raises(AccountError, match="the same account"):
        accounts.accept_from("us", "us")
    with pytest.raises(UnknownNameError):
        accounts.accept_from("us", "us-2")


def test_a_renamed_account_stays_the_same(store: Store) -> None:
    accounts = Accounts(store)
    account = accounts.open(key("aaaa"), NOW).account
    accounts.rename("us", "production")
    renamed = accounts.open(key("aaaa"), NOW).account
    assert (renamed.name, renamed.id, renamed.binding) == ("production", account.id, account.binding)
    accounts.rename("production", "production")
    with pytest.raises(UnknownNameError):
        accounts.rename("us", "other")


def test_a_key_that_waits_for_a_name_waits_for_the_new_name(store: Store) -> None:
    accounts = Accounts(store)
    accounts.open(key("aaaa", "prod"), NOW)
    with pytest.raises(AccountError):
        accounts.open(key("bbbb", "prod"), NOW)
    accounts.rename("prod", "production")
    assert accounts.accept("production").fingerprint == "bbbb" * 8


def test_a_name_that_is_taken_is_refused_with_the_way_to_join_the_two(store: Store) -> None:
    for fingerprint in ("aaaa", "bbbb"):
        Accounts(store).open(key(fingerprint), NOW)
    with pytest.raises(AccountError, match=r"`.* accounts accept us --from us-2"):
        Accounts(store).rename("us-2", "us")


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a\nb", "a" * 64, "é", "a/b", "\u202ea"])
def test_a_name_that_cannot_be_typed_or_read_is_refused(store: Store, name: str) -> None:
    with pytest.raises(AccountError, match="not the name of an account"):
        Accounts(store).open(key("aaaa", name), NOW)
    assert Accounts(store).list() == ()
    Accounts(store).open(key("aaaa"), NOW)
    with pytest.raises(AccountError, match="not the name of an account"):
        Accounts(store).rename("us", name)


@on_sqlite
def test_without_a_state_there_are_no_names(store: Store) -> None:
    assert Accounts(store).names() == {}
    assert not store.exists
