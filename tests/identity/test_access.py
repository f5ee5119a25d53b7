"""Scopes are risks, and what is not restricted may do everything."""

import pytest

from mailgun_mcp.catalogue.types import RISKS
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.identity.access import APPROVE, EVERYTHING, METRICS, SCOPES, Access, parse_scopes, scope_of


def test_there_is_a_scope_for_each_risk_and_those_for_approvals_and_metrics() -> None:
    assert set(SCOPES) == {*map(scope_of, RISKS), APPROVE, METRICS}


def test_who_runs_the_server_may_do_everything() -> None:
    assert all(map(EVERYTHING.permits, RISKS))
    assert EVERYTHING.listed_scopes == SCOPES


def test_a_scope_permits_calls_of_its_risk_and_no_others() -> None:
    access = Access(parse_scopes(["send", "mailgun:read"]))
    assert [risk for risk in RISKS if access.permits(risk)] == ["read", "send"]
    assert access.listed_scopes == ("mailgun:read", "mailgun:send")


def test_no_scopes_permit_nothing() -> None:
    assert not any(map(Access(frozenset()).permits, RISKS))


def test_an_unknown_scope_is_refused_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"unknown scope 'mailgun:sends'.*mailgun:send"):
        parse_scopes(["read", "sends"])


def test_accounts_are_reached_by_their_exact_names() -> None:
    some = Access(accounts=("production", ""))
    assert [some.reaches(name) for name in ("production", "", "Production", "prod")] == [True, True, False, False]
    assert (Access(accounts=()).reaches(""), Access().reaches("production")) == (False, True)
