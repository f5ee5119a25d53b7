"""The costs of the chat agent, for Prometheus. No label names a person or a conversation."""

from collections.abc import Callable, Iterator
from typing import Any

from mailgun_mcp.agent.usage import Limits, UsageTable
from mailgun_mcp.errors import StateError
from mailgun_mcp.output.logs import logger


class UsageCollector:
    """Counters of this process, and today's usage of all replicas, which each replica reads from the state."""

    def __init__(self, usage: UsageTable, limits: Limits, clock: Callable[[], float]) -> None:
        self._usage = usage
        self._limits = limits
        self._clock = clock

    def describe(self) -> list[Any]:
        """Return nothing, so that registering does not read the state."""
        return []

    def collect(self) -> Iterator[Any]:
        """Yield the current values."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        counted = self._usage.counted
        for name, meaning, value in (
            ("requests", "Requests of the chat agent to its model", counted.requests),
            ("tool_calls", "Calls of tools by the chat agent", counted.tool_calls),
            ("cost_dollars", "What the model has cost, as far as prices are known", counted.cost),
            ("model_seconds", "Time in which the model was answering", counted.seconds),
        ):
            yield CounterMetricFamily(f"mailgun_mcp_agent_{name}", meaning, value=value)
        tokens = CounterMetricFamily("mailgun_mcp_agent_tokens", "Tokens of the model", labels=["direction"])
        tokens.add_metric(["input"], counted.input_tokens or 0)
        tokens.add_metric(["output"], counted.output_tokens or 0)
        yield tokens
        try:
            today = self._usage.of_server(self._clock()).cost
        except StateError as error:
            logger().error("metrics of the chat agent are left out", reason=str(error))
            return
        yield GaugeMetricFamily(
            "mailgun_mcp_agent_cost_dollars_today", "What the model has cost all replicas today (UTC)", value=today
        )
        if self._limits.server_per_day.cost is not None:
            yield GaugeMetricFamily(
                "mailgun_mcp_agent_cost_dollars_per_day_limit",
                "What it may cost in a day",
                value=self._limits.server_per_day.cost,
            )
