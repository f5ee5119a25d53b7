"""Reads Markdown with front matter, as prompts and skills are written."""

import re
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from mailgun_mcp.catalogue.errors import CatalogueError

FRONT_MATTER = re.compile(r"---\n(.*?)\n---\n(.*)", re.DOTALL)

Spec = TypeVar("Spec", bound=BaseModel)


def read_front_matter(path: Path, spec: type[Spec]) -> tuple[Spec, str]:
    """Return the front matter and the text of a file. Raises CatalogueError, with the file's name."""
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
        return spec.model_validate(document.value), parts[2].strip()
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'front matter'}: {fault['msg']} "
            f"(line {document.line(fault['loc']) + 1})"
            for fault in error.errors()
        )
        raise CatalogueError(f"{path.name}: {faults}") from None
