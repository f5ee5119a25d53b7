"""Results in a terminal: words and tables instead of JSON, without what is for models."""

from pathlib import Path

from mailgun_mcp.call.results import CallResult
from mailgun_mcp.cli.result_words import error_words, result_words
from mailgun_mcp.confirm.confirm import MODEL_ADVICE, NOT_SHOWN

BOUNCES = {
    "untrusted_text": {"boundary": "8a715f98", "meaning": "Between ⟦8a715f98 who⟧ and ⟦8a715f98⟧ …"},
    "items": [
        {"address": "a@example.org", "error": "⟦8a715f98 receiving server⟧ no ⟦mailbox⟧ here ⟦8a715f98⟧"},
        {"address": "b@example.org", "error": "⟦8a715f98 receiving server⟧ full ⟦8a715f98⟧"},
    ],
    "next": {"page": "abc", "limit": 2},
    "left_out": {"fields": ["id", "tags"], "how": "full=true returns everything"},
}


def test_rows_that_fit_are_a_table_without_fences_and_the_end_says_how_to_see_the_rest() -> None:
    assert result_words(BOUNCES, 80).splitlines() == [
        "items:",
        "  address        error",
        "  a@example.org  no ⟦mailbox⟧ here",
        "  b@example.org  full",
        "",
        "More follows: add page=abc limit=2",
        "",
        "Not shown: id, tags (full=true shows everything)",
    ]


def test_rows_that_do_not_fit_are_blocks_with_nothing_cut() -> None:
    assert result_words(BOUNCES, 30).splitlines()[:3] == [
        "items:",
        "  - address: a@example.org",
        "    error: no ⟦mailbox⟧ here",
    ]


def test_nested_values_are_indented_and_empty_ones_are_named() -> None:
    result = {"domain": {"name": "x.example", "disabled": False, "keys": []}, "vars": {}, "note": None}
    lines = ["domain:", "  name: x.example", "  disabled: no", "  keys: none", "vars: none", "note:"]
    assert result_words(result, 80).splitlines() == lines


def test_a_text_of_several_lines_keeps_them_and_hides_no_control_character() -> None:
    assert result_words({"body": "one\n\x1b[2Jtwo\n"}, 80).splitlines() == ["body:", "  one", r"  \u001b[2Jtwo"]


def test_an_empty_result_is_done() -> None:
    assert result_words({}, 80) == "done"


def test_a_pending_approval_is_told_with_the_command_that_answers_it(tmp_path: Path) -> None:
    approval = {"id": "n8z38j39", "level": "approval", "expires": "2026-11-27T14:27:21Z", "form": "…"}
    text = error_words(CallResult("for a model", kind="refused", approval=approval), tmp_path)
    assert "for a model" not in text
    assert f"approvals approve n8z38j39 --state {tmp_path}" in text
    assert "until 2026-11-27T14:27:21Z" in text


def test_advice_for_a_model_is_left_out(tmp_path: Path) -> None:
    error = CallResult(f"Not made: the person said no. Nothing was sent. {MODEL_ADVICE}", kind="refused")
    assert error_words(error, tmp_path) == "Not made: the person said no. Nothing was sent."
    not_shown = NOT_SHOWN.format(command="mailgun-mcp approvals list")
    error = CallResult(f"Not made: the person said no. Nothing was sent. {MODEL_ADVICE}{not_shown}", kind="refused")
    assert error_words(error, tmp_path) == "Not made: the person said no. Nothing was sent."
