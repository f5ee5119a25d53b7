"""Skills: what compiles, and what stops the compile."""

from pathlib import Path

import pytest

from mailgun_mcp.catalogue.compile.skills import compile_skills
from mailgun_mcp.catalogue.errors import CatalogueError

SOURCE = """---
name: look-around
title: Look around
description: Looks around
procedures: [look]
---
Begin with `get_domain`.
"""


def compiled(folder: Path, text: str, file: str = "look-around.md") -> object:
    (folder / file).write_text(text, encoding="utf-8")
    return compile_skills(folder, ["look"], ["get_domain"])


def test_a_skill_is_its_front_matter_and_its_body(tmp_path: Path) -> None:
    (skill,) = compile_skills(_written(tmp_path), ["look"], ["get_domain"])
    digest = skill.pop("source")
    assert len(digest) == 64
    assert skill == {
        "name": "look-around",
        "title": "Look around",
        "description": "Looks around",
        "procedures": ["look"],
        "body": "Begin with `get_domain`.",
        "file": "look-around.md",
    }


def _written(folder: Path) -> Path:
    (folder / "look-around.md").write_text(SOURCE, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: look-around", "name: look--around", "name: String should match pattern"),
        ("name: look-around", "name: " + "a" * 65, "name: String should have at most 64 characters"),
        ("Looks around", "x" * 1_025, "description: String should have at most 1024 characters"),
        ("[look]", "[lok]", "unknown prompt 'lok': did you mean 'look'?"),
        ("get_domain", "get_domains", "unknown current tool 'get_domains'"),
        ("name: look-around", "name: other", "the name other is not that of the file"),
    ],
)
def test_what_is_wrong_stops_the_compile(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message.replace("?", r"\?")):
        compiled(tmp_path, SOURCE.replace(old, new))
