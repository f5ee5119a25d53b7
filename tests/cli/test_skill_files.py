"""Skills as files, plain and in plugins."""

import json
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.catalogue.builtin_tools import offered
from mailgun_mcp.catalogue.procedures import tools_offered
from mailgun_mcp.catalogue.skills import Skill, skills_for
from mailgun_mcp.cli.skill_files import PLUGINS, plugin_files, remove_skill, skill_files, write_skill, write_tree
from mailgun_mcp.settings import SettingsError
from tests.support.operations import catalogue

CURSOR_KEYS = {
    *("name", "displayName", "description", "version", "author", "publisher", "homepage", "repository", "license"),
    *("logo", "keywords", "category", "tags", "rules", "agents", "skills", "commands", "hooks", "mcpServers"),
}
"""What the schema of Cursor's manifest knows; it allows nothing else."""


def skills() -> dict[str, Skill]:
    return skills_for(tools_offered(catalogue(), offered(catalogue())))


def parsed(files: dict[str, bytes], path: str) -> Any:
    return json.loads(files[path])


def test_a_claude_plugin_has_a_manifest_a_marketplace_and_the_server() -> None:
    files = plugin_files("claude-plugin", skills())
    manifest = parsed(files, ".claude-plugin/plugin.json")
    market = parsed(files, ".claude-plugin/marketplace.json")
    assert manifest["name"] == "mailgun"
    assert [(plugin["name"], plugin["source"]) for plugin in market["plugins"]] == [("mailgun", "./")]
    assert {"name", "owner", "plugins"} <= market.keys()
    assert parsed(files, ".mcp.json")["mcpServers"]["mailgun"]["command"] == "mailgun-mcp"


def test_a_cursor_plugin_has_only_what_its_schema_knows_and_its_paths_exist() -> None:
    files = plugin_files("cursor-plugin", skills())
    manifest = parsed(files, ".cursor-plugin/plugin.json")
    assert manifest.keys() <= CURSOR_KEYS
    assert manifest["mcpServers"].removeprefix("./") in files
    assert any(path.startswith(manifest["skills"].removeprefix("./")) for path in files)


@pytest.mark.parametrize("kind", PLUGINS)
def test_every_plugin_has_all_skills(kind: str) -> None:
    files = plugin_files(kind, skills())
    assert {path for path in files if path.startswith("skills/")} == {
        f"skills/{path}" for path in skill_files(skills())
    }
    assert b"api_key_file" in files["README.md"]


def test_a_newer_skill_replaces_ours_and_leaves_no_old_procedure(tmp_path: Path) -> None:
    skill = skills()["mailgun-dns"]
    write_skill(tmp_path, skill)
    old = tmp_path / "mailgun-dns" / "references" / "old.md"
    old.write_text("old", encoding="utf-8")
    write_skill(tmp_path, skill)
    assert not old.exists()
    assert (tmp_path / "mailgun-dns" / "SKILL.md").read_bytes() == skill.files["SKILL.md"]


def test_what_somebody_else_made_is_neither_overwritten_nor_removed(tmp_path: Path) -> None:
    place = tmp_path / "mailgun-dns" / "SKILL.md"
    place.parent.mkdir()
    place.write_text("mine", encoding="utf-8")
    with pytest.raises(SettingsError, match="is not from mailgun-mcp: move it, then install again"):
        write_skill(tmp_path, skills()["mailgun-dns"])
    assert not remove_skill(tmp_path, "mailgun-dns")
    assert place.read_text(encoding="utf-8") == "mine"


def test_what_was_added_to_a_skill_stays_when_it_is_removed(tmp_path: Path) -> None:
    write_skill(tmp_path, skills()["mailgun-dns"])
    notes = tmp_path / "mailgun-dns" / "notes.txt"
    notes.write_text("mine", encoding="utf-8")
    assert remove_skill(tmp_path, "mailgun-dns")
    assert [path.name for path in notes.parent.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match="file"):
        write_tree(tmp_path / "file", {"a/b": b""})
