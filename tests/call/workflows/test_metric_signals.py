"""What metrics of a period say."""

from mailgun_mcp.call.workflows.metric_signals import (
    address_findings,
    complaint_findings,
    domains_without_clicks,
    table,
    totals,
)
from tests.support.workflows import read, rows


def test_many_bounces_of_a_tag_are_named_and_few_are_not() -> None:
    bad, good = {"hard_bounces_count": 30, "processed_count": 100}, {"hard_bounces_count": 9, "processed_count": 20}
    (finding,) = address_findings(rows(fair=bad, order=good))
    assert "the tag fair" in finding.what
    assert "30 of 100" in finding.what


def test_complaints_count_by_rate_and_number() -> None:
    spam, few = {"complained_count": 5, "complained_rate": 0.9}, {"complained_count": 2, "complained_rate": 4.0}
    assert ["the tag a" in finding.what for finding in complaint_findings(rows(a=spam, b=few))] == [True]


def days(*clicks: int) -> object:
    items = [
        {
            "dimensions": [{"value": "x.example"}, {"value": f"2026-11-0{day}"}],
            "metrics": {"opened_count": 100, "clicked_count": count},
        }
        for day, count in enumerate(clicks, 1)
    ]
    return domains_without_clicks(read({"items": items}))


def test_clicks_that_stop_while_mail_is_opened_are_noticed() -> None:
    assert days(20, 18, 1) == ["x.example"]
    assert days(20, 18, 15) == []
    assert days(0, 0, 0) == []


def test_a_table_has_the_largest_rows_and_leaves_out_zeros() -> None:
    large, small = {"processed_count": 9, "opened_count": 0}, {"processed_count": 1}
    assert table(rows(small=small, large=large), most=1) == [{"of": "large", "processed_count": 9}]


def test_totals_leave_out_zeros() -> None:
    assert totals(read({"items": [{"metrics": {"opened_count": 0, "processed_count": 3}}]})) == {"processed_count": 3}
    assert totals(read({})) == {}
