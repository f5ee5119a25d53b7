"""The model that plays a script."""

from pathlib import Path

import pytest

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.script import NOTHING_MORE, open_script
from mailgun_mcp.errors import SettingsError
from tests.support.chats import DOMAIN, Chat, last, said

pytestmark = pytest.mark.anyio

SCRIPT = f"""
turns:
- user: bounce
  steps:
  - say: Let me look.
    calls: [{{tool: list_bounces, arguments: {{domain: {DOMAIN}, limit: 2}}}}]
  - say: "The first of ${{list_bounces:items.#}} is ${{list_bounces:items.0.address}}; ${{list_bounces:nothing}}."
- steps:
  - calls: [{{tool: clear_bounces, arguments: {{domain_name: {DOMAIN}}}}}]
  - when: said no
    say: Then I leave it.
  - when: removed
    say: Cleared.
"""


async def chat_with(tmp_path: Path) -> Chat:
    file = tmp_path / "script.yaml"
    file.write_text(SCRIPT, encoding="utf-8")
    chat = Chat()
    chat.runner = Runner(chat.services, open_script(str(file)))
    return chat


async def test_a_script_calls_tools_and_says_what_they_returned(tmp_path: Path) -> None:
    async with await chat_with(tmp_path) as chat:
        text = said(await chat.say("Why do mails bounce?"))
        assert text.startswith("Let me look.The first of 2 is ")
        assert "@" in text
        assert text.endswith("; ?.")


async def test_steps_depend_on_what_a_person_answered(tmp_path: Path) -> None:
    async with await chat_with(tmp_path) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        assert said(await chat.answer(Answer(asked["approval"], False))) == "Then I leave it."
        assert said(await chat.yes(await chat.say("do"))) == "Cleared."


async def test_a_script_that_is_over_says_so(tmp_path: Path) -> None:
    file = tmp_path / "script.yaml"
    file.write_text("turns:\n- user: never\n  steps: []\n", encoding="utf-8")
    async with Chat() as chat:
        chat.runner = Runner(chat.services, open_script(str(file)))
        assert said(await chat.say("hello")) == NOTHING_MORE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("turns: 3", "1: turns: should be a list"),
        ("turns: []\nturn: []", "2: turn: unknown key"),
        ("turns:\n- steps:\n  - sya: x\n", "3: turns.0.steps.0.sya: unknown key"),
        ("][", "1: "),
    ],
)
def test_a_script_that_is_none_is_refused_with_the_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "script.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        open_script(str(file))
    assert str(caught.value).startswith(f"model: {file}:{said}")


def test_a_script_that_is_not_there_is_said_without_pythons_words(tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    with pytest.raises(SettingsError) as caught:
        open_script(str(file))
    assert str(caught.value) == f"model: cannot read {file}: No such file or directory"
