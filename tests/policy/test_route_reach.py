"""The risk of a route by whom it forwards mail to."""

from mailgun_mcp.policy.route_reach import (
    MOST_TARGETS,
    OWN_ADDRESS,
    UNKNOWN_DOMAINS,
    forwarded_to,
    of_own_targets,
    with_many_targets,
)
from tests.support.operations import find

CREATE_ROUTE = find("create_route")
FEW = [f"person{number}@example.org" for number in range(MOST_TARGETS)]


def test_a_route_to_a_few_addresses_is_a_write() -> None:
    assert with_many_targets(CREATE_ROUTE, FEW) is CREATE_ROUTE
    assert of_own_targets(FEW, {"mg.example.com"}) == ()


def test_a_route_to_many_addresses_is_destructive() -> None:
    assert with_many_targets(CREATE_ROUTE, [*FEW, "one-more@example.org"]).risk == "destructive"


def test_only_routes_forward() -> None:
    webhook = find("create_domain_webhook")

    assert with_many_targets(webhook, [*FEW, "one-more@example.org"]) is webhook
    assert forwarded_to(webhook, FEW) == ()
    assert forwarded_to(CREATE_ROUTE, ["app.example.com", *FEW]) == tuple(FEW)


def test_a_route_to_an_address_of_the_account_is_destructive() -> None:
    assert of_own_targets(["all@mg.example.com"], {"mg.example.com"}) == (OWN_ADDRESS,)
    assert of_own_targets(FEW, None) == (UNKNOWN_DOMAINS,)
