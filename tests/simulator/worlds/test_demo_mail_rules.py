"""The demo account's routes, lists and webhooks, and the traces of their work."""

import pytest

from mailgun_mcp.request.route_language import parse_action, parse_expression
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.worlds.demo import NEWS, PEOPLE, SHOP
from tests.support.accounts import demo_account_at


@pytest.fixture(scope="module")
def account() -> Account:
    return demo_account_at(ManualClock())


def test_every_route_is_one_that_mailgun_accepts(account: Account) -> None:
    routes = account.routes.in_order()
    assert [route.priority for route in routes] == [0, 10, 100]
    for route in routes:
        parse_expression(route.expression)
        assert [parse_action(action).kind for action in route.actions]


def test_the_lists_belong_to_domains_of_the_account_and_one_has_left(account: Account) -> None:
    assert {address.partition("@")[2] for address in account.lists} == {SHOP, NEWS}
    members = [member for mailing_list in account.lists.values() for member in mailing_list.members.values()]
    assert {member.address for member in members} >= {address for _, address in PEOPLE}
    assert [member.name for member in members if not member.subscribed] == ["Former Colleague"]


def test_every_bounce_of_the_shop_was_posted_to_its_webhooks(account: Account) -> None:
    shop = account.domains[SHOP]
    failed = [event.record for event in shop.events if event.record.get("severity") == "permanent"]
    posted = [posting for posting in account.webhooks.outbox if posting.event == "permanent_fail"]
    assert failed
    assert len(posted) == len(failed) * len(shop.webhooks["permanent_fail"])
    assert {(posting.outcome, posting.due_at) for posting in posted} == {("taken", None)}


def test_the_inbound_mail_came_through_the_support_route(account: Account) -> None:
    (received,) = account.routes.received
    assert received.routes == [account.routes.in_order()[0].id]
    assert received.storage_key in account.domains[SHOP].messages


def test_a_template_has_a_second_version_that_is_not_active(account: Account) -> None:
    versions = account.domains[SHOP].templates["order-confirmation"].versions
    assert {tag: version.active for tag, version in versions.items()} == {"initial": True, "with-items": False}
