"""Only the exact yes is a yes."""

from typing import Any

import pytest

from mailgun_mcp.confirm.asker import NOBODY, REFUSALS, FormAnswer, FormResult, read_answer
from mailgun_mcp.confirm.form import Form
from tests.support.state import asked

PLAIN, TYPED = asked("ask"), asked("typed")
NAME = "mail.example.com"
ANSWERS: list[tuple[Form, str, dict[str, Any] | None, FormResult]] = [
    (PLAIN, "accept", {"confirm": True}, "yes"),
    (PLAIN, "accept", {"confirm": False}, "declined"),
    (PLAIN, "accept", {"confirm": "true"}, "declined"),
    (PLAIN, "accept", {"confirm": 1}, "declined"),
    (PLAIN, "accept", None, "empty"),
    (PLAIN, "accept", {}, "empty"),
    (PLAIN, "accept", {"confirm": True, "remember": True}, "unknown"),
    (PLAIN, "accept", {"yes": True}, "unknown"),
    (PLAIN, "decline", {"confirm": True}, "declined"),
    (PLAIN, "cancel", {"confirm": True}, "cancelled"),
    (TYPED, "accept", {"confirm": NAME}, "yes"),
    (TYPED, "accept", {"confirm": f" {NAME}\n"}, "yes"),
    (TYPED, "accept", {"confirm": NAME.upper()}, "wrong"),
    (TYPED, "accept", {"confirm": True}, "empty"),
    (TYPED, "accept", {"confirm": " "}, "empty"),
]


@pytest.mark.parametrize(("form", "action", "content", "result"), ANSWERS)
def test_an_answer_is_a_yes_only_when_it_is_exact(
    form: Form, action: str, content: dict[str, Any] | None, result: FormResult
) -> None:
    assert read_answer(form, action, content) == FormAnswer(result)


@pytest.mark.parametrize(
    ("form", "action", "content", "result"),
    [
        (PLAIN, "decline", {"reason": "use the other list"}, "declined"),
        (PLAIN, "accept", {"confirm": False, "reason": " use the other list\n"}, "declined"),
        (PLAIN, "accept", {"confirm": True, "reason": "use the other list"}, "mixed"),
        (TYPED, "accept", {"confirm": NAME, "reason": "use the other list"}, "mixed"),
        (TYPED, "accept", {"confirm": "", "reason": "use the other list"}, "declined"),
        (TYPED, "accept", {"reason": "use the other list"}, "declined"),
    ],
)
def test_a_reason_comes_with_a_no_and_never_with_a_yes(
    form: Form, action: str, content: dict[str, Any], result: FormResult
) -> None:
    assert read_answer(form, action, content) == FormAnswer(result, "use the other list")


@pytest.mark.parametrize("nothing", ["", " ", None])
def test_an_empty_reason_is_none(nothing: str | None) -> None:
    assert read_answer(PLAIN, "accept", {"confirm": True, "reason": nothing}) == FormAnswer("yes")
    assert read_answer(TYPED, "accept", {"reason": nothing}) == FormAnswer("empty")


def test_a_reason_is_bounded_and_nothing_but_text() -> None:
    assert read_answer(PLAIN, "decline", {"reason": "x" * 1_000_000}) == FormAnswer("declined", "x" * 500)
    assert read_answer(PLAIN, "accept", {"confirm": True, "reason": ["no"]}) == FormAnswer("unknown")


def test_every_result_but_a_yes_has_its_reason() -> None:
    results = {result for *_, result in ANSWERS} - {"yes"}
    assert results <= REFUSALS.keys()
    assert "yes" not in REFUSALS


@pytest.mark.anyio
async def test_nobody_cannot_be_asked_and_never_agrees() -> None:
    assert not NOBODY.can_ask
    assert await NOBODY.ask(PLAIN, patience=1) == FormAnswer("broken")
