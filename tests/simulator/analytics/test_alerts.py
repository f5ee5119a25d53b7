"""Thresholds are compared with the metrics of their period, and hits are recorded and cleared."""

from collections.abc import Iterator

import pytest

from mailgun_mcp.simulator.analytics.alerts import check_thresholds, period_seconds
from mailgun_mcp.simulator.mail.delivery import accept
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, HOUR, MINUTE, ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.thresholds import Threshold


@pytest.mark.parametrize(
    ("text", "seconds"), [("5m", 5 * MINUTE), ("1h", HOUR), ("30d", 30 * DAY), ("0h", None), ("1w", None), ("h", None)]
)
def test_a_period_is_a_number_and_a_unit(text: str, seconds: float | None) -> None:
    assert period_seconds(text) == seconds


def account_with(*recipients: str) -> tuple[Account, ManualClock]:
    clock = ManualClock()
    account = Account(clock)
    domain = account.domains["d.example"] = Domain("1", "d.example", clock.now(), "active")
    for number, recipient in enumerate(recipients):
        accept(
            account, domain, StoredMessage(str(number), f"{number}@d", "d.example", clock.now(), "a@d", [recipient], {})
        )
    threshold = Threshold("t1", "bounces", 0.0, 0.0, "hard_bounce_rate", ">", ".4", "domain", "1h")
    account.administration.thresholds.alerts["bounces"] = threshold
    return account, clock


@pytest.mark.anyio
async def test_a_crossed_threshold_is_recorded_with_its_value() -> None:
    account, clock = account_with("bounce@x.example", "ann@x.example")
    await check_thresholds(account)
    (hit,) = account.administration.thresholds.hits.values()
    assert (hit.threshold, hit.value, hit.latest, hit.triggered) == ("t1", "d.example", 0.5, True)
    assert account.administration.thresholds.alerts["bounces"].last_checked == clock.now()


@pytest.mark.anyio
async def test_a_threshold_that_is_not_crossed_has_no_hit() -> None:
    account, _ = account_with("ann@x.example", "bob@x.example", "bounce@x.example")
    await check_thresholds(account)
    assert account.administration.thresholds.hits == {}


@pytest.mark.anyio
async def test_a_hit_is_cleared_when_the_period_is_over() -> None:
    account, clock = account_with("bounce@x.example")
    await check_thresholds(account)
    clock.advance(2 * HOUR)
    await check_thresholds(account)
    (hit,) = account.administration.thresholds.hits.values()
    assert (hit.triggered, hit.latest) == (False, 1.0)


@pytest.mark.anyio
async def test_a_filter_leaves_mail_out() -> None:
    account, _ = account_with("bounce@x.example")
    filters = [{"dimension": "domain", "comparator": "!=", "values": ["d.example"]}]
    account.administration.thresholds.alerts["bounces"].filters = filters
    await check_thresholds(account)
    assert account.administration.thresholds.hits == {}


@pytest.mark.anyio
async def test_a_threshold_that_is_deleted_while_events_are_counted_gets_no_hit() -> None:
    account, _ = account_with("bounce@x.example")
    alerts, threshold = account.administration.thresholds.alerts, account.administration.thresholds.alerts["bounces"]

    class Deleting(list[dict[str, object]]):
        def __iter__(self) -> Iterator[dict[str, object]]:
            alerts.clear()
            return iter(())

    threshold.filters = Deleting()
    await check_thresholds(account)
    assert account.administration.thresholds.hits == {}
