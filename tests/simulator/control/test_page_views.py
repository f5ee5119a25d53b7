"""The tables of the page."""

import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.control.page_views import PageRequest, overview
from tests.support.everything import account_with_everything


def page_request(account: Account, shown: Account | None = None, **query: str) -> PageRequest:
    return PageRequest(account, shown or account, None, query, account.clock.now())


@pytest.mark.parametrize(("text", "skip"), [("", 0), ("20", 20), ("-1", 0), ("x", 0), ("²", 0), ("9" * 20, 0)])
def test_only_a_plain_number_skips_rows(account: Account, text: str, skip: int) -> None:
    assert page_request(account, skip=text).skip == skip


def test_a_link_stays_in_the_account() -> None:
    account = account_with_everything()
    below = Account(account.clock, "below")
    assert page_request(account).to("events", domain="a.b") == "/simulator/page/events?domain=a.b"
    assert page_request(account, below).to("events") == "/simulator/page/events?account=below"
    assert page_request(account).to("") == "/simulator/"


def test_the_overview_names_each_domain_and_account(account: Account) -> None:
    html = str(overview(page_request(account)))
    assert [name for name in account.domains if name not in html] == []
