"""Skills, valid against the Agent Skills format."""

import re
from hashlib import sha256

import pytest
import yaml

from mailgun_mcp.catalogue.builtin_tools import offered
from mailgun_mcp.catalogue.procedures import TOOL, Tools, compiled_procedures, tools_offered
from mailgun_mcp.catalogue.skills import FILE, Skill, compiled_skills, skills_for
from tests.support.operations import catalogue

KEYS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}


def every_tool() -> Tools:
    return tools_offered(catalogue(), offered(catalogue()))


def front_matter(skill: Skill) -> object:
    match = re.match(r"---\n(.*?)\n---\n", skill.files[FILE].decode(), re.DOTALL)
    assert match is not None
    return yaml.safe_load(match[1])


def test_there_are_eight_skills_and_every_procedure_is_in_one() -> None:
    assert len(skills_for(every_tool())) == 8
    assert {name for skill in compiled_skills() for name in skill.procedures} == compiled_procedures().keys()


@pytest.mark.parametrize("name", [skill.name for skill in compiled_skills()])
def test_a_skill_is_as_the_format_asks(name: str) -> None:
    skill = skills_for(every_tool())[name]
    assert front_matter(skill) == skill.frontmatter
    assert set(skill.frontmatter) <= KEYS
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert len(name) <= 64
    assert 1 <= len(skill.description) <= 1_024
    assert len(skill.frontmatter["compatibility"]) <= 500
    assert all(isinstance(value, str) for value in skill.frontmatter["metadata"].values())
    assert "Use " in skill.description, "it says when to use it"


def test_the_overview_is_short_and_links_to_every_other_file() -> None:
    for skill in skills_for(every_tool()).values():
        text = skill.files[FILE].decode()
        assert set(re.findall(r"\]\(([^)]+)\)", text)) == skill.files.keys() - {FILE}
        assert len(text.splitlines()) < 60
        assert next(iter(skill.files)) == FILE


def test_digests_are_those_of_the_bytes() -> None:
    skill = skills_for(every_tool())["mailgun-dns"]
    digests = skill.digests()
    assert digests == {path: f"sha256:{sha256(content).hexdigest()}" for path, content in skill.files.items()}


def test_skills_name_only_tools_that_are_offered() -> None:
    chosen = catalogue().select(toolsets=["bounces", "complaints", "unsubscribes", "logs", "allowlist"], read_only=True)
    has = tools_offered(chosen, offered(chosen))
    skills = skills_for(has)
    assert "mailgun-suppressions" in skills
    assert "mailgun-templates" not in skills
    for skill in skills.values():
        for content in skill.files.values():
            assert set(TOOL.findall(content.decode())) <= has.keys()


def test_a_reference_says_what_to_find_out_and_has_no_placeholder_left() -> None:
    text = skills_for(every_tool())["mailgun-suppressions"].files["references/clean_suppressions.md"].decode()
    assert "- `<domain>`: Domain whose list is reviewed" in text
    assert "- `<list>` (optional): " in text
    assert "Review the suppression lists of <domain>. List: <list>." in text
    assert not re.search(r"[{}]", text)
