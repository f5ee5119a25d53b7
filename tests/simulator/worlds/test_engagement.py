"""Readers are always the same for an address, and different between addresses."""

from random import Random

import pytest

from mailgun_mcp.simulator.model.clock import DAY, HOUR, MINUTE
from mailgun_mcp.simulator.worlds.engagement import click_delay, complaint_delay, open_delay, reader_of


def test_a_reader_keeps_ip_client_and_city_whatever_the_case_of_the_address() -> None:
    assert reader_of("Ann@x.example") == reader_of("ann@x.example")
    readers = [reader_of(f"reader{number}@x.example") for number in range(200)]
    assert len({reader["ip"] for reader in readers}) > 100
    assert len({reader["client_info"]["client-name"] for reader in readers}) > 3


@pytest.mark.parametrize(
    ("delay", "median", "longest"),
    [(open_delay, 40 * MINUTE, 3 * DAY), (click_delay, 35.0, HOUR), (complaint_delay, 2 * HOUR, 2 * DAY)],
)
def test_delays_scatter_around_their_median(delay: object, median: float, longest: float) -> None:
    assert callable(delay)
    delays = sorted(delay(Random(seed)) for seed in range(2000))
    assert 0.8 * median < delays[1000] < 1.25 * median
    assert 0 < delays[0] < delays[-1] <= longest
    assert delays == sorted(delay(Random(seed)) for seed in range(2000))
