"""Prompts: what compiles, and what stops the compile."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

from mailgun_mcp.catalogue.builtin_tools import OWN_TOOLS
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.compile.__main__ import main
from mailgun_mcp.catalogue.compile.compiler import PROMPTS
from mailgun_mcp.catalogue.compile.prompts import compile_prompts, render_prompts
from mailgun_mcp.catalogue.errors import CatalogueError

TOOLS = ("get_domain", "list_bounces", "send_message")
SOURCE = """---
name: look_at
title: Look at a domain
description: Looks at a domain
needs: [get_domain]
arguments:
  - name: domain
    description: Which
    required: true
---
Look at {domain} with `get_domain`, twice: {domain}.

    `dig` and `test mode` are no tools.
"""


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def test_a_prompt_is_its_front_matter_and_its_body(tmp_path: Path) -> None:
    assert compile_prompts(write(tmp_path, look=SOURCE), TOOLS) == [
        {
            "name": "look_at",
            "title": "Look at a domain",
            "description": "Looks at a domain",
            "needs": ["get_domain"],
            "arguments": [{"name": "domain", "description": "Which", "required": True}],
            "body": "Look at {domain} with `get_domain`, twice: {domain}.\n\n    `dig` and `test mode` are no tools.",
            "file": "look.md",
            "source": sha256(SOURCE.encode()).hexdigest(),
        }
    ]


def test_prompts_come_by_name_whatever_their_files_are_called(tmp_path: Path) -> None:
    folder = write(tmp_path, a=SOURCE, b=SOURCE.replace("look_at", "ask"))

    assert [prompt["name"] for prompt in compile_prompts(folder, TOOLS)] == ["ask", "look_at"]


REFUSED: dict[str, tuple[str, str, str]] = {
    "no front matter": ("---\n", "", "does not start with front matter between two lines of ---"),
    "front matter without an end": (
        "---\nLook",
        "Look",
        "does not start with front matter between two lines of ---",
    ),
    "front matter is not a mapping": (
        SOURCE[4 : SOURCE.index("\n---\nLook")],
        "- a",
        "the front matter must be a mapping: ",
    ),
    "not YAML": ("title: Look at a domain", "title: [", "the front matter is not valid YAML: line 5: "),
    "unknown key": ("title:", "titel: x\ntitle:", "titel: Extra inputs are not permitted (line 3)"),
    "unknown key of an argument": (
        "required: true",
        "required: true\n    default: x",
        "arguments.0.default: Extra inputs are not permitted",
    ),
    "missing title": ("title: Look at a domain\n", "", "title: Field required"),
    "missing name and description": (
        "name: look_at\ntitle: Look at a domain\ndescription: Looks at a domain",
        "title: Look",
        "name: Field required (line 2); description: Field required (line 2)",
    ),
    "empty description": (
        "description: Looks at a domain",
        'description: ""',
        "description: String should have at least 1 character",
    ),
    "argument without required": ("    required: true\n", "", "arguments.0.required: Field required"),
    "required is a word": (
        "required: true",
        "required: maybe",
        "arguments.0.required: Input should be a valid boolean",
    ),
    "name with a dash": (
        "name: look_at",
        "name: look-at",
        "name: String should match pattern '^[a-z][a-z0-9_]{0,45}$'",
    ),
    "undeclared placeholder": (
        "twice: {domain}",
        "twice: {domian}",
        "unknown placeholder 'domian': did you mean 'domain'?",
    ),
    "unused argument": ("{domain}", "it", "the argument domain is not used in the body"),
    "argument declared twice": (
        "    required: true\n",
        "    required: true\n  - name: domain\n    description: Which\n    required: true\n",
        "the argument domain is declared twice",
    ),
    "placeholder with a space": ("twice: {domain}", "twice: { domain }", "a brace outside a placeholder: { domain }."),
    "lone brace": ("twice: {domain}", "twice: domain}", "a brace outside a placeholder: }."),
    "unknown tool": ("`get_domain`", "`get_domains`", "unknown current tool 'get_domains': did you mean 'get_domain'?"),
    "a need that it does not name": ("[get_domain]", "[send_message]", "it needs send_message, but does not name it"),
    "no need": ("[get_domain]", "[]", "needs: List should have at least 1 item"),
    "empty body": (SOURCE[SOURCE.index("Look at {") :], "\n", "the argument domain is not used in the body"),
}


@pytest.mark.parametrize(("old", "new", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_stops_the_compile_with_the_files_name(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SOURCE
    folder = write(tmp_path, look=SOURCE.replace(old, new))

    with pytest.raises(CatalogueError, match="^" + re.escape(f"look.md: {message}")):
        compile_prompts(folder, TOOLS)


def test_an_empty_body_stops_the_compile(tmp_path: Path) -> None:
    head = SOURCE[: SOURCE.index("arguments:")]

    with pytest.raises(CatalogueError, match=r"^look\.md: the body is empty$"):
        compile_prompts(write(tmp_path, look=f"{head}arguments: []\n---\n\n"), TOOLS)


def test_a_name_that_is_taken_stops_the_compile(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"^b\.md: the name look_at is taken by a\.md$"):
        compile_prompts(write(tmp_path, a=SOURCE, b=SOURCE), TOOLS)


def test_a_file_that_is_not_text_stops_the_compile(tmp_path: Path) -> None:
    (tmp_path / "look.md").write_bytes(b"---\n\xff")

    with pytest.raises(CatalogueError, match=r"^look\.md: cannot be read: "):
        compile_prompts(tmp_path, TOOLS)


def test_one_prompt_is_one_line_of_the_data_file(tmp_path: Path) -> None:
    folder = write(tmp_path, a=SOURCE, b=SOURCE.replace("look_at", "ask"))

    assert len(render_prompts(compile_prompts(folder, TOOLS)).splitlines()) == 4


@pytest.mark.slow
def test_a_prompt_that_changed_is_found_and_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mailgun_mcp.catalogue.compile.__main__.DATA", tmp_path)
    monkeypatch.setattr("mailgun_mcp.catalogue.compile.__main__.PROMPTS", write(tmp_path, look=SOURCE))
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    assert main([]) == 0
    assert main(["--check"]) == 0
    write(tmp_path, look=SOURCE.replace("Which", "Whose"))

    assert main(["--check"]) == 1
    assert capsys.readouterr().err == "stale: prompts.json; run `python -m mailgun_mcp.catalogue.compile`\n"
    assert main([]) == 0
    assert main(["--check"]) == 0
    assert (tmp_path / "other.json").exists()


def shipped() -> dict[str, str]:
    tools = [*Catalogue.load().names, *OWN_TOOLS]
    return {prompt["name"]: prompt["body"] for prompt in compile_prompts(PROMPTS, tools)}


def test_every_prompt_that_changes_something_asks_a_person() -> None:
    operations = {operation.name: operation for operation in Catalogue.load()}
    for name, body in shipped().items():
        named = [operations[tool] for tool in re.findall(r"`(\w+)`", body) if tool in operations]
        if any(operation.risk != "read" for operation in named):
            assert re.search(r"\b(ask|yes|agree|person wants|person names?|approved)\b", body, re.IGNORECASE), name


def test_no_prompt_empties_a_list_or_deletes_a_domain() -> None:
    named = {tool for body in shipped().values() for tool in re.findall(r"`(\w+)`", body)}
    emptied = {tool for tool in named if tool.startswith(("clear_", "bulk_delete_", "delete_all_"))}
    assert emptied | {tool for tool in named if tool in ("delete_domain", "delete_subaccount")} == set()


def test_no_prompt_names_a_deprecated_tool() -> None:
    deprecated = {operation.name for operation in Catalogue.load() if operation.tool["_meta"]["mailgun-mcp/deprecated"]}
    named = {tool for body in shipped().values() for tool in re.findall(r"`(\w+)`", body)}
    assert named & deprecated == set()
