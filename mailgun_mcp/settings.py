"""The settings of a server: flags override the environment, which overrides the configuration file.

Nothing else reads the environment or `mailgun-mcp.toml`. The file comes from the user's configuration directory or
from `--config`, never from the working directory: an IDE starts the server inside other people's projects, and a
file there could switch the guard rails off.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mailgun_mcp.errors import SettingsError as SettingsError
from mailgun_mcp.errors import reason_of
from mailgun_mcp.text.api_keys import checked_key
from mailgun_mcp.text.option_values import Kind, read
from mailgun_mcp.text.suggest import unknown

TRANSPORTS = ("stdio", "http", "sse")
MODES = ("full", "search")
LOG_LEVELS = ("debug", "info", "warning", "error")
ALTERNATIVES = (
    frozenset({"region", "hostname", "url"}),
    frozenset({"api_key", "api_key_file"}),
    frozenset({"personal_keys_secret", "personal_keys_secret_file"}),
)
"""Options that replace each other: if a stronger source sets one, it overrides all of them from weaker sources."""


def _option(
    kind: Kind,
    help_text: str,
    default: Any,
    *,
    choices: tuple[str, ...] = (),
    env: str | None = None,
    flag: bool = True,
    over_http: bool = False,
    secret: bool = False,
) -> Any:
    metadata = {"kind": kind, "help": help_text, "choices": choices, "env": env, "flag": flag, "over_http": over_http}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """All options of a server. A field has the name of its flag, with `_` for `-`."""

    transport: str = _option("text", "how clients connect", "stdio", choices=TRANSPORTS)
    mode: str = _option(
        "text",
        "full lists every tool; search lists a few that find, describe and call the others, for under 2,000 tokens",
        "full",
        choices=MODES,
    )
    host: str = _option(
        "text",
        "address to listen on (http, sse); any other than loopback needs tokens: see docs/team.md",
        "127.0.0.1",
        over_http=True,
    )
    port: int = _option("integer", "port to listen on (http, sse)", 8000, over_http=True)
    allowed_hosts: tuple[str, ...] = _option(
        "list", "host names, besides localhost, at which clients reach the server (http, sse)", (), over_http=True
    )
    allowed_origins: tuple[str, ...] = _option(
        "list",
        "web origins besides localhost whose pages may call (http, sse), such as https://app.example.com",
        (),
        over_http=True,
    )
    without_token: bool = _option(
        "switch",
        "accept callers without the token of the state directory (http, sse); people are then not asked in the "
        "client, and answer only with `mailgun-mcp approvals`",
        False,
        over_http=True,
    )
    public_url: str | None = _option(
        "url",
        "base URL at which clients reach the server (http, sse), such as https://mail-admin.example.com",
        None,
        over_http=True,
    )
    oauth_issuer: str | None = _option(
        "text",
        "authorization server whose access tokens are accepted (http, sse): see docs/team.md",
        None,
        over_http=True,
    )
    oauth_audience: str | None = _option(
        "text", "audience that access tokens must have (default: the URL of this server)", None, over_http=True
    )
    oauth_principal: str = _option(
        "text", "claim of access tokens that names the principal: sub, email or another", "sub", over_http=True
    )
    oauth_jwks_url: str | None = _option(
        "text", "URL of the authorization server's keys (default: the one in its metadata)", None, over_http=True
    )
    oauth_introspection_url: str | None = _option(
        "text",
        "URL at which the authorization server is asked about each token, so that a revoked token is refused at once",
        None,
        over_http=True,
    )
    oauth_client_id: str | None = _option(
        "text",
        "client id of this server at the authorization server, for signing people in to its pages and asking about "
        "tokens",
        None,
        over_http=True,
    )
    oauth_client_secret_file: str | None = _option(
        "text", "file with the secret of that client id", None, over_http=True
    )
    oauth_loopback: bool = _option(
        "switch", "for tests: accept an authorization server on loopback, over plain HTTP", False, over_http=True
    )
    agent: bool = _option(
        "switch", "serve the chat agent too (http): see docs/agent.md; it needs --model", False, over_http=True
    )
    model: str | None = _option(
        "text",
        "model of the chat agent, such as anthropic:NAME, openai:NAME, google:NAME, ollama:NAME",
        None,
        over_http=True,
    )
    model_url: str | None = _option(
        "text", "base URL of an OpenAI-compatible endpoint that serves the model", None, over_http=True
    )
    summary_model: str | None = _option(
        "text", "cheaper model that summarizes long conversations (default: the same)", None, over_http=True
    )
    instructions: str | None = _option(
        "text", "file with your own instructions for the chat agent", None, over_http=True
    )
    context_tokens: int = _option("integer", "size of the model's context window, in tokens", 128_000, over_http=True)
    chat_cost: float | None = _option(
        "number", "the most that one conversation may cost, in US dollars", None, over_http=True
    )
    chat_cost_per_day: float | None = _option(
        "number", "the most that one person's conversations may cost in a day, in US dollars", None, over_http=True
    )
    slack: str | None = _option(
        "text", "file that says who the users of a Slack workspace are: see docs/slack.md", None, over_http=True
    )
    metrics: bool = _option(
        "switch", "serve /metrics for Prometheus (http, sse), for tokens with the scope metrics", False, over_http=True
    )
    drain_timeout: float = _option(
        "number", "seconds that running requests have to finish when the server stops (http, sse)", 30.0, over_http=True
    )
    max_requests: int = _option(
        "integer", "the most requests at once (http, sse), open streams included; 0 for no limit", 2000, over_http=True
    )
    otlp_endpoint: str | None = _option(
        "text", "OpenTelemetry collector that receives traces, such as http://otel:4318", None
    )
    toolsets: tuple[str, ...] = _option("list", "offer only the tools of these toolsets", ())
    preset: tuple[str, ...] = _option(
        "list", "offer the tools of these presets (adds to --toolsets); `mailgun-mcp tools presets` lists them", ()
    )
    tools: tuple[str, ...] = _option("list", "offer these tools (adds to --toolsets and --preset)", ())
    exclude_tools: tuple[str, ...] = _option("list", "never offer these tools; this overrides every other choice", ())
    read_only: bool = _option("switch", "offer only tools that read; this overrides every other choice", False)
    no_deprecated: bool = _option("switch", "leave out the tools that Mailgun has replaced with others", False)
    policy: str = _option(
        "text", "guard rails: a policy file, or one of the profiles guarded, strict, read-only, unguarded", "guarded"
    )
    require_user_interaction: bool = _option(
        "switch",
        "tell clients to ask a person before calls that the policy always confirms, whatever the person has allowed "
        "there; only some clients support this, and the server confirms these calls in any case",
        False,
    )
    spec: str | None = _option(
        "text", "add tools for the operations of this OpenAPI 3.x file that the catalogue does not have", None
    )
    simulator: bool = _option(
        "switch", "use the built-in simulator instead of Mailgun: no account, key or network", False
    )
    scenario: str | None = _option(
        "text", "account that the simulator starts with: the name of a built-in scenario, or a YAML file", None
    )
    files: tuple[str, ...] = _option("list", "directories in which calls may read files and create new ones", ())
    account: str | None = _option("text", "your name for the account that the API key opens", None)
    subaccount: str | None = _option("text", "id of the subaccount to act in", None)
    subaccount_argument: bool = _option("switch", "give every tool an argument that selects a subaccount", False)
    state: str | None = _option("text", "directory of the state store (default: in the user's state directory)", None)
    state_url: str | None = _option(
        "text",
        "PostgreSQL database that several servers share as their state, such as postgresql://USER:PASSWORD@HOST/DATABASE; "
        "better set in the environment or the configuration file: see docs/postgresql.md",
        None,
        secret=True,
    )
    seal_keys: str | None = _option(
        "text", "file of keys that all servers of one state share (default: a key in the state directory)", None
    )
    personal_keys_secret_file: str | None = _option(
        "text",
        "file of keys that encrypt people's own Mailgun keys (http, sse), one per line: see docs/accounts.md",
        None,
        over_http=True,
    )
    personal_keys_secret: str | None = _option(
        "text", "the keys themselves", None, flag=False, over_http=True, secret=True
    )
    rate_limit: int = _option("integer", "the most calls to Mailgun in 10 seconds; 0 for no limit", 500)
    log_level: str = _option("text", "lowest level of messages logged on stderr", "info", choices=LOG_LEVELS)
    region: str | None = _option("text", "region of the account", None, choices=("us", "eu"), env="MAILGUN_API_REGION")
    hostname: str | None = _option("text", "host name of the API", None, env="MAILGUN_API_HOSTNAME")
    url: str | None = _option("text", "base URL of the API", None, env="MAILGUN_API_URL")
    timeout: float = _option("number", "seconds to wait for Mailgun", 30.0, env="MAILGUN_TIMEOUT")
    api_key_file: str | None = _option("text", "file that contains the API key", None, env="MAILGUN_API_KEY_FILE")
    api_key: str | None = _option("text", "API key", None, env="MAILGUN_API_KEY", flag=False, secret=True)
    accounts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The tables `[accounts.NAME]` of the configuration file, unchanged: see `app.account_settings`."""

    def key(self) -> str:
        """Return the API key. Raises SettingsError, which says what to do, if there is none."""
        if self.api_key and self.api_key_file:
            raise SettingsError("both MAILGUN_API_KEY and MAILGUN_API_KEY_FILE are set: set only one of them")
        key = _read_key(self.api_key_file) if self.api_key_file else self.api_key
        if not key:
            raise SettingsError(
                "no API key: set MAILGUN_API_KEY or MAILGUN_API_KEY_FILE, or add --simulator to try it without an account"
            )
        try:
            return checked_key(key)
        except ValueError as error:
            raise SettingsError(str(error)) from error


SECRETS = ("api_key", "personal_keys_secret")
"""Options that are not passed on to the operator's commands."""
OPTIONS = {option.name: option for option in fields(Settings) if option.metadata}
APPROVAL_ID = "MAILGUN_MCP_APPROVAL_ID"
"""Set for a notification hook, which may itself run `mailgun-mcp`. It is not an option, but allowed."""


def env_name(name: str) -> str:
    """Return the name of the option's environment variable."""
    return OPTIONS[name].metadata["env"] or f"MAILGUN_MCP_{name.upper()}"


def model_variable(name: str) -> str | None:
    """Return the value of a model provider's variable, such as OPENAI_API_KEY."""
    return os.environ.get(name) or None


def load(flags: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings. `flags` maps option names to values from the command line: None if a flag was not given.

    Raises SettingsError for unusable values, and for unknown names, with the nearest valid one.
    """
    environ = os.environ if environ is None else environ
    values = _from_file(flags.get("config") or environ.get("MAILGUN_MCP_CONFIG"), environ)
    values = _override(values, _from_environ(environ))
    values = _override(values, {name: value for name, value in flags.items() if value is not None and name in OPTIONS})
    accounts = values.pop("accounts", {})
    return Settings(**{name: _value(name, value) for name, value in values.items()}, accounts=accounts)


def environment_value(name: str) -> str | None:
    """Return the value of a variable that the configuration file names, such as one with an API key."""
    return os.environ.get(name)


def _override(weaker: dict[str, Any], stronger: dict[str, Any]) -> dict[str, Any]:
    replaced = {name for group in ALTERNATIVES if group & stronger.keys() for name in group}
    return {**{name: value for name, value in weaker.items() if name not in replaced}, **stronger}


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    options = {env_name(name): name for name in OPTIONS}
    for variable in environ:
        ours = variable.startswith(("MAILGUN_MCP_", "MAILGUN_API_"))
        if ours and variable not in (*options, "MAILGUN_MCP_CONFIG", APPROVAL_ID):
            raise SettingsError(unknown("environment variable", variable, [*options, "MAILGUN_MCP_CONFIG"]))
    return {name: environ[variable] for variable, name in options.items() if environ.get(variable)}


def _from_file(config: str | None, environ: Mapping[str, str]) -> dict[str, Any]:
    path = Path(config).expanduser() if config else config_directory(environ) / "mailgun-mcp.toml"
    if not config and not path.is_file():
        return {}
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {reason_of(error)}") from error
    values = {name.replace("-", "_"): value for name, value in values.items()}
    for name in values.keys() - {"accounts"}:
        if name not in OPTIONS or name in SECRETS:
            hint = f"; save the key in a file of its own and set {name}_file" if name in SECRETS else ""
            raise SettingsError(f"{path}: {unknown('key', name, {*OPTIONS, 'accounts'} - {*SECRETS})}{hint}")
    if not isinstance(values.get("accounts", {}), dict):
        raise SettingsError(f"{path}: accounts must be tables, such as [accounts.production]")
    return values


def config_directory(environ: Mapping[str, str] | None = None) -> Path:
    """Return the directory of this program's configuration."""
    return user_config_directory(environ) / "mailgun-mcp"


def user_config_directory(environ: Mapping[str, str] | None = None) -> Path:
    """Return the directory in which programs keep the user's configuration."""
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_CONFIG_HOME")
    return Path(base) if base else Path.home() / ".config"


def state_directory(option: str | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """Return the state directory: `option`, the value of `--state`, or the default in the user's home."""
    if option:
        return Path(option).expanduser()
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_STATE_HOME")
    return Path(base) / "mailgun-mcp" if base else Path.home() / ".local" / "state" / "mailgun-mcp"


def shell_command(*words: str, state: Path | None = None) -> str:
    """Return a command of this program that can be run in a terminal, from any directory.

    `state` is the state directory. It is added unless it is the default, because the person's terminal may not have the
    server's environment variables.
    """
    chosen = (
        [] if state is None or state.absolute() == state_directory(environ={}) else ["--state", str(state.absolute())]
    )
    command = [*_program(), *words, *chosen]
    return subprocess.list2cmdline(command) if sys.platform == "win32" else shlex.join(command)


def _program() -> list[str]:
    """Return the command that starts this program: the script's full path, as PATH may lack it, or the module."""
    path = Path(sys.argv[0] if sys.argv else "")
    if path.stem == "mailgun-mcp":
        for script in (path, path.with_suffix(".exe")):
            if script.is_file():
                return [str(script.absolute())]
    return [sys.executable, "-m", "mailgun_mcp"]


def hook_environment(
    approval_id: str | None, state: Path | None = None, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the environment for a command of the operator, such as a hook: that of this process without secrets.

    With `state`, a `mailgun-mcp` that the command runs uses that state directory.
    """
    environ = os.environ if environ is None else environ
    inherited = {name: value for name, value in environ.items() if name not in map(env_name, SECRETS)}
    named = {APPROVAL_ID: approval_id} if approval_id else {}
    return {**inherited, **named, **({env_name("state"): str(state.absolute())} if state else {})}


def _value(name: str, value: Any) -> Any:
    kind, choices = OPTIONS[name].metadata["kind"], OPTIONS[name].metadata["choices"]
    try:
        converted = read(kind, value)
    except ValueError as error:
        raise SettingsError(f"{name.replace('_', '-')}: {error}") from error
    if choices and converted not in choices:
        raise SettingsError(unknown(f"{name.replace('_', ' ')}", str(converted), choices))
    return converted


def _read_key(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the file of the API key, {path}, cannot be read: {reason_of(error)}") from error


def colour_preference() -> bool | None:
    """Return whether NO_COLOR or FORCE_COLOR asks for colour (no-color.org). None if neither is set."""
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None


def applications_directory(platform: str) -> Path:
    """Return the directory in which desktop applications keep the user's settings."""
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
