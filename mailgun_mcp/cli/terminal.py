"""Asks the person at the terminal. The only module that prompts."""

import sys

from mailgun_mcp.confirm.asker import FormAnswer, read_answer
from mailgun_mcp.confirm.form import Form


class Terminal:
    """The person who typed the command. If stdin or stderr is not a terminal, nobody can be asked."""

    @property
    def can_ask(self) -> bool:
        """Whether stdin and stderr are terminals."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:
        """Return the meaning of the person's answer. No answer in time counts as a no."""
        import anyio.to_thread  # needed only for calls, not for help

        with anyio.move_on_after(patience):
            return await anyio.to_thread.run_sync(_ask, form, abandon_on_cancel=True)
        return FormAnswer("timeout")


def read_line(prompt: str) -> str:
    """Write the prompt to stderr and return the line that the person types, or "" at the end of input."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return sys.stdin.readline()


def read_secret(prompt: str) -> str:
    """Return the secret that the person types without echo."""
    from getpass import getpass

    return getpass(prompt, stream=sys.stderr)


def _ask(form: Form) -> FormAnswer:
    line = read_line(f"{form.text}\n{'Make this call? [y/N] ' if form.typed is None else '> '}")
    if not line:
        return FormAnswer("cancelled")
    answer = line.strip()
    confirm = answer.lower() in ("y", "yes") if form.typed is None else answer
    return read_answer(form, "accept", {"confirm": confirm})
