"""The person of the demo."""

import io

import pytest
from rich.console import Console

from mailgun_mcp.cli.chat_demo import MESSAGES, NO, DemoPerson
from mailgun_mcp.cli.chat_screen import Screen

pytestmark = pytest.mark.anyio


async def test_the_person_says_no_once_and_then_what_is_wanted() -> None:
    written = io.StringIO()
    person = DemoPerson(Screen(Console(file=written)))
    assert await person.read("> ") == MESSAGES[0]
    assert await person.read("type mail.example.com to do it, or not > ") == NO
    assert await person.read("type mail.example.com to do it, or not > ") == "mail.example.com"
    assert await person.read("y = do it > ") == "y"
    for message in MESSAGES[1:]:
        assert await person.read("> ") == message
    with pytest.raises(EOFError):
        await person.read("> ")
    assert MESSAGES[0] in written.getvalue()
