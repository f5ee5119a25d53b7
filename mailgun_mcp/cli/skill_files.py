"""Writes skills as files: plain, or in a plugin with the server's configuration beside them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailgun_mcp import __version__
from mailgun_mcp.catalogue.skills import COMPATIBILITY, FILE, LICENSE, Skill
from mailgun_mcp.errors import reason_of
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.text.atomic_write import write_file

READABLE = 0o644
REFERENCES = "references"
MANIFEST = {
    "name": "mailgun",
    "version": __version__,
    "description": "Administer Mailgun: sending, deliverability, DNS, suppressions, templates, inbound mail, keys, incidents",
    "license": LICENSE,
    "keywords": ["mailgun", "email", "deliverability", "mcp"],
}
SERVER = {"mcpServers": {"mailgun": {"type": "stdio", "command": "mailgun-mcp", "args": []}}}
README = """\
# Mailgun

Skills for Mailgun, and the MCP server mailgun-mcp with the tools that they use.

Install the server first, so that `mailgun-mcp` is on the PATH, and give it an API key:
`MAILGUN_API_KEY_FILE` or `api_key_file` in its configuration file names a file with the key.
"""
PLUGINS: Mapping[str, Mapping[str, Any]] = {
    "claude-plugin": {
        ".claude-plugin/plugin.json": {**MANIFEST, "author": {"name": "mailgun-mcp"}},
        ".claude-plugin/marketplace.json": {
            "name": "mailgun-mcp",
            "owner": {"name": "mailgun-mcp"},
            "plugins": [{"name": MANIFEST["name"], "source": "./", "description": MANIFEST["description"]}],
        },
        ".mcp.json": SERVER,
    },
    "cursor-plugin": {
        ".cursor-plugin/plugin.json": {
            **MANIFEST,
            "displayName": "Mailgun",
            "author": {"name": "mailgun-mcp"},
            "skills": "./skills/",
            "mcpServers": "./mcp.json",
        },
        "mcp.json": SERVER,
    },
}
"""Kind of plugin -> its JSON files."""


def skill_files(skills: Mapping[str, Skill]) -> dict[str, bytes]:
    """Return path -> content of all files of the skills."""
    return {f"{name}/{path}": content for name, skill in skills.items() for path, content in skill.files.items()}


def plugin_files(kind: str, skills: Mapping[str, Skill]) -> dict[str, bytes]:
    """Return path -> content of all files of a plugin."""
    manifests = {path: f"{json.dumps(value, indent=2)}\n".encode() for path, value in PLUGINS[kind].items()}
    return {
        **manifests,
        "README.md": README.encode(),
        **{f"skills/{path}": content for path, content in skill_files(skills).items()},
    }


def write_tree(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files below the folder. Raises SettingsError, which says what could not be written."""
    try:
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            write_file(target, content, mode=READABLE)
    except OSError as error:
        raise SettingsError(f"{folder}: {reason_of(error)}") from error


def write_skill(folder: Path, skill: Skill) -> None:
    """Write a skill, replacing our earlier version. Raises SettingsError if a folder of that name is not ours."""
    target = folder / skill.name
    if target.exists() and not _is_ours(target):
        raise SettingsError(f"{target} is not from mailgun-mcp: move it, then install again")
    for old in _files_of(target):
        if old.relative_to(target).as_posix() not in skill.files:
            old.unlink()
    write_tree(target, skill.files)


def remove_skill(folder: Path, name: str) -> bool:
    """Remove our skill of that name, and return whether there was one. Files that others added to its folder stay."""
    target = folder / name
    if not _is_ours(target):
        return False
    for path in _files_of(target):
        path.unlink()
    for directory in (target / REFERENCES, target):
        if directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()
    return True


def _is_ours(skill_folder: Path) -> bool:
    try:
        return COMPATIBILITY in (skill_folder / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _files_of(skill_folder: Path) -> list[Path]:
    return [path for path in (skill_folder / FILE, *sorted((skill_folder / REFERENCES).glob("*.md"))) if path.is_file()]
