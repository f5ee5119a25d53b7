"""Findings: in order, each once, with their proof."""

from mailgun_mcp.call.workflows.findings import Finding, in_order

LIMIT = Finding("sending_limit_reached", "The limit is reached.", "Ask.", (1,))
DNS = Finding("dns_record_missing", "The record is missing.", "Add it.", (2,))
REFUSED = Finding("authentication_failed", "Gmail refuses.", "Add it.", (3,))


def test_the_most_urgent_comes_first_and_each_once() -> None:
    assert in_order([DNS, None, LIMIT, LIMIT]) == [LIMIT, DNS]


def test_refusals_are_the_proof_of_a_missing_record() -> None:
    (finding,) = in_order([REFUSED, DNS])
    assert (finding.cause, finding.what, finding.sources) == (
        "dns_record_missing",
        "The record is missing. Gmail refuses.",
        (2, 3),
    )


def test_refusals_alone_are_a_cause() -> None:
    assert in_order([REFUSED]) == [REFUSED]


def test_a_finding_says_where_it_was_read() -> None:
    assert LIMIT.shown() == {
        "cause": "sending_limit_reached",
        "what": "The limit is reached.",
        "do": "Ask.",
        "from": [1],
    }
