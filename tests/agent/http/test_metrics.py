"""What the chat agent costs, as Prometheus is told."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from mailgun_mcp.agent.http.metrics import UsageCollector
from mailgun_mcp.agent.usage import Limits, Usage, UsageTable
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.principal import Principal
from tests.support.chats import ANN, LIST, Chat

pytestmark = pytest.mark.anyio

BOB = Principal("bob@example.com")
NOW = 1_790_000_000.0


def shown(collector: UsageCollector) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(collector)
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_requests_tokens_and_calls_of_all_conversations_are_counted() -> None:
    async with Chat([LIST], ["Two."], ["None."]) as chat:
        collector = UsageCollector(chat.runner.usage_table, chat.runner.limits, chat.services.clock)
        assert set(shown(collector).values()) == {0.0, 250.0}
        await chat.say("What bounces?")
        await chat.say("And else?", by=BOB, to="d")
        counted = shown(collector)
        both = [await chat.runner.usage(by, to) for by, to in ((ANN, "c"), (BOB, "d"))]
    assert counted["mailgun_mcp_agent_requests_total"] == 3
    assert counted["mailgun_mcp_agent_tool_calls_total"] == 1
    assert counted['mailgun_mcp_agent_tokens_total{direction="input"}'] == sum(used.input_tokens or 0 for used in both)
    assert counted['mailgun_mcp_agent_tokens_total{direction="output"}'] == sum(
        used.output_tokens or 0 for used in both
    )
    assert not [name for name in counted if "ann" in name or "bob" in name]


async def test_the_cost_of_today_is_that_of_all_replicas() -> None:
    async with Chat() as chat:
        one, other = UsageTable(chat.services.store), UsageTable(chat.services.store)
        one.add("c", "ann", Usage(cost=1.5), NOW)
        other.add("d", "bob", Usage(cost=2.0), NOW)
        other.add("e", "bob", Usage(cost=9.0), NOW - 90_000)
        counted = shown(UsageCollector(one, Limits(server_per_day=Usage(cost=None)), lambda: NOW))
    assert counted["mailgun_mcp_agent_cost_dollars_today"] == 3.5
    assert counted["mailgun_mcp_agent_cost_dollars_total"] == 1.5
    assert "mailgun_mcp_agent_cost_dollars_per_day_limit" not in counted


async def test_a_state_that_cannot_be_read_leaves_out_what_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Usage:
        raise StateError("no state")

    async with Chat() as chat:
        monkeypatch.setattr(UsageTable, "of_server", broken)
        counted = shown(UsageCollector(chat.runner.usage_table, Limits(), chat.services.clock))
    assert "mailgun_mcp_agent_requests_total" in counted
    assert "mailgun_mcp_agent_cost_dollars_today" not in counted
