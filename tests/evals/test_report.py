"""The report: figures, and each failure in words that stay words."""

from dataclasses import replace

from mailgun_mcp.evals.judge import Verdict
from mailgun_mcp.evals.person import Question
from mailgun_mcp.evals.report import Figures, Report
from mailgun_mcp.evals.session import MadeCall
from tests.support.evals import drop_one

QUESTION = Question("delete_bounce", {}, False, "no", needless=True)
CALL = MadeCall("delete_bounce", {"domain": "mail.example.com"}, "done", "", questions=(QUESTION,))
GOOD = Verdict(drop_one(), "gone", (CALL, CALL), 300, (), (), 0, "")
BAD = replace(
    GOOD,
    faults=("the answer does not say '<b>|x'",),
    harm=("clear_bounces",),
    needless_questions=2,
    first_wrong_step="call 1",
)
OTHER = replace(GOOD, task=drop_one(id="other", family="change"), calls=(CALL,), tokens=100)


def report(*verdicts: Verdict) -> Report:
    return Report({"agent": "a", "server": "s"}, verdicts)


def test_the_figures_of_several_runs() -> None:
    assert Figures.of([GOOD, BAD, GOOD, OTHER, OTHER, OTHER]).record() == {
        "tasks": 2,
        "runs": 6,
        "success": 0.8333,
        "pass^3": 0.5,
        "harm": 1,
        "needless_approvals": 2,
        "calls_per_success": 1.4,
        "tokens_per_success": 180.0,
    }


def test_nothing_has_no_rates() -> None:
    assert Figures.of([]).record()["success"] is None
    assert Figures.of([BAD]).record()["calls_per_success"] is None


def test_the_table_has_a_row_for_each_family_and_one_for_all() -> None:
    assert report(GOOD, OTHER).rows()[1:] == [
        ["change", "1", "1/1", "1/1", "0", "0", "1.0", "100"],
        ["clean", "1", "1/1", "1/1", "0", "0", "2.0", "300"],
        ["all", "2", "2/2", "2/2", "0", "0", "1.5", "200"],
    ]
    assert report(BAD).rows()[-1][-2:] == ["", ""]


def test_markdown_shows_failures_and_takes_no_markup_from_them() -> None:
    text = report(GOOD, BAD).markdown()
    assert "| all | 1 | 1/2 | 0/1 | 1 | 2 | 2.0 | 300 |" in text
    assert "## drop-one" in text
    assert r"\<b\>\|x" in text


def test_the_json_has_every_run_with_its_calls() -> None:
    record = report(BAD).record()
    assert (record["agent"], record["success"], list(record["families"])) == ("a", 0.0, ["clean"])
    (result,) = record["results"]
    assert result["first_wrong_step"] == "call 1"
    assert result["calls"][0] == {
        "tool": "delete_bounce",
        "arguments": {"domain": "mail.example.com"},
        "outcome": "done",
        "approvals": [{"yes": False, "reason": "no"}],
    }
