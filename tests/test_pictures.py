"""The README's pictures are drawn from what the commands print."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs.pictures import STANDING, main, picture

ROOT = Path(__file__).resolve().parents[1]
TEXT = "{http://www.w3.org/2000/svg}text"


def texts(path: Path) -> str:
    return "\n".join(element.text or "" for element in ElementTree.parse(path).iter(TEXT))


@pytest.mark.slow
def test_the_pictures_can_be_drawn_and_show_nothing_of_this_machine(tmp_path: Path) -> None:
    main(tmp_path)
    confirmation, approvals, chat = (
        texts(tmp_path / f"{name}.svg").replace("\xa0", " ") for name in ("confirmation", "approvals", "chat-terminal")
    )
    assert "Now there: 4 bounces" in confirmation
    assert "To confirm, type: mail.example.com" in confirmation
    assert all(standing in approvals for standing in STANDING)
    assert "May the assistant do this? [3r5u7c6e]" in chat
    assert "denied by kim: no, two of them still work with us" in chat
    assert str(tmp_path) not in confirmation + approvals + chat
    assert "http" not in (tmp_path / "chat-terminal.svg").read_text(encoding="utf-8").replace(
        "http://www.w3.org/2000/svg", ""
    ).replace("https://api.mailgun.net", ""), "nothing is loaded from elsewhere"


def test_every_picture_of_the_readme_is_there_small_and_described() -> None:
    pictures = re.findall(r"!\[(.+?)\]\((.+?)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert [name for _, name in pictures] == ["docs/pictures/confirmation.svg", "docs/pictures/approvals.svg"]
    assert all(len(description) > 30 and (ROOT / name).stat().st_size < 10_000 for description, name in pictures)
    assert "mailgun-mcp approvals show" in texts(ROOT / pictures[0][1])


def test_text_is_escaped_and_wrapped(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(picture("a", ["<b> & c", "x " * 100]), encoding="utf-8")
    assert texts(tmp_path / "a.svg").splitlines()[1] == "<b> & c"
    assert max(map(len, texts(tmp_path / "a.svg").splitlines())) <= 96
