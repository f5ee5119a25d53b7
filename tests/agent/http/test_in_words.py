"""Approvals in words: what is asked, and which lines answer."""

from typing import Any

import pytest

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.errors import BadMessageError
from mailgun_mcp.agent.http.in_words import answers_in, finished, questions

APPROVAL: dict[str, Any] = {
    "approval": "k7q2",
    "form": "Deletes all bounces.\nTo confirm, type: mail.example.com",
    "typed": "mail.example.com",
    "expires": "2026-11-27T18:00:00Z",
    "answerable": True,
}


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("/approve k7q2", [Answer("k7q2", True)]),
        ("  /APPROVE `k7q2` mail.example.com ", [Answer("k7q2", True, "mail.example.com")]),
        ("/deny k7q2", [Answer("k7q2", False)]),
        ("/deny k7q2 not before Monday", [Answer("k7q2", False, reason="not before Monday")]),
        ("/approve a\n\n/deny b", [Answer("a", True), Answer("b", False)]),
        ("please /approve k7q2", []),
        ("/approver k7q2", []),
        ("> /approve k7q2", []),
        ("", []),
    ],
)
def test_a_line_that_is_an_answer_is_read(text: str, answers: list[Answer]) -> None:
    assert answers_in(text) == answers


@pytest.mark.parametrize("text", ["/approve", "/approve k7q2\nand go on", "Hello\n/deny k7q2"])
def test_an_answer_stands_alone(text: str) -> None:
    with pytest.raises(BadMessageError, match="Send the answer alone"):
        answers_in(text)


def test_the_question_shows_the_form_and_how_to_answer() -> None:
    text = questions([APPROVAL], "https://mail.example.com/approvals")
    assert "> Deletes all bounces.\n> To confirm" in text
    assert "`/approve k7q2 mail.example.com`" in text
    assert "https://mail.example.com/approvals/k7q2" in text


def test_who_may_not_say_yes_is_told_who_may() -> None:
    text = questions([{**APPROVAL, "answerable": False}], None)
    assert "Somebody else must approve this" in text
    assert "/approve" not in text
    assert "`mailgun-mcp approvals approve k7q2`" in text


def test_a_call_that_ended_is_one_line() -> None:
    assert finished({"tool": "list_bounces", "status": "done", "undo": None}).strip() == "`list_bounces`: done"
    assert "undo: abc" in finished({"tool": "clear_bounces", "status": "done", "undo": "abc"})
