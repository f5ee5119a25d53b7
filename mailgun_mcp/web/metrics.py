"""`/metrics` for Prometheus: calls, requests to Mailgun, approvals, quotas and connections.

Labels are bounded: a tool, a risk, a decision, an outcome, one of the operator's accounts. Never a principal, domain or
email address. Needs a token with the scope `mailgun:metrics`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailgun_mcp import __version__
from mailgun_mcp.call.counters import Sends
from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import SettingsError, StateError
from mailgun_mcp.identity.access import METRICS
from mailgun_mcp.identity.account import PERSONAL
from mailgun_mcp.identity.accounts import Accounts
from mailgun_mcp.output.logs import logger
from mailgun_mcp.policy.history import HOUR
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.web.challenge import Challenge
from mailgun_mcp.web.principal import principal_in

if TYPE_CHECKING:
    from mailgun_mcp.audit.call_record import CallRecord
    from mailgun_mcp.mailgun.client import Client

PATH = "/metrics"
DAY = 86_400.0
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
PERSONAL_LABEL = "personal"
"""Account label of all calls that are made with people's own keys."""
QUANTILES = (0.5, 0.95)


def metrics_routes(services: Services, challenge: Challenge, *more: Any) -> list[Route]:
    """Return the route, and start counting calls and requests. `more` are further collectors.

    Raises SettingsError if the extra `metrics` is not installed.
    """
    metrics = Metrics(services)
    for collector in more:
        metrics.registry.register(collector)

    async def show(request: Request) -> Response:
        access = principal_in(request.scope).access
        if not access.has(METRICS):
            return challenge.insufficient_scope(PATH, {METRICS}, access.listed_scopes)
        content, kind = await in_thread(metrics.text)
        return Response(content, media_type=kind)

    return [Route(PATH, show, methods=["GET"])]


class Metrics:
    """Counters of this process, and a collector that reads the shared state on request."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.perf_counter) -> None:
        try:
            import prometheus_client as prometheus
        except ImportError as error:
            raise SettingsError("metrics: install mailgun-mcp-server[metrics]") from error
        self._clock = clock
        self.registry = registry = prometheus.CollectorRegistry()
        self._calls = prometheus.Counter(
            "mailgun_mcp_calls",
            "Calls of tools",
            ["account", "tool", "risk", "decision", "outcome"],
            registry=registry,
        )
        self._call_seconds = prometheus.Histogram(
            "mailgun_mcp_call_duration_seconds",
            "Time of a call in the server, Mailgun and the person's answer included",
            ["risk", "outcome"],
            buckets=SECONDS,
            registry=registry,
        )
        self._requests = prometheus.Counter(
            "mailgun_mcp_mailgun_requests",
            "Requests to Mailgun, each try counted",
            ["account", "method", "status"],
            registry=registry,
        )
        self._request_seconds = prometheus.Histogram(
            "mailgun_mcp_mailgun_request_duration_seconds",
            "Time until Mailgun had answered",
            ["account", "method"],
            buckets=SECONDS,
            registry=registry,
        )
        prometheus.Info("mailgun_mcp_build", "The running version", registry=registry).info({"version": __version__})
        registry.register(StateCollector(services))
        services.observers.append(self.count_call)
        for name, client in clients_of(services):
            client.watches.append(partial(self.exchange, name))
        if services.personal is not None:
            services.personal.watches.append(lambda _: partial(self.exchange, PERSONAL_LABEL))

    def count_call(self, record: "CallRecord", seconds: float) -> None:
        """Count a finished call."""
        decision = record.decision.effect if record.decision else "none"
        outcome = record.outcome or "failed"
        # The account name is personal, and there are as many as people.
        account = PERSONAL_LABEL if record.account.name.startswith(PERSONAL) else record.account.name
        self._calls.labels(account, record.tool, record.risk, decision, outcome).inc()
        self._call_seconds.labels(record.risk, outcome).observe(seconds)

    @contextmanager
    def exchange(self, account: str, method: str, _: int) -> Iterator[Callable[[int], None]]:
        """Count a request to Mailgun. Call the yielded function with the status of the answer."""
        status = "none"

        def answered(code: int) -> None:
            nonlocal status
            status = str(code)

        started = self._clock()
        try:
            yield answered
        finally:
            self._requests.labels(account, method, status).inc()
            self._request_seconds.labels(account, method).observe(self._clock() - started)

    def text(self) -> tuple[bytes, str]:
        """Return all metrics in the Prometheus text format, and the media type."""
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        return generate_latest(self.registry), CONTENT_TYPE_LATEST


class StateCollector:
    """Metrics that every replica reads from the same state: aggregate replicas with `max`, not `sum`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> list[Any]:
        """Return nothing, so that registering does not read the state."""
        return []

    def collect(self) -> Iterator[Any]:
        """Yield the current values. If the state cannot be read, only those that this process knows."""
        yield from self._connections()
        if not self._services.store.exists:
            return
        try:
            yield from [*self._approvals(), *self._quotas()]
        except StateError as error:
            logger().error("metrics of the state are left out", reason=str(error))

    def _connections(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        gauge = GaugeMetricFamily(
            "mailgun_mcp_mailgun_connections", "Connections to Mailgun", labels=["account", "state"]
        )
        for name, client in clients_of(self._services):
            for state, count in client.connections.items():
                gauge.add_metric([name, state], count)
        yield gauge
        database = GaugeMetricFamily("mailgun_mcp_database_connections", "Connections to PostgreSQL", labels=["state"])
        for state, count in self._services.store.connections.items():
            database.add_metric([state], count)
        yield database

    def _approvals(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily, Metric

        now = self._services.clock()
        approvals = self._services.approvals.list(now)
        waiting = [approval for approval in approvals if approval.status == "pending"]
        yield GaugeMetricFamily("mailgun_mcp_approvals_waiting", "Calls that wait for a person", value=len(waiting))
        oldest = max((now - approval.created for approval in waiting), default=0.0)
        yield GaugeMetricFamily("mailgun_mcp_approvals_oldest_seconds", "How long the oldest waits", value=oldest)
        answers = sorted(
            approval.answers[-1].at - approval.created
            for approval in approvals
            if approval.answers and approval.answers[-1].at > now - DAY
        )
        # Without count and sum: over a day these also fall, which Prometheus takes for a restart.
        summary = Metric(
            "mailgun_mcp_approval_answer_seconds", "Time until people answered, in the last day", "summary"
        )
        for quantile in QUANTILES if answers else ():
            answer = answers[min(len(answers) - 1, int(len(answers) * quantile))]
            summary.add_sample(summary.name, {"quantile": str(quantile)}, answer)
        yield summary

    def _quotas(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        services = self._services
        used = GaugeMetricFamily("mailgun_mcp_recipients_last_hour", "Recipients of the last hour", labels=["account"])
        served = {name for name, _ in clients_of(services)}
        for account in Accounts(services.store).list():
            if account.name in served or not (services.accounts or account.name.startswith(PERSONAL)):
                since = services.clock() - HOUR
                used.add_metric([account.name], Sends(services.store).recipients_since(account.id, since))
        yield used
        limits = [rules.recipients_per_hour for rules in services.policy.send if rules.recipients_per_hour is not None]
        if limits:
            yield GaugeMetricFamily(
                "mailgun_mcp_recipients_per_hour_limit", "recipients_per_hour of the policy", value=min(limits)
            )


def clients_of(services: Services) -> "list[tuple[str, Client]]":
    """Return the Mailgun clients of a server, each with the name of its account."""
    if services.accounts:
        return [(account.name, account.client) for account in services.accounts]
    return [(services.account.assumed.name, services.client)]
