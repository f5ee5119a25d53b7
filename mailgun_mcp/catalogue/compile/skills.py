"""Compiles `prompts/skills/*.md` into `_data/skills.json`. A skill names its procedures, which are prompts."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mailgun_mcp.catalogue.compile.front_matter import read_front_matter
from mailgun_mcp.catalogue.compile.prompts import check_tools
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import digest
from mailgun_mcp.text.suggest import unknown


class SkillSpec(BaseModel):
    """The front matter of a skill. Name and description are as the Agent Skills format limits them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)
    title: str = Field(min_length=1)
    description: str = Field(min_length=1, max_length=1024)
    procedures: list[str] = Field(min_length=1)


def compile_skills(folder: Path, prompt_names: Collection[str], tool_names: Collection[str]) -> list[dict[str, Any]]:
    """Return the skills in `folder`: front matter, body and digest of the source.

    Raises CatalogueError, with the file's name, for anything that is not right.
    """
    compiled = []
    for path in sorted(folder.glob("*.md")):
        head, body = read_front_matter(path, SkillSpec)
        if head.name != path.stem:
            raise CatalogueError(f"{path.name}: the name {head.name} is not that of the file")
        for name in head.procedures:
            if name not in prompt_names:
                raise CatalogueError(f"{path.name}: {unknown('prompt', name, prompt_names)}")
        check_tools(path.name, body, tool_names)
        compiled.append({**head.model_dump(), "body": body, "file": path.name, "source": digest(path)})
    return compiled
