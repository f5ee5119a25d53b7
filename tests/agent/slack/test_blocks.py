"""What Slack is told to show: within its limits, and without markup of anybody else."""

from dataclasses import replace

import pytest

from mailgun_mcp.agent.slack import blocks
from mailgun_mcp.confirm.approvals import Answer, Approval, ApprovalStatus

APPROVAL = Approval(
    *("k7q2m9xa", 1.0, 2.0, "pending", "clear_bounces", "Clear bounces", "Clears <!channel> *all*.", "typed"),
    *("mail.example.com", "production", "ann@example.com", "chat:slack", "binding", "preview", ()),
)


def test_a_button_stands_for_an_approval_and_a_thread() -> None:
    button = blocks.Button("k7q2m9xa", "1.1")
    assert blocks.button_of(button.value) == button
    assert blocks.button_of("k7q2m9xa") == blocks.Button("k7q2m9xa")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("pending", "It waits for an answer."),
        ("approved", "Approved by ben"),
        ("used", "Approved by ben"),
        ("denied", "Refused by ben"),
        ("expired", "Nobody answered in time. Nothing was done."),
        ("withdrawn", "It was withdrawn. Nothing was done."),
        ("stale", "What it affects has changed since. Nothing was done."),
    ],
)
def test_each_outcome_is_said(status: ApprovalStatus, said: str) -> None:
    answers = (Answer("ben", 3.0, status != "denied"),) if "by" in said else ()
    assert blocks.outcome(replace(APPROVAL, status=status, answers=answers)) == said


def test_all_text_of_others_is_plain() -> None:
    asked = blocks.question(APPROVAL, "1.1", may_approve=True, where="", page=None)
    answered = blocks.answered(replace(APPROVAL, status="denied", answers=(Answer("ben", 3.0, False),)))
    pressed = blocks.Pressed("k7q2m9xa", "1.1", "D1", "2.2", "", False)
    for shown in (asked, answered, blocks.form(APPROVAL, pressed)["blocks"], blocks.notice("*a*")):
        marked = [element for block in shown for element in block.get("elements", ()) if element["type"] == "mrkdwn"]
        assert all(element["text"].startswith("<!date^3^") for element in marked)
    assert "<" not in blocks.summary(replace(APPROVAL, title="<!here>"))
