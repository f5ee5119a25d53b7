"""Asks the person at the terminal."""

import sys

import anyio.to_thread

from mailgun_mcp.confirm.asker import FormResult, read_answer
from mailgun_mcp.confirm.form import Form


class Terminal:
    """The person who typed the command. Without a terminal on both ends there is nobody to ask."""

    @property
    def can_ask(self) -> bool:
        """Whether stdin and stderr are a terminal."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    async def ask(self, form: Form, *, patience: float) -> FormResult:
        """Return what the person's answer means; no answer in time is a no."""
        with anyio.move_on_after(patience):
            return await anyio.to_thread.run_sync(_ask, form, abandon_on_cancel=True)
        return "timeout"


def _ask(form: Form) -> FormResult:
    question = "Make this call? [y/N] " if form.typed is None else "> "
    sys.stderr.write(f"{form.text}\n{question}")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        return "cancelled"
    given = line.strip()
    confirm = given.lower() in ("y", "yes") if form.typed is None else given
    return read_answer(form, "accept", {"confirm": confirm})
