"""What a chat looks like in a terminal."""

import io

from rich.console import Console

from mailgun_mcp.agent.events import Event
from mailgun_mcp.cli.chat_screen import Screen


def shown(*events: tuple[str, dict[str, object]], width: int = 60) -> str:
    written = io.StringIO()
    screen = Screen(Console(file=written, width=width, highlight=False))
    for number, (kind, body) in enumerate(events):
        screen.show(Event(number, "t", 0.0, kind, body))  # type: ignore[arg-type] # kinds as words
    screen.end_text()
    return written.getvalue()


def test_a_model_cannot_move_the_cursor_or_write_markup() -> None:
    text = shown(("text", {"message": "m", "text": "\x1b[2J[red]hello[/red]\x07"}))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]hello[/red]" in text


def test_a_tool_is_a_line_however_long_its_arguments_are() -> None:
    text = shown(
        (
            "tool_started",
            {"call": "a", "title": "Send", "arguments": {"text": "line\n" * 100}, "tool": "x", "risk": "send"},
        ),
        ("tool_finished", {"call": "a", "tool": "x", "status": "failed", "text": "bad\nargument", "undo": None}),
    )
    assert len(text.splitlines()) == 2
    assert "failed: bad argument" in text


def test_a_tool_that_ends_later_is_named_again() -> None:
    one: dict[str, object] = {"call": "a", "title": "First", "arguments": {}, "tool": "x", "risk": "read"}
    text = shown(
        ("tool_started", one),
        ("tool_started", {**one, "call": "b", "title": "Second"}),
        ("tool_finished", {"call": "a", "tool": "x", "status": "done", "text": "", "undo": None}),
    )
    assert "First () done" in text


def test_warnings_and_ends_are_shown_and_costs_are_not() -> None:
    text = shown(
        ("warning", {"text": "Nearly at a limit."}),
        ("usage", {"requests": 1}),
        ("ended", {"outcome": "stopped", "text": "Stopped at a limit."}),
    )
    assert "Nearly at a limit." in text
    assert text.strip().endswith("Stopped at a limit.")


def test_in_a_terminal_no_word_of_a_streaming_text_is_cut_in_two() -> None:
    written = io.StringIO()
    screen = Screen(Console(file=written, width=20, highlight=False, force_terminal=True, color_system=None))
    text = "Addresses that bounce are\non the bounce list. 日本語日本語日本語日本語 "
    for number, piece in enumerate([text[start : start + 3] for start in range(0, len(text), 3)]):
        screen.show(Event(number, "t", 0.0, "text", {"message": "m", "text": piece}))
    screen.end_text()
    lines = ["Addresses that ", "bounce are", "on the bounce list. ", "日本語日本語日本語日本語"]
    assert written.getvalue() == "\n".join(lines) + "\n"
