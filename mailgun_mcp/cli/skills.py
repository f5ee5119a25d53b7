"""List the skills, install them for a client that reads skills from files, or export them as files or as a plugin."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from mailgun_mcp.catalogue.procedures import tools_offered
from mailgun_mcp.catalogue.skills import Skill, skills_for
from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.output import as_json, note, out, table
from mailgun_mcp.cli.parser import Parser, add_settings, settings_given
from mailgun_mcp.cli.skill_files import PLUGINS, plugin_files, remove_skill, skill_files, write_skill, write_tree
from mailgun_mcp.cli.tool_selection import SELECTING
from mailgun_mcp.settings import SettingsError, load

EXAMPLES = """\
  mailgun-mcp skills list
  mailgun-mcp skills install --client claude-code
  mailgun-mcp skills install --client cursor --scope project --preset deliverability
  mailgun-mcp skills install --client claude-code --uninstall
  mailgun-mcp skills export --format claude-plugin mailgun-plugin
  mailgun-mcp skills export --read-only skills"""


@dataclass(frozen=True, slots=True)
class SkillFolders:
    """The folders from which a client reads skills."""

    title: str
    user: str
    project: str


CLIENTS = {
    "claude-code": SkillFolders("Claude Code", "~/.claude/skills", ".claude/skills"),
    "cursor": SkillFolders("Cursor", "~/.cursor/skills", ".cursor/skills"),
    "codex": SkillFolders("Codex", "~/.agents/skills", ".agents/skills"),
    "gemini-cli": SkillFolders("Gemini CLI", "~/.gemini/skills", ".gemini/skills"),
}
FORMATS = ("files", *PLUGINS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(
        title="actions", dest="action", required=True, metavar="ACTION", parser_class=Parser
    )
    listing = actions.add_parser("list", help="list the skills of a server with these settings")
    listing.add_argument("--json", action="store_true", help="as JSON, with the digest of every file")
    installing = actions.add_parser("install", help="write the skills where a client reads them")
    installing.add_argument(
        "--client", choices=CLIENTS, metavar="CLIENT", required=True, help=f"one of {', '.join(CLIENTS)}"
    )
    installing.add_argument("--scope", choices=("user", "project"), default="user", help="default user")
    installing.add_argument("--uninstall", action="store_true", help="remove them instead")
    exporting = actions.add_parser(
        "export", help="write the skills as plain files, or as a plugin with the server in it"
    )
    exporting.add_argument("folder", metavar="FOLDER", help="a folder that is empty or does not exist yet")
    exporting.add_argument("--format", choices=FORMATS, default="files", help="default files")
    for action in (listing, installing, exporting):
        add_settings(action, only=SELECTING)
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    actions = {"list": _list, "install": _install, "export": _export}
    return actions[arguments.action](arguments)


def _list(arguments: argparse.Namespace) -> int:
    skills = _skills(arguments)
    if arguments.json:
        as_json([{**skill.frontmatter, "files": skill.digests()} for skill in skills.values()])
    elif skills:
        table([(skill.name, skill.description) for skill in skills.values()])
    else:
        note("No skill works with so few tools.")
    return OK


def _install(arguments: argparse.Namespace) -> int:
    client = CLIENTS[arguments.client]
    folder = Path(client.user if arguments.scope == "user" else client.project).expanduser()
    if arguments.uninstall:
        removed = [name for name in _all_skills() if remove_skill(folder, name)]
        note(f"{folder}: removed {len(removed)} skills of mailgun-mcp.")
        return OK
    skills = _skills(arguments)
    for skill in skills.values():
        write_skill(folder, skill)
    for name in _all_skills().keys() - skills.keys():
        remove_skill(folder, name)
    note(f"{folder}: wrote {len(skills)} skills. Start {client.title} again, so that it reads them.")
    for skill in skills.values():
        out(skill.name)
    return OK


def _export(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.folder).expanduser()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} is not an empty folder: nothing was written")
    skills = _skills(arguments)
    files = skill_files(skills) if arguments.format == "files" else plugin_files(arguments.format, skills)
    write_tree(folder, files)
    note(f"{folder}: wrote {len(skills)} skills in {len(files)} files.")
    return OK


def _skills(arguments: argparse.Namespace) -> dict[str, Skill]:
    from mailgun_mcp.app.compose import create_catalogue
    from mailgun_mcp.catalogue.builtin_tools import offered

    settings = load(settings_given(arguments))
    catalogue = create_catalogue(settings)
    return skills_for(tools_offered(catalogue, offered(catalogue, settings.exclude_tools)))


def _all_skills() -> dict[str, Skill]:
    from mailgun_mcp.catalogue.builtin_tools import offered
    from mailgun_mcp.catalogue.catalogue import Catalogue

    catalogue = Catalogue.load()
    return skills_for(tools_offered(catalogue, offered(catalogue)))
