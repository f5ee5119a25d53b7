"""The person of `mailgun-mcp chat --demo`: what they ask, and how they answer when they are asked."""

import asyncio
import sys

from mailgun_mcp.cli.chat_screen import Screen

MESSAGES = (
    "How much mail bounced this week, and why?",
    "OK, please clear the bounce list of mail.example.com.",
    "Then remove only the first address, please.",
    "Sorry, that was a mistake. Please undo it.",
    "Email a report of the week to ops@example.com.",
)
NO = "no, two of them still work with us"
PAUSE = 0.04
"""Seconds between two keystrokes, on a terminal."""


class DemoPerson:
    """Types like a person: says no to the first question and yes to the others."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._messages = iter(MESSAGES)
        self._said_no = False
        self._pause = PAUSE if sys.stdout.isatty() else 0.0

    async def read(self, prompt: str) -> str:
        """Return the next line. Raises EOFError when there is none."""
        if prompt.startswith("> "):
            text = next(self._messages, None)
            if text is None:
                raise EOFError
        elif not self._said_no:
            self._said_no, text = True, NO
        else:
            text = prompt.removeprefix("type ").partition(" to do it")[0] if prompt.startswith("type ") else "y"
        self._screen.console.print(prompt, style="bold cyan", end="", markup=False)
        for character in text:
            self._screen.console.print(character, style="bold", end="", markup=False, soft_wrap=True)
            await asyncio.sleep(self._pause)
        self._screen.console.print()
        await asyncio.sleep(self._pause * 15)
        return text
