"""Writes a chat to the terminal: texts as they stream, a line for each tool, approvals in a frame."""

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.text import Text

from mailgun_mcp.agent.events import Event
from mailgun_mcp.output.untrusted import unfenced
from mailgun_mcp.text.characters import clean, one_line

MARKS = {"done": ("✓", "green"), "failed": ("✗", "red"), "unknown": ("?", "red")}
REFUSED = ("-", "yellow")
LONGEST = 90
WIDEST = 110
BADGE = "The assistant has read text that third parties wrote. Calls that could do harm are confirmed from now on."


class Screen:
    """Writes one chat to the terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._message = ""
        self._titles: dict[str, str] = {}
        self._latest = ""

    def show(self, event: Event, *, history: bool = False) -> None:
        """Write an event. With `history`, also write the person's own messages."""
        body = event.body
        if event.kind == "text":
            self._piece(body["message"], body["text"])
            return
        if event.kind == "user_message":
            if history:
                self.line(f"> {body['text']}", "bold cyan")
            return
        if event.kind == "usage":
            return
        self.end_text()
        match event.kind:
            case "tool_started":
                self._titles[body["call"]] = f"{body['title']} {_arguments(body['arguments'])}"
                self._latest = body["call"]
                self._short(f"  ⚙ {self._titles[body['call']]}", "dim")
            case "tool_finished":
                self._finished(body)
            case "approval_answered":
                by = f" by {body['by']}" if body["by"] else ""
                reason = f": {unfenced(body['reason'])}" if body["reason"] else ""
                self.line(f"  {body['status']}{by}{reason}", "green" if body["status"] == "approved" else "yellow")
            case "third_party_text":
                self.line(f"  ⚑ {BADGE}", "yellow")
            case "warning":
                self.line(f"  ! {body['text']}", "yellow")
            case "ended" if body["outcome"] not in ("done", "waiting"):
                self.line(f"  {body['text']}", "red" if body["outcome"] == "failed" else "yellow")

    def ask(self, body: dict[str, Any]) -> None:
        """Write a question to the person."""
        self.end_text()
        form = Text(clean(body["form"]))
        self.console.print(
            Panel(
                form,
                title=escape(f"May the assistant do this? [{body['approval']}]"),
                subtitle=f"until {body['expires']}",
                border_style="yellow",
                width=min(self.console.width, WIDEST),
            )
        )

    def line(self, text: str, style: str = "") -> None:
        """Write a line of the program's own text."""
        self.console.print(Text(clean(text), style=style))

    def end_text(self) -> None:
        """End the line of a streaming text."""
        if self._message:
            self.console.print()
            self._message = ""

    def _piece(self, message: str, text: str) -> None:
        if message != self._message:
            self.end_text()
            self._message = message
        # Control characters in a model's text could move the cursor.
        self.console.print(Text(clean(text)), end="", soft_wrap=True)

    def _finished(self, body: dict[str, Any]) -> None:
        mark, colour = MARKS.get(body["status"], REFUSED)
        title = self._titles.pop(body["call"], body["tool"])
        title = body["status"] if body["call"] == self._latest else f"{title} {body['status']}"
        undo = "  (/undo puts it back)" if body["undo"] else ""
        said = f": {one_line(unfenced(body['text']))}" if body["status"] not in ("done", "denied") else ""
        self._short(f"    {mark} {title}{undo}{said}", colour)

    def _short(self, text: str, style: str) -> None:
        self.console.print(Text(text, style=style), no_wrap=True, overflow="ellipsis", crop=True)


def _arguments(arguments: dict[str, Any]) -> str:
    shown = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
    shown = one_line(shown)
    return f"({shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + '…'})"
