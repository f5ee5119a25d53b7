"""The risk of a route by whom it forwards mail to."""

from mailgun_mcp.policy.route_reach import MOST_TARGETS, forwarded_to, with_many_targets, with_own_targets
from tests.support.operations import find

CREATE_ROUTE = find("create_route")
FEW = [f"person{number}@example.org" for number in range(MOST_TARGETS)]


def test_a_route_to_a_few_addresses_is_a_write() -> None:
    assert with_many_targets(CREATE_ROUTE, FEW) is CREATE_ROUTE
    assert with_own_targets(CREATE_ROUTE, FEW, {"mg.example.com"}) is CREATE_ROUTE


def test_a_route_to_many_addresses_is_destructive() -> None:
    assert with_many_targets(CREATE_ROUTE, [*FEW, "one-more@example.org"]).risk == "destructive"


def test_only_routes_forward() -> None:
    webhook = find("create_domain_webhook")

    assert with_many_targets(webhook, [*FEW, "one-more@example.org"]) is webhook
    assert forwarded_to(webhook, FEW) == ()
    assert forwarded_to(CREATE_ROUTE, ["app.example.com", *FEW]) == tuple(FEW)


def test_a_route_to_an_address_of_the_account_is_destructive() -> None:
    own = with_own_targets(CREATE_ROUTE, ["all@mg.example.com"], {"mg.example.com"})

    assert own.risk == "destructive"
    assert "mailing list" in str(own.risk_reason)


def test_a_route_is_destructive_if_the_domains_of_the_account_are_unknown() -> None:
    assert with_own_targets(CREATE_ROUTE, FEW, None).risk == "destructive"
