"""Writes a chat to the terminal: texts as they stream, a line for each tool, approvals in a frame."""

import json
import re
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mailgun_mcp.agent.events import Event
from mailgun_mcp.output.untrusted import unfenced
from mailgun_mcp.text.characters import clean, excerpt, one_line

MARKS = {"done": ("✓", "green"), "failed": ("✗", "red"), "unknown": ("?", "red")}
REFUSED = ("-", "yellow")
LONGEST = 90
WIDEST = 110
WORDS = re.compile(r"\n|[^\S\n]+|\S+")
BADGE = "The assistant has read text that third parties wrote. Calls that could do harm are confirmed from now on."


class Screen:
    """Writes one chat to the terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._message = ""
        self._unwritten = ""
        """The word that may go on in the next piece of a text."""
        self._column = 0
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
                self._note("⚑", BADGE)
            case "warning":
                self._note("!", body["text"])
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
            self._write_words(last=True)
            self.console.print()
            self._message, self._column = "", 0

    def _piece(self, message: str, text: str) -> None:
        if message != self._message:
            self.end_text()
            self._message = message
        # Control characters in a model's text could move the cursor.
        self._unwritten += clean(text)
        self._write_words(last=False)

    def _write_words(self, *, last: bool) -> None:
        """Write whole words of the streaming text, and begin a new line before one that would be cut in two."""
        words = WORDS.findall(self._unwritten)
        self._unwritten = "" if last or not words or words[-1].isspace() else words.pop()
        for word in words:
            width = cell_len(word)
            if word == "\n":
                self._column = 0
            elif self.console.is_terminal and self._column and self._column + width > self.console.width:
                if word.isspace():
                    # The next word begins a new line.
                    self._column = self.console.width
                    continue
                self.console.print()
                self._column = width
            else:
                self._column += width
            self.console.print(Text(word), end="", soft_wrap=True)

    def _note(self, mark: str, text: str) -> None:
        note = Table.grid(padding=(0, 1))
        note.add_row(Text(f"  {mark}", style="yellow"), Text(clean(text), style="yellow"))
        self.console.print(note)

    def _finished(self, body: dict[str, Any]) -> None:
        mark, colour = MARKS.get(body["status"], REFUSED)
        title = self._titles.pop(body["call"], body["tool"])
        title = body["status"] if body["call"] == self._latest else f"{title} {body['status']}"
        undo = "  (/undo puts it back)" if body["undo"] else ""
        text = f": {one_line(unfenced(body['text']))}" if body["status"] not in ("done", "denied") else ""
        self._short(f"    {mark} {title}{undo}{text}", colour)

    def _short(self, text: str, style: str) -> None:
        self.console.print(Text(text, style=style), no_wrap=True, overflow="ellipsis", crop=True)


def _arguments(arguments: dict[str, Any]) -> str:
    shown = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
    return f"({excerpt(one_line(shown), LONGEST)})"
