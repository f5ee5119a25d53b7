"""Skills: instructions for a model on one kind of work, as files of the Agent Skills format.

A skill is a short overview plus a file for each of its procedures. Their texts are those of the prompts.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from mailgun_mcp import __version__
from mailgun_mcp.catalogue.procedures import ENDING, Procedure, Tools, compiled_procedures, narrowed
from mailgun_mcp.catalogue.types import Record

FILE = "SKILL.md"
LICENSE = "Apache-2.0"
COMPATIBILITY = "Needs the MCP server mailgun-mcp, which has the tools that it names"


@dataclass(frozen=True, slots=True)
class SkillSource:
    """A skill as it is written in the sources."""

    name: str
    title: str
    description: str
    procedures: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill as a model with certain tools gets it."""

    name: str
    frontmatter: Record
    files: Mapping[str, bytes]
    """Path -> content, SKILL.md first."""

    @property
    def description(self) -> str:
        """What the skill does and when to use it."""
        text: str = self.frontmatter["description"]
        return text

    def digests(self) -> dict[str, str]:
        """Return path -> the digest of the file."""
        return {path: f"sha256:{sha256(content).hexdigest()}" for path, content in self.files.items()}


def skills_for(tools: Tools) -> dict[str, Skill]:
    """Return the skills that make sense with these tools, by name: at least one of their procedures must."""
    chosen = {}
    for source in compiled_skills():
        procedures = [compiled_procedures()[name] for name in source.procedures]
        possible = [procedure for procedure in procedures if procedure.is_offered(tools)]
        if possible:
            chosen[source.name] = _skill(source, possible, tools)
    return chosen


@cache
def compiled_skills() -> tuple[SkillSource, ...]:
    """Return the skills that ship with the package."""
    return tuple(
        SkillSource(record["name"], record["title"], record["description"], tuple(record["procedures"]), record["body"])
        for record in skill_records()
    )


def skill_records() -> list[Record]:
    """Return the compiled records, with the name and digest of each source."""
    text = (files("mailgun_mcp") / "_data" / "skills.json").read_text(encoding="utf-8")
    records: list[Record] = json.loads(text)
    return records


def _skill(source: SkillSource, procedures: Iterable[Procedure], tools: Tools) -> Skill:
    frontmatter: Record = {
        "name": source.name,
        "description": source.description,
        "license": LICENSE,
        "compatibility": COMPATIBILITY,
        "metadata": {"version": __version__},
    }
    references = {f"references/{procedure.name}.md": procedure for procedure in procedures}
    rows = [f"| {procedure.description} | [{procedure.title}]({path}) |" for path, procedure in references.items()]
    text = "\n".join(
        [
            _front_matter(frontmatter),
            f"# {source.title}",
            "",
            narrowed(source.body, tools)[0],
            "",
            "## Procedures",
            "",
            "Read the one that fits before the first call.",
            "",
            "| job | procedure |",
            "| --- | --- |",
            *rows,
            "",
            "## Always",
            "",
            ENDING,
            "",
        ]
    )
    texts = {FILE: text, **{path: _reference(procedure, tools) for path, procedure in references.items()}}
    return Skill(source.name, frontmatter, {path: content.encode() for path, content in texts.items()})


def _front_matter(fields: Record) -> str:
    """Return the fields as YAML. Each value is written as JSON, which is valid YAML."""
    lines = []
    for name, value in fields.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {key}: {json.dumps(text)}" for key, text in value.items())]
        else:
            lines.append(f"{name}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(["---", *lines, "---", ""])


def _reference(procedure: Procedure, tools: Tools) -> str:
    asked = [
        f"- `<{argument.name}>`{'' if argument.required else ' (optional)'}: {argument.description}"
        for argument in procedure.arguments
    ]
    values = {argument.name: f"<{argument.name}>" for argument in procedure.arguments}
    questions = ["Find these out first, from what the person said or by asking:", "", *asked, ""] if asked else []
    return "\n".join([f"# {procedure.title}", "", *questions, procedure.text(tools, values), ""])
