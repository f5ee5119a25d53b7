"""`chart_metrics` against the simulator: what is drawn is what query_metrics returned."""

import re
from pathlib import Path

import pytest

from mailgun_mcp.call.workflows import charts
from mailgun_mcp.call.workflows.chart_picture import Chart
from mailgun_mcp.call.workflows.charts import BY, DIMENSIONS, MOST_BARS, SERIES, UNITS
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS
from tests.support.operations import find
from tests.support.workflows import account_of, ask

pytestmark = pytest.mark.anyio

SHOP = "mail.example.com"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Chart]:
    """The charts that are drawn, without drawing them."""
    charts_drawn: list[Chart] = []

    def draw(chart: Chart, form: str) -> bytes:
        charts_drawn.append(chart)
        return form.encode()

    monkeypatch.setattr(charts, "draw", draw)
    return charts_drawn


def test_every_choice_has_a_unit_and_metrics_that_exist() -> None:
    listed = WORKFLOW_TOOLS["chart_metrics"].properties
    assert list(SERIES) == list(UNITS) == listed["metric"]["enum"]
    assert list(DIMENSIONS) == list(BY) == listed["by"]["enum"]
    schema = find("query_metrics").tool["inputSchema"]["properties"]
    assert {name for series in SERIES.values() for name in series.values()} <= set(schema["metrics"]["items"]["enum"])
    assert set(DIMENSIONS.values()) <= set(schema["dimensions"]["items"]["enum"])


async def test_what_is_drawn_is_in_the_figures_and_was_returned(tmp_path: Path, drawn: list[Chart]) -> None:
    async with account_of("blocklisting", str(tmp_path)) as account:
        for by in DIMENSIONS:
            answer = await ask(
                account, "chart_metrics", {"metric": "bounces", "by": by, "domain": SHOP, "format": "svg"}
            )
            facts = answer.structured["facts"]
            chart = drawn.pop()
            assert list(chart.labels) == [figure["of"] for figure in facts["figures"]]
            for name, metric in facts["legend"].items():
                assert list(chart.series[name]) == [figure[metric] for figure in facts["figures"]]
            assert (chart.title, chart.unit) == (f"Bounces by {BY[by]}, {SHOP}", "messages")
            assert answer.invented == []
            assert answer.result.pictures == (("image/svg+xml", b"svg"),)
            assert re.fullmatch(r"mailgun-mcp://charts/[\w-]+", facts["picture"])


async def test_points_are_in_the_order_of_time_and_names_in_that_of_size(tmp_path: Path, drawn: list[Chart]) -> None:
    async with account_of("healthy", str(tmp_path)) as account:
        await account.call("chart_metrics", {"metric": "delivery", "days": 3})
        await account.call("chart_metrics", {"metric": "delivery", "by": "provider"})
    by_day, by_provider = drawn
    assert by_day.over_time
    assert list(by_day.labels) == sorted(by_day.labels)
    assert not by_provider.over_time
    assert list(by_provider.series["delivered"]) == sorted(by_provider.series["delivered"], reverse=True)
    assert len(by_provider.labels) <= MOST_BARS


async def test_where_there_is_nothing_to_draw_it_says_so(tmp_path: Path, drawn: list[Chart]) -> None:
    async with account_of("healthy", str(tmp_path)) as account:
        outcome = await account.call("chart_metrics", {"metric": "bounces", "by": "tag", "domain": "none.example"})
    assert outcome.is_error
    assert outcome.text.startswith("There is nothing to draw: query_metrics returned no bounces")
    assert drawn == []


async def test_without_the_library_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    async with account_of("healthy", str(tmp_path)) as account:
        outcome = await account.call("chart_metrics", {"metric": "bounces"})
    assert outcome.is_error
    assert "`pip install 'mailgun-mcp-server[charts]'`" in outcome.text
    assert "query_metrics" in outcome.text
