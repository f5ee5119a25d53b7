"""Every workflow on every scenario: the right cause is named and no other, for few tokens, with numbers of single tools."""

from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.call.workflows.reads import Reads
from mailgun_mcp.call.workflows.run import WORKFLOWS
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS
from mailgun_mcp.simulator.worlds.scenario import shipped_names
from tests.support.moments import spread, time_is
from tests.support.tokens import count_tokens
from tests.support.workflows import account_of, ask

pytestmark = pytest.mark.anyio
MOST_TOKENS = 3_000
SHOP, NEWS = "mail.example.com", "news.example.org"
REPORT, HEALTH, EXPLAIN, FIND = "deliverability_report", "check_domain_health", "explain_delivery", "find_recipient"
COMPARE = "compare_domains"

CAUSES: dict[str, dict[str, str]] = {
    "bad-list": {REPORT: "unfit_addresses", HEALTH: "unfit_addresses"},
    "blocklisting": dict.fromkeys((REPORT, HEALTH, EXPLAIN), "ip_blocklisted"),
    "broken-dkim": {
        REPORT: "authentication_failed",
        **dict.fromkeys((HEALTH, EXPLAIN, COMPARE), "dns_record_missing"),
    },
    "broken-template": {REPORT: "clicks_stopped"},
    "complaint-spike": {REPORT: "complaints", HEALTH: "complaints"},
    "healthy": {},
    "injection": {},
    "leaked-key": {REPORT: "several_api_keys", HEALTH: "several_api_keys"},
    "lost-webhook": {"audit_data_flows": "webhooks_differ"},
    "sending-limit": dict.fromkeys((REPORT, HEALTH, EXPLAIN), "sending_limit_reached"),
    "shadowed-route": {"audit_data_flows": "route_shadowed"},
    "suppressed-customer": {EXPLAIN: "suppressed", FIND: "suppressed"},
    "throttling": dict.fromkeys((REPORT, HEALTH, EXPLAIN), "throttled"),
    "unsubscribed-customer": {EXPLAIN: "suppressed", FIND: "suppressed"},
    "unverified-domain": {
        REPORT: "domain_not_active",
        **dict.fromkeys((HEALTH, EXPLAIN, COMPARE), "dns_record_missing"),
    },
}
"""Scenario -> workflow -> the cause that it names. The others name none."""
DOMAINS = {"bad-list": NEWS, "broken-template": NEWS, "complaint-spike": NEWS, "unverified-domain": "shop.example.net"}
CUSTOMERS = {"suppressed-customer": "jo.fischer@fischer.example", "unsubscribed-customer": "lea@berg.example"}


def test_every_scenario_is_judged() -> None:
    assert set(CAUSES) == set(shipped_names())


def test_every_workflow_tool_is_run() -> None:
    assert WORKFLOWS.keys() == WORKFLOW_TOOLS.keys()


@pytest.mark.parametrize(("scenario", "at"), spread(list(CAUSES)))
async def test_the_right_cause_is_named_and_nothing_else(scenario: str, at: str, tmp_path: Path) -> None:
    with time_is(at):
        await name_the_cause(scenario, tmp_path)


async def name_the_cause(scenario: str, tmp_path: Path) -> None:
    domain, customer = DOMAINS.get(scenario, SHOP), CUSTOMERS.get(scenario)
    arguments: dict[str, dict[str, Any]] = {
        REPORT: {},
        HEALTH: {"domain": domain},
        EXPLAIN: {"domain": domain, **({"recipient": customer} if customer else {})},
        FIND: {"address": customer or "somebody@example.net"},
        "audit_data_flows": {},
        "plan_suppression_cleanup": {"domain": domain},
        COMPARE: {"domains": [domain, SHOP if domain == NEWS else NEWS]},
        "chart_metrics": {"metric": "delivery", "by": "domain"},
    }
    async with account_of(scenario, str(tmp_path)) as account:
        for tool, given in arguments.items():
            answer = await ask(account, tool, given)
            expected = CAUSES[scenario].get(tool)
            assert answer.causes == ([expected] if expected else []), tool
            assert "not_read" not in answer.structured, tool
            assert answer.invented == [], tool
            assert count_tokens(answer.result.text) < MOST_TOKENS, tool


async def test_none_of_the_calls_answered_is_an_error_that_says_why(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "version: 1\nextends: guarded\nrules:\n  - match: {tool: ['get_*', 'query_*', 'list_*']}\n    decision: deny\n"
    )
    async with account_of("healthy", str(tmp_path), policy=str(policy)) as account:
        answer = await ask(account, HEALTH, {"domain": SHOP})
    assert answer.result.is_error
    assert answer.result.text.startswith("None of the calls succeeded. Refused by policy")


async def test_one_call_that_is_refused_leaves_the_others(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nextends: guarded\nrules:\n  - match: {tool: query_logs}\n    decision: deny\n")
    async with account_of("healthy", str(tmp_path), policy=str(policy)) as account:
        answer = await ask(account, HEALTH, {"domain": SHOP})
    assert {each["tool"] for each in answer.structured["not_read"]} == {"query_logs"}
    assert "may be incomplete" in answer.structured["summary"]
    assert answer.structured["facts"]["state"] == "active"


async def test_each_call_is_in_the_audit_log_under_the_id_of_its_source(tmp_path: Path) -> None:
    from mailgun_mcp.audit.log import AuditLog
    from mailgun_mcp.store.database import Store

    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nextends: guarded\naudit: {reads: true}\n")
    async with account_of("healthy", str(tmp_path), policy=str(policy)) as account:
        answer = await ask(account, "plan_suppression_cleanup", {"domain": SHOP})
    logged = {call.id: call.fields["tool"] for call in AuditLog(Store(tmp_path)).calls()}
    sources = answer.structured["sources"].values()
    assert {logged[source["call"]] for source in sources} == {source["tool"] for source in sources}
    assert "plan_suppression_cleanup" in logged.values()


@pytest.mark.parametrize("tool", WORKFLOWS)
async def test_a_workflow_takes_three_rounds_at_most(
    tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not depend on an earlier answer is asked at the same time: a slow network is waited for three times."""
    rounds = 0
    inner = Reads.all

    async def counted(reads: Reads, wanted: Any) -> Any:
        nonlocal rounds
        rounds += 1
        return await inner(reads, wanted)

    monkeypatch.setattr(Reads, "all", counted)
    arguments: dict[str, dict[str, Any]] = {
        FIND: {"address": CUSTOMERS["suppressed-customer"]},
        COMPARE: {"domains": [SHOP, NEWS]},
        "chart_metrics": {"metric": "delivery"},
        REPORT: {},
        "audit_data_flows": {},
    }
    async with account_of("suppressed-customer", str(tmp_path)) as account:
        outcome = await account.call(tool, arguments.get(tool, {"domain": SHOP}))
    assert not outcome.is_error
    assert 1 <= rounds <= 3
