"""Only the exact yes is a yes."""

from typing import Any

import pytest

from mailgun_mcp.confirm.asker import NOBODY, REFUSALS, FormResult, read_answer
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
    assert read_answer(form, action, content) == result


def test_every_result_but_a_yes_has_its_reason() -> None:
    results = {result for *_, result in ANSWERS} - {"yes"}
    assert results <= REFUSALS.keys()
    assert "yes" not in REFUSALS


@pytest.mark.anyio
async def test_nobody_cannot_be_asked_and_never_agrees() -> None:
    assert not NOBODY.can_ask
    assert await NOBODY.ask(PLAIN, patience=1) == "broken"
