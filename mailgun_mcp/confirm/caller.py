"""Who makes a call, and how a person behind it can be asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mailgun_mcp.confirm.confirm import Asker
from mailgun_mcp.confirm.form import Form, FormResult

Notify = Callable[[str], Awaitable[None]]


class Nobody:
    """No person can be asked here."""

    can_ask = False

    async def ask(self, form: Form, *, patience: float) -> FormResult:  # noqa: ARG002 - the shape of an Asker
        """Answer for nobody: the question could not be asked."""
        return "broken"


NOBODY = Nobody()


async def quiet(_: str) -> None:
    """Tell nobody of progress."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call."""

    name: str = "local"
    """The authenticated principal; `local` on stdio and in the CLI."""
    client: str = ""
    """What the client calls itself; not proof of anything."""
    asker: Asker = NOBODY
    notify: Notify = quiet
    """Is told of progress."""


LOCAL = Caller()
