"""The MCP clients that `install` supports: where each keeps its servers, and how a key reaches them."""

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mailgun_mcp.settings import applications_directory, user_config_directory

KEY = "MAILGUN_API_KEY"
INPUT = {
    "type": "promptString",
    "id": "mailgun-api-key",
    "description": "Mailgun API key",
    "password": True,
}
"""The input that VS Code asks for once. It keeps the answer in its secret storage."""
SLOW_START_SECONDS = 120
"""Seconds for which a client should wait for a server that uvx must install first."""


@dataclass(frozen=True, slots=True)
class ClientProgram:
    """The configuration of one MCP client, as its documentation describes it."""

    title: str
    files: Mapping[str, tuple[str, ...]]
    """Scope -> possible files. The first scope is the default. The first file that exists is used, or else the first.

    `~` is the home directory, `@` the directory for application settings, `%` the user's configuration directory.
    """
    signs: tuple[str, ...] = ()
    """Files and directories whose presence shows that the client is on this machine."""
    program: str = ""
    """The client's command. Its presence on the PATH also shows that the client is on this machine."""
    servers: tuple[str, ...] = ("mcpServers",)
    """The keys in the file that lead to the servers."""
    form: Literal["json", "toml", "yaml"] = "json"
    shape: Literal["plain", "opencode", "goose"] = "plain"
    """The names of command, arguments and environment in an entry."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """The fixed values at the start of every entry."""
    key: Mapping[str, Any] = field(default_factory=dict)
    """The part of an entry that passes the API key on. The key itself is never written."""
    slow_start: Mapping[str, Any] = field(default_factory=dict)
    """The part of an entry that gives a server more time to start, because uvx may have to install it first."""
    foreign: Callable[[Mapping[str, Any]], str] | None = None
    """Describes the fault in a file for another version of the client. Returns "" if there is none."""
    older: str = ""
    """The key in CLIENTS of the previous version, which stores its servers in the same file in another form."""
    key_step: str = ""
    tool_limit: int | None = None
    defers_above: int | None = None
    """The number of tools above which the client gives a model only their names, and loads a tool when it is needed."""
    after: str = "Restart it."

    def file(self, scope: str | None) -> Path:
        """Return the configuration file of a scope. Raises KeyError if the client does not have that scope."""
        candidates = [_path(name) for name in self.files[scope or next(iter(self.files))]]
        return next((path for path in candidates if path.is_file()), candidates[0])

    @property
    def present(self) -> bool:
        """Whether the client is on this machine."""
        if self.program and shutil.which(self.program):
            return True
        return any(_path(name).exists() for name in self.signs)


def _path(name: str) -> Path:
    if name.startswith("@"):
        return applications_directory(sys.platform) / name[2:]
    if name.startswith("%"):
        return user_config_directory() / name[2:]
    return Path(name).expanduser()


def _from_environment(client: str) -> str:
    return f"Set {KEY} in the environment that {client} starts from, or install again with --api-key-file FILE."


def _from_file(client: str) -> str:
    return (
        f"{client} does not pass environment variables on: save the key in a file that only you can read, "
        "and install again with --api-key-file FILE."
    )


def _is_of_opencode_1(document: Mapping[str, Any]) -> str:
    members = document.get("mcp")
    names = [name for name, value in members.items() if isinstance(value, dict) and "type" in value] if members else []
    return f"it lists servers as opencode 1 reads them ({names[0]}): use --client opencode-1" if names else ""


def _is_of_opencode_2(document: Mapping[str, Any]) -> str:
    servers = (document.get("mcp") or {}).get("servers")
    newer = isinstance(servers, dict) and "type" not in servers
    return "it lists servers as opencode 2 reads them: use --client opencode" if newer else ""


OPENCODE_FILES = {
    "user": ("%/opencode/opencode.json", "%/opencode/opencode.jsonc"),
    "project": ("opencode.json", "opencode.jsonc"),
}
OPENCODE_KEY = {"environment": {KEY: f"{{env:{KEY}}}"}}

CLIENTS: dict[str, ClientProgram] = {
    "claude-code": ClientProgram(
        "Claude Code",
        {"project": (".mcp.json",), "user": ("~/.claude.json",)},
        signs=("~/.claude.json", "~/.claude"),
        program="claude",
        fixed={"type": "stdio"},
        key_step=_from_environment("Claude Code"),
        defers_above=0,
        after="Start `claude` again and look at /mcp.",
    ),
    "claude-desktop": ClientProgram(
        "Claude Desktop",
        {"user": ("@/Claude/claude_desktop_config.json",)},
        signs=("@/Claude",),
        key_step=_from_file("Claude Desktop"),
        after="Quit Claude Desktop and start it again.",
    ),
    "cursor": ClientProgram(
        "Cursor",
        {"user": ("~/.cursor/mcp.json",), "project": (".cursor/mcp.json",)},
        signs=("~/.cursor",),
        program="cursor",
        fixed={"type": "stdio"},
        key={"env": {KEY: f"${{env:{KEY}}}"}},
        key_step=_from_environment("Cursor"),
        tool_limit=80,
        after="Look at Cursor's settings under MCP.",
    ),
    "vscode": ClientProgram(
        "VS Code",
        {"project": (".vscode/mcp.json",), "user": ("@/Code/User/mcp.json",)},
        signs=("@/Code",),
        program="code",
        servers=("servers",),
        fixed={"type": "stdio"},
        key={"env": {KEY: f"${{input:{INPUT['id']}}}"}},
        key_step="VS Code asks for the key when it first starts the server and keeps it in its secret storage.",
        tool_limit=128,
        after="Run `MCP: List Servers` from the command palette and start it.",
    ),
    "windsurf": ClientProgram(
        "Windsurf",
        {"user": ("~/.codeium/windsurf/mcp_config.json",)},
        signs=("~/.codeium/windsurf",),
        program="windsurf",
        key={"env": {KEY: f"${{env:{KEY}}}"}},
        key_step=_from_environment("Windsurf"),
        tool_limit=100,
        after="Press refresh in Cascade's MCP panel.",
    ),
    "zed": ClientProgram(
        "Zed",
        {"user": ("%/zed/settings.json", "@/Zed/settings.json"), "project": (".zed/settings.json",)},
        signs=("%/zed", "@/Zed"),
        program="zed",
        servers=("context_servers",),
        fixed={"command": "", "args": []},
        key_step=_from_environment("Zed"),
        after="Look at the settings of Zed's agent panel.",
    ),
    "jetbrains": ClientProgram(
        "JetBrains Junie",
        {"user": ("~/.junie/mcp/mcp.json",), "project": (".junie/mcp/mcp.json",)},
        signs=("~/.junie",),
        program="junie",
        key_step=_from_file("Junie"),
        after="Look at Settings | Tools | Junie | MCP Settings. For AI Assistant, paste what --print shows.",
    ),
    "cline": ClientProgram(
        "Cline",
        {
            "user": (
                "~/.cline/data/settings/cline_mcp_settings.json",
                "@/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
            )
        },
        signs=("~/.cline", "@/Code/User/globalStorage/saoudrizwan.claude-dev"),
        program="cline",
        slow_start={"timeout": SLOW_START_SECONDS},
        key_step=_from_file("Cline"),
        after="Look at Cline's MCP servers.",
    ),
    "codex": ClientProgram(
        "Codex",
        {"user": ("~/.codex/config.toml",), "project": (".codex/config.toml",)},
        signs=("~/.codex",),
        program="codex",
        servers=("mcp_servers",),
        form="toml",
        key={"env_vars": [KEY]},
        slow_start={"startup_timeout_sec": SLOW_START_SECONDS},
        key_step=_from_environment("Codex"),
        after="Start `codex` again and look at /mcp.",
    ),
    "gemini": ClientProgram(
        "Gemini CLI",
        {"user": ("~/.gemini/settings.json",), "project": (".gemini/settings.json",)},
        signs=("~/.gemini/settings.json",),
        program="gemini",
        key={"env": {KEY: f"${KEY}"}},
        key_step=_from_environment("Gemini CLI"),
        after="Start `gemini` again and look at /mcp.",
    ),
    "copilot-cli": ClientProgram(
        "Copilot CLI",
        {"user": ("~/.copilot/mcp-config.json",), "project": (".github/mcp.json",)},
        signs=("~/.copilot",),
        program="copilot",
        fixed={"type": "local", "command": "", "args": [], "tools": ["*"]},
        key={"env": {KEY: f"${{{KEY}}}"}},
        key_step=_from_environment("Copilot CLI"),
        defers_above=30,
        after="Start `copilot` again and look at /mcp show.",
    ),
    "opencode": ClientProgram(
        "opencode",
        OPENCODE_FILES,
        signs=("%/opencode",),
        program="opencode",
        servers=("mcp", "servers"),
        shape="opencode",
        fixed={"type": "local"},
        key=OPENCODE_KEY,
        slow_start={"timeout": {"startup": SLOW_START_SECONDS * 1000}},
        foreign=_is_of_opencode_1,
        older="opencode-1",
        key_step=_from_environment("opencode"),
        after="Start `opencode` again.",
    ),
    "opencode-1": ClientProgram(
        "opencode 1",
        OPENCODE_FILES,
        servers=("mcp",),
        shape="opencode",
        fixed={"type": "local"},
        key=OPENCODE_KEY,
        slow_start={"timeout": SLOW_START_SECONDS * 1000},
        foreign=_is_of_opencode_2,
        key_step=_from_environment("opencode"),
        after="Start `opencode` again.",
    ),
    "goose": ClientProgram(
        "Goose",
        {"user": ("%/goose/config.yaml", "@/Block/goose/config/config.yaml")},
        signs=("%/goose", "@/Block/goose"),
        program="goose",
        servers=("extensions",),
        form="yaml",
        shape="goose",
        fixed={"enabled": True, "type": "stdio", "name": "Mailgun", "description": "The Mailgun API, with guard rails"},
        key={"env_keys": [KEY]},
        slow_start={"timeout": 300},
        key_step=_from_environment("Goose"),
        after="Start Goose again and look at its extensions.",
    ),
}


def entry(client: ClientProgram, command: list[str], key_file: str | None, *, keyless: bool) -> dict[str, Any]:
    """Return the entry that runs `command`.

    The server reads the API key from `key_file` if it is given; otherwise the client passes the key in its own way.
    With `keyless`, no key is needed.
    """
    program, arguments = command[0], command[1:]
    server = dict(client.fixed)
    match client.shape:
        case "opencode":
            server["command"] = command
        case "goose":
            server |= {"cmd": program, "args": arguments}
        case "plain":
            server["command"] = program
            if arguments:
                server["args"] = arguments
    if keyless:
        return server
    variables = {"plain": "env", "opencode": "environment", "goose": "envs"}[client.shape]
    return server | ({variables: {f"{KEY}_FILE": key_file}} if key_file else dict(client.key))
