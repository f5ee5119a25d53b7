"""A new IP warms up one stage a day, until the last."""

from mailgun_mcp.simulator.model.clock import DAY
from mailgun_mcp.simulator.model.ips import SHARED_IP, STAGES, Ip, Ips, Warmup


def test_a_warm_up_rises_one_stage_a_day_and_ends_after_the_last() -> None:
    warmup = Warmup(100.0)
    assert [warmup.stage(at) for at in (0.0, 100.0, 99.9 + DAY, 100.0 + DAY)] == [0, 0, 0, 1]
    last = 100.0 + len(STAGES) * DAY
    assert (warmup.running(last - 1), warmup.running(last)) == (True, False)


def test_an_ip_warms_only_while_it_has_a_running_plan() -> None:
    assert not Ip("192.0.2.1").warming(0.0)
    assert Ip("192.0.2.1", warmup=Warmup(0.0)).warming(1.0)


def test_an_account_starts_with_the_shared_ip() -> None:
    assert [(ip.address, ip.dedicated) for ip in Ips().ips.values()] == [(SHARED_IP, False)]
