"""Numbers of a period, and what went wrong in it."""

from pathlib import Path

import pytest

from tests.support.workflows import account_of, ask

pytestmark = pytest.mark.anyio


async def test_clicks_that_stopped_lead_to_the_active_version_of_the_template(tmp_path: Path) -> None:
    async with account_of("broken-template", str(tmp_path)) as account:
        answer = await ask(account, "deliverability_report", {})
    (finding,) = answer.structured["findings"]
    assert [(each["template"], each["version"]) for each in finding["evidence"]] == [("newsletter", "autumn")]


async def test_domains_are_compared_by_the_numbers_of_single_tools(tmp_path: Path) -> None:
    domains = ["mail.example.com", "billing.example.com"]
    async with account_of("blocklisting", str(tmp_path)) as account:
        answer = await ask(account, "compare_domains", {"domains": domains})
        whole = await ask(account, "deliverability_report", {"domain": domains[0]})
    facts = answer.structured["facts"]
    assert [row["of"] for row in facts["by_domain"]] == domains
    assert {row["of"].split()[0] for row in facts["by_domain_and_provider"]} == set(domains)
    assert facts["states"] == dict.fromkeys(domains, "active")
    assert answer.invented == []
    assert [row["of"] for row in whole.structured["facts"]["by_domain"]] == domains[:1]
