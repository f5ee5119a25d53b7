"""The MCP clients that `install` supports: where each keeps its servers, and how a key reaches them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mailgun_mcp.settings import applications_directory

KEY = "MAILGUN_API_KEY"
INPUT = {
    "type": "promptString",
    "id": "mailgun-api-key",
    "description": "Mailgun API key",
    "password": True,
}
"""VS Code asks for this once and keeps the answer in its secret storage."""


@dataclass(frozen=True, slots=True)
class ClientProgram:
    """The configuration of one MCP client, as its documentation describes it."""

    title: str
    files: Mapping[str, str]
    """Scope -> file. The first is the default. `~` is the home directory, `@` the directory of applications' settings."""
    servers: str = "mcpServers"
    """The key in the file under which the servers are listed."""
    form: Literal["json", "toml"] = "json"
    typed: bool = False
    """Whether an entry has `"type": "stdio"`."""
    key: Mapping[str, Any] = field(default_factory=dict)
    """The part of an entry that passes the API key on. The key itself is never written."""
    inputs: tuple[Mapping[str, Any], ...] = ()
    slow_start: Mapping[str, Any] = field(default_factory=dict)
    """The part of an entry that gives a server more time to start: uvx installs it the first time."""
    key_step: str = ""
    tool_limit: int | None = None
    after: str = "Restart it."

    def file(self, scope: str | None) -> Path:
        """Return the configuration file of a scope. Raises KeyError if the client does not have that scope."""
        name = self.files[scope or next(iter(self.files))]
        if name.startswith("@"):
            return applications_directory(sys.platform) / name[2:]
        return Path(name).expanduser()


def _from_environment(client: str) -> str:
    return f"Set {KEY} in the environment that {client} starts from, or install again with --api-key-file FILE."


CLIENTS: dict[str, ClientProgram] = {
    "claude-code": ClientProgram(
        "Claude Code",
        {"project": ".mcp.json", "user": "~/.claude.json"},
        typed=True,
        key_step=_from_environment("Claude Code"),
        after="Start `claude` again and look at /mcp.",
    ),
    "claude-desktop": ClientProgram(
        "Claude Desktop",
        {"user": "@/Claude/claude_desktop_config.json"},
        key_step="Claude Desktop does not pass environment variables on: save the key in a file that only you can read, "
        "and install again with --api-key-file FILE.",
        after="Quit Claude Desktop and start it again.",
    ),
    "cursor": ClientProgram(
        "Cursor",
        {"user": "~/.cursor/mcp.json", "project": ".cursor/mcp.json"},
        typed=True,
        key={"env": {KEY: f"${{env:{KEY}}}"}},
        key_step=_from_environment("Cursor"),
        tool_limit=80,
        after="Look at Cursor's settings under MCP.",
    ),
    "vscode": ClientProgram(
        "VS Code",
        {"project": ".vscode/mcp.json", "user": "@/Code/User/mcp.json"},
        servers="servers",
        typed=True,
        key={"env": {KEY: f"${{input:{INPUT['id']}}}"}},
        inputs=(INPUT,),
        key_step="VS Code asks for the key when it first starts the server and keeps it in its secret storage.",
        tool_limit=128,
        after="Run `MCP: List Servers` from the command palette and start it.",
    ),
    "windsurf": ClientProgram(
        "Windsurf",
        {"user": "~/.codeium/windsurf/mcp_config.json"},
        key={"env": {KEY: f"${{env:{KEY}}}"}},
        key_step=_from_environment("Windsurf"),
        tool_limit=100,
        after="Press refresh in Cascade's MCP panel.",
    ),
    "codex": ClientProgram(
        "Codex",
        {"user": "~/.codex/config.toml", "project": ".codex/config.toml"},
        servers="mcp_servers",
        form="toml",
        key={"env_vars": [KEY]},
        slow_start={"startup_timeout_sec": 120},
        key_step=_from_environment("Codex"),
        after="Start `codex` again and look at /mcp.",
    ),
    "gemini": ClientProgram(
        "Gemini CLI",
        {"user": "~/.gemini/settings.json", "project": ".gemini/settings.json"},
        key={"env": {KEY: f"${KEY}"}},
        key_step=_from_environment("Gemini CLI"),
        after="Start `gemini` again and look at /mcp.",
    ),
}


def entry(client: ClientProgram, command: list[str], key_file: str | None, *, keyless: bool) -> dict[str, Any]:
    """Return the entry that runs `command`.

    The server reads the API key from `key_file` if there is one, else the client passes it on its own way. With
    `keyless` it needs none.
    """
    server: dict[str, Any] = {"type": "stdio"} if client.typed else {}
    server["command"] = command[0]
    if command[1:]:
        server["args"] = command[1:]
    if keyless:
        return server
    return server | ({"env": {f"{KEY}_FILE": key_file}} if key_file else dict(client.key))
