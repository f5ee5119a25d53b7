"""Tracking hosts, and how sections answer for a domain that the account does not have."""

import httpx
import pytest

from mailgun_mcp.simulator.http.tracking_hosts import tracking_host
from mailgun_mcp.simulator.model.domains import Domain


def test_a_tracking_host_is_below_its_domain(plain: Domain) -> None:
    assert tracking_host(plain) == "email.plain.example.com"
    plain.settings["web_prefix"] = "go"
    assert tracking_host(plain) == "go.plain.example.com"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "status", "data"),
    [
        ("GET", "/v2/x509/email.no.example.com/status", 404, {"Description": "x509 cert not found"}),
        ("POST", "/v2/x509/email.no.example.com", 400, {"Reason": "invalid CNAME record"}),
        ("GET", "/v3/domains/no.example.com/tracking", 404, {"message": "Domain not found: no.example.com"}),
        ("POST", "/v1/dkim_management/domains/no.example.com/rotate", 404, {"Description": "domain not found"}),
    ],
)
async def test_each_section_misses_a_domain_in_its_own_words(
    mailgun: httpx.AsyncClient, method: str, path: str, status: int, data: dict[str, str]
) -> None:
    answer = await mailgun.request(method, path)
    assert (answer.status_code, answer.json()) == (status, data)
