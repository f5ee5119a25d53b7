"""Markdown with front matter. What is wrong with it is shown by the tests of prompts."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from mailgun_mcp.catalogue.compile.front_matter import read_front_matter
from mailgun_mcp.catalogue.errors import CatalogueError


class Spec(BaseModel):
    """A front matter with one key."""

    name: str


def test_a_file_is_its_front_matter_and_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\nname: kim\n---\n\nHello\n\n---\nthere\n", encoding="utf-8")
    assert read_front_matter(tmp_path / "a.md", Spec) == (Spec(name="kim"), "Hello\n\n---\nthere")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"^a\.md: cannot be read"):
        read_front_matter(tmp_path / "a.md", Spec)
