"""What a policy and a token say of workflows."""

from pathlib import Path

import pytest

from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import Principal
from tests.support.workflows import account_of

pytestmark = pytest.mark.anyio

SHOP, NEWS = "mail.example.com", "news.example.org"
HEALTH = "check_domain_health"


def policy_file(folder: Path, match: str, decision: str) -> str:
    path = folder / "policy.yaml"
    path.write_text(
        f"version: 1\nextends: guarded\nrules:\n  - name: mine\n    match: {match}\n    decision: {decision}\n",
        encoding="utf-8",
    )
    return str(path)


@pytest.mark.parametrize(
    "match", [f"{{tool: {HEALTH}}}", "{toolset: workflows}", f"{{tool: {HEALTH}, domain: {SHOP}}}"]
)
@pytest.mark.parametrize(
    ("decision", "reason"), [("deny", "(mine)): it matches"), ("confirm", "the policy requires confirmation")]
)
async def test_a_rule_can_name_a_workflow(tmp_path: Path, match: str, decision: str, reason: str) -> None:
    if "domain" in match and decision == "confirm":
        pytest.skip("the same as without a domain")
    async with account_of("healthy", str(tmp_path), policy=policy_file(tmp_path, match, decision)) as account:
        outcome = await account.call(HEALTH, {"domain": SHOP})
        single = await account.call("get_tracking_settings", {"domain": SHOP})
    assert outcome.is_error
    assert reason in outcome.text
    assert "Make the calls of single tools instead" in outcome.text
    assert not single.is_error


async def test_a_token_for_some_domains_gets_what_they_have_and_nothing_else(tmp_path: Path) -> None:
    kim = Principal("kim", access=Access(domains=(SHOP,)))
    async with account_of("healthy", str(tmp_path)) as account:
        own = await account.call(HEALTH, {"domain": SHOP}, kim)
        other = await account.call(HEALTH, {"domain": NEWS}, kim)
        everywhere = await account.call("deliverability_report", {}, kim)
        compared = await account.call("compare_domains", {"domains": [SHOP, NEWS]}, kim)
    assert own.structured is not None
    assert own.structured["facts"]["state"] == "active"
    for refused in (other, everywhere):
        assert refused.is_error
        assert "token" in refused.text
    assert compared.structured is not None
    assert compared.structured["facts"]["states"] == {SHOP: "active", NEWS: "not read"}
    assert compared.structured["facts"]["by_domain"] == []
