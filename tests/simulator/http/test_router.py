"""Paths to operations."""

import pytest

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.simulator.http.router import RouteMatch, Router
from tests.support.offenders import holds_for
from tests.support.operations import catalogue

ROUTER = Router(catalogue())


def found(method: str, path: str) -> tuple[str, dict[str, str]]:
    match = ROUTER.match(method, path)
    assert isinstance(match, RouteMatch)
    return match.operation.name, match.values


@holds_for()
def test_every_operation_is_found_by_its_own_path(operation: Operation) -> None:
    path = operation.path.replace("{", "").replace("}", "")
    assert found(operation.method, path)[0] == operation.name


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/v3/routes/match", "match_route"),
        ("GET", "/v3/lists/pages", "list_mailing_lists_by_page"),
        ("GET", "/v5/users/me", "get_own_user"),
        ("POST", "/v3/a.example/bounces/import", "import_bounces"),
    ],
)
def test_a_literal_segment_goes_before_a_parameter(method: str, path: str, name: str) -> None:
    if name in catalogue():
        assert found(method, path)[0] == name


def test_a_parameter_takes_what_the_literal_has_no_method_for() -> None:
    name, values = found("DELETE", "/v3/lists/pages")
    assert (name, values) == ("delete_mailing_list", {"list_address": "pages"})


@pytest.mark.parametrize(
    ("segment", "address"),
    [
        ("ann%2Bnews%40x.example", "ann+news@x.example"),
        ("ann+news@x.example", "ann+news@x.example"),
        ("a%2Fb%40x.example", "a/b@x.example"),
        ("%C3%BC%40x.example", "ü@x.example"),
    ],
)
def test_segments_are_decoded_one_by_one(segment: str, address: str) -> None:
    name, values = found("GET", f"/v3/x.example/bounces/{segment}")
    assert (name, values["address"]) == ("get_bounce", address)


def test_a_page_token_ends_the_path_of_events() -> None:
    assert found("GET", "/v3/x.example/events/W3siY") == ("list_events", {"domain_name": "x.example", "page": "W3siY"})


def test_methods_of_a_path_are_known() -> None:
    assert ROUTER.methods("/v3/x.example/bounces") == ["DELETE", "GET", "POST"]
    assert ROUTER.methods("/v3/x.example/nothing/here/at/all") == []
