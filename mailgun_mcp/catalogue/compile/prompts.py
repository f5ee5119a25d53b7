"""Compiles `prompts/*.md` into `_data/prompts.json`: Markdown with front matter in, what a server lists and fills out.

A prompt names tools in backticks; a name that no tool has stops the compile, as does a
placeholder that is not declared or not used.
"""

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from mailgun_mcp.catalogue.compile.front_matter import read_front_matter
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import digest
from mailgun_mcp.catalogue.procedures import TOOL
from mailgun_mcp.text.suggest import unknown

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
NAME = r"^[a-z][a-z0-9_]{0,45}$"


class PromptArgumentSpec(BaseModel):
    """What a person fills in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=NAME)
    description: str = Field(min_length=1)
    required: StrictBool


class PromptSpec(BaseModel):
    """The front matter of a prompt."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=NAME)
    title: str = Field(min_length=1)
    description: str = Field(min_length=1)
    needs: list[str] = Field(min_length=1)
    """The tools without which it is not offered."""
    arguments: list[PromptArgumentSpec]


def compile_prompts(folder: Path, tool_names: Collection[str]) -> list[dict[str, Any]]:
    """Return the prompts in `folder`, by name: name, title, description, arguments, body and digest of the source.

    Raises CatalogueError, with the file's name, for anything that is not right.
    """
    compiled: dict[str, dict[str, Any]] = {}
    files: dict[str, str] = {}
    for path in sorted(folder.glob("*.md")):
        head, body = read_front_matter(path, PromptSpec)
        _check_body(path.name, head, body, tool_names)
        if head.name in compiled:
            raise CatalogueError(f"{path.name}: the name {head.name} is taken by {files[head.name]}")
        files[head.name] = path.name
        compiled[head.name] = {**head.model_dump(), "body": body, "file": path.name, "source": digest(path)}
    return [compiled[name] for name in sorted(compiled)]


def render_prompts(prompts: list[dict[str, Any]]) -> str:
    """Return the text of the data file, one prompt a line."""
    return "[\n" + ",\n".join(json.dumps(prompt, ensure_ascii=False) for prompt in prompts) + "\n]\n"


def _check_body(file: str, head: PromptSpec, body: str, tool_names: Collection[str]) -> None:
    declared = [argument.name for argument in head.arguments]
    used = PLACEHOLDER.findall(body)
    for name in declared:
        if declared.count(name) > 1:
            raise CatalogueError(f"{file}: the argument {name} is declared twice")
        if name not in used:
            raise CatalogueError(f"{file}: the argument {name} is not used in the body")
    for name in used:
        if name not in declared:
            raise CatalogueError(f"{file}: {unknown('placeholder', name, declared)}")
    if stray := re.search(r"[{}].*", PLACEHOLDER.sub("", body)):
        raise CatalogueError(f"{file}: a brace outside a placeholder: {stray[0][:40]}")
    check_tools(file, body, tool_names)
    for name in head.needs:
        if name not in TOOL.findall(body):
            raise CatalogueError(f"{file}: it needs {name}, but does not name it in the body")


def check_tools(file: str, body: str, tool_names: Collection[str]) -> None:
    """Raise CatalogueError for an empty text, and for one that names a tool which is not in `tool_names`."""
    for name in TOOL.findall(body):
        if name not in tool_names:
            raise CatalogueError(f"{file}: {unknown('current tool', name, tool_names)}")
    if not body:
        raise CatalogueError(f"{file}: the body is empty")
