"""Compiles `prompts/*.md` into `_data/prompts.json`: Markdown with front matter in, what a server lists and fills out.

A prompt names tools in backticks; a name that no tool has stops the compile, as does a
placeholder that is not declared or not used.
"""

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import digest
from mailgun_mcp.text.suggest import unknown

FRONT_MATTER = re.compile(r"---\n(.*?)\n---\n(.*)", re.DOTALL)
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
TOOL = re.compile(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+)`")
"""What stands in backticks and looks like `verb_noun`."""
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
    arguments: list[PromptArgumentSpec]


def compile_prompts(folder: Path, tool_names: Collection[str]) -> list[dict[str, Any]]:
    """Return the prompts in `folder`, by name: name, title, description, arguments, body and digest of the source.

    Raises CatalogueError, with the file's name, for anything that is not right.
    """
    compiled: dict[str, dict[str, Any]] = {}
    files: dict[str, str] = {}
    for path in sorted(folder.glob("*.md")):
        head, body = _read(path)
        _check_body(path.name, head, body, tool_names)
        if head.name in compiled:
            raise CatalogueError(f"{path.name}: the name {head.name} is taken by {files[head.name]}")
        files[head.name] = path.name
        compiled[head.name] = {**head.model_dump(), "body": body, "file": path.name, "source": digest(path)}
    return [compiled[name] for name in sorted(compiled)]


def render_prompts(prompts: list[dict[str, Any]]) -> str:
    """Return the text of the data file, one prompt a line."""
    return "[\n" + ",\n".join(json.dumps(prompt, ensure_ascii=False) for prompt in prompts) + "\n]\n"


def _read(path: Path) -> tuple[PromptSpec, str]:
    from mailgun_mcp.text.yaml import YamlError, read

    try:
        parts = FRONT_MATTER.fullmatch(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name}: cannot be read: {error}") from error
    if parts is None:
        raise CatalogueError(f"{path.name}: does not start with front matter between two lines of ---")
    # The front matter begins in the second line of the file.
    try:
        document = read(parts[1]).checked()
    except YamlError as error:
        problem = f"the front matter is not valid YAML: line {error.line + 1}: {error}"
        raise CatalogueError(f"{path.name}: {problem}") from error
    if not isinstance(document.value, dict):
        raise CatalogueError(f"{path.name}: the front matter must be a mapping: `name: …`, one key a line")
    try:
        return PromptSpec.model_validate(document.value), parts[2].strip()
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'front matter'}: {fault['msg']} "
            f"(line {document.line(fault['loc']) + 1})"
            for fault in error.errors()
        )
        raise CatalogueError(f"{path.name}: {faults}") from None


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
    for name in TOOL.findall(body):
        if name not in tool_names:
            raise CatalogueError(f"{file}: {unknown('tool', name, tool_names)}")
    if not body:
        raise CatalogueError(f"{file}: the body is empty")
