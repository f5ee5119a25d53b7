"""An account: who belongs to it, and the ids that it draws."""

from mailgun_mcp.simulator.model.account import NOT_CLOSED, OPEN, Account, Administration, Subaccount, SubaccountStatus
from mailgun_mcp.simulator.model.clock import ManualClock


def parent_of(*statuses: SubaccountStatus) -> Account:
    clock = ManualClock()
    account = Account(clock, "top")
    for status in statuses:
        child = Account(clock, status, administration=Administration(parent=account))
        account.administration.subaccounts[status] = Subaccount(status, status, child, 0.0, 0.0, status)
    return account


def test_an_account_comes_with_all_its_subaccounts_itself_first() -> None:
    account = parent_of("open", "disabled", "closed")
    assert [each.id for each in account.with_subaccounts()] == ["top", "open", "disabled", "closed"]


def test_subaccounts_can_be_chosen_by_status() -> None:
    account = parent_of("open", "disabled", "closed")
    assert [each.id for each in account.with_subaccounts(OPEN)] == ["top", "open"]
    assert [each.id for each in account.with_subaccounts(NOT_CLOSED)] == ["top", "open", "disabled"]


def test_the_other_region_of_each_account_comes_only_on_request() -> None:
    account = parent_of("open")
    below = account.administration.subaccounts["open"].account
    account.other_region, below.other_region = Account(account.clock, "top-eu"), Account(account.clock, "open-eu")
    assert [each.id for each in account.with_subaccounts()] == ["top", "open"]
    assert [each.id for each in account.with_subaccounts(all_regions=True)] == ["top", "top-eu", "open", "open-eu"]


def test_equal_accounts_draw_equal_ids_and_never_the_same_twice() -> None:
    one, other = parent_of(), parent_of()
    assert [one.hex_id(), one.uuid(), one.opaque_id()] == [other.hex_id(), other.uuid(), other.opaque_id()]
    assert len({one.hex_id() for _ in range(100)}) == 100
